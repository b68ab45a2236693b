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

from dashboards.period import DAY, RANGES, Period, moment, period_between, rolling_period
from tokenweir.errors import WrongCall

Row = dict[str, Any]
Where = Mapping[str, Sequence[str]]
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
_MOST_ROWS: Final = 20_000
_SETS: Final[tuple[tuple[str, ...], ...]] = ((), ("team",), ("vendor",), ("model",), ("vendor", "model"))

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
    """Asks the ledger in `database` through `query`, which binds `{name:Type}` on the server's side.

    A refresh scans the period's rollup twice (all breakdowns at once, then the chart). What moves slowly is kept
    for a while, by the clock that `answer` is given.
    """

    def __init__(self, query: Query, *, database: str) -> None:
        self._query = query
        self._database = database
        self._kept: dict[object, tuple[datetime, Any]] = {}

    async def answer(self, request: Request, now: datetime) -> Row:
        """The object that the page shows, as of `now` (UTC). Raises whatever `query` raises, and WrongCall."""
        first = await self._keep("first", timedelta(minutes=5), now, self._first_day)
        period = self._period(request, now, first)
        where = {name: tuple(values) for name, values in sorted(request.where.items())}
        whose = tuple(where.items())
        (sets, series), calendar, before, freshness, rejected = await asyncio.gather(
            self._current(period, request.by, where),
            self._keep(("calendar", whose), timedelta(seconds=12), now, lambda: self._calendar(where, now)),
            self._keep(
                ("before", period.before, whose),
                timedelta(minutes=2),
                now,
                lambda: self._totals(period.before, where),
            ),
            self._keep("freshness", timedelta(seconds=1), now, lambda: self._freshness(now)),
            self._rejected(period),
        )
        return {
            "now": _rfc3339(now),
            "empty": first is None,
            "since": _rfc3339(period.since),
            "until": _rfc3339(period.until),
            "step_seconds": period.step_seconds,
            "totals": _figures(sets[()][0]) if sets[()] else _figures({}),
            # Before the first event there is nothing to compare with.
            "before": before if first is not None and period.before.since >= first else None,
            "calendar": calendar,
            "series": series,
            "breakdowns": {name: _breakdown(sets[(name,)], name) for name in BREAKDOWNS},
            "unpriced": _unpriced(sets[("vendor", "model")]),
            "rejected": rejected,
            "freshness": freshness,
        }

    async def _keep(
        self, name: object, how_long: timedelta, now: datetime, find: Callable[[], Awaitable[Any]]
    ) -> Any:
        kept = self._kept.get(name)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = await find()
        self._kept = {key: each for key, each in self._kept.items() if now < each[0]}
        if found is not None:
            self._kept[name] = (now + how_long, found)
        return found

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

    async def _totals(self, period: Period, where: Where) -> Row:
        condition, values = _condition(period, where)
        rows = await self._query(f"SELECT {_SUMS} FROM {self._table(period)} WHERE {condition}", values)
        return _figures(rows[0] if rows else {})

    async def _calendar(self, where: Where, now: datetime) -> Row:
        """Today, and the last 7 and 30 days with today among them; days are UTC."""
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
        days = {"today": 0, "last_7_days": 6, "last_30_days": 29}
        condition, values = _condition(
            Period(midnight - timedelta(days=29), midnight + timedelta(days=1), DAY), where
        )
        rows = await self._query(
            f"SELECT toUnixTimestamp(day) AS start, {_SUMS} FROM {self._database}.usage_by_day "
            f"WHERE {condition} GROUP BY day",
            values,
        )
        figures = [(datetime.fromtimestamp(int(row["start"]), UTC), _figures(row)) for row in rows]
        return {
            name: _added([each for start, each in figures if start >= midnight - timedelta(days=back)])
            for name, back in days.items()
        }

    async def _current(
        self, period: Period, by: str, where: Where
    ) -> tuple[dict[tuple[str, ...], list[Row]], Row]:
        """The rows of every grouping in SETS, and the chart."""
        table = self._table(period)
        wanted = [*_SETS, *([] if (by,) in _SETS else [(by,)])]
        open_fields = [name for name in BREAKDOWNS if name in where]
        sets, *opened = await asyncio.gather(
            self._grouped(table, _condition(period, where), wanted),
            *(
                self._grouped(table, _condition(period, _without(where, name)), [(name,)])
                for name in open_fields
            ),
        )
        ranked = sets[(by,)]
        for name, each in zip(open_fields, opened, strict=True):
            sets[(name,)] = each[(name,)]
        named = [str(row[by]) for row in ranked[:NAMED_GROUPS]]
        return sets, await self._series(period, by, where, named)

    async def _grouped(
        self, table: str, bound: tuple[str, dict[str, object]], wanted: list[tuple[str, ...]]
    ) -> dict[tuple[str, ...], list[Row]]:
        """One scan, grouped in several ways; the rows of each by falling cost."""
        condition, values = bound
        fields = sorted({name for names in wanted for name in names})
        # As the standard has it, which is ClickHouse's default: grouping(x) is 1 where x is summed over.
        which = " + ".join(f"{1 << place} * (1 - grouping({name}))" for place, name in enumerate(fields))
        rows = await self._query(
            f"SELECT {', '.join(fields)}, {which} AS which_set, {_SUMS} "
            f"FROM {table} WHERE {condition} "
            f"GROUP BY GROUPING SETS ({', '.join('(' + ', '.join(names) + ')' for names in wanted)}) "
            f"ORDER BY cost_sum DESC, calls_sum DESC, {', '.join(fields)} LIMIT {_MOST_ROWS}",
            values,
        )
        numbers = {sum(1 << fields.index(name) for name in names): names for names in wanted}
        sets: dict[tuple[str, ...], list[Row]] = {names: [] for names in wanted}
        for row in rows:
            if int(row["calls_sum"] or 0):
                sets[numbers[int(row["which_set"])]].append(row)
        return sets

    async def _series(self, period: Period, by: str, where: Where, named: list[str]) -> Row:
        condition, values = _condition(period, where)
        rows = await self._query(
            f"SELECT intDiv(toUnixTimestamp({_START_COLUMN[period.rollup]}) - {period.offset_seconds}, "
            f"{period.step_seconds}) * {period.step_seconds} + {period.offset_seconds} AS start, "
            f"{by} IN {{named:Array(String)}} AS is_named, if(is_named, {by}, '') AS name, "
            "sum(calls) AS calls_sum, sum(cost) AS cost_sum, "
            "sum(input_tokens) + sum(output_tokens) AS tokens_sum "
            f"FROM {self._table(period)} WHERE {condition} GROUP BY start, is_named, name",
            {**values, "named": named},
        )
        starts = period.starts
        place = {int(start.timestamp()): number for number, start in enumerate(starts)}
        groups: dict[str | None, dict[str, list[Any]]] = {}
        for name in (*named, None):
            groups[name] = {
                "cost": [Decimal(0)] * len(starts),
                "calls": [0] * len(starts),
                "tokens": [0] * len(starts),
            }
        for row in rows:
            group = groups[str(row["name"]) if int(row["is_named"]) else None]
            at = place[int(row["start"])]
            group["cost"][at] += _decimal(row["cost_sum"])
            group["calls"][at] += int(row["calls_sum"])
            group["tokens"][at] += int(row["tokens_sum"])
        return {
            "by": by,
            "starts": [_rfc3339(start) for start in starts],
            "groups": [
                {"name": name, **group, "cost": [_plain(cost) for cost in group["cost"]]}
                for name, group in groups.items()
                if name is not None or any(group["calls"])
            ],
        }

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
        calls = 0
        if not rows or not int(rows[0]["seen"]):
            rows = await self._query(
                f"SELECT max(hour) AS newest, sum(calls) AS seen FROM {self._database}.usage_by_hour", {}
            )
        else:
            calls = int(rows[0]["calls"])
        if not rows or not int(rows[0]["seen"] or 0):
            return {"newest_at": None, "lag_seconds": None, "calls_last_minute": 0}
        newest = _moment(rows[0]["newest"])
        return {
            "newest_at": _rfc3339(newest),
            "lag_seconds": max((now - newest).total_seconds(), 0.0),
            "calls_last_minute": calls,
        }

    def _table(self, period: Period) -> str:
        return f"{self._database}.{period.rollup}"


def _breakdown(rows: list[Row], name: str) -> Row:
    """The first rows of a breakdown, and what all of them come to."""
    return {
        "groups": len(rows),
        "cost": _plain(sum((_decimal(row["cost_sum"]) for row in rows), Decimal(0))),
        "rows": [{"name": row[name], **_figures(row)} for row in rows[:BREAKDOWN_ROWS]],
    }


def _unpriced(rows: list[Row]) -> list[Row]:
    """The models some calls of which have no price, most calls first. Tokens are those of all their calls."""
    without = [row for row in rows if int(row["unpriced_calls_sum"])]
    without.sort(key=lambda row: (-int(row["unpriced_calls_sum"]), row["vendor"], row["model"]))
    return [
        {"vendor": row["vendor"], "model": row["model"], "calls": int(row["unpriced_calls_sum"])}
        for row in without[:LISTED_MODELS]
    ]


def _added(figures: list[Row]) -> Row:
    """Cost, calls and unpriced calls of several figures together."""
    costs = [Decimal(each["cost"]) for each in figures if each["cost"] is not None]
    return {
        "cost": _plain(sum(costs, Decimal(0))) if costs or not figures else None,
        "calls": sum(each["calls"] for each in figures),
        "unpriced_calls": sum(each["unpriced_calls"] for each in figures),
    }


def _without(where: Where, name: str) -> Where:
    return {key: values for key, values in where.items() if key != name}


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
