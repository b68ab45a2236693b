"""The figures of the budgets' board equal a sum by hand over its calls, its forecasts those of `weir budgets`."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from sinks.clickhouse.budgets import first_hours, forecast_usd, hours_of, write_budgets
from tests.panels.month import Month
from tokenweir.settings import BudgetSettings

BUDGETS = board("budgets")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
SCOPES: dict[str, dict[str, str]] = {
    "all": {},
    "developers": {"team": "developer-tools"},
    "nobody": {"team": "nobody"},
    "americas-openai": {"team": "support-americas", "vendor": "openai", "environment": "production"},
}
Call = dict[str, Any]


def spent(calls: Iterable[Call]) -> Decimal:
    return sum((call["cost"] for call in calls if call["cost"] is not None), Decimal(0))


def meant(call: Call, name: str) -> bool:
    return all(call.get(field, "") == value for field, value in SCOPES[name].items())


@pytest.fixture(scope="module")
def end(month: Month) -> datetime:
    """The end of the budgets' period, half past an hour as in India. The view knows only the present period."""
    last = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) + DAY
    budgets = {name: BudgetSettings(amount_usd=Decimal(40), scope=scope) for name, scope in SCOPES.items()}
    write_budgets(month.client, budgets, {name: [BEGIN, last] for name in budgets})
    return last


async def test_a_budget_stands_at_what_its_calls_cost(month: Month, end: datetime) -> None:
    rows = await month.rows(BUDGETS.panel("standing"), Choice(rolling_period("7d", month.end)), month.end)
    standing = {row["budget"]: row for row in rows}
    assert set(standing) == set(SCOPES)
    (first,) = first_hours(month.client).values()
    for name, row in standing.items():
        calls = [call for call in month.calls if call["time"] >= BEGIN and meant(call, name)]
        assert Decimal(row["usd"]) == spent(calls)
        assert Decimal(row["usd_left"]) == 40 - spent(calls)
        assert row["spent_percent"] == pytest.approx(float(spent(calls)) / 40 * 100, abs=1e-4)
        assert row["without_price"] == sum(1 for call in calls if call["cost"] is None)
        assert row["over_percent"] == pytest.approx(100 * ((month.end - BEGIN) / (end - BEGIN)))
        hours = hours_of(month.client, {field: [value] for field, value in SCOPES[name].items()}, month.end)
        if name == "nobody":
            assert row["usd_period_end"] is None
            continue
        expected = forecast_usd(spent(calls), hours["brightwater"], first, month.end, end)
        assert expected is not None
        assert abs(Decimal(row["usd_period_end"]) - expected) <= Decimal("0.0051")
    assert [row["spent_percent"] for row in rows] == sorted(
        (row["spent_percent"] for row in rows), reverse=True
    )


async def test_what_is_chosen_leaves_the_budgets_of_others_out(month: Month, end: datetime) -> None:
    choice = Choice(rolling_period("7d", month.end), {"team": ["support-americas"]})
    for panel in ("standing", "burn"):
        rows = await month.rows(BUDGETS.panel(panel), choice, month.end)
        assert {row["budget"] for row in rows} == {"all", "americas-openai"}


async def test_the_burn_is_that_of_the_last_hours(month: Month, end: datetime) -> None:
    now = month.end - timedelta(hours=7, minutes=40)
    this_hour = now.replace(minute=0)
    rows = await month.rows(BUDGETS.panel("burn"), Choice(rolling_period("7d", now)), now)
    assert {row["budget"] for row in rows} == set(SCOPES)
    for row in rows:
        calls = [
            call
            for call in month.calls
            if this_hour - DAY <= call["time"] < this_hour and meant(call, row["budget"])
        ]
        recent = [call for call in calls if call["time"] >= this_hour - 6 * HOUR]
        assert Decimal(row["usd_per_day"]) == spent(calls)
        assert Decimal(row["usd_per_day_now"]) == 4 * spent(recent)
        even = Decimal(40 * 86400) / int((end - BEGIN).total_seconds())
        assert abs(Decimal(row["usd_per_day_even"]) - even) < Decimal("1e-11")
        assert row["day_ratio"] == pytest.approx(float(spent(calls) / even))


async def test_a_budget_fills_up_day_by_day(month: Month, end: datetime) -> None:
    rows = await month.rows(
        BUDGETS.panel("spent-over-time"), Choice(rolling_period("7d", month.end)), month.end
    )
    assert {row["name"] for row in rows} == set(SCOPES) - {"nobody"}
    for row in rows:
        until = datetime.fromisoformat(row["time"]) + DAY
        calls = [call for call in month.calls if BEGIN <= call["time"] < until and meant(call, row["name"])]
        assert Decimal(row["usd"]) == spent(calls)
        assert row["spent_percent"] == pytest.approx(float(spent(calls)) / 40 * 100)


async def test_the_months_stand_beside_each_other(month: Month) -> None:
    # A month later, so that the simulated one is last month's end.
    now = datetime(2026, 12, 10, 9, 30, tzinfo=UTC)
    choice = Choice(rolling_period("7d", now))
    (row,) = await month.rows(BUDGETS.panel("month"), choice, now)
    november = [call for call in month.calls if call["time"] >= BEGIN]
    by_now = [call for call in november if call["time"] < datetime(2026, 11, 10, 9, tzinfo=UTC)]
    assert Decimal(row["usd_spent"]) == 0
    assert Decimal(row["usd_before"]) == spent(november)
    assert Decimal(row["usd_before_by_now"]) == spent(by_now)
    rows = await month.rows(BUDGETS.panel("cumulative"), choice, now)
    assert {row["name"] for row in rows} == {"last month"}
    for row in rows:
        day = datetime.fromisoformat(row["time"]).replace(month=11)
        assert Decimal(row["usd"]) == spent(call for call in november if call["time"] < day + DAY)
    (row,) = await month.rows(BUDGETS.panel("month"), Choice(rolling_period("7d", month.end)), month.end)
    assert Decimal(row["usd_spent"]) == spent(november)


async def test_each_teams_month(month: Month) -> None:
    choice = Choice(rolling_period("7d", month.end))
    rows = await month.rows(BUDGETS.panel("month-by-team"), choice, month.end)
    teams: defaultdict[str, list[Call]] = defaultdict(list)
    for call in month.calls:
        teams[call.get("team", "")].append(call)
    assert {row["team"] for row in rows} == set(teams)
    for row in rows:
        calls = [call for call in teams[row["team"]] if call["time"] >= BEGIN]
        assert Decimal(row["usd_so_far"]) == spent(calls)
        assert row["without_price"] == sum(1 for call in calls if call["cost"] is None)
    ends = sum((Decimal(row["usd_month_end"]) for row in rows), Decimal(0))
    (whole,) = await month.rows(BUDGETS.panel("month"), choice, month.end)
    assert abs(ends - Decimal(whole["usd"])) < Decimal("0.05"), "all teams are as old as the ledger"


async def test_a_day_stands_beside_its_weekday(month: Month) -> None:
    rows = await month.rows(BUDGETS.panel("per-day"), Choice(rolling_period("7d", month.end)), month.end)
    days: defaultdict[datetime, Decimal] = defaultdict(Decimal)
    for call in month.calls:
        days[call["time"].replace(hour=0, minute=0, second=0, microsecond=0)] += call["cost"] or 0
    assert [datetime.fromisoformat(row["time"]) for row in rows] == sorted(days)
    for row in rows:
        day = datetime.fromisoformat(row["time"])
        before = [days[day - weeks * 7 * DAY] for weeks in range(1, 5) if day - weeks * 7 * DAY in days]
        assert Decimal(row["usd"]) == days[day]
        if before:
            mean = sum(before, Decimal(0)) / len(before)
            assert abs(Decimal(row["usd_usual"]) - mean) < Decimal("1e-11")
        else:
            assert row["usd_usual"] is None
