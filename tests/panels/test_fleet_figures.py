"""The figures of the fleet's board equal a sum by hand over its distinct calls."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from tests.panels.month import Month
from tests.panels.saying import said

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def spent(calls: Iterable[dict[str, Any]]) -> Decimal:
    return sum((call["cost"] for call in calls if call["cost"] is not None), Decimal(0))


def between(month: Month, since: datetime, until: datetime) -> list[dict[str, Any]]:
    return [call for call in month.calls if since <= call["time"] < until]


def by_hand_forecast(calls: list[dict[str, Any]], now: datetime) -> Decimal:
    """What the calls' month still costs: the mean of the same hours of the last 28 days, hour by hour."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first = min(call["time"] for call in calls).replace(hour=0, minute=0, second=0, microsecond=0)
    times: defaultdict[tuple[int, int], int] = defaultdict(int)
    usual: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for number in range(1, 28 * 24 + 1):
        slot = this_hour - number * HOUR
        if slot >= first:
            times[slot.weekday(), slot.hour] += 1
    for call in calls:
        if this_hour - 28 * DAY <= call["time"] < this_hour and call["cost"] is not None:
            usual[call["time"].weekday(), call["time"].hour] += call["cost"]
    rest, slot = Decimal(0), this_hour
    while slot.month == now.month:
        seconds = min(HOUR, slot + HOUR - now).total_seconds()
        key = slot.weekday(), slot.hour
        rest += usual[key] * int(seconds) / (times[key] * 3600)
        slot += HOUR
    return rest


async def test_the_spend_is_that_of_each_call_once(month: Month) -> None:
    period = rolling_period("7d", month.end)
    (row,) = await month.rows(board("fleet").panel("spend"), Choice(period), month.end)
    now, before = month.within(period), month.within(period.before)
    assert Decimal(row["usd"]) == spent(now)
    assert Decimal(row["usd_before"]) == spent(before)
    assert row["all_calls"] == len(now)
    assert row["without_price"] == sum(1 for call in now if call["cost"] is None) > 0


async def test_the_bars_add_up_to_the_spend(month: Month) -> None:
    period = rolling_period("7d", month.end)
    rows = await month.rows(board("fleet").panel("spend-over-time"), Choice(period, by="vendor"), month.end)
    calls = month.within(period)
    assert sum(Decimal(row["usd"]) for row in rows) == sum(call["cost"] or 0 for call in calls)
    assert sum(row["all_calls"] for row in rows) == len(calls)
    assert len({row["name"] for row in rows}) == 7


async def test_the_run_rate_is_of_whole_hours_and_of_the_same_ones_a_week_ago(month: Month) -> None:
    now = month.end - timedelta(hours=5, minutes=20)
    hour = now.replace(minute=0)
    (row,) = await month.rows(
        board("fleet").panel("run-rate"), Choice(rolling_period("24h", now), {"vendor": ["openai"]}), now
    )

    def openai(since: datetime, until: datetime) -> Decimal:
        return spent(call for call in between(month, since, until) if call["vendor"] == "openai")

    week = 7 * DAY
    assert Decimal(row["usd_per_day"]) == openai(hour - DAY, hour) > 0
    assert Decimal(row["usd_per_day_last_week"]) == openai(hour - DAY - week, hour - week) > 0
    assert Decimal(row["usd_per_day_now"]) == 4 * openai(hour - 6 * HOUR, hour) > 0
    assert Decimal(row["usd_per_day_now_last_week"]) == 4 * openai(hour - 6 * HOUR - week, hour - week) > 0
    change = Decimal(row["usd_per_day"]) / Decimal(row["usd_per_day_last_week"]) - 1
    assert row["change_percent"] == pytest.approx(100 * float(change))


async def test_today_begins_at_midnight_and_yesterday_is_cut_at_the_same_minute(month: Month) -> None:
    now = month.end - timedelta(hours=6, minutes=13)
    midnight = now.replace(hour=0, minute=0)
    (row,) = await month.rows(board("fleet").panel("today"), Choice(rolling_period("24h", now)), now)
    minute = now.replace(second=0)
    assert Decimal(row["usd"]) == spent(between(month, midnight, minute + timedelta(minutes=1)))
    assert Decimal(row["usd_yesterday_by_now"]) == spent(between(month, midnight - DAY, minute - DAY))
    assert Decimal(row["usd_yesterday"]) == spent(between(month, midnight - DAY, midnight))


@pytest.mark.parametrize(("days_back", "where"), [(0, {}), (3, {"team": ["analytics", "fraud"]})])
async def test_the_forecast_is_the_mean_of_the_same_hours(
    month: Month, days_back: int, where: dict[str, list[str]]
) -> None:
    now = month.end - days_back * DAY + timedelta(minutes=0 if days_back == 0 else 47)
    (row,) = await month.rows(board("fleet").panel("forecast"), Choice(rolling_period("7d", now), where), now)
    calls = [call for call in month.calls if not where or call["team"] in where["team"]]
    first = now.replace(day=1, hour=0, minute=0)
    # The simulation goes on after `now`, and the hour that runs is read whole.
    so_far = spent(call for call in calls if first <= call["time"] < now.replace(minute=0) + HOUR)
    assert Decimal(row["usd_spent"]) == so_far
    before = [call for call in calls if call["time"] < now]
    assert abs(Decimal(row["usd_to_come"]) - by_hand_forecast(before, now)) < Decimal("1e-9")
    assert Decimal(row["usd"]) == so_far + Decimal(row["usd_to_come"])
    assert row["usd_before"] is None, "the ledger begins within last month"


async def test_less_than_a_week_is_no_forecast(month: Month) -> None:
    now = (
        min(call["time"] for call in month.calls).replace(hour=0, minute=0, second=0, microsecond=0) + 5 * DAY
    )
    (row,) = await month.rows(board("fleet").panel("forecast"), Choice(rolling_period("24h", now)), now)
    assert row["usd"] is None
    assert row["usd_to_come"] is None
    assert Decimal(row["usd_spent"]) > 0


async def test_the_movers_are_the_largest_changes(month: Month) -> None:
    period = rolling_period("7d", month.end)
    changes: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    teams: defaultdict[str, Decimal] = defaultdict(Decimal)
    for calls, sign in ((month.within(period), 1), (month.within(period.before), -1)):
        for call in calls:
            changes[call.get("team", ""), call.get("service", "")] += sign * (call["cost"] or 0)
            teams[call.get("team", "")] += sign * (call["cost"] or 0)
    rows = await month.rows(board("fleet").panel("movers"), Choice(period), month.end)
    largest = sorted(changes.items(), key=lambda each: (-abs(each[1]), each[0]))[:15]
    assert [((row["team"], row["service"]), Decimal(row["usd_change"])) for row in rows] == largest
    assert all(Decimal(row["usd"]) - Decimal(row["usd_before"]) == Decimal(row["usd_change"]) for row in rows)
    rows = await month.rows(board("fleet").panel("movers-by"), Choice(period), month.end)
    assert [(row["name"], Decimal(row["usd_change"])) for row in rows] == sorted(
        teams.items(), key=lambda each: (-abs(each[1]), each[0])
    )[:12]


@pytest.mark.parametrize(
    ("panel", "columns"),
    [("top-teams", ("team",)), ("top-vendors", ("vendor",)), ("top-models", ("vendor", "model"))],
)
async def test_the_largest_stand_first_with_their_share_of_all(
    month: Month, panel: str, columns: tuple[str, ...]
) -> None:
    period = rolling_period("7d", month.end)
    groups: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    calls = month.within(period)
    for call in calls:
        groups[tuple(call.get(column, "") for column in columns)].append(call)
    rows = await month.rows(board("fleet").panel(panel), Choice(period), month.end)
    largest = sorted(groups, key=lambda name: (-spent(groups[name]), -len(groups[name]), name))[:10]
    assert [tuple(row[column] for column in columns) for row in rows] == largest
    for row, name in zip(rows, largest, strict=True):
        assert Decimal(row["usd"]) == spent(groups[name])
        assert row["all_calls"] == len(groups[name])
        assert row["share_percent"] == pytest.approx(float(100 * spent(groups[name]) / spent(calls)))


async def test_what_has_no_price_and_what_is_free_are_told_apart(month: Month) -> None:
    period = rolling_period("7d", month.end)
    calls = month.within(period)
    (row,) = await month.rows(board("fleet").panel("unpriced"), Choice(period), month.end)
    unpriced = [call for call in calls if call["cost"] is None]
    assert row["without_price"] == len(unpriced) > 0
    assert row["tokens"] == sum(
        call.get("input_tokens", 0) + call.get("output_tokens", 0) for call in unpriced
    )
    assert row["models"] == len({(call["vendor"], call["model"]) for call in unpriced})
    assert row["share_percent"] == pytest.approx(100 * len(unpriced) / len(calls))
    (row,) = await month.rows(board("fleet").panel("free"), Choice(period), month.end)
    assert row["free_calls"] == sum(1 for call in calls if call.get("price_status") == "free")
    assert row["covered_calls"] == sum(1 for call in calls if call.get("price_status") == "allowance")


async def test_what_is_open_stands_with_the_gravest_first(month: Month) -> None:
    begun = month.end - DAY
    month.signals(
        [
            said("cheap", "open", begun, severity="critical", usd_per_day="1"),
            said("dear", "open", begun, usd_per_day="-70", scope={"team": "fraud"}),
            said("unknown", "open", begun, usd_per_day=None, scope={"team": "fraud"}),
            said("over", "open", begun, severity="critical"),
            said("over", "resolved", begun + HOUR, number=1, severity="critical"),
            said("other", "open", begun, usd_per_day="900", scope={"team": "legal"}),
        ]
    )
    choice = Choice(rolling_period("1h", month.end), {"team": ["fraud"]})
    rows = await month.rows(board("fleet").panel("open-signals"), choice, month.end)
    assert [(row["incident"], row["usd_per_day"]) for row in rows] == [
        ("cheap", "1"),
        ("dear", "-70"),
        ("unknown", None),
    ]
