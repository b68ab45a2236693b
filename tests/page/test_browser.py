"""The page as a person meets it, in headless Chromium."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from page_ledger import PageLedger, event, fleet, served_page
from playwright.async_api import Browser, Page, Route, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
"""How long a slow machine may take; nothing here measures time."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true",
        reason="no Chromium at /usr/bin/chromium; install it with: apt-get install chromium",
    ),
]


class Visit:
    """One open page, with everything it complained of and asked for."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda failure: self.complaints.append(str(failure)))
        page.on("request", lambda request: self.requests.append(request.url))

    async def go(self, query: str = "", *, wait: str = "#chart .barlayer path") -> None:
        await self.page.goto(self.url + query)
        await self.page.wait_for_selector(wait, state="attached")

    def text(self, selector: str) -> Any:
        return expect(self.page.locator(selector))

    def check(self) -> None:
        """Nothing went wrong, and nothing left this machine."""
        assert self.complaints == []
        assert [asked for asked in self.requests if not asked.startswith(self.url)] == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@asynccontextmanager
async def visiting(
    browser: Browser, ledger: PageLedger, *, width: int = 1360, scheme: Any = "light"
) -> AsyncIterator[Visit]:
    async with served_page(ledger.directory) as url:
        context = await browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        visit = Visit(await context.new_page(), url)
        try:
            yield visit
        finally:
            await context.close()


def _now() -> datetime:
    return datetime.now(UTC)


async def test_the_page_shows_what_the_ledger_holds(browser: Browser, page_ledger: PageLedger) -> None:
    now = _now()
    page_ledger.insert(
        [
            event(now - timedelta(seconds=2), 1, team="search", cost="1234.555"),
            event(now - timedelta(seconds=2), 2, team="support", cost="0.0042", model="small"),
            event(
                now - timedelta(seconds=2),
                3,
                team="new",
                model="unheard-of",
                cost=None,
                input_tokens=4_090_000,
            ),
        ]
    )
    page_ledger.reject("invalid_json", 7, now)
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h&by=team")
        await visit.text("#spend").to_have_text("$1,234.56")
        await visit.text("#spend").to_have_attribute("title", "$1234.5592")
        await visit.text("#today").to_have_text("$1,234.56")
        await visit.text("#calls").to_have_text("3")
        await visit.text("#tokens").to_have_text("4.09M")
        await visit.text("#unpriced").to_have_text("1")
        await visit.text("#rate").to_have_text("3")
        await visit.text("#by-team tbody tr:has-text('support') .c-cost").to_have_text("$0.0042")
        await visit.text("#by-team tbody tr:has-text('new') .c-cost").to_have_text("no price")
        await visit.text("#no-price").to_contain_text("unheard-of")
        await visit.text("#refused").to_contain_text("invalid json")
        await visit.text("#legend").to_contain_text("search")
        await visit.text("#chart-words").to_contain_text("3 calls")
        await visit.text("#live-text").to_have_text("Live")
        visit.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1360])
async def test_both_themes_on_wide_and_narrow_screens(
    browser: Browser, page_ledger: PageLedger, width: int, scheme: str
) -> None:
    page_ledger.insert(fleet(_now(), 2))
    page_ledger.insert([event(_now(), 1, team="a-team-with-one-very-long-name-without-a-single-space-" * 4)])
    async with visiting(browser, page_ledger, width=width, scheme=scheme) as visit:
        await visit.go()
        page = visit.page
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", ground)[:3])) > 384
        assert light == (scheme == "light")
        assert await page.evaluate(_WORST_CONTRAST) >= 4.5
        other = "dark" if scheme == "light" else "light"
        await page.check(f"#theme input[value={other}]", force=True)
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != ground
        assert await page.evaluate(_WORST_CONTRAST) >= 4.5
        await page.reload()
        assert await page.evaluate("document.documentElement.dataset.theme") == other
        visit.check()


# The least contrast between a text and the ground behind it (WCAG 2), over every element with text of its own.
_WORST_CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  let worst = 99;
  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest("svg, noscript, .dimmed") || !element.checkVisibility()) continue;
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own) continue;
    let behind = element, ground = [0, 0, 0, 0];
    for (; behind && ground[3] < 255; behind = behind.parentElement) {
      ground = channels(getComputedStyle(behind).backgroundColor);
    }
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground)].sort((x, y) => y - x);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05));
  }
  return worst;
}"""


async def test_a_click_filters_and_the_address_keeps_it(browser: Browser, page_ledger: PageLedger) -> None:
    now = _now()
    page_ledger.insert(
        [
            event(now, number, team=team, cost=cost)
            for number, (team, cost) in enumerate([("a", "1"), ("b", "2"), ("b", "4")])
        ]
    )
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        await visit.go("?range=1h")
        await visit.text("#spend").to_have_text("$7.00")
        await page.get_by_role("button", name="b", exact=True).last.click()
        await visit.text("#spend").to_have_text("$6.00")
        await visit.text("#by-team tbody tr").to_have_count(2)
        assert "team=b" in page.url
        await page.reload()
        await visit.text("#spend").to_have_text("$6.00")
        await visit.text("#filters").to_contain_text("team b")
        await page.go_back()
        await visit.text("#spend").to_have_text("$7.00")
        await page.go_forward()
        await visit.text("#spend").to_have_text("$6.00")
        await page.get_by_role("button", name="Remove the filter team b").click()
        await visit.text("#spend").to_have_text("$7.00")
        visit.check()


async def test_the_keyboard_is_enough(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now(), 1, team="a", cost="1"), event(_now(), 2, team="b", cost="2")])
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        await visit.go("?range=1h")
        await page.focus("input[name=range][value='1h']")
        await page.keyboard.press("ArrowRight")
        await page.wait_for_url("**range=6h**")
        await page.focus("#by-team tbody tr:nth-child(1) button")
        await page.keyboard.press("Enter")
        await visit.text("#spend").to_have_text("$2.00")
        await page.keyboard.press("Space")
        await visit.text("#spend").to_have_text("$3.00")
        assert await page.evaluate("document.activeElement.textContent") == "b"
        visit.check()


async def test_new_calls_appear_by_themselves(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now(), 1, team="a", cost="1")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h")
        await visit.text("#spend").to_have_text("$1.00")
        await visit.page.evaluate(
            """() => {
              window.first = document.querySelector("#by-team tbody tr");
              window.shift = 0;
              new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) window.shift += entry.value;
              }).observe({ type: "layout-shift" });
            }"""
        )
        page_ledger.insert([event(_now(), 2, team="a", cost="0.5"), event(_now(), 3, team="b", cost="0.25")])
        await visit.text("#spend").to_have_text("$1.75")
        await visit.text("#by-team tbody tr").to_have_count(2)
        # The row that was there is the row that is there: nothing was thrown away and drawn again.
        assert await visit.page.evaluate("document.querySelector('#by-team tbody tr') === window.first")
        assert await visit.page.evaluate("window.shift") < 0.1
        visit.check()


async def test_dragging_over_the_chart_chooses_the_period(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert(fleet(_now(), 2))
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        await visit.go("?range=24h")
        box = await page.locator("#chart .nsewdrag").first.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 60)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=8)
        await page.mouse.up()
        await page.wait_for_url("**since=**until=**")
        await visit.text("#spend-title").to_have_text("Spend, chosen period")
        visit.check()


async def test_names_that_are_html_stay_text(browser: Browser, page_ledger: PageLedger) -> None:
    nasty = "<img src=x onerror=\"document.title='owned'\">"
    link = "<a href='javascript:document.title=1'>x</a><script>document.title='owned'</script>"
    page_ledger.insert(
        [
            event(_now(), 1, team=nasty, vendor=nasty, model=nasty, service=nasty),
            event(_now(), 2, team=link, vendor=link, model=link, service=link, cost=None),
            event(_now(), 3, team="%{x}${alert(1)}</style>", vendor="__proto__", model="constructor"),
        ]
    )
    page_ledger.reject("invalid_json", 1, _now())
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        for by in ("team", "vendor", "model", "service"):
            await visit.go(f"?range=1h&by={by}")
            await visit.text("#by-team").to_contain_text("<img src=x")
            await visit.text("#no-price").to_contain_text("<a href=")
            # The hover text of the one bar there is holds the names.
            tallest = await page.evaluate(
                """() => [...document.querySelectorAll("#chart .barlayer path")]
                  .map((path) => path.getBoundingClientRect())
                  .reduce((one, other) => (other.height > one.height ? other : one)).toJSON()"""
            )
            await page.mouse.move(tallest["x"] + tallest["width"] / 2, tallest["y"] + tallest["height"] / 2)
            await page.wait_for_selector("#chart .hoverlayer text")
        await page.locator("#by-team button", has_text="<img").first.click()
        await visit.text("#filters").to_contain_text("<img src=x")
        assert await page.title() == "Tokenweir"
        assert await page.locator("main img, main script, main a[href^=javascript]").count() == 0
        assert await page.locator("#chart a").count() == 0
        visit.check()


async def test_an_empty_ledger_says_what_to_do(browser: Browser, page_ledger: PageLedger) -> None:
    async with visiting(browser, page_ledger, width=375) as visit:
        await visit.go(wait="#empty:not([hidden])")
        await visit.text("#empty").to_contain_text("weir demo")
        await visit.text("#empty").to_contain_text("weir ingest")
        assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page_ledger.insert([event(_now(), 1)])
        await visit.page.wait_for_selector("#empty", state="hidden")
        await visit.text("#spend").to_have_text("$0.01")
        visit.check()


async def test_a_period_without_calls_offers_all_time(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now() - timedelta(days=50), 1, cost="3")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h", wait="#chart-empty:not([hidden])")
        await visit.text("#spend").to_have_text("$0.00")
        await visit.page.get_by_role("button", name="Show all time").click()
        await visit.text("#spend").to_have_text("$3.00")
        visit.check()


async def test_when_the_pipeline_goes_away_the_page_says_so_and_comes_back(
    browser: Browser, page_ledger: PageLedger
) -> None:
    page_ledger.insert([event(_now(), 1, cost="3")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h")
        await visit.text("#spend").to_have_text("$3.00")

        async def cut(route: Route) -> None:
            await route.abort("connectionrefused")

        await visit.page.route("**/api/overview**", cut)
        await visit.text("#trouble").to_contain_text("The pipeline is away.")
        await visit.text("#trouble").to_contain_text("weir up")
        await visit.text("#spend").to_have_text("$3.00")
        await visit.text("#live-text").to_have_text("Not connected")
        await visit.page.unroute("**/api/overview**")
        await visit.page.wait_for_selector("#trouble", state="hidden")
        await visit.text("#live-text").to_have_text("Live")
        assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in visit.complaints)


async def test_numbers_read_as_they_should(browser: Browser, page_ledger: PageLedger) -> None:
    async with visiting(browser, page_ledger) as visit:
        await visit.go(wait="#empty:not([hidden])")
        read = await visit.page.evaluate(
            """async () => {
              const { money, compact, percent, duration, label, picos, sum } = await import("/assets/format.js");
              return {
                money: ["0", "1234.555", "1234.565", "0.42", "0.042", "0.0042", "0.000000000001", "0.999", "0.9999",
                        "-12.5", "12345678901234567890.125", "1"].map(money),
                none: money(null),
                compact: [0, 999, 9999, 12345, 4090000, 1200000000].map(compact),
                percent: [[1, 3], [0, 0], [1, 100000], [1, 1], [0, 5], [5n, 8n]].map((pair) => percent(...pair)),
                duration: [0.4, 3, 99, 300, 7200, 200000].map(duration),
                label: [label(""), label(null), label("x")],
                exact: [String(picos("-0.5")), String(sum(["0.1", "0.2"]))],
              };
            }"""
        )
        assert read == {
            "money": [
                "$0.00", "$1,234.56", "$1,234.57", "$0.42", "$0.042", "$0.0042", "$0.000000000001", "$1.00", "$1.00",
                "\N{MINUS SIGN}$12.50", "$12,345,678,901,234,567,890.13", "$1.00",
            ],
            "none": "no price",
            "compact": ["0", "999", "9,999", "12.3K", "4.09M", "1.2B"],
            "percent": ["33 %", "\N{EN DASH}", "<0.1 %", "100 %", "0.0 %", "63 %"],
            "duration": ["0 s", "3 s", "99 s", "5 min", "2 h", "2 d"],
            "label": ["(none)", "Other", "x"],
            "exact": ["-500000000000", "300000000000"],
        }  # fmt: skip
        visit.check()
