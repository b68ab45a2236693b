"""What signals count: each an event, a reason why it is none, or a refusal. For the gateway and for files alike.

A span around another counted one is not counted. Of a coding agent that reports by logs and by metrics one is counted:
`of_logs` and `of_points` are told which.
Invariant: every numbered signal gives one Counted, but points, which one event of their interval stands for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from producers.opentelemetry import logs, metrics, spans
from producers.opentelemetry.reading import Uncounted
from producers.opentelemetry.signals import LogRecord, Point, Span
from producers.vendors.answer import AnswerContext
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.reading import read_event_object

SOURCE: Final = "opentelemetry"
_Signal = TypeVar("_Signal")
ContextOf = Callable[[str, int], AnswerContext]
"""The context of a signal: who reports it where the sender does not say, and its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What came of one signal: event, ignored (a reason of Uncounted) or refusal.

    fields: of a signal that was refused, those read of it; None where it could not be decoded.
    """

    number: int
    event: UsageEvent | None = None
    ignored: str = ""
    refusal: RejectedInput | None = None
    fields: Mapping[str, Any] | None = None


def of_spans(found: Iterable[tuple[int, Span | RejectedInput]], context_of: ContextOf) -> Iterator[Counted]:
    """Every span, those that hold counts last."""
    parents: dict[str, str] = {}
    kept_back: list[tuple[str, Counted]] = []
    for number, span in found:
        if isinstance(span, RejectedInput):
            yield Counted(number=number, refusal=span)
            continue
        own_key = f"{span.trace_id}/{span.span_id}"
        if span.parent_span_id:
            parents[own_key] = f"{span.trace_id}/{span.parent_span_id}"
        counted = _counted(number, spans.fields_of_span, span, context_of(SOURCE, number))
        event = counted.event
        if event is not None and span.span_id and (event.input_tokens or event.output_tokens):
            kept_back.append((own_key, counted))
        else:
            yield counted
    kept = spans.without_ancestors(parents, (key for key, _ in kept_back))
    for key, counted in kept_back:
        yield counted if key in kept else Counted(number=counted.number, ignored="repeats_child")


def of_logs(
    found: Iterable[tuple[int, LogRecord | RejectedInput]], context_of: ContextOf, *, by_metrics: bool = False
) -> Iterator[Counted]:
    """Every log record. by_metrics: whether agents that have metrics are counted by these."""
    for number, record in found:
        if isinstance(record, RejectedInput):
            yield Counted(number=number, refusal=record)
            continue
        event = logs.event_of_record(record)
        if event is None:
            yield Counted(number=number, ignored="no_inference")
        elif event.has_metric and by_metrics:
            yield Counted(number=number, ignored="reported_by_metrics")
        else:
            yield _counted(number, event.read, record, context_of(event.source, number))


def of_points(
    found: Iterable[tuple[int, Point | RejectedInput | None]],
    context_of: ContextOf,
    *,
    by_metrics: bool = True,
) -> Iterator[Counted]:
    """Points that are not counted, then the intervals. by_metrics: as for `of_logs`; without it none is counted."""
    intervals: dict[tuple[str, int, int], metrics.Interval] = {}
    for number, point in found:
        if isinstance(point, RejectedInput):
            yield Counted(number=number, refusal=point)
        elif point is None:
            yield Counted(number=number, ignored="no_inference")
        elif not by_metrics:
            yield Counted(number=number, ignored="reported_by_logs")
        else:
            try:
                metrics.add(intervals, number, point)
            except RejectedInput as refusal:
                yield Counted(number=number, refusal=refusal)
    for interval in intervals.values():
        number = interval.numbers[0]
        context = context_of(metrics.source_of([interval.first]), number)
        yield _counted(number, metrics.fields_of, interval, context)


def _counted(
    number: int,
    read: Callable[[_Signal, AnswerContext], dict[str, Any] | Uncounted],
    signal: _Signal,
    context: AnswerContext,
) -> Counted:
    fields: dict[str, Any] | Uncounted = {}
    try:
        fields = read(signal, context)
        if isinstance(fields, Uncounted):
            return Counted(number=number, ignored=fields.reason)
        return Counted(number=number, event=read_event_object(fields, now=context.now))
    except RejectedInput as refusal:
        return Counted(number=number, refusal=refusal, fields=fields if isinstance(fields, dict) else {})
