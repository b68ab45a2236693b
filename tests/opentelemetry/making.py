"""OTLP requests for tests, each in both encodings."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from producers.records.registry import RecordContext

NOW = datetime(2026, 1, 31, tzinfo=UTC)
START_NS = 1_767_225_600_000_000_000  # 2026-01-01
TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"
CONTEXT = RecordContext(source="test", now=NOW, make_id=lambda: "made:1")

JSON = "application/json"
PROTOBUF = "application/x-protobuf"


def attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attributes in OTLP's JSON encoding: integers as strings."""
    return [{"key": name, "value": value_of(value)} for name, value in values.items()]


def value_of(value: Any) -> dict[str, Any]:
    """One value in OTLP's JSON encoding."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [value_of(one) for one in value]}}
    return {"stringValue": value}


def span(said: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A span of 1.2 seconds."""
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 1_200_000_000),
        "attributes": attributes(said),
        **fields,
    }


def chat(tokens: int = 100, **said: Any) -> dict[str, Any]:
    """The attributes of an ordinary chat span."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 10,
        **said,
    }


def trace_request(
    *spans: dict[str, Any], resource: Mapping[str, Any] | None = None, scope: str = "test"
) -> dict[str, Any]:
    """An ExportTraceServiceRequest in JSON."""
    inner = {"scope": {"name": scope}, "spans": list(spans)}
    return {
        "resourceSpans": [
            {"resource": {"attributes": attributes(resource or {})}, "scopeSpans": [inner]},
        ]
    }


def log_request(
    *records: Mapping[str, Any], resource: Mapping[str, Any] | None = None, scope: str = "test"
) -> dict[str, Any]:
    """An ExportLogsServiceRequest in JSON; each record by its attributes."""
    written = [
        {
            "timeUnixNano": str(START_NS + number),
            "body": {"stringValue": "the body is never read"},
            "attributes": attributes(one),
        }
        for number, one in enumerate(records)
    ]
    inner = {"scope": {"name": scope}, "logRecords": written}
    return {
        "resourceLogs": [
            {"resource": {"attributes": attributes(resource or {})}, "scopeLogs": [inner]},
        ]
    }


def metric_request(
    points: list[tuple[str, Mapping[str, Any], Any]], *, delta: bool = True, start_ns: int = START_NS
) -> dict[str, Any]:
    """An ExportMetricsServiceRequest in JSON: sums of (metric, attributes, value), over a minute each."""
    metrics = [
        {
            "name": name,
            "sum": {
                "aggregationTemporality": 1 if delta else 2,
                "isMonotonic": True,
                "dataPoints": [
                    {
                        "startTimeUnixNano": str(start_ns),
                        "timeUnixNano": str(START_NS + 60_000_000_000),
                        "attributes": attributes(said),
                        **({"asInt": str(value)} if isinstance(value, int) else {"asDouble": value}),
                    }
                ],
            },
        }
        for name, said, value in points
    ]
    return {"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"scope": {}, "metrics": metrics}]}]}


def encoded(request: dict[str, Any], content_type: str) -> bytes:
    """The request as it is sent."""
    if content_type == JSON:
        return json.dumps(request).encode()
    message: Any
    if "resourceSpans" in request:
        message = ExportTraceServiceRequest()
    elif "resourceLogs" in request:
        message = ExportLogsServiceRequest()
    else:
        message = ExportMetricsServiceRequest()
    _fill(message, request)
    return bytes(message.SerializeToString())


def _fill(message: Any, fields: Mapping[str, Any]) -> None:
    by_json_name = {field.json_name: field for field in message.DESCRIPTOR.fields}
    for name, value in fields.items():
        field = by_json_name[name]
        if field.message_type is not None:
            for one in value if field.is_repeated else [value]:
                target = getattr(message, field.name)
                _fill(target.add() if field.is_repeated else target, one)
                if not field.is_repeated:
                    target.SetInParent()
        elif name.endswith("Id"):
            setattr(message, field.name, bytes.fromhex(value))
        elif field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64, field.CPPTYPE_ENUM):
            setattr(message, field.name, int(value))
        else:
            setattr(message, field.name, value)
