"""OTLP in JSON: names in lower camel case, 64-bit integers as strings or numbers, ids in hexadecimal.

Source: opentelemetry.io, "OTLP Specification", JSON Protobuf Encoding. Unknown names are passed over, as it asks for.
Names as in the `.proto` files (`resource_spans`) are taken, too; some exporters write them.
Numbers may have been decoded as float or as Decimal. A signal that cannot be read comes as the RejectedInput that says
why, in its place; its neighbours are read.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

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
from tokenweir.errors import RejectedInput

_HEX: Final = re.compile(r"[0-9A-Fa-f]{2,64}")
_STATUS_ERROR: Final = (2, "STATUS_CODE_ERROR")
_DELTA: Final = (1, "AGGREGATION_TEMPORALITY_DELTA")
_CAPITAL: Final = re.compile(r"(?<!^)([A-Z])")
_LARGEST: Final = 1 << 64
_HINT: Final = "Send OTLP's JSON encoding: numbers as numbers or strings, arrays as arrays"


def spans(body: Any, wanted: Wanted) -> Iterator[Span | RejectedInput]:
    """The spans of a decoded ExportTraceServiceRequest. Raises NotOtlp."""
    for origin, span in _signals(body, "resourceSpans", "scopeSpans", "spans", wanted):
        try:
            yield Span(
                origin=origin,
                trace_id=_hex(span, "traceId"),
                span_id=_hex(span, "spanId"),
                parent_span_id=_hex(span, "parentSpanId"),
                name=_text(span, "name"),
                start_ns=_nanoseconds(span, "startTimeUnixNano"),
                end_ns=_nanoseconds(span, "endTimeUnixNano"),
                is_error=_find(_part(span, "status"), "code") in _STATUS_ERROR,
                attributes=_attributes(span, wanted),
            )
        except RejectedInput as refusal:
            yield refusal


def logs(body: Any, wanted: Wanted) -> Iterator[LogRecord | RejectedInput]:
    """The records of a decoded ExportLogsServiceRequest. Raises NotOtlp."""
    for origin, record in _signals(body, "resourceLogs", "scopeLogs", "logRecords", wanted):
        try:
            attributes = _attributes(record, wanted)
            yield LogRecord(
                origin=origin,
                trace_id=_hex(record, "traceId"),
                span_id=_hex(record, "spanId"),
                name=_text(record, "eventName") or str(attributes.get("event.name", "")),
                time_ns=_nanoseconds(record, "timeUnixNano") or _nanoseconds(record, "observedTimeUnixNano"),
                attributes=attributes,
            )
        except RejectedInput as refusal:
            yield refusal


def points(
    body: Any, wanted: Wanted, wanted_metrics: frozenset[str]
) -> Iterator[Point | RejectedInput | None]:
    """The points of the sums named `wanted_metrics` in a decoded ExportMetricsServiceRequest; None for other metrics.

    Raises NotOtlp.
    """
    for origin, metric in _signals(body, "resourceMetrics", "scopeMetrics", "metrics", wanted):
        try:
            name, total = _text(metric, "name"), _part(metric, "sum")
            if name not in wanted_metrics or not total:
                yield None
                continue
            is_delta = _find(total, "aggregationTemporality") in _DELTA
            for point in _list(total, "dataPoints"):
                yield Point(
                    origin=origin,
                    metric=name,
                    series=_series(point, origin),
                    start_ns=_nanoseconds(point, "startTimeUnixNano"),
                    time_ns=_nanoseconds(point, "timeUnixNano"),
                    is_delta=is_delta,
                    value=_number(point),
                    attributes=_attributes(point, wanted),
                )
        except RejectedInput as refusal:
            yield refusal


def _signals(
    body: Any, resources: str, scopes: str, signals: str, wanted: Wanted
) -> Iterator[tuple[Origin, Mapping[str, Any]]]:
    if not isinstance(body, Mapping):
        raise NotOtlp("the body is no JSON object", hint=f"Send an object with {resources}")
    try:
        for resource_part in _list(body, resources):
            resource = _part(resource_part, "resource")
            attributes, digest = _attributes(resource, wanted), _digest([_plain(resource)])
            for scope_part in _list(resource_part, scopes):
                origin = Origin(attributes, _text(_part(scope_part, "scope"), "name"), digest)
                for signal in _list(scope_part, signals):
                    yield origin, signal
    except RejectedInput as refusal:
        raise NotOtlp(refusal.message, hint=_HINT) from None


def _find(value: Mapping[str, Any], name: str) -> Any:
    found = value.get(name)
    return value.get(_CAPITAL.sub(r"_\1", name).lower()) if found is None else found


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = _find(value, name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _wrong(name, "is not an object")
    return found


def _list(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = _find(value, name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise _wrong(name, "is not an array of objects")
    return found


def _text(value: Mapping[str, Any], name: str) -> str:
    found = _find(value, name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise _wrong(name, "is not a string")
    return found[:MAX_TEXT_CHARACTERS]


def _hex(value: Mapping[str, Any], name: str) -> str:
    found = _text(value, name)
    if not found:
        return ""
    if not _HEX.fullmatch(found):
        raise _wrong(name, "is not hexadecimal")
    return found.lower() if found.strip("0") else ""


def _nanoseconds(value: Mapping[str, Any], name: str) -> int:
    found = _find(value, name)
    number = 0 if found is None else _integer(found, name)
    if not 0 <= number < _LARGEST:
        raise _wrong(name, "is not a time", "implausible_time")
    return number


def _number(point: Mapping[str, Any]) -> int | float:
    whole = _find(point, "asInt")
    if whole is not None:
        return _integer(whole, "asInt")
    return _real(_find(point, "asDouble"), "asDouble")


def _integer(value: Any, name: str) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= 20:
        try:
            return int(value)
        except ValueError:
            pass
    raise _wrong(name, "is not a whole number")


def _real(value: Any, name: str) -> float:
    if type(value) in (int, float, Decimal) or (isinstance(value, str) and len(value) <= 40):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise _wrong(name, "is not a number")


def _attributes(value: Mapping[str, Any], wanted: Wanted) -> Attributes:
    found: dict[str, Value] = {}
    for pair in _list(value, "attributes"):
        name = pair.get("key")
        if isinstance(name, str) and wanted(name):
            said = _value(_part(pair, "value"), name)
            if said is not None:
                found[name] = said
    return found


def _value(value: Mapping[str, Any], name: str) -> Value | None:
    text = _find(value, "stringValue")
    if isinstance(text, str):
        return text if len(text) <= MAX_TEXT_CHARACTERS else None
    whole = _find(value, "intValue")
    if whole is not None:
        return _integer(whole, name)
    real = _find(value, "doubleValue")
    if real is not None:
        return _real(real, name)
    truth = _find(value, "boolValue")
    if isinstance(truth, bool):
        return truth
    items = [_find(one, "stringValue") for one in _list(_part(value, "arrayValue"), "values")]
    texts = tuple(one for one in items if isinstance(one, str) and len(one) <= MAX_TEXT_CHARACTERS)
    return texts or None


def _series(point: Mapping[str, Any], origin: Origin) -> str:
    said = sorted(_plain(pair) for pair in _list(point, "attributes") if pair.get("key") != "type")
    return _digest([origin.digest, *said])


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _digest(said: list[str]) -> str:
    return hashlib.blake2b("\0".join(said).encode(), digest_size=12).hexdigest()


def _wrong(name: str, complaint: str, reason: str = "wrong_type") -> RejectedInput:
    return RejectedInput(reason, f"{name} {complaint}", field=name, hint=_HINT)
