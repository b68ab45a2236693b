"""The page as a person meets it, in headless Chromium."""

import csv
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from page_ledger import PageLedger, event, fleet, served_page
from playwright.async_api import Browser, Locator, Page, Route, async_playwright, expect

from dashboards.panels.registry import boards
from tests.panels.saying import said
from tokenweir.signals import Contributor

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
STANDS = "#panels:not(:has(.body[data-state=loading])) .panel"
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

    async def go(self, query: str = "", *, wait: str = STANDS) -> None:
        await self.page.goto(self.url + query)
        await self.page.wait_for_selector(wait, state="attached")

    def text(self, selector: str) -> Any:
        return expect(self.page.locator(selector))

    def panel(self, name: str) -> Locator:
        return self.page.locator(f"[data-panel={name}]")

    async def menu(self, panel: str, item: str) -> None:
        """Chooses an item of a panel's menu."""
        await self.panel(panel).locator(".menu summary").click()
        await self.panel(panel).locator(".menu li > *", has_text=item).click()

    def check(self) -> None:
        """Nothing went wrong, and nothing left this machine."""
        assert self.complaints == []
        assert [each for each in self.requests if not each.removeprefix("blob:").startswith(self.url)] == []


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
            event(now - timedelta(seconds=2), 3, team="new", model="unheard-of", cost=None),
        ]
    )
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h&by=team")
        await visit.text("[data-panel=spend] .figure").to_have_text("$1,234.56")
        await visit.text("[data-panel=spend] .figure").to_have_attribute("title", "$1234.5592")
        await visit.text("[data-panel=spend] .beside").to_contain_text("Without a price1")
        await visit.text("[data-panel=spend-over-time] .legend").to_contain_text("search")
        await visit.page.wait_for_selector("[data-panel=spend-over-time] .barlayer path", state="attached")
        await visit.text("#live-text").to_have_text("Live")
        await visit.text("#boards a[aria-current=page]").to_have_text("Fleet overview")
        await visit.go("?range=1h&team=new")
        await visit.text("[data-panel=spend] .figure").to_have_text("no price")
        visit.check()


async def test_every_board_in_both_themes_on_wide_and_narrow_screens(
    browser: Browser, page_ledger: PageLedger
) -> None:
    _fill(page_ledger)
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        for board in boards():
            name = board.board.name
            await visit.go(f"?board={name}&range=7d")
            await visit.text("#live-text").to_have_text("Live")
            assert await page.locator(".body[data-state=failed], .body[data-state=old]").count() == 0, name
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                for width in (1360, 375):
                    await page.set_viewport_size({"width": width, "height": 900})
                    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
                    assert await page.evaluate(_WORST_CONTRAST) >= 4.5, (name, scheme)
                found = (await Axe().run(page)).response["violations"]
                assert [each for each in found if each["impact"] in ("serious", "critical")] == [], name
        visit.check()


async def test_light_and_dark_can_be_chosen(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now(), 1)])
    async with visiting(browser, page_ledger, scheme="dark") as visit:
        await visit.go()
        page = visit.page

        async def is_light() -> bool:
            ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            return sum(map(int, re.findall(r"\d+", ground)[:3])) > 384

        assert not await is_light()
        await page.check("#theme input[value=light]", force=True)
        assert await is_light()
        await page.reload()
        assert await page.evaluate("document.documentElement.dataset.theme") == "light"
        assert await is_light()
        visit.check()


def _fill(ledger: PageLedger) -> None:
    """Something for every board: calls of a week, a name that is far too long, incidents, refused input."""
    now = _now()
    ledger.insert(fleet(now, 3, per_hour=0.2))
    ledger.insert([event(now, 1, team="a-team-with-one-very-long-name-without-a-single-space-" * 4)])
    ledger.reject("invalid_json", 7, now)
    ledger.roll_up(now)
    ledger.signals(
        [
            said("one", "open", now - timedelta(hours=30), severity="critical", scope={"team": "search"}),
            said("two", "open", now - timedelta(days=3), kind="retirement", severity="info"),
            said("two", "resolved", now - timedelta(days=2), number=1, kind="retirement", severity="info"),
        ]
    )


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
    if (element.closest("svg, noscript, [aria-busy=true]") || !element.checkVisibility()) continue;
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


async def test_filters_are_chosen_and_the_address_keeps_them(
    browser: Browser, page_ledger: PageLedger
) -> None:
    now = _now()
    page_ledger.insert(
        [
            event(now, number, team=team, vendor=vendor, cost=cost)
            for number, (team, vendor, cost) in enumerate(
                [("a", "x", "1"), ("b", "y", "2"), ("b", "z", "4"), ("c", "z", "8")]
            )
        ]
    )
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        figure = visit.text("[data-panel=spend] .figure")
        await visit.go("?range=1h")
        await figure.to_have_text("$15.00")
        await page.locator("#filters summary", has_text="Team").click()
        await page.get_by_role("checkbox", name="b").check()
        await figure.to_have_text("$6.00")
        assert "team=b" in page.url
        await visit.text("#chips").to_contain_text("Team b")
        # What is offered for one variable follows what is chosen of the others.
        await page.locator("#filters summary", has_text="Vendor").click()
        await visit.text("#filters details[open] .values li").to_have_count(2)
        await page.get_by_role("searchbox", name="Search Vendor").fill("z")
        await visit.text("#filters details[open] .values li").to_have_count(1)
        await page.get_by_role("checkbox", name="z").check()
        await figure.to_have_text("$4.00")
        await page.keyboard.press("Escape")
        await page.reload()
        await figure.to_have_text("$4.00")
        await page.go_back()
        await figure.to_have_text("$6.00")
        # A line of the chart is a filter as well, and another board takes all of it along.
        await page.locator("[data-panel=spend-over-time] .legend button", has_text="b").click()
        await figure.to_have_text("$15.00")
        await page.go_back()
        await page.locator("#boards a", has_text="Spikes").click()
        await page.wait_for_url("**board=signals**")
        assert "team=b" in page.url
        assert "range=1h" in page.url
        await page.get_by_role("button", name="Remove Team b").click()
        await page.wait_for_url(lambda url: "team=" not in url)
        visit.check()


async def test_the_keyboard_is_enough(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now(), 1, team="a", cost="1"), event(_now(), 2, team="b", cost="2")])
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        figure = visit.text("[data-panel=spend] .figure")
        await visit.go("?range=1h")
        await page.focus("#range input[value='1h']")
        await page.keyboard.press("ArrowRight")
        await page.wait_for_url("**range=6h**")
        await page.locator("#filters summary", has_text="Team").focus()
        await page.keyboard.press("Enter")
        await visit.text("#filters details[open] .values li").to_have_count(2)
        await page.keyboard.type("b")
        await visit.text("#filters details[open] .values li").to_have_count(1)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Space")
        await figure.to_have_text("$2.00")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.textContent") == "Team1"
        await visit.panel("spend-over-time").locator(".menu summary").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await visit.text("[data-panel=spend-over-time] tbody tr").to_have_count(1)
        await page.locator("[data-panel=spend-over-time] .sort", has_text="Calls").focus()
        await page.keyboard.press("Enter")
        await visit.text("[data-panel=spend-over-time] th[aria-sort=descending]").to_have_text("Calls")
        visit.check()


async def test_new_calls_appear_by_themselves(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now(), 1, team="a", cost="1")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h")
        await visit.text("[data-panel=spend] .figure").to_have_text("$1.00")
        await visit.menu("spend-over-time", "Show as table")
        await visit.page.evaluate(
            """() => {
              window.first = document.querySelector("[data-panel=spend-over-time] tbody tr");
              window.shift = 0;
              new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) window.shift += entry.value;
              }).observe({ type: "layout-shift" });
            }"""
        )
        page_ledger.insert([event(_now(), 2, team="a", cost="0.5"), event(_now(), 3, team="b", cost="0.25")])
        await visit.text("[data-panel=spend] .figure").to_have_text("$1.75")
        await visit.text("[data-panel=spend-over-time]").to_contain_text("b")
        # The row that was there is the row that is there: nothing was thrown away and drawn again.
        assert await visit.page.evaluate("window.first.isConnected")
        assert await visit.page.evaluate("window.shift") < 0.1
        visit.check()


async def test_dragging_over_the_chart_chooses_the_period(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert(fleet(_now(), 2, per_hour=0.2))
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        await visit.go("?range=24h", wait="[data-panel=spend-over-time] .nsewdrag")
        box = await page.locator("[data-panel=spend-over-time] .nsewdrag").first.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 60)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=8)
        await page.mouse.up()
        await page.wait_for_url("**since=**until=**")
        assert await page.locator("#range input:checked").count() == 0
        # Whole days can be chosen as well.
        await page.locator("#dates summary").click()
        await page.fill("#dates-from", "2026-11-01")
        await page.fill("#dates-to", "2026-11-30")
        await page.locator("#dates-show").click()
        await page.wait_for_url("**since=2026-11-01T00*until=2026-12-01T00**")
        await visit.text("#period").to_have_text("1 Nov 2026 \N{EN DASH} 30 Nov 2026")
        visit.check()


async def test_a_panel_is_saved_as_csv_and_as_picture(
    browser: Browser, page_ledger: PageLedger, tmp_path: Path
) -> None:
    page_ledger.insert([event(_now(), 1, team="a", cost="0.000000000001")])
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        await visit.go("?range=1h&team=a", wait="[data-panel=spend-over-time] .nsewdrag")
        async with page.expect_download() as saving:
            await visit.menu("spend-over-time", "CSV")
        saved = await saving.value
        assert saved.suggested_filename.startswith("tokenweir-fleet-spend-over-time-")
        await saved.save_as(tmp_path / "panel.csv")
        with (tmp_path / "panel.csv").open(encoding="utf-8-sig", newline="") as file:
            (row,) = csv.DictReader(file)
        assert row["Spend (USD)"] == "0.000000000001"
        for panel in ("spend", "spend-over-time"):
            async with page.expect_download() as saving:
                await visit.menu(panel, "PNG")
            saved = await saving.value
            assert saved.suggested_filename == f"tokenweir-fleet-{panel}.png"
            await saved.save_as(tmp_path / "panel.png")
            picture = (tmp_path / "panel.png").read_bytes()
            assert picture.startswith(b"\x89PNG")
            assert len(picture) > 5_000
        visit.check()


async def test_one_panel_stands_alone_under_its_own_address(
    browser: Browser, page_ledger: PageLedger
) -> None:
    page_ledger.insert([event(_now(), 1, team="a", cost="1")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h")
        await visit.menu("spend", "Open alone")
        await visit.page.wait_for_url("**panel=spend**")
        await visit.text("#panels .panel").to_have_count(1)
        await visit.page.reload()
        await visit.text("[data-panel=spend] .figure").to_have_text("$1.00")
        await visit.text("#panels .panel").to_have_count(1)
        await visit.page.locator(".back a").click()
        await visit.text("[data-panel=spend-over-time]").to_be_visible()
        visit.check()


async def test_a_signal_is_followed_to_its_cause(browser: Browser, page_ledger: PageLedger) -> None:
    now = _now()
    page_ledger.insert([event(now - timedelta(minutes=5 * number), number) for number in range(9)])
    cause = Contributor(text="a new loop in answers", component="more_calls", usd_per_day=Decimal("41.5"))
    page_ledger.signals(
        [
            said("loud", "open", now - timedelta(minutes=50), severity="critical", usd_per_day="900"),
            said("quiet", "open", now - timedelta(minutes=20), contributors=(cause,)),
        ]
    )
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        # From the mark above a chart to the incident; then from the list to another one, and to its cause.
        await visit.go("?board=fleet&range=6h", wait="[data-panel=spend-over-time] .scatterlayer .point")
        marks = page.locator("[data-panel=spend-over-time] .scatterlayer .point")
        await expect(marks).to_have_count(2)
        box = await marks.first.bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await page.wait_for_url("**incident=**")
        assert "board=signals" in page.url
        await page.locator("[data-panel=incidents] .pick", has_text="What quiet is").click()
        await page.wait_for_url("**incident=quiet**")
        await visit.text("[data-panel=contributors]").to_contain_text("a new loop in answers")
        await visit.text("[data-panel=contributors]").to_contain_text("$41.50")
        await visit.text("#chips").to_contain_text("Incident quiet")
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
    async with visiting(browser, page_ledger) as visit:
        page = visit.page
        for by in ("team", "model"):
            await visit.go(f"?range=1h&by={by}", wait="[data-panel=spend-over-time] .barlayer path")
            # The hover text of the one bar there is holds the names.
            tallest = await page.evaluate(
                """() => [...document.querySelectorAll("[data-panel=spend-over-time] .barlayer path")]
                  .map((path) => path.getBoundingClientRect())
                  .reduce((one, other) => (other.height > one.height ? other : one)).toJSON()"""
            )
            await page.mouse.move(tallest["x"] + tallest["width"] / 2, tallest["y"] + tallest["height"] / 2)
            await page.wait_for_selector("[data-panel=spend-over-time] .hoverlayer text")
        await visit.menu("spend-over-time", "Show as table")
        await page.locator("[data-panel=spend-over-time] tbody button", has_text="<img").first.click()
        await visit.text("#chips").to_contain_text("<img src=x")
        assert await page.title() == "Fleet overview \N{MIDDLE DOT} Tokenweir"
        assert await page.locator("main img, main script, main a[href^=javascript]").count() == 0
        assert await page.locator(".chart a").count() == 0
        visit.check()


async def test_an_empty_ledger_says_what_to_do(browser: Browser, page_ledger: PageLedger) -> None:
    async with visiting(browser, page_ledger, width=375) as visit:
        await visit.go(wait="#empty:not([hidden])")
        await visit.text("#empty").to_contain_text("weir demo")
        await visit.text("#empty").to_contain_text("weir ingest")
        assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page_ledger.insert([event(_now(), 1)])
        await visit.page.wait_for_selector("#empty", state="hidden")
        await visit.text("[data-panel=spend] .figure").to_have_text("$0.01")
        visit.check()


async def test_a_period_without_calls_says_so(browser: Browser, page_ledger: PageLedger) -> None:
    page_ledger.insert([event(_now() - timedelta(days=50), 1, cost="3")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h")
        await visit.text("[data-panel=spend] .figure").to_have_text("$0.00")
        await visit.text("[data-panel=spend-over-time] .note").to_have_text("Nothing in this period.")
        await visit.page.locator("#range label", has_text="All").click()
        await visit.text("[data-panel=spend] .figure").to_have_text("$3.00")
        await visit.text("[data-panel=spend-over-time] .note").to_be_empty()
        visit.check()


async def test_a_panel_that_fails_says_so_and_the_others_go_on(
    browser: Browser, page_ledger: PageLedger
) -> None:
    page_ledger.insert([event(_now(), 1, cost="3")])
    async with visiting(browser, page_ledger) as visit:

        async def fail(route: Route) -> None:
            await route.fulfill(status=503, json={"error": "too slow", "hint": "Choose less"})

        await visit.page.route("**/api/panels/fleet/spend-over-time?**", fail)
        await visit.go("?range=1h")
        await visit.text("[data-panel=spend] .figure").to_have_text("$3.00")
        await visit.text("[data-panel=spend-over-time] .note").to_contain_text("too slow. Choose less.")
        await visit.text("#trouble").to_be_hidden()
        await visit.page.unroute("**/api/panels/fleet/spend-over-time?**")
        await visit.page.wait_for_selector("[data-panel=spend-over-time] .barlayer path", state="attached")
        await visit.text("[data-panel=spend-over-time] .note").to_be_empty()


async def test_when_the_pipeline_goes_away_the_page_says_so_and_comes_back(
    browser: Browser, page_ledger: PageLedger
) -> None:
    page_ledger.insert([event(_now(), 1, cost="3")])
    async with visiting(browser, page_ledger) as visit:
        await visit.go("?range=1h")
        await visit.text("[data-panel=spend] .figure").to_have_text("$3.00")

        async def cut(route: Route) -> None:
            await route.abort("connectionrefused")

        await visit.page.route("**/api/**", cut)
        await visit.text("#trouble").to_contain_text("The pipeline is away.")
        await visit.text("#trouble").to_contain_text("weir up")
        await visit.text("[data-panel=spend] .figure").to_have_text("$3.00")
        await visit.text("#live-text").to_have_text("Not connected")
        await visit.page.unroute("**/api/**")
        await visit.page.wait_for_selector("#trouble", state="hidden")
        await visit.text("#live-text").to_have_text("Live")
        assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in visit.complaints)


async def test_numbers_read_as_they_should(browser: Browser, page_ledger: PageLedger) -> None:
    async with visiting(browser, page_ledger) as visit:
        await visit.go(wait="#empty:not([hidden])")
        read = await visit.page.evaluate(
            """async () => {
              const { money, compact, duration, milliseconds, label, picos } = await import("/assets/format.js");
              const { short, spoken, whole, compare, unknowns } = await import("/assets/units.js");
              return {
                money: ["0", "1234.555", "1234.565", "0.42", "0.042", "0.0042", "0.000000000001", "0.999", "0.9999",
                        "-12.5", "12345678901234567890.125", "1"].map(money),
                nothing: [short(null, "usd"), short(null, "calls"), short(null, "text"),
                          ...unknowns([{ unit: "text" }, { unit: "usd" }, { unit: "usd" }])],
                compact: [0, 999, 9999, 12345, 4090000, 1200000000].map(compact),
                percent: [33.333, 0, 0.001, 100, 9.96, -3.21].map((value) => short(value, "percent")),
                duration: [0.4, 3, 99, 300, 7200, 200000].map(duration),
                milliseconds: [1.23, 340.4, 1240, 75000, 180000].map(milliseconds),
                label: [label(""), label(null), label("x")],
                exact: [whole("-0.000000000001", "usd"), whole("12.5", "usd_per_day"), whole(12345, "calls")],
                spoken: [spoken("12.5", "usd_per_million_tokens"), spoken(3, "count"), spoken(null, "calls")],
                picos: String(picos("-0.5")),
                order: ["0.1", null, "12345678901234567890.2", "12345678901234567890.1"]
                  .sort((one, other) => compare(one, other, "usd", true)),
              };
            }"""
        )
        assert read == {
            "money": [
                "$0.00", "$1,234.56", "$1,234.57", "$0.42", "$0.042", "$0.0042", "$0.000000000001", "$1.00", "$1.00",
                "\N{MINUS SIGN}$12.50", "$12,345,678,901,234,567,890.13", "$1.00",
            ],
            "nothing": ["\N{EN DASH}"] * 4 + ["no price", "\N{EN DASH}"],
            "compact": ["0", "999", "9,999", "12.3K", "4.09M", "1.2B"],
            "percent": ["33 %", "0.0 %", "<0.01 %", "100 %", "10 %", "\N{MINUS SIGN}3.2 %"],
            "duration": ["0.4 s", "3 s", "99 s", "5 min", "2 h", "2 d"],
            "milliseconds": ["1.2 ms", "340 ms", "1.24 s", "75 s", "3 min"],
            "label": ["(none)", "Other", "x"],
            "exact": ["\N{MINUS SIGN}$0.000000000001", "$12.5 a day", "12,345 calls"],
            "spoken": ["$12.50 per 1M tokens", "3", "\N{EN DASH}"],
            "picos": "-500000000000",
            "order": ["12345678901234567890.2", "12345678901234567890.1", "0.1", None],
        }  # fmt: skip
        visit.check()
