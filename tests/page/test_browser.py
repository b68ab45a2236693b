"""The page as a person meets it, in headless Chromium: boards, themes, what is chosen."""

import re
from datetime import UTC, datetime, timedelta

from axe_playwright_python.async_playwright import Axe
from page_ledger import PageLedger, event, fleet
from playwright.async_api import Browser
from visit import BROWSER_MARKS, visiting

from dashboards.panels.registry import boards
from tests.panels.saying import said

pytestmark = BROWSER_MARKS


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
