# ruff: noqa: S608 - names in the SQL come from this package's lists, values go in as parameters
"""Budgets in the ledger: the table that is filled from the settings, where each stands now, and what it comes to.

The view `budget_standing` is exact; a forecast is an estimate from the hours of the last four weeks. The detector of
budgets does not read any of this: it goes by the minutes that it saw (docs/signals.md).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.conditions import time_clauses, value_clauses
from sinks.clickhouse.ledger import insert_settings
from tokenweir.money import decimal_string, picos_from_decimal
from tokenweir.settings import BudgetSettings

Row = dict[str, Any]
Hours = dict[int, Decimal]
"""USD by hour, counted since the Unix epoch."""

_SET_COLUMNS: Final = (
    "amount_usd",
    "scope",
    "period",
    "time_zone",
    "thresholds_percent",
    "forecast",
    "burn_rate",
    "period_bounds",
)
STANDING_COLUMNS: Final = (
    "name",
    "tenant",
    "amount_usd",
    "scope",
    "period",
    "time_zone",
    "thresholds_percent",
    "period_start",
    "period_end",
    "spent_usd",
    "percent",
    "remaining_usd",
    "calls",
    "unpriced_calls",
)
_WEEK_HOURS: Final = 168
_WEEKS: Final = 4
_HOUR_SECONDS: Final = 3600


def write_budgets(
    client: LedgerClient, budgets: Mapping[str, BudgetSettings], bounds: Mapping[str, Sequence[datetime]]
) -> int:
    """Makes the table say what the settings say; returns how many budgets were added, changed or taken out.

    bounds: by budget, the moments between its periods, in rising order. Raises StoreUnavailable.
    """
    wanted = {name: _set(budget, bounds[name]) for name, budget in budgets.items()}
    known = {name: _known(row) for name, *row in client.query(_KNOWN_SQL)}
    rows = [
        {"name": name, **row, "is_removed": False} for name, row in wanted.items() if known.get(name) != row
    ]
    rows += [{"name": name, **row, "is_removed": True} for name, row in known.items() if name not in wanted]
    if rows:
        lines = b"\n".join(json.dumps(row).encode() for row in rows)
        columns = ("name", *_SET_COLUMNS, "is_removed")
        client.insert_lines("budgets", columns, lines, insert_settings(client), doing="storing budgets")
    return len(rows)


_KNOWN_SQL: Final = (
    f"SELECT name, {', '.join(_SET_COLUMNS[:-1])}, arrayMap(bound -> toUnixTimestamp(bound), period_bounds) "
    "FROM budgets FINAL WHERE is_removed = 0"
)


def _set(budget: BudgetSettings, bounds: Sequence[datetime]) -> Row:
    values = (
        decimal_string(picos_from_decimal(budget.amount_usd)),
        {field: [value] for field, value in sorted(budget.scope.items())},
        budget.period,
        budget.time_zone,
        sorted(set(budget.thresholds_percent)),
        budget.forecast,
        budget.burn_rate,
        [int(bound.timestamp()) for bound in bounds],
    )
    return dict(zip(_SET_COLUMNS, values, strict=True))


def _known(values: Sequence[Any]) -> Row:
    row = dict(zip(_SET_COLUMNS, values, strict=True))
    return row | {
        "amount_usd": decimal_string(picos_from_decimal(row["amount_usd"])),
        "scope": {field: list(wanted) for field, wanted in sorted(row["scope"].items())},
        "thresholds_percent": list(row["thresholds_percent"]),
        "period_bounds": list(row["period_bounds"]),
    }


def budget_standings(client: LedgerClient) -> list[Row]:
    """Each budget that is set, STANDING_COLUMNS each, in the period that is now. Raises StoreUnavailable."""
    rows = client.query(f"SELECT {', '.join(STANDING_COLUMNS)} FROM budget_standing ORDER BY name, tenant")
    found = [dict(zip(STANDING_COLUMNS, row, strict=True)) for row in rows]
    for row in found:
        for bound in ("period_start", "period_end"):
            row[bound] = row[bound].replace(tzinfo=UTC)
    return found


def hours_of(client: LedgerClient, scope: Mapping[str, Sequence[str]], now: datetime) -> dict[str, Hours]:
    """By tenant, what the whole hours of the last four weeks cost within a scope. Hours without a cost are left out."""
    until = datetime.fromtimestamp(_start_of(now) * _HOUR_SECONDS, UTC)
    parameters: dict[str, Any] = {}
    clauses = time_clauses("hour", until - _WEEKS * timedelta(weeks=1), until, parameters)
    clauses += value_clauses(scope, parameters)
    rows = client.query(
        "SELECT u.tenant, intDiv(toUnixTimestamp(u.hour), 3600) AS number, sum(u.cost) AS usd FROM usage_by_hour AS u "
        f"WHERE {' AND '.join(clauses)} GROUP BY u.tenant, number HAVING usd IS NOT NULL",
        parameters,
    )
    found: dict[str, Hours] = {}
    for tenant, number, usd in rows:
        found.setdefault(tenant, {})[number] = usd
    return found


def first_hours(client: LedgerClient) -> dict[str, int]:
    """By tenant, the first hour of which the ledger has a call."""
    rows = client.query(
        "SELECT tenant, intDiv(toUnixTimestamp(min(minute)), 3600) FROM minutes GROUP BY tenant"
    )
    return dict(rows)


def forecast_usd(
    spent: Decimal, hours: Hours, first_hour: int, now: datetime, period_end: datetime
) -> Decimal | None:
    """What a period will have cost, in cents: what is spent, and the hours to come at the mean of those of the same
    weekday and time in the last four weeks, as many of them as are known. None before a whole week is known.

    hours: as `hours_of`. first_hour: what lies before it, and itself, is not known.
    """
    present = _start_of(now)
    oldest = max(first_hour + 1, present - _WEEKS * _WEEK_HOURS)
    if present - oldest < _WEEK_HOURS:
        return None
    total, moment = spent, now
    while moment < period_end:
        hour = _start_of(moment)
        until = min(period_end, datetime.fromtimestamp((hour + 1) * _HOUR_SECONDS, UTC))
        latest = hour - _WEEK_HOURS * ((hour - present) // _WEEK_HOURS + 1)
        same = range(latest, oldest - 1, -_WEEK_HOURS)
        mean = sum((hours.get(one, Decimal(0)) for one in same), Decimal(0)) / len(same)
        total += mean * ((until - moment) // timedelta(seconds=1)) / _HOUR_SECONDS
        moment = until
    return total.quantize(Decimal("0.01"))


def _start_of(moment: datetime) -> int:
    return int(moment.timestamp()) // _HOUR_SECONDS
