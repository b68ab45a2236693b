"""OTLP/HTTP: traces, logs and metrics, in protobuf and in JSON, by `producers.opentelemetry`.

What is no call to a model is passed over and counted by reason; it is not a rejection.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from producers.gateway.formats.registry import gateway_format
from producers.gateway.outcomes import Arrived, Outcome
from producers.gateway.pieces import decode_json
from producers.gateway.refusals import RequestRefused
from producers.opentelemetry import counting, json_form, logs, metrics, protobuf
from producers.opentelemetry.conventions import is_span_attribute
from producers.opentelemetry.counting import Counted
from producers.opentelemetry.signals import LogRecord, NotOtlp, Point, Span
from tokenweir.errors import RejectedInput

PROTOBUF: Final = "application/x-protobuf"
_TYPES: Final = frozenset({PROTOBUF, "application/json"})
MAX_SIGNALS: Final = 100_000
"""Of one request. The SDKs send some hundred at a time, collectors some thousand."""


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
    yield from map(_outcome, counting.of_spans(_numbered(found), arrived.record_context))


def _logs(arrived: Arrived) -> Iterator[Outcome]:
    found: Iterator[LogRecord | RejectedInput] = (
        protobuf.logs(arrived.body, logs.is_log_attribute)
        if arrived.content_type == PROTOBUF
        else json_form.logs(decode_json(arrived.body), logs.is_log_attribute)
    )
    by_metrics = arrived.agent_usage == "metrics"
    yield from map(
        _outcome, counting.of_logs(_numbered(found), arrived.record_context, by_metrics=by_metrics)
    )


def _metrics(arrived: Arrived) -> Iterator[Outcome]:
    wanted = (metrics.is_point_attribute, metrics.METRICS)
    found: Iterator[Point | RejectedInput | None] = (
        protobuf.points(arrived.body, *wanted)
        if arrived.content_type == PROTOBUF
        else json_form.points(decode_json(arrived.body), *wanted)
    )
    by_metrics = arrived.agent_usage == "metrics"
    yield from map(
        _outcome, counting.of_points(_numbered(found), arrived.record_context, by_metrics=by_metrics)
    )


def _outcome(counted: Counted) -> Outcome:
    if counted.event is not None:
        return Outcome(number=counted.number, events=(counted.event,))
    if counted.refusal is None:
        return Outcome(number=counted.number, ignored=counted.ignored)
    if counted.fields is None:
        return Outcome(number=counted.number, refusal=counted.refusal)
    # A span has no text of its own; what was read of it shows its shape.
    shape = json.dumps(counted.fields, default=str).encode()
    return Outcome(number=counted.number, refusal=counted.refusal, piece=shape, size_bytes=len(shape))


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
