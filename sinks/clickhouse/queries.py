# ruff: noqa: S608 - names in the SQL come from this package's lists, values go in as parameters
"""Questions to the ledger, each with an exact answer, read from the cheapest view that can give it.

Amounts are `Decimal` USD; `cost` is None where nothing in the group has a price. Periods are UTC and come as text,
`2026-11-23` for a day and `2026-11-23T12:00:00Z` for an hour.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal

from sinks.clickhouse.balances import calls_as_known
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.columns import (
    COUNT_COLUMNS,
    EVENT_FIELDS,
    MONEY_COLUMNS,
    REJECTION_COLUMNS,
    USAGE_DIMENSIONS,
)
from sinks.clickhouse.conditions import (
    DIMENSIONS,
    Where,
    check_names,
    check_zone,
    time_clauses,
    value_clauses,
)
from sinks.clickhouse.priced_calls import PRICE_DIMENSIONS, calls_at, columns_for, spend_of_calls
from sinks.clickhouse.read_only import read_only_query
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook

__all__ = ["DIMENSIONS", "PERIODS", "Row", "read_only_query", "rejected", "spend", "totals", "unpriced"]

Row = dict[str, Any]

PERIODS: Final = ("day", "hour")
Prices = Literal["ledger", "billed", "known", "today"]
"""Which prices a question is about: those that the ledger holds, with every re-pricing; as billed, with none; as known
now, at each call's own time; or those of today."""

_VIEWS: Final = (
    ("usage_by_day", "day", 86_400),
    ("usage_by_hour", "hour", 3_600),
    ("usage_by_minute", "minute", 60),
)
_PERIOD_SQL: Final = {
    "day": "formatDateTime({column}, '%Y-%m-%d', 'UTC')",
    "hour": "formatDateTime(toStartOfHour({column}), '%Y-%m-%dT%H:00:00Z', 'UTC')",
}


_UNPRICED_COLUMNS: Final = (
    "vendor",
    "model",
    "unpriced_reason",
    "calls",
    "input_tokens",
    "output_tokens",
    "units",
    "teams",
    "services",
    "first_time",
    "last_time",
)


def spend(
    client: LedgerClient,
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    where: Where | None = None,
    prices: Prices = "ledger",
    book: PriceBook | None = None,
    now: datetime | None = None,
) -> list[Row]:
    """Calls, tokens and money of `since` ≤ time < `until`, grouped by `by`.

    by: names of DIMENSIONS and PERIODS. where: dimension → the value, or the values, that it must have in the ledger.
    prices: at which prices; "known" and "today" price every call with `book`, "today" at the prices of `now`. Rows
    come by period where one is asked for, else the dearest first. Raises WrongCall for a name that is no dimension, or
    none of what was billed, or a time without a zone, StoreUnavailable.
    """
    conditions = dict(where or {})
    check_names(by, (*DIMENSIONS, *PERIODS))
    check_names(tuple(conditions), DIMENSIONS)
    if prices in ("known", "today"):
        if book is None or (prices == "today" and now is None):
            raise TypeError(f"prices={prices!r} needs a price book, and today's a time")
        read = calls_as_known if now is None or prices == "known" else partial(calls_at, moment=now)
        columns = columns_for(by)
        calls = read(client, book, since=since, until=until, where=conditions, columns=columns)
        return spend_of_calls(calls, by=by)
    if prices == "billed":
        _refuse_names_of_later_prices((*by, *conditions))
    view, column = _cheapest_view((*by, *conditions), since, until)
    parameters: dict[str, Any] = {}
    clauses = [
        *time_clauses(column, since, until, parameters),
        *value_clauses(conditions, parameters),
    ]
    grouped = [
        _PERIOD_SQL[name].format(column=f"u.{column}") if name in PERIODS else f"u.{name}" for name in by
    ]
    keys = [f"{expression} AS `by_{number}`" for number, expression in enumerate(grouped)]
    period_numbers = [f"`by_{number}`" for number, name in enumerate(by) if name in PERIODS]
    order = [
        *period_numbers,
        "total_cost DESC NULLS LAST",
        "total_calls DESC",
        *(f"`by_{n}`" for n in range(len(by))),
    ]
    sql = (
        f"SELECT {', '.join([*keys, *_sums(view, prices)])} FROM {view} AS u"
        + (f" WHERE {' AND '.join(clauses)}" if clauses else "")
        + (f" GROUP BY {', '.join(f'`by_{number}`' for number in range(len(by)))}" if by else "")
        + f" ORDER BY {', '.join(order)}"
    )
    names = (*by, *COUNT_COLUMNS, *MONEY_COLUMNS)
    return [dict(zip(names, row, strict=True)) for row in client.query(sql, parameters)]


def totals(client: LedgerClient) -> Row:
    """The whole ledger in one row: COUNT_COLUMNS, MONEY_COLUMNS, `first_minute` and `last_minute` (UTC or None)."""
    row = spend(client)[0]
    first, last = client.query(
        "SELECT toUnixTimestamp(min(minute)), toUnixTimestamp(max(minute)) FROM minutes"
    )[0]
    seen = bool(row["calls"])
    row["first_minute"] = datetime.fromtimestamp(first, UTC) if seen else None
    row["last_minute"] = datetime.fromtimestamp(last, UTC) if seen else None
    return row


def unpriced(client: LedgerClient) -> list[Row]:
    """What has no price, one row a vendor, model and reason; the most calls first.

    Besides these `calls`, TOKEN_FIELDS that are totals, `units` (summed by name), how many `teams` and `services`, the
    `first_time` and `last_time` (UTC), and `last_call`: the last of the calls, as fields of UsageEvent.
    """
    # The days know at once whether there is anything to look for.
    if not client.query("SELECT sum(unpriced_calls) FROM usage_by_day")[0][0]:
        return []
    last_call = ", ".join(f"u.{name}" for name in EVENT_FIELDS)
    rows = client.query(
        "SELECT u.vendor, u.model, u.unpriced_reason, count() AS calls, sum(u.input_tokens), sum(u.output_tokens), "
        "sumMap(u.units), uniqExact(u.tenant, u.team), uniqExact(u.tenant, u.service), min(u.time), max(u.time), "
        f"argMax(tuple({last_call}), (u.time, u.id)) "
        "FROM usage AS u WHERE isNull(u.cost) "
        "AND (u.vendor, u.model) IN (SELECT vendor, model FROM usage_by_day WHERE unpriced_calls > 0) "
        "GROUP BY u.vendor, u.model, u.unpriced_reason "
        "ORDER BY calls DESC, u.vendor, u.model, u.unpriced_reason"
    )
    return [
        {
            **dict(zip(_UNPRICED_COLUMNS, map(_in_utc, row[:-1]), strict=True)),
            "last_call": dict(zip(EVENT_FIELDS, map(_in_utc, row[-1]), strict=True)),
        }
        for row in rows
    ]


def rejected(client: LedgerClient, limit: int = 100) -> list[Row]:
    """The latest rejections, fields as in tokenweir.usage.Rejection."""
    if limit < 1:
        raise WrongCall(f"A limit of {limit} rejections shows nothing", hint="Ask for one or more.")
    rows = client.query(
        f"SELECT {', '.join(REJECTION_COLUMNS)} FROM rejected FINAL ORDER BY rejected_at DESC, id LIMIT {int(limit)}"
    )
    return [dict(zip(REJECTION_COLUMNS, map(_in_utc, row), strict=True)) for row in rows]


def _cheapest_view(names: Sequence[str], since: datetime | None, until: datetime | None) -> tuple[str, str]:
    """The coarsest view that knows every name and whose periods fit both bounds, and its time column."""
    if any(name in USAGE_DIMENSIONS for name in names):
        return "usage", "time"
    for view, column, seconds in _VIEWS:
        too_coarse = view == "usage_by_day" and "hour" in names
        if not too_coarse and all(_is_multiple(bound, seconds) for bound in (since, until)):
            return view, column
    return "usage", "time"


def _is_multiple(moment: datetime | None, seconds: int) -> bool:
    if moment is None:
        return True
    check_zone(moment)
    return moment.microsecond == 0 and int(moment.timestamp()) % seconds == 0


def _sums(view: str, prices: Prices) -> list[str]:
    prefix = "billed_" if prices == "billed" else ""
    if view == "usage":
        calls = ["count() AS total_calls", f"countIf(isNull(u.{prefix}cost)) AS total_unpriced_calls"]
    else:
        calls = [
            "sum(u.calls) AS total_calls",
            f"sum(u.{prefix}unpriced_calls) AS total_unpriced_calls",
        ]
    return [
        *calls,
        *(f"sum(u.{column}) AS total_{column}" for column in COUNT_COLUMNS[2:]),
        *(f"sum(u.{prefix}{column}) AS total_{column}" for column in MONEY_COLUMNS),
    ]


def _refuse_names_of_later_prices(names: Sequence[str]) -> None:
    """What was billed must not move with the prices, so that it is not asked by what moves with them."""
    for name in names:
        if name in PRICE_DIMENSIONS:
            raise WrongCall(
                f"'{name}' is that of the price which a call has now, not of what it was billed",
                hint="Ask by the call's own dimensions, such as vendor and model, or without --prices billed.",
            )


def _in_utc(value: Any) -> Any:
    """The driver gives UTC times with no zone; ours always have one."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
