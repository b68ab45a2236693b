"""What the page asks of the ledger, and the one JSON object that it shows.

Every figure comes from the rollup views, which hold each call once; only how fresh the ledger is comes from the
newest rows of `usage`. Money stays exact: decimal strings from the ledger, added as `Decimal`, decimal strings in
the answer. A group in which no call has a price has `cost` null, never "0".

Filters are equalities on FILTERS, several values of one field joined by "or". The breakdown of a field is not
narrowed by the filter on that same field, so that the page can show what else could be chosen.
"""

# Statements here are put together from names of this module's own; whatever comes from outside is bound.
# ruff: noqa: S608

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from dashboards.page.period import DAY, RANGES, Period, moment, period_between, rolling_period
from tokenweir.errors import WrongCall

Row = dict[str, Any]
Query = Callable[[str, Mapping[str, object]], Awaitable[list[dict[str, Any]]]]

GROUPS: Final = ("team", "vendor", "model", "service")
"""What the chart can be stacked by."""
BREAKDOWNS: Final = ("team", "vendor", "model")
FILTERS: Final = (
    "tenant",
    "team",
    "project",
    "service",
    "environment",
    "api_key",
    "vendor",
    "model",
    "region",
)
NAMED_GROUPS: Final = 6
"""So many groups are drawn on their own, as many as there are colours that everyone can tell apart."""
BREAKDOWN_ROWS: Final = 50
LISTED_MODELS: Final = 20
_MOST_VALUES: Final = 100

_START_COLUMN: Final = {"usage_by_minute": "minute", "usage_by_hour": "hour", "usage_by_day": "day"}
_MEASURES: Final = (
    "calls",
    "unpriced_calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "reasoning_tokens",
)
_SUMS: Final = ", ".join(
    [f"sum({name}) AS {name}_sum" for name in _MEASURES]
    + ["sum(cost) AS cost_sum", "sumIf(calls, status != 'ok') AS failed_calls_sum"]
)


@dataclass(frozen=True)
class Request:
    """What a reader wants to see. range: one of RANGES, "all", or empty where since and until say it."""

    range: str = "24h"
    since: str = ""
    until: str = ""
    by: str = "team"
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.by not in GROUPS:
            raise WrongCall(f"cannot group by {self.by!r}", hint=f"Choose one of {', '.join(GROUPS)}")
        if self.range not in (*RANGES, "all", ""):
            raise WrongCall(f"no range {self.range!r}", hint=f"Choose one of {', '.join(RANGES)}, all")
        for name, values in self.where.items():
            if name not in FILTERS:
                raise WrongCall(f"cannot filter by {name!r}", hint=f"Choose among {', '.join(FILTERS)}")
            if len(values) > _MOST_VALUES:
                raise WrongCall(f"more than {_MOST_VALUES} values of {name}")


class Overview:
    """Asks the ledger in `database` through `query`, which binds `{name:Type}` on the server's side."""

    def __init__(self, query: Query, *, database: str) -> None:
        self._query = query
        self._database = database

    async def answer(self, request: Request, now: datetime) -> Row:
        """The object that the page shows, as of `now` (UTC). Raises whatever `query` raises, and WrongCall."""
        first = await self._first_day()
        period = self._period(request, now, first)
        totals, before, periods, series, unpriced, freshness, *tables = await asyncio.gather(
            self._totals(period, request.where),
            self._totals(period.before, request.where),
            self._calendar(request.where, now),
            self._series(period, request),
            self._unpriced(period, request.where),
            self._freshness(now),
            *(self._breakdown(period, name, request.where) for name in BREAKDOWNS),
        )
        rejected = await self._rejected(period)
        return {
            "now": _rfc3339(now),
            "empty": first is None,
            "since": _rfc3339(period.since),
            "until": _rfc3339(period.until),
            "step_seconds": period.step_seconds,
            "totals": totals,
            # Before the first event there is nothing to compare with.
            "before": before if first is not None and period.before.since >= first else None,
            "calendar": periods,
            "series": series,
            "breakdowns": dict(zip(BREAKDOWNS, tables, strict=True)),
            "unpriced": unpriced,
            "rejected": rejected,
            "freshness": freshness,
        }

    def _period(self, request: Request, now: datetime, first: datetime | None) -> Period:
        if request.since or request.until or not request.range:
            until = moment(request.until) if request.until else now
            return period_between(
                moment(request.since) if request.since else first or until - RANGES["24h"], until
            )
        if request.range == "all":
            return period_between(first or now - RANGES["24h"], now)
        return rolling_period(request.range, now)

    async def _first_day(self) -> datetime | None:
        rows = await self._query(
            f"SELECT min(day) AS first, sum(calls) AS calls_sum FROM {self._database}.usage_by_day", {}
        )
        if not rows or not int(rows[0]["calls_sum"] or 0):
            return None
        return _moment(rows[0]["first"])

    async def _totals(self, period: Period, where: Mapping[str, Sequence[str]]) -> Row:
        condition, values = _condition(period, where)
        rows = await self._query(f"SELECT {_SUMS} FROM {self._table(period)} WHERE {condition}", values)
        return _figures(rows[0] if rows else {})

    async def _calendar(self, where: Mapping[str, Sequence[str]], now: datetime) -> Row:
        """Today, and the last 7 and 30 days with today among them; days are UTC."""
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
        names = {"today": 0, "last_7_days": 6, "last_30_days": 29}

        async def since(days: int) -> Row:
            start = midnight - timedelta(days=days)
            return await self._totals(Period(start, midnight + timedelta(days=1), DAY), where)

        figures = await asyncio.gather(*(since(days) for days in names.values()))
        return {
            name: {key: each[key] for key in ("cost", "calls", "unpriced_calls")}
            for name, each in zip(names, figures, strict=True)
        }

    async def _series(self, period: Period, request: Request) -> Row:
        condition, values = _condition(period, request.where)
        table, by = self._table(period), request.by
        rows = await self._query(
            f"WITH named AS (SELECT {by} FROM {table} WHERE {condition} GROUP BY {by} "
            f"ORDER BY sum(cost) DESC, sum(calls) DESC, {by} LIMIT {NAMED_GROUPS}) "
            f"SELECT intDiv(toUnixTimestamp({_START_COLUMN[period.rollup]}) - {period.offset_seconds}, "
            f"{period.step_seconds}) * {period.step_seconds} + {period.offset_seconds} AS start, "
            f"{by} IN (SELECT {by} FROM named) AS is_named, if(is_named, {by}, '') AS name, "
            "sum(calls) AS calls_sum, sum(cost) AS cost_sum, "
            "sum(input_tokens) + sum(output_tokens) AS tokens_sum "
            f"FROM {table} WHERE {condition} GROUP BY start, is_named, name",
            values,
        )
        starts = period.starts
        place = {int(start.timestamp()): number for number, start in enumerate(starts)}
        groups: dict[tuple[bool, str], dict[str, list[Any]]] = {}
        for row in rows:
            key = (bool(int(row["is_named"])), str(row["name"]))
            group = groups.setdefault(
                key,
                {"cost": [Decimal(0)] * len(starts), "calls": [0] * len(starts), "tokens": [0] * len(starts)},
            )
            at = place[int(row["start"])]
            group["cost"][at] += _decimal(row["cost_sum"])
            group["calls"][at] += int(row["calls_sum"])
            group["tokens"][at] += int(row["tokens_sum"])
        ranked = sorted(
            groups.items(),
            key=lambda item: (item[0][0], sum(item[1]["cost"]), sum(item[1]["calls"])),
            reverse=True,
        )
        return {
            "by": by,
            "starts": [_rfc3339(start) for start in starts],
            "groups": [
                {"name": name if named else None, **group, "cost": [_plain(cost) for cost in group["cost"]]}
                for (named, name), group in ranked
            ],
        }

    async def _breakdown(self, period: Period, name: str, where: Mapping[str, Sequence[str]]) -> list[Row]:
        others = {key: values for key, values in where.items() if key != name}
        condition, values = _condition(period, others)
        rows = await self._query(
            f"SELECT {name} AS name, {_SUMS} FROM {self._table(period)} WHERE {condition} GROUP BY name "
            f"ORDER BY cost_sum DESC, calls_sum DESC, name LIMIT {BREAKDOWN_ROWS}",
            values,
        )
        return [{"name": row["name"], **_figures(row)} for row in rows]

    async def _unpriced(self, period: Period, where: Mapping[str, Sequence[str]]) -> list[Row]:
        condition, values = _condition(period, where)
        rows = await self._query(
            "SELECT vendor, model, sum(unpriced_calls) AS calls_sum, sum(input_tokens) + sum(output_tokens) "
            f"AS tokens_sum FROM {self._table(period)} WHERE {condition} AND unpriced_calls > 0 "
            f"GROUP BY vendor, model ORDER BY calls_sum DESC, vendor, model LIMIT {LISTED_MODELS}",
            values,
        )
        return [
            {
                "vendor": row["vendor"],
                "model": row["model"],
                "calls": int(row["calls_sum"]),
                "tokens": int(row["tokens_sum"]),
            }
            for row in rows
        ]

    async def _rejected(self, period: Period) -> Row:
        rows = await self._query(
            f"SELECT reason, uniqExact(id) AS pieces FROM {self._database}.rejected "
            "WHERE rejected_at >= {since:DateTime64(3, 'UTC')} AND rejected_at < {until:DateTime64(3, 'UTC')} "
            "GROUP BY reason ORDER BY pieces DESC, reason",
            {"since": _text(period.since), "until": _text(period.until)},
        )
        reasons = [{"reason": row["reason"], "pieces": int(row["pieces"])} for row in rows]
        return {"pieces": sum(each["pieces"] for each in reasons), "reasons": reasons}

    async def _freshness(self, now: datetime) -> Row:
        rows = await self._query(
            "SELECT max(time) AS newest, countIf(time > {minute_ago:DateTime64(3, 'UTC')}) AS calls, count() AS seen "
            f"FROM {self._database}.usage WHERE time >= {{hour_ago:DateTime64(3, 'UTC')}}",
            {"minute_ago": _text(now - timedelta(minutes=1)), "hour_ago": _text(now - timedelta(hours=1))},
        )
        if rows and int(rows[0]["seen"]):
            newest = _moment(rows[0]["newest"])
            return {
                "newest_at": _rfc3339(newest),
                "lag_seconds": max((now - newest).total_seconds(), 0.0),
                "calls_last_minute": int(rows[0]["calls"]),
            }
        rows = await self._query(
            f"SELECT max(hour) AS newest, sum(calls) AS calls_sum FROM {self._database}.usage_by_hour", {}
        )
        if not rows or not int(rows[0]["calls_sum"] or 0):
            return {"newest_at": None, "lag_seconds": None, "calls_last_minute": 0}
        newest = _moment(rows[0]["newest"])
        return {
            "newest_at": _rfc3339(newest),
            "lag_seconds": max((now - newest).total_seconds(), 0.0),
            "calls_last_minute": 0,
        }

    def _table(self, period: Period) -> str:
        return f"{self._database}.{period.rollup}"


def _condition(period: Period, where: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, object]]:
    """The WHERE of a rollup and its bound values. Field names come from FILTERS, never from outside."""
    column = _START_COLUMN[period.rollup]
    parts = [
        f"{column} >= toDateTime({{since:UInt32}}, 'UTC')",
        f"{column} < toDateTime({{until:UInt32}}, 'UTC')",
    ]
    values: dict[str, object] = {
        "since": int(period.since.timestamp()),
        "until": int(period.until.timestamp()),
    }
    for number, (name, wanted) in enumerate(sorted(where.items())):
        parts.append(f"{name} IN {{where_{number}:Array(String)}}")
        values[f"where_{number}"] = list(wanted)
    return " AND ".join(parts), values


def _figures(row: Mapping[str, Any]) -> Row:
    figures: Row = {name: int(row.get(f"{name}_sum") or 0) for name in (*_MEASURES, "failed_calls")}
    priced = figures["calls"] == 0 or figures["unpriced_calls"] < figures["calls"]
    figures["cost"] = _plain(_decimal(row.get("cost_sum"))) if priced else None
    return figures


def _decimal(value: object) -> Decimal:
    """An exact amount as the query gives it: Decimal, decimal string, or nothing. Raises TypeError for a float."""
    if value is None:
        return Decimal(0)
    if isinstance(value, float):
        raise TypeError("money came as a float; ask the ledger for decimals")
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _moment(value: object) -> datetime:
    """A time as the query gives it: datetime, date, or ClickHouse's text; UTC."""
    parsed = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(at: datetime) -> str:
    """A time in the form in which ClickHouse takes a DateTime64 parameter."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
