"""OTLP in protobuf, cut and decoded signal by signal.

Limits: the depth of nested values is bounded by protobuf's own limit (100); deeper is NotOtlp.
Source: package opentelemetry-proto 1.45; field numbers are those of its `.proto` files.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogMessage
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, NumberDataPoint
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as MetricMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from producers.opentelemetry.signals import (
    MAX_TEXT_CHARACTERS,
    Attributes,
    LogRecord,
    NotOtlp,
    Origin,
    Point,
    Span,
    Value,
    Wanted,
)
from producers.opentelemetry.wire import parts

# The same numbers for all three signals: request → resource_* → scope_* → signal.
_RESOURCES: Final = 1
_RESOURCE: Final = 1
_SCOPES: Final = 2
_SCOPE: Final = 1
_SIGNALS: Final = 2


def spans(body: bytes, wanted: Wanted) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest. Raises NotOtlp."""
    for origin, part in _signals(body, wanted):
        span = SpanMessage()
        _decode(span, part)
        yield Span(
            origin=origin,
            trace_id=_hex(span.trace_id),
            span_id=_hex(span.span_id),
            parent_span_id=_hex(span.parent_span_id),
            name=span.name[:MAX_TEXT_CHARACTERS],
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
            is_error=span.status.code == Status.STATUS_CODE_ERROR,
            attributes=_attributes(span.attributes, wanted),
        )


def logs(body: bytes, wanted: Wanted) -> Iterator[LogRecord]:
    """The records of an ExportLogsServiceRequest. Raises NotOtlp."""
    for origin, part in _signals(body, wanted):
        record = LogMessage()
        _decode(record, part)
        attributes = _attributes(record.attributes, wanted)
        yield LogRecord(
            origin=origin,
            trace_id=_hex(record.trace_id),
            span_id=_hex(record.span_id),
            name=record.event_name or str(attributes.get("event.name", "")),
            time_ns=record.time_unix_nano or record.observed_time_unix_nano,
            attributes=attributes,
        )


def points(body: bytes, wanted: Wanted, wanted_metrics: frozenset[str]) -> Iterator[Point | None]:
    """The points of the sums named `wanted_metrics` in an ExportMetricsServiceRequest; None for any other metric.

    Raises NotOtlp.
    """
    for origin, part in _signals(body, wanted):
        metric = MetricMessage()
        _decode(metric, part)
        if metric.name not in wanted_metrics or not metric.HasField("sum"):
            yield None
            continue
        is_delta = metric.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        for point in metric.sum.data_points:
            yield Point(
                origin=origin,
                metric=metric.name,
                series=_series(point, origin),
                start_ns=point.start_time_unix_nano,
                time_ns=point.time_unix_nano,
                is_delta=is_delta,
                value=point.as_int if point.WhichOneof("value") == "as_int" else point.as_double,
                attributes=_attributes(point.attributes, wanted),
            )


def _signals(body: bytes, wanted: Wanted) -> Iterator[tuple[Origin, memoryview]]:
    for resource_part in parts(memoryview(body), _RESOURCES):
        resource = Resource()
        for part in parts(resource_part, _RESOURCE):
            _decode(resource, part)
        attributes = _attributes(resource.attributes, wanted)
        digest = _digest([resource.SerializeToString(deterministic=True)])
        for scope_part in parts(resource_part, _SCOPES):
            scope = InstrumentationScope()
            for part in parts(scope_part, _SCOPE):
                _decode(scope, part)
            origin = Origin(attributes, scope.name[:MAX_TEXT_CHARACTERS], digest)
            for signal in parts(scope_part, _SIGNALS):
                yield origin, signal


def _decode(
    message: SpanMessage | LogMessage | MetricMessage | Resource | InstrumentationScope, part: memoryview
) -> None:
    try:
        message.ParseFromString(part.tobytes())
    except DecodeError:
        raise NotOtlp(
            f"a {type(message).__name__} of the body is no whole protobuf message",
            hint="Send an OTLP export request",
        ) from None


def _attributes(pairs: Iterable[KeyValue], wanted: Wanted) -> Attributes:
    found: dict[str, Value] = {}
    for pair in pairs:
        if wanted(pair.key):
            value = _value(pair.value)
            if value is not None:
                found[pair.key] = value
    return found


def _value(value: AnyValue) -> Value | None:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value if len(value.string_value) <= MAX_TEXT_CHARACTERS else None
    if kind == "int_value":
        return value.int_value
    if kind == "double_value":
        return value.double_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "array_value":
        return tuple(
            one.string_value
            for one in value.array_value.values
            if one.WhichOneof("value") == "string_value" and len(one.string_value) <= MAX_TEXT_CHARACTERS
        )
    return None


def _hex(identity: bytes) -> str:
    return identity.hex() if identity.strip(b"\0") else ""


def _series(point: NumberDataPoint, origin: Origin) -> str:
    said = sorted(
        pair.SerializeToString(deterministic=True) for pair in point.attributes if pair.key != "type"
    )
    return _digest([origin.digest.encode(), *said])


def _digest(said: list[bytes]) -> str:
    return hashlib.blake2b(b"\0".join(said), digest_size=12).hexdigest()
