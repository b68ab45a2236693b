"""Every figure of the page equals an independent sum over the events."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from page_ledger import DATABASE, PageLedger, event, fleet, served_page

from dashboards.page.overview import Overview, Request
from tokenweir.errors import StoreUnavailable, WrongCall
from tokenweir.local.read_only import ReadOnlyLedger

NOW = datetime(2026, 11, 23, 18, 41, 12, tzinfo=UTC)


async def _overview(ledger: PageLedger, request: Request, now: datetime = NOW) -> dict[str, Any]:
    reader = ReadOnlyLedger(ledger.directory, database=DATABASE)
    try:
        return await Overview(reader.rows, database=DATABASE).answer(request, now)
    finally:
        reader.close()


def _inside(events: list[dict[str, Any]], answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    since, until = (datetime.fromisoformat(answer[name]) for name in ("since", "until"))
    return [each for each in events if since <= datetime.fromisoformat(each["time"]) < until]


def _cost(events: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(each["cost"]) for each in events if each["cost"] is not None), Decimal(0))


@pytest.mark.parametrize("name", ["1h", "6h", "24h", "7d", "30d", "all"])
@pytest.mark.parametrize("where", [{}, {"team": ["search", "china"], "vendor": ["openai", "baidu"]}])
async def test_every_figure_is_the_sum_of_its_events(
    page_ledger: PageLedger, name: str, where: dict[str, list[str]]
) -> None:
    events = list(fleet(NOW, 40, per_hour=0.3))
    page_ledger.insert(events)
    answer = await _overview(page_ledger, Request(range=name, by="model", where=where))
    chosen = [each for each in events if all(each[field] in values for field, values in where.items())]
    inside = _inside(chosen, answer)
    totals = answer["totals"]
    assert totals["calls"] == len(inside) > 0
    assert totals["cost"] is None or Decimal(totals["cost"]) == _cost(inside)
    for field in ("input_tokens", "output_tokens", "cache_read_tokens"):
        assert totals[field] == sum(each[field] for each in inside)
    assert totals["unpriced_calls"] == sum(each["cost"] is None for each in inside)
    assert totals["failed_calls"] == sum(each["status"] != "ok" for each in inside)

    groups = answer["series"]["groups"]
    assert len(groups) <= 7
    assert sum(Decimal(cost) for group in groups for cost in group["cost"]) == _cost(inside)
    assert sum(calls for group in groups for calls in group["calls"]) == len(inside)
    named = [group for group in groups if group["name"] is not None]
    for group in named:
        assert sum(map(Decimal, group["cost"])) == _cost(
            [each for each in inside if each["model"] == group["name"]]
        )
    assert all(len(group["cost"]) == len(answer["series"]["starts"]) for group in groups)

    for field, rows in answer["breakdowns"].items():
        others = {key: values for key, values in where.items() if key != field}
        seen: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in _inside(
            [each for each in events if all(each[key] in values for key, values in others.items())], answer
        ):
            seen[each[field]].append(each)
        assert {row["name"] for row in rows["rows"]} == set(seen)
        assert rows["groups"] == len(seen)
        assert Decimal(rows["cost"]) == _cost([each for group in seen.values() for each in group])
        for row in rows["rows"]:
            group = seen[row["name"]]
            assert row["calls"] == len(group)
            if all(each["cost"] is None for each in group):
                assert row["cost"] is None
            else:
                assert Decimal(row["cost"]) == _cost(group)


async def test_the_calendar_and_the_period_before(page_ledger: PageLedger) -> None:
    events = list(fleet(NOW, 70, per_hour=0.2))
    page_ledger.insert(events)
    answer = await _overview(page_ledger, Request(range="24h"))
    midnight = NOW.replace(hour=0, minute=0, second=0)
    for name, days in (("today", 0), ("last_7_days", 6), ("last_30_days", 29)):
        since = midnight - timedelta(days=days)
        inside = [each for each in events if datetime.fromisoformat(each["time"]) >= since]
        assert Decimal(answer["calendar"][name]["cost"]) == _cost(inside)
        assert answer["calendar"][name]["calls"] == len(inside)
    since = datetime.fromisoformat(answer["since"])
    earlier = [
        each for each in events if since - timedelta(days=1) <= datetime.fromisoformat(each["time"]) < since
    ]
    assert Decimal(answer["before"]["cost"]) == _cost(earlier)


async def test_unpriced_is_never_zero_dollars(page_ledger: PageLedger) -> None:
    page_ledger.insert(
        [event(NOW, number, team="free", cost="0", price_status="free") for number in range(2)]
        + [event(NOW, 10 + number, team="new", model="unheard-of", cost=None) for number in range(3)]
    )
    answer = await _overview(page_ledger, Request(range="1h"))
    by_team = {row["name"]: row for row in answer["breakdowns"]["team"]["rows"]}
    assert by_team["free"]["cost"] == "0"
    assert by_team["new"]["cost"] is None
    assert answer["totals"]["cost"] == "0"
    assert answer["totals"]["unpriced_calls"] == 3
    assert answer["unpriced"] == [{"vendor": "openai", "model": "unheard-of", "calls": 3}]


async def test_money_stays_exact(page_ledger: PageLedger) -> None:
    page_ledger.insert(
        event(NOW, number, cost=cost)
        for number, cost in enumerate(["0.000000000001", "12345678901234.000000000001", "0.1", "0.2"])
    )
    answer = await _overview(page_ledger, Request(range="1h"))
    assert answer["totals"]["cost"] == "12345678901234.300000000002"


async def test_an_empty_ledger_says_so(page_ledger: PageLedger) -> None:
    for name in ("1h", "30d", "all"):
        answer = await _overview(page_ledger, Request(range=name))
        assert answer["empty"] is True
        assert answer["totals"]["calls"] == 0
        assert answer["freshness"] == {"newest_at": None, "lag_seconds": None, "calls_last_minute": 0}


async def test_freshness_and_refusals(page_ledger: PageLedger) -> None:
    page_ledger.insert(event(NOW - timedelta(seconds=3 + 20 * number), number) for number in range(10))
    page_ledger.reject("invalid_json", 4, NOW)
    page_ledger.reject("wrong_type", 9, NOW - timedelta(days=3))
    answer = await _overview(page_ledger, Request(range="1h"))
    assert answer["freshness"] == {
        "newest_at": "2026-11-23T18:41:09Z",
        "lag_seconds": 3.0,
        "calls_last_minute": 3,
    }
    assert answer["rejected"] == {"pieces": 4, "reasons": [{"reason": "invalid_json", "pieces": 4}]}
    answer = await _overview(page_ledger, Request(range="7d"))
    assert answer["rejected"]["pieces"] == 13
    later = await _overview(page_ledger, Request(range="7d"), NOW + timedelta(days=2))
    assert later["freshness"]["newest_at"] == "2026-11-23T18:00:00Z"


@pytest.mark.parametrize(
    "query",
    [
        {"by": "cost"},
        {"by": "team; DROP TABLE usage"},
        {"range": "2h"},
        {"since": "yesterday"},
        {"since": "2026-11-23T00:00:00Z", "until": "2026-11-22T00:00:00Z"},
        {"password": "x"},
    ],
)
async def test_wrong_questions_are_answered_with_a_reason(
    page_ledger: PageLedger, query: dict[str, str]
) -> None:
    async with (
        served_page(page_ledger.directory) as url,
        aiohttp.ClientSession() as session,
        session.get(url + "api/overview", params=query) as response,
    ):
        assert response.status == 400
        assert (await response.json())["error"]


async def test_names_are_bound_not_pasted(page_ledger: PageLedger) -> None:
    nasty = "' OR 1 = 1 -- \\ <img src=x onerror=alert(1)>"
    page_ledger.insert([event(NOW, 1, team=nasty), event(NOW, 2)])
    answer = await _overview(page_ledger, Request(range="1h", where={"team": [nasty]}))
    assert answer["totals"]["calls"] == 1
    assert {row["name"] for row in answer["breakdowns"]["team"]["rows"]} == {nasty, "search"}
    with pytest.raises(WrongCall, match="cannot filter by"):
        Request(where={"team) OR (1": ["a"]})


async def test_an_absent_store_is_said(page_ledger: PageLedger) -> None:
    from aiohttp import web

    from dashboards.page import page_routes

    async def away(sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        raise StoreUnavailable("the ledger is being opened", hint="Wait a moment")

    app = web.Application()
    app.add_routes(page_routes(away, clock=lambda: NOW, database=DATABASE))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}/api/overview") as response,
    ):
        assert response.status == 503
        assert await response.json() == {"error": "the ledger is being opened", "hint": "Wait a moment"}
    await runner.cleanup()


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
        async with session.get(url, headers={"Host": "evil.example"}) as response:
            assert response.status == 421
        async with session.get(url + "api/overview", headers={"Sec-Fetch-Site": "cross-site"}) as response:
            assert response.status == 403
        async with session.post(url + "api/overview") as response:
            assert response.status == 405
