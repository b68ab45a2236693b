"""OpenTelemetry's signals in JSON, as the Collector's file exporter writes them: one export request a line.

`otlp` reads spans and log records. `otlp_metrics` reads coding agents' token counters; it must be asked for by name, as
the logs and the metrics of one agent count the same calls. Both by `producers.opentelemetry`.
Also read are forms in which exports flatten a signal: attributes as a plain object, under `attributes`, under `log` or
at the top level beside `event.name`, and metrics as a plain list.
Limits: a signal that cannot be read refuses its line. Of spans around one another the innermost counts, as far as they
stand in one line.
Source: opentelemetry.io, "OTLP Specification" and "File Exporter".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from producers.opentelemetry import counting, json_form, logs, metrics
from producers.opentelemetry.conventions import is_span_attribute
from producers.opentelemetry.signals import NotOtlp
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.identity import new_event_id

_ENVELOPES: Final = ("resourceSpans", "resourceLogs", "resourceMetrics")
_ENVELOPES_AS_IN_PROTO: Final = ("resource_spans", "resource_logs", "resource_metrics")


def is_otlp(record: Answer) -> bool:
    body = record.body
    if any(isinstance(body.get(name), list) for name in (*_ENVELOPES, *_ENVELOPES_AS_IN_PROTO)):
        return True
    flat = _flat_attributes(body)
    return flat is not None and logs.is_event_name(str(flat.get("event.name")))


@record_format("otlp", looks_like=is_otlp)
def read_signals(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """The calls of the spans and log records of one request, or of one flattened log record."""
    body, context = _as_request(record.body), _naming(context)
    return _events(
        body,
        (
            counting.of_spans(enumerate(json_form.spans(body, is_span_attribute)), lambda *_: context),
            counting.of_logs(enumerate(json_form.logs(body, logs.is_log_attribute)), lambda *_: context),
        ),
    )


@record_format("otlp_metrics", looks_like=lambda _: False)
def read_points(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """What the token counters of one request sum up."""
    body, context = _as_request(record.body), _naming(context)
    points = json_form.points(body, metrics.is_point_attribute, metrics.METRICS)
    return _events(body, (counting.of_points(enumerate(points), lambda *_: context),))


def _naming(context: RecordContext) -> RecordContext:
    return context if context.make_id else replace(context, make_id=lambda: new_event_id(context.source))


def _events(body: Mapping[str, Any], read: Iterable[Iterator[counting.Counted]]) -> list[UsageEvent]:
    events = []
    try:
        for signals in read:
            for counted in signals:
                if counted.refusal is not None:
                    raise counted.refusal
                if counted.event is not None:
                    events.append(counted.event)
    except NotOtlp as error:
        raise RejectedInput("wrong_type", error.message, hint=error.hint) from error
    return events


def _as_request(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A flattened signal as the request that it came in; what is one already as it is."""
    resource = {"attributes": _pairs(_plain_attributes(body.get("resource")))}
    if isinstance(body.get("metrics"), list) and "log" not in body:
        listed = [_metric(one) for one in body["metrics"] if isinstance(one, Mapping)]
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": listed}]}]}
    flat = _flat_attributes(body)
    if flat is None:
        return body
    time = body.get("timeUnixNano") or _nanoseconds(flat.get("event.timestamp") or body.get("timestamp"))
    record = {"attributes": _pairs(flat), "timeUnixNano": time}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}


def _flat_attributes(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for found in (body.get("attributes"), body.get("log"), body):
        if isinstance(found, Mapping) and isinstance(found.get("event.name"), str):
            return found
    return None


def _plain_attributes(resource: Any) -> Mapping[str, Any]:
    inner = resource.get("attributes", resource) if isinstance(resource, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _metric(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    total = metric.get("sum")
    points = total.get("dataPoints") if isinstance(total, Mapping) else None
    if not isinstance(total, Mapping) or not isinstance(points, list):
        return metric
    return {**metric, "sum": {**total, "dataPoints": [_point(point) for point in points]}}


def _point(point: Any) -> Any:
    said = point.get("attributes") if isinstance(point, Mapping) else None
    return {**point, "attributes": _pairs(said)} if isinstance(said, Mapping) else point


def _pairs(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in said.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value if isinstance(one, str)]}}
    # A Decimal goes as text, which keeps it exact.
    return {"stringValue": str(value)} if isinstance(value, str | float | Decimal) else {}


def _nanoseconds(stamp: Any) -> int:
    try:
        at = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
    except ValueError:
        return 0
    return 0 if at is None or at.tzinfo is None else int(at.timestamp() * 1_000_000) * 1_000
