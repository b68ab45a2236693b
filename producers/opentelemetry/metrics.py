"""The token counters of coding agents as usage events: for who exports metrics and no logs.

Points that are measured for the same and over the same time differ in `type` alone, and are one event.
- **Delta** points count what came since the last export. Their event is named after series, start and end.
- **Cumulative** points count all since the series began. Their event is named after series and start, so that each
  export replaces the one before, and the ledger holds the last total, whichever gateway took it and however often it
  was restarted. It stands at the time of the last export.

Limits: a sum over calls is one event: it tells tokens and cost, not how many calls there were. The minute windows,
which sum reports, see a cumulative total anew at each export; delta is the better choice.
Sources: code.claude.com/docs/en/monitoring-usage; google-gemini/gemini-cli `packages/core/src/telemetry/metrics.ts`;
the data model of OTLP metrics (temporality).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from producers.opentelemetry import claude_code, gemini_cli
from producers.opentelemetry.claude_code import agent_attribution, vendor_of_agent
from producers.opentelemetry.conventions import is_span_attribute
from producers.opentelemetry.reading import Uncounted, count, label
from producers.opentelemetry.signals import Point, moment
from producers.vendors.answer import UNKNOWN_MODEL, AnswerContext
from tokenweir.errors import RejectedInput

_TYPES: Final[dict[str, Mapping[str, tuple[str, ...]]]] = {
    claude_code.USAGE_METRIC: claude_code.KINDS,
    gemini_cli.USAGE_METRIC: gemini_cli.KINDS,
}
METRICS: Final = frozenset({*_TYPES, claude_code.COST_METRIC})
"""The metrics that are read."""

_ATTRIBUTES: Final = frozenset(claude_code.ATTRIBUTES)


def is_point_attribute(name: str) -> bool:
    """Whether an attribute of a point or of its resource is read."""
    return name in _ATTRIBUTES or is_span_attribute(name)


@dataclass(slots=True)
class Interval:
    """What was measured for one series over one time. numbers: of its points within the request."""

    first: Point
    counts: dict[str, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    numbers: list[int] = field(default_factory=list)


def add(intervals: dict[tuple[str, int, int], Interval], number: int, point: Point) -> None:
    """Adds a point to the interval that it is of. Raises RejectedInput for one that cannot be counted."""
    if point.metric == claude_code.COST_METRIC:
        # A float in the SDK already; its shortest decimal form is what was meant.
        cost = Decimal(str(point.value))
        if not cost.is_finite() or cost < 0:
            raise RejectedInput("out_of_range", "the point's value is no amount", field="asDouble")
        fields: tuple[str, ...] = ()
    else:
        kind = label(point.attributes, "type")
        known = _TYPES[point.metric].get(kind)
        if known is None:
            raise RejectedInput(
                "missing_field", "type is missing, or is no type of token that is known", field="type"
            )
        cost, fields = Decimal(0), known
    tokens = count({"value": point.value}, "value") if fields else 0
    agent = point.metric.partition(".")[0]
    interval = intervals.setdefault((agent + point.series, point.start_ns, point.time_ns), Interval(point))
    interval.cost += cost
    interval.numbers.append(number)
    for name in fields:
        interval.counts[name] = interval.counts.get(name, 0) + tokens


def fields_of(interval: Interval, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """The fields of the event of an interval; Uncounted where nothing was measured."""
    counts = {name: number for name, number in interval.counts.items() if number}
    if not counts:
        return Uncounted("no_usage")
    point = interval.first
    said = point.attributes
    model = label(said, "model")
    is_gemini = point.metric == gemini_cli.USAGE_METRIC
    source = gemini_cli.SOURCE if is_gemini else claude_code.SOURCE
    span = f"{point.start_ns}-{point.time_ns}" if point.is_delta else str(point.start_ns)
    name = f"{source}:{point.series}/{span}"
    if point.is_delta and not point.time_ns and context.make_id is not None:
        # A sum over an unknown time must not replace the next one.
        name = context.make_id()
    fields: dict[str, Any] = {
        "id": name,
        "source": context.source,
        "time": moment(point.time_ns) or context.now,
        "vendor": gemini_cli.VENDOR if is_gemini else vendor_of_agent(model),
        "model": model or UNKNOWN_MODEL,
        **counts,
        **agent_attribution(said, point.origin),
    }
    if interval.cost:
        fields |= {"reported_cost": interval.cost, "reported_currency": "USD"}
    return fields | dict(context.fields)


def source_of(points: Iterable[Point]) -> str:
    """Who reports these points."""
    return next((point.metric.partition(".")[0] for point in points), claude_code.SOURCE)
