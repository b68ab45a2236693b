"""The figures of the fleet's board equal a sum by hand over its distinct calls."""

from decimal import Decimal

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from tests.panels.month import Month


async def test_the_spend_is_that_of_each_call_once(month: Month) -> None:
    period = rolling_period("7d", month.end)
    (row,) = await month.rows(board("fleet").panel("spend"), Choice(period), month.end)
    now, before = month.within(period), month.within(period.before)
    assert Decimal(row["usd"]) == sum(call["cost"] for call in now if call["cost"] is not None)
    assert Decimal(row["usd_before"]) == sum(call["cost"] for call in before if call["cost"] is not None)
    assert row["all_calls"] == len(now)
    assert row["without_price"] == sum(1 for call in now if call["cost"] is None) > 0


async def test_the_bars_add_up_to_the_spend(month: Month) -> None:
    period = rolling_period("7d", month.end)
    rows = await month.rows(board("fleet").panel("spend-over-time"), Choice(period, by="vendor"), month.end)
    calls = month.within(period)
    assert sum(Decimal(row["usd"]) for row in rows) == sum(call["cost"] or 0 for call in calls)
    assert sum(row["all_calls"] for row in rows) == len(calls)
    assert len({row["name"] for row in rows}) == 7
