"""The page while things happen, in headless Chromium: new calls, exports, incidents, trouble."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from page_ledger import PageLedger, event, fleet
from playwright.async_api import Browser, Route, expect
from visit import BROWSER_MARKS, visiting

from tests.panels.saying import said
from tokenweir.signals import Contributor

pytestmark = BROWSER_MARKS


def _now() -> datetime:
    return datetime.now(UTC)


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
