"""OTLP/HTTP: traces, logs and metrics, in protobuf and in JSON, by `producers.opentelemetry`.

What is no call to a model is passed over and counted by reason; it is not a rejection.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from producers.gateway.formats.registry import gateway_format
from producers.gateway.outcomes import Arrived, Outcome
from producers.gateway.pieces import decode_json
from producers.gateway.refusals import RequestRefused
from producers.opentelemetry import json_form, logs, metrics, protobuf, spans
from producers.opentelemetry.conventions import is_span_attribute
from producers.opentelemetry.reading import Uncounted
from producers.opentelemetry.signals import LogRecord, NotOtlp, Point, Span
from producers.records.registry import RecordContext
from tokenweir.errors import RejectedInput
from tokenweir.usage.reading import read_event_object

PROTOBUF: Final = "application/x-protobuf"
_TYPES: Final = frozenset({PROTOBUF, "application/json"})
MAX_SIGNALS: Final = 100_000
"""Of one request. The SDKs send some hundred at a time, collectors some thousand."""

_SOURCE: Final = "opentelemetry"
_Fields = dict[str, Any] | Uncounted
_Signal = TypeVar("_Signal")


def _facts(signal: str, summary: str) -> dict[str, Any]:
    return {
        "content_types": _TYPES,
        "answer": signal,
        "summary": summary,
        "description": f"OTLP/HTTP, protobuf or JSON: Export{signal.capitalize().rstrip('s')}…ServiceRequest.",
        "schema": {"type": "object", "description": "See the OTLP specification."},
    }


@gateway_format("otlp_traces", "/v1/traces", **_facts("traces", "GenAI spans"))
def read_traces(arrived: Arrived) -> Iterable[Outcome]:
    """Every span: an outcome each, those of spans around other counted spans last."""
    return _not_otlp(_traces(arrived))


@gateway_format("otlp_logs", "/v1/logs", **_facts("logs", "Coding agents' and GenAI log events"))
def read_logs(arrived: Arrived) -> Iterable[Outcome]:
    """Every log record."""
    return _not_otlp(_logs(arrived))


@gateway_format("otlp_metrics", "/v1/metrics", **_facts("metrics", "Coding agents' token counters"))
def read_metrics(arrived: Arrived) -> Iterable[Outcome]:
    """Every point; counted only where `gateway.agent_usage` says so."""
    return _not_otlp(_metrics(arrived))


def _traces(arrived: Arrived) -> Iterator[Outcome]:
    found: Iterator[Span | RejectedInput] = (
        protobuf.spans(arrived.body, is_span_attribute)
        if arrived.content_type == PROTOBUF
        else json_form.spans(decode_json(arrived.body), is_span_attribute)
    )
    parents: dict[str, str] = {}
    counted: list[tuple[str, Outcome]] = []
    for number, span in _numbered(found):
        if isinstance(span, RejectedInput):
            yield Outcome(number=number, refusal=span)
            continue
        own_key = f"{span.trace_id}/{span.span_id}"
        if span.parent_span_id:
            parents[own_key] = f"{span.trace_id}/{span.parent_span_id}"
        context = arrived.record_context(_SOURCE, number)
        outcome = _outcome(number, spans.fields_of_span, span, context)
        if (
            outcome.events
            and span.span_id
            and any(event.input_tokens or event.output_tokens for event in outcome.events)
        ):
            counted.append((own_key, outcome))
        else:
            yield outcome
    kept = spans.without_ancestors(parents, (key for key, _ in counted))
    for key, outcome in counted:
        yield outcome if key in kept else Outcome(number=outcome.number, ignored="repeats_child")


def _logs(arrived: Arrived) -> Iterator[Outcome]:
    found: Iterator[LogRecord | RejectedInput] = (
        protobuf.logs(arrived.body, logs.is_log_attribute)
        if arrived.content_type == PROTOBUF
        else json_form.logs(decode_json(arrived.body), logs.is_log_attribute)
    )
    for number, record in _numbered(found):
        if isinstance(record, RejectedInput):
            yield Outcome(number=number, refusal=record)
            continue
        event = logs.event_of_record(record)
        if event is None:
            yield Outcome(number=number, ignored="no_inference")
        elif event.has_metric and arrived.agent_usage == "metrics":
            yield Outcome(number=number, ignored="reported_by_metrics")
        else:
            yield _outcome(number, event.read, record, arrived.record_context(event.source, number))


def _metrics(arrived: Arrived) -> Iterator[Outcome]:
    wanted = (metrics.is_point_attribute, metrics.METRICS)
    found: Iterator[Point | RejectedInput | None] = (
        protobuf.points(arrived.body, *wanted)
        if arrived.content_type == PROTOBUF
        else json_form.points(decode_json(arrived.body), *wanted)
    )
    intervals: dict[tuple[str, int, int], metrics.Interval] = {}
    for number, point in _numbered(found):
        if isinstance(point, RejectedInput):
            yield Outcome(number=number, refusal=point)
        elif point is None:
            yield Outcome(number=number, ignored="no_inference")
        elif arrived.agent_usage != "metrics":
            yield Outcome(number=number, ignored="reported_by_logs")
        else:
            try:
                metrics.add(intervals, number, point)
            except RejectedInput as refusal:
                yield Outcome(number=number, refusal=refusal)
    for interval in intervals.values():
        number = interval.numbers[0]
        context = arrived.record_context(metrics.source_of([interval.first]), number)
        yield _outcome(number, metrics.fields_of, interval, context)


def _outcome(
    number: int, read: Callable[[_Signal, RecordContext], _Fields], signal: _Signal, context: RecordContext
) -> Outcome:
    fields: _Fields = {}
    try:
        fields = read(signal, context)
        if isinstance(fields, Uncounted):
            return Outcome(number=number, ignored=fields.reason)
        return Outcome(number=number, events=(read_event_object(fields, now=context.now),))
    except RejectedInput as refusal:
        # A span has no text of its own; what was read of it shows its shape.
        shape = json.dumps(fields, default=str).encode() if isinstance(fields, dict) else b"{}"
        return Outcome(number=number, refusal=refusal, piece=shape, size_bytes=len(shape))


def _numbered(found: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    for number, signal in enumerate(found):
        if number >= MAX_SIGNALS:
            raise RequestRefused(
                413, f"the body holds more than {MAX_SIGNALS} signals", hint="Send fewer at a time"
            )
        yield number, signal


def _not_otlp(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    try:
        yield from outcomes
    except (NotOtlp, RejectedInput) as error:
        raise RequestRefused(400, error.message, hint=error.hint) from error
