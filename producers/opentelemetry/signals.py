"""OpenTelemetry's three signals as the readers see them, the same from protobuf and from JSON.

Source of shapes: package opentelemetry-proto 1.45 (`trace.proto`, `logs.proto`, `metrics.proto`, `common.proto`).
Limits: of attribute values strings, numbers, booleans and arrays of strings are read, strings up to
MAX_TEXT_CHARACTERS; whatever is longer is no name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tokenweir.errors import TokenweirError

MAX_TEXT_CHARACTERS: Final = 1_024

Value = str | int | float | bool | tuple[str, ...]
Attributes = Mapping[str, Value]
Wanted = Callable[[str], bool]
"""Whether an attribute of this name is read."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS: Final = 250_000_000_000 * 1_000_000_000
"""A time of the year 9892; beyond there is no calendar."""


class NotOtlp(TokenweirError):
    """The body is not what an OTLP request consists of; nothing of it can be told apart."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What sent a signal: its resource's attributes, and the name of its instrumentation scope.

    digest: names the resource with all its attributes, also those that are not read.
    """

    resource: Attributes
    scope: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One ended span. Ids are lower-case hexadecimal, empty where there is none; times are Unix nanoseconds."""

    origin: Origin
    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    start_ns: int
    end_ns: int
    is_error: bool
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One log record or event. name: the event's. time_ns: when it happened, else when it was seen; 0 for neither."""

    origin: Origin
    trace_id: str
    span_id: str
    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a sum. series: names everything that it is measured for but `type`, the same at every export."""

    origin: Origin
    metric: str
    series: str
    start_ns: int
    time_ns: int
    is_delta: bool
    value: int | float
    attributes: Attributes


def moment(time_ns: int) -> datetime | None:
    """A time in UTC, exact to the microsecond; None for 0 and what no calendar holds."""
    if not 0 < time_ns <= _LAST_NS:
        return None
    return _EPOCH + timedelta(microseconds=time_ns // 1_000)
