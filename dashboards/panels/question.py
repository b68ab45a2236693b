"""A panel asked for a period and a choice: the statement with its bound values, and the answer in the panel's columns.

Money and other decimals are decimal strings and stay so; integers are integers; a time is RFC 3339 in UTC. Null stays
null: a cost that nobody knows is never 0.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from dashboards.panels.panel import MONEY, Panel, Unit
from dashboards.panels.template import fill
from dashboards.panels.variables import GROUPS, VARIABLES
from dashboards.period import Period
from tokenweir.errors import WrongCall

Query = Callable[[str, Mapping[str, object]], Awaitable[list[dict[str, Any]]]]
"""Awaited with a statement and the values of its `{name:Type}` parameters; answers rows by column name."""

_TEXTS: Final = frozenset({Unit.TEXT})
_WHOLE: Final = frozenset({Unit.CALLS, Unit.TOKENS, Unit.COUNT})
_START_COLUMN: Final = {"usage_by_minute": "minute", "usage_by_hour": "hour", "usage_by_day": "day"}
_MOST_VALUES: Final = 100


@dataclass(frozen=True)
class Choice:
    """What a reader chose. where: values by variable. by and then_by: names in GROUPS. incident: empty for none."""

    period: Period
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by: str = "team"
    then_by: str = "model"
    incident: str = ""

    def __post_init__(self) -> None:
        for name, values in self.where.items():
            if name not in VARIABLES:
                raise WrongCall(f"cannot narrow by {name!r}", hint=f"Choose among {', '.join(VARIABLES)}")
            if len(values) > _MOST_VALUES:
                raise WrongCall(f"more than {_MOST_VALUES} values of {name}")
        for name in (self.by, self.then_by):
            if name not in GROUPS:
                raise WrongCall(f"cannot group by {name!r}", hint=f"Choose one of {', '.join(GROUPS)}")


class Statement(NamedTuple):
    """SQL with `{name:Type}` parameters, and their values."""

    sql: str
    values: dict[str, object]


class Answer(NamedTuple):
    """The rows of a panel, each in the order of its fields."""

    panel: Panel
    rows: list[list[Any]]


def statement(panel_sql: str, choice: Choice, now: datetime, *, database: str) -> Statement:
    """The template for the ledger in `database`, every value bound. now: UTC."""
    period = choice.period
    column = _START_COLUMN[period.rollup]
    since, until = "toDateTime({since:UInt32}, 'UTC')", "toDateTime({until:UInt32}, 'UTC')"
    values: dict[str, object] = {
        "since": int(period.since.timestamp()),
        "until": int(period.until.timestamp()),
        "before": int(period.before.since.timestamp()),
        "now": int(now.timestamp()),
        "incident": choice.incident,
    }
    wanted = {name: list(given) for name, given in choice.where.items() if given}
    for name, given in wanted.items():
        values[f"where_{name}"] = given

    def among(names: Sequence[str], each: Callable[[str], str]) -> str:
        return " AND ".join(each(name) for name in names if name in wanted) or "1"

    def equal(name: str) -> str:
        return f"{name} IN {{where_{name}:Array(String)}}"

    def in_scope(name: str) -> str:
        return f"(NOT mapContains(scope, '{name}') OR scope['{name}'] IN {{where_{name}:Array(String)}})"

    offset = period.offset_seconds
    slots = {
        "ledger": database,
        "usage": f"{database}.{period.rollup}",
        "at": column,
        "in_period": f"({column} >= {since} AND {column} < {until})",
        "before_period": f"({column} >= toDateTime({{before:UInt32}}, 'UTC') AND {column} < {since})",
        "chosen": f"({among(list(VARIABLES), equal)})",
        "chosen_models": f"({among(['vendor', 'model'], equal)})",
        "chosen_scope": f"({among(list(VARIABLES), in_scope)})",
        "since": since,
        "until": until,
        "now": "toDateTime({now:UInt32}, 'UTC')",
        "step": f"toDateTime(intDiv(toUnixTimestamp({column}) - {offset}, {period.step_seconds}) "
        f"* {period.step_seconds} + {offset}, 'UTC')",
        "step_seconds": str(period.step_seconds),
        "incident": "{incident:String}",
        "by": choice.by,
        "then_by": choice.then_by,
    }
    sql = fill(panel_sql, slots)
    return Statement(sql, {name: value for name, value in values.items() if f"{{{name}:" in sql})


async def ask(panel: Panel, query: Query, choice: Choice, now: datetime, *, database: str) -> Answer:
    """The panel's answer. Raises whatever `query` raises, and KeyError where a column of the panel is missing."""
    asked = statement(panel.sql, choice, now, database=database)
    rows = await query(asked.sql, asked.values)
    return Answer(panel, [_row(panel, row) for row in rows])


async def ask_all(
    panels: Sequence[Panel], query: Query, choice: Choice, now: datetime, *, database: str
) -> list[Answer]:
    """Several panels at once."""
    return list(
        await asyncio.gather(*(ask(panel, query, choice, now, database=database) for panel in panels))
    )


def _row(panel: Panel, row: Mapping[str, Any]) -> list[Any]:
    return [_value(row[each.name], each.unit) for each in panel.fields]


def _value(value: Any, unit: Unit) -> Any:
    """A value as JSON has it. Raises TypeError for money that comes as a float."""
    if value is None:
        return None
    if unit in _TEXTS:
        return str(value)
    if unit is Unit.TIME:
        return _moment(value)
    if unit is Unit.DAY:
        return str(value.date() if isinstance(value, datetime) else value)[:10]
    if unit in MONEY:
        if isinstance(value, float):
            raise TypeError("money came as a float; ask the ledger for decimals")
        return _plain(value if isinstance(value, Decimal) else Decimal(str(value)))
    if unit in _WHOLE:
        return int(value)
    number = float(value)
    # Nothing divided by nothing is no number, and JSON has none for it.
    return number if math.isfinite(number) else None


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _moment(value: Any) -> str:
    parsed = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        parsed = datetime(value.year, value.month, value.day, tzinfo=UTC)
    whole = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return whole.isoformat().replace("+00:00", "Z")
