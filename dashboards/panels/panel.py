"""What a panel is: a question, the SQL that answers it, and how the answer is read and drawn.

A panel knows neither Grafana nor the local page; both draw it from this one definition. Its SQL is a template: names
that begin with `@` stand for what each of them fills in (`dashboards.panels.template` lists them).

Invariants, held when a panel is made: `fields` names the columns of the answer in their order; a kind that draws over
time has `time` for its first column; what can be clicked names a variable.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from dashboards.panels.template import check_template
from dashboards.panels.variables import GROUPED_BY, INCIDENT, VARIABLES

Level = Literal["good", "warning", "bad"]


class Kind(StrEnum):
    """How an answer is drawn, and with it which columns it has.

    STAT: one row; the first column is the figure, the others stand beside it in small.
    TIMESERIES: `time`, then a column of unit TEXT where there is a line for each of its names, then the measures.
    BARS: a name, then the measures, the longest bar first.
    TABLE: any columns.
    HEATMAP: `time`, the upper bound of a bucket (`bucket`), how many fell into it.
    FLOW: from, to, how much.
    TIMELINE: `time` (when it began), `until`, a name, a state of that name.
    """

    STAT = "stat"
    TIMESERIES = "timeseries"
    BARS = "bars"
    TABLE = "table"
    HEATMAP = "heatmap"
    FLOW = "flow"
    TIMELINE = "timeline"


class Unit(StrEnum):
    """What a column counts. Money stays decimal text from the ledger to where it is drawn."""

    TEXT = "text"
    TIME = "time"
    """A moment, UTC."""
    DAY = "day"
    """A date, UTC."""
    USD = "usd"
    USD_PER_DAY = "usd_per_day"
    USD_PER_MILLION_TOKENS = "usd_per_million_tokens"
    USD_PER_THOUSAND_CALLS = "usd_per_thousand_calls"
    CALLS = "calls"
    TOKENS = "tokens"
    COUNT = "count"
    """Things that are neither calls nor tokens."""
    TOKENS_PER_SECOND = "tokens_per_second"
    CALLS_PER_SECOND = "calls_per_second"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    DAYS = "days"
    PERCENT = "percent"
    """0 to 100."""
    RATIO = "ratio"
    """How many times; 1 is the same."""
    NUMBER = "number"
    """A figure without a unit, such as an index; the title says which."""


MONEY: Final = frozenset(
    {Unit.USD, Unit.USD_PER_DAY, Unit.USD_PER_MILLION_TOKENS, Unit.USD_PER_THOUSAND_CALLS}
)
TIMED: Final = frozenset({Kind.TIMESERIES, Kind.HEATMAP, Kind.TIMELINE})


@dataclass(frozen=True)
class Field:
    """A column of the answer. variable: what a click on one of its values chooses, of VARIABLES, INCIDENT or
    GROUPED_BY."""

    name: str
    title: str
    unit: Unit
    variable: str = ""

    def __post_init__(self) -> None:
        if self.variable and self.variable not in (*VARIABLES, INCIDENT, *GROUPED_BY):
            raise ValueError(f"field {self.name!r} chooses {self.variable!r}, which is no variable")


@dataclass(frozen=True)
class Threshold:
    """From `value` on (in the unit of the panel's first measure) the figure is of `level`."""

    value: float
    level: Level


@dataclass(frozen=True)
class Panel:
    """One question and its answer.

    name: lower case with dashes, unique on its board; it stands in addresses, so it does not change. title: the
    question. description: how the answer is to be read, for whoever sees it the first time. place: panels stand in
    this order. width: of a row's twelve columns. height: in units of 40 pixels. stacked: of TIMESERIES, whether the
    measures add up to something. drill_down: the board on which a click goes on, with what was clicked chosen; empty
    where the reader stays. empty: what is said where there is nothing.
    """

    name: str
    title: str
    description: str
    kind: Kind
    sql: str
    fields: tuple[Field, ...]
    place: int
    width: int = 6
    height: int = 7
    thresholds: tuple[Threshold, ...] = ()
    stacked: bool = False
    drill_down: str = ""
    empty: str = "Nothing in this period."
    variables: frozenset[str] = field(init=False)
    """Which variables the SQL heeds."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", check_template(self.sql, self.name))
        names = [each.name for each in self.fields]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"panel {self.name!r} needs fields, each with a name of its own")
        if self.kind in TIMED and (names[0] != "time" or self.fields[0].unit is not Unit.TIME):
            raise ValueError(f"panel {self.name!r} is drawn over time, so its first field is `time`")
        if not 1 <= self.width <= 12:
            raise ValueError(f"panel {self.name!r} is {self.width} of twelve columns wide")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the answer."""
        return tuple(each.name for each in self.fields)


@dataclass(frozen=True)
class Board:
    """Panels that answer one person's questions together.

    name: as in addresses. period: the range that is shown at first, one of `dashboards.period.RANGES`.
    """

    name: str
    title: str
    description: str
    place: int
    period: str = "7d"
