"""What the page is answered: exact figures, offered values, CSV, and errors that say what to do."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from page_ledger import DATABASE, PageLedger, event, fleet, served_page

from dashboards.page import page_routes
from dashboards.page.definitions import all_boards
from dashboards.page.spreadsheet import csv_of
from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.question import Answer
from dashboards.panels.registry import boards
from tests.panels.saying import said
from tokenweir.errors import StoreUnavailable

NOW = datetime(2026, 11, 23, 18, 41, 12, tzinfo=UTC)
NASTY = "' OR 1 = 1 -- \\ {x:String} @usage <img src=x onerror=alert(1)>"


class Asking:
    """Questions to a page, each answered with 200."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def get(self, path: str, *parameters: tuple[str, str]) -> Any:
        async with self.session.get(f"{self.url}api/{path}", params=list(parameters)) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def status(self, path: str, *parameters: tuple[str, str]) -> tuple[int, Any]:
        async with self.session.get(f"{self.url}api/{path}", params=list(parameters)) as response:
            return response.status, await response.json()


@asynccontextmanager
async def asking(ledger: PageLedger, now: datetime = NOW) -> AsyncIterator[Asking]:
    async with served_page(ledger.directory, lambda: now) as url, aiohttp.ClientSession() as session:
        yield Asking(url, session)


def _inside(events: list[dict[str, Any]], answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    since, until = (datetime.fromisoformat(answer[name]) for name in ("since", "until"))
    return [each for each in events if since <= datetime.fromisoformat(each["time"]) < until]


def _cost(events: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(each["cost"]) for each in events if each["cost"] is not None), Decimal(0))


@pytest.mark.parametrize("name", ["1h", "24h", "30d", "all", ""])
async def test_figures_are_the_sums_of_their_events(page_ledger: PageLedger, name: str) -> None:
    events = list(fleet(NOW, 40, per_hour=0.2))
    page_ledger.insert(events)
    where = {"team": ["search", "china"], "vendor": ["openai", "baidu"]}
    period = [("range", name)] if name else [("since", "2026-11-01T00:00:00Z")]
    asked = [*period, *((key, value) for key, values in where.items() for value in values)]
    async with asking(page_ledger) as page:
        spend = await page.get("panels/fleet/spend", *asked)
        steps = await page.get("panels/fleet/spend-over-time", *asked, ("by", "model"))
    chosen = [each for each in events if all(each[key] in values for key, values in where.items())]
    inside = _inside(chosen, spend)
    usd, _, calls, without_price = spend["rows"][0]
    assert Decimal(usd or 0) == _cost(inside)
    assert calls == len(inside)
    assert without_price == 0
    assert sum(Decimal(row[2]) for row in steps["rows"]) == _cost(inside)
    assert sum(row[3] for row in steps["rows"]) == len(inside)
    assert {row[1] for row in steps["rows"]} == {each["model"] for each in inside}


async def test_money_stays_exact_and_what_has_no_price_is_null(page_ledger: PageLedger) -> None:
    page_ledger.insert(
        [event(NOW, number, cost=cost) for number, cost in enumerate(["0.000000000001", "12345678901234.1"])]
        + [event(NOW, 9, team="new", model="unheard-of", cost=None)]
    )
    async with asking(page_ledger) as page:
        ((usd, _, calls, without_price),) = (await page.get("panels/fleet/spend"))["rows"]
        assert (usd, calls, without_price) == ("12345678901234.100000000001", 3, 1)
        ((usd, _, calls, without_price),) = (await page.get("panels/fleet/spend", ("team", "new")))["rows"]
        assert (usd, calls, without_price) == (None, 1, 1)


async def test_each_board_answers_over_an_empty_ledger(page_ledger: PageLedger) -> None:
    """Some panels of each: that every one has an answer is held in tests/panels."""
    async with asking(page_ledger) as page:
        assert await page.get("ledger") == {"now": "2026-11-23T18:41:12Z", "empty": True, "first_at": None}
        told = await page.get("boards")
        assert [board["name"] for board in told["boards"]] == [each.board.name for each in boards()]
        for board in told["boards"]:
            for panel in board["panels"][::5]:
                answer = await page.get(f"panels/{board['name']}/{panel['name']}", ("range", "all"))
                assert all(len(row) == len(panel["fields"]) for row in answer["rows"])
        assert (await page.get("annotations"))["incidents"] == []


async def test_names_are_bound_not_pasted(page_ledger: PageLedger) -> None:
    page_ledger.insert([event(NOW, 1, team=NASTY, model=NASTY), event(NOW, 2)])
    async with asking(page_ledger) as page:
        for variable in ("team", "model"):
            ((_, _, calls, _),) = (await page.get("panels/fleet/spend", (variable, NASTY)))["rows"]
            assert calls == 1
        offered = await page.get("variables/team", ("search", "' OR 1 = 1"))
        assert offered == {"values": [{"value": NASTY, "calls": 1}], "beyond": 0}
        assert (await page.get("annotations", ("team", NASTY), ("incident", NASTY)))["incidents"] == []
        for board in boards():
            for panel in board.panels[::5]:
                address = f"panels/{board.board.name}/{panel.name}"
                await page.get(address, ("team", NASTY), ("vendor", "\\"), ("incident", NASTY))


async def test_values_cascade_and_can_be_searched(page_ledger: PageLedger) -> None:
    page_ledger.insert(
        [event(NOW, number, vendor="many", model=f"model-{number:03}") for number in range(60)]
        + [event(NOW, 100 + number, vendor="openai", model="GPT-Ü") for number in range(3)]
        + [event(NOW - timedelta(days=9), 200, vendor="old", model="old")]
    )
    async with asking(page_ledger) as page:
        models = await page.get("variables/model")
        assert models["values"][0] == {"value": "GPT-Ü", "calls": 3}
        assert (len(models["values"]), models["beyond"]) == (50, 11)
        models = await page.get("variables/model", ("vendor", "openai"), ("model", "model-001"))
        assert models == {"values": [{"value": "GPT-Ü", "calls": 3}], "beyond": 0}
        found = await page.get("variables/model", ("search", "gpt-ü"))
        assert [each["value"] for each in found["values"]] == ["GPT-Ü"]
        vendors = await page.get("variables/vendor", ("range", "30d"), ("vendor", "openai"))
        assert {each["value"] for each in vendors["values"]} == {"many", "openai", "old"}


async def test_incidents_are_told_for_the_charts(page_ledger: PageLedger) -> None:
    page_ledger.signals(
        [
            said("one", "open", NOW - timedelta(hours=3), severity="critical", scope={"team": "search"}),
            said("two", "open", NOW - timedelta(days=20)),
            said("two", "resolved", NOW - timedelta(days=19), number=1),
        ]
    )
    async with asking(page_ledger) as page:
        incidents = (await page.get("annotations", ("range", "24h")))["incidents"]
        assert [each["incident"] for each in incidents] == ["one"]
        assert incidents[0]["severity"] == "critical"
        assert incidents[0]["time"] == "2026-11-23T15:36:12Z"
        assert (await page.get("annotations", ("team", "other")))["incidents"] == []
        assert len((await page.get("annotations", ("range", "30d")))["incidents"]) == 2


async def test_a_panel_as_csv_is_exact(page_ledger: PageLedger) -> None:
    page_ledger.insert([event(NOW, 1, team="=HYPERLINK(1)", cost="0.000000000001"), event(NOW, 2, cost=None)])
    async with asking(page_ledger) as page:
        address = f"{page.url}api/panels/fleet/spend-over-time.csv"
        async with page.session.get(address, params={"range": "1h", "by": "team"}) as response:
            assert response.status == 200
            assert response.content_type == "text/csv"
            assert response.headers["Content-Disposition"] == (
                'attachment; filename="tokenweir-fleet-spend-over-time-2026-11-23-2026-11-23.csv"'
            )
            body = (await response.read()).decode("utf-8-sig")
    head, *rows = list(csv.reader(io.StringIO(body)))
    assert head == ["Time (UTC)", "Group", "Spend (USD)", "Calls", "Tokens"]
    assert rows == [
        ["2026-11-23T18:41:00Z", "'=HYPERLINK(1)", "0.000000000001", "1", "1100"],
        ["2026-11-23T18:41:00Z", "search", "0", "1", "1100"],
    ]


def test_no_cell_is_a_formula_and_figures_stay_figures() -> None:
    panel = Panel(
        name="x",
        title="What is it?",
        description="d",
        kind=Kind.TABLE,
        sql="SELECT 1",
        fields=(Field("name", "=Name", Unit.TEXT), Field("usd", "Change", Unit.USD)),
        place=1,
    )
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'a "quoted", one', "客服", ""]
    rows: list[list[Any]] = [[text, "-0.5"] for text in texts]
    head, *found = csv.reader(io.StringIO(csv_of(Answer(panel, [*rows, ["free", None]])), newline=""))
    assert head == ["\ufeff'=Name", "Change (USD)"]
    assert [row[0] for row in found] == [f"'{text}" for text in texts[:6]] + [*texts[6:], "free"]
    assert [row[1] for row in found] == ["-0.5"] * len(texts) + [""]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("panels/fleet/spend", {"by": "cost"}),
        ("panels/fleet/spend", {"then_by": "team; DROP TABLE usage"}),
        ("panels/fleet/spend", {"range": "2h"}),
        ("panels/fleet/spend", {"since": "yesterday"}),
        ("panels/fleet/spend", {"since": "2026-11-23T00:00:00Z", "until": "2026-11-22T00:00:00Z"}),
        ("panels/fleet/spend", {"password": "x"}),
        ("panels/fleet/spend", {"team": "x" * 1001}),
        ("panels/fleet/none", {}),
        ("panels/none/spend", {}),
        ("panels/none/spend.csv", {}),
        ("variables/cost", {}),
        ("variables/team", {"search": "x" * 201}),
        ("annotations", {"range": "soon"}),
    ],
)
async def test_wrong_questions_are_answered_with_a_reason(
    page_ledger: PageLedger, path: str, query: dict[str, str]
) -> None:
    async with asking(page_ledger) as page:
        status, answer = await page.status(path, *query.items())
        assert status == 400
        assert answer["error"]


async def test_too_many_values_are_refused(page_ledger: PageLedger) -> None:
    async with asking(page_ledger) as page:
        values = [("team", str(number)) for number in range(101)]
        status, answer = await page.status("panels/fleet/spend", *values)
        assert (status, answer["error"]) == (400, "more than 100 values of team")


async def test_an_absent_store_is_said() -> None:
    async def away(sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        raise StoreUnavailable("the ledger is being opened", hint="Wait a moment")

    app = web.Application()
    app.add_routes(page_routes(away, clock=lambda: NOW, database=DATABASE))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as session:
        page = Asking(f"http://{host}:{port}/", session)
        for path in (
            "panels/fleet/spend",
            "panels/fleet/spend.csv",
            "variables/team",
            "annotations",
            "ledger",
        ):
            assert await page.status(path) == (
                503,
                {"error": "the ledger is being opened", "hint": "Wait a moment"},
            )
        assert (await page.status("boards"))[0] == 200
    await runner.cleanup()


def test_the_definitions_say_what_the_browser_draws() -> None:
    told = all_boards()
    assert {each["name"] for each in told["variables"]} >= {"team", "vendor", "model"}
    assert told["ranges"] == ["1h", "6h", "24h", "7d", "30d", "all"]
    (spend,) = (
        panel
        for board in told["boards"]
        for panel in board["panels"]
        if (board["name"], panel["name"]) == ("fleet", "spend-over-time")
    )
    assert spend["by"] is True
    assert spend["stepped"] is True
    assert spend["fields"][1] == {"name": "name", "title": "Group", "unit": "text", "variable": "@by"}
    assert "sql" not in spend


async def test_what_is_served_and_how(page_ledger: PageLedger) -> None:
    async with served_page(page_ledger.directory) as url, aiohttp.ClientSession() as session:
        for path in ("", "assets/page.css", "assets/page.js", "assets/plotly.min.js", "assets/weir.svg"):
            async with session.get(url + path) as response:
                body = await response.text()
                assert response.status == 200
                assert "unsafe-eval" not in response.headers["Content-Security-Policy"]
                assert "script-src 'self';" in response.headers["Content-Security-Policy"]
                assert body
        async with session.get(url + "assets/plotly.min.js") as response:
            tag = response.headers["ETag"]
        async with session.get(url + "assets/plotly.min.js", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        for path in (
            "assets/nothing.js",
            "assets/..%2froutes.py",
            "assets/%2e%2e%2froutes.py",
            "assets/index",
        ):
            async with session.get(url + path) as response:
                assert response.status == 404
        for path in ("api/panels/fleet/spend", "api/panels/fleet/spend.csv", "api/boards"):
            async with session.get(url + path, headers={"Host": "evil.example"}) as response:
                assert response.status == 421
            async with session.get(url + path, headers={"Sec-Fetch-Site": "cross-site"}) as response:
                assert response.status == 403
            async with session.post(url + path) as response:
                assert response.status == 405
