"""Filling the ledger's table `budgets` from the settings."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sinks.clickhouse.budgets import write_budgets
from sinks.clickhouse.client import LedgerClient
from streams.detectors.budget_period import period_of
from streams.groups import EPOCH, MINUTE
from tokenweir.settings import BudgetSettings


def fill_budgets(client: LedgerClient, budgets: Mapping[str, BudgetSettings], now: datetime) -> int:
    """Makes the table say what the settings say; returns how many budgets were added, changed or taken out.

    With each go the bounds of its periods, from those of the year before `now` (UTC) to those of the year after the
    next; they are written anew once a year. Raises StoreUnavailable.
    """
    return write_budgets(
        client, budgets, {name: period_bounds(budget, now) for name, budget in budgets.items()}
    )


def period_bounds(budget: BudgetSettings, now: datetime) -> list[datetime]:
    """The moments (UTC) at which one period of the budget ends and the next begins, in rising order."""
    minute, end = ((datetime(now.year + years, 1, 1, tzinfo=UTC) - EPOCH) // MINUTE for years in (-1, 3))
    bounds = [period_of(minute, budget.period, budget.time_zone).start]
    while bounds[-1] < end:
        bounds.append(period_of(bounds[-1], budget.period, budget.time_zone).end)
    return [EPOCH + bound * MINUTE for bound in bounds]
