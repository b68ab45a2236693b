"""Reading the lines of one message: all at once where all is well, line by line where something is not.

The fast way decodes a whole message into `UsageRecord`s and checks them together. Anything unusual (a decode error,
an escaped control character, an implausible figure) sends the message through the slow way, where each line is
tried on its own and `tokenweir.usage.reading` has the last word. So a bad line costs that line, not its message,
and both ways give the verdict of the pydantic model.

Limits: the fast way does not see objects of one line from objects of several where their number is that of the
lines; what it then reads are whole events all the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import add, attrgetter, gt
from typing import Any, Final, NamedTuple

import msgspec

from streams.groups import Span, in_utc
from streams.records import (
    CONTROL_CHARACTER,
    Columns,
    UsageRecord,
    carry_metering,
    columns_of,
    have_value_problem,
)
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import EARLIEST_TIME, LATEST_AHEAD, SUBSETS
from tokenweir.usage.reading import read_event_line
from tokenweir.usage.wire import MAX_EVENT_BYTES

_NAMES: Final = tuple(UsageEvent.model_fields)
_decode_line: Final = msgspec.json.Decoder(UsageRecord).decode
_decode_lines: Final = msgspec.json.Decoder(UsageRecord).decode_lines

_zone = attrgetter("tzinfo")

_UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadLine(NamedTuple):
    """A line that was refused: its number from 0, its bytes, and why."""

    number: int
    line: bytes
    error: RejectedInput


class Lines(NamedTuple):
    """The events of a message as UsageRecords with times in UTC, the same column by column, and its bad lines.

    All in the message's order. span: the earliest and the latest of the times; None where there is no event.
    """

    records: list[Any]
    columns: Columns
    span: Span | None
    bad: list[BadLine]


def read_lines(value: bytes, now: datetime) -> Lines:
    """Read the lines of a message. now: UTC. Blank lines are neither good nor bad."""
    return _all_at_once(value, now) or _one_by_one(value, now)


def _all_at_once(value: bytes, now: datetime) -> Lines | None:
    """The events of a message in which nothing is unusual, else None."""
    if (b"\\" in value or b"\x7f" in value) and CONTROL_CHARACTER.search(value):
        return None
    if _holds_long_line(value):
        return None
    try:
        records: list[Any] = _decode_lines(value)
    except _UNDECODABLE:
        return None
    if len(records) != value.count(b"\n") + (not value.endswith(b"\n")):
        return None
    columns = columns_of(records)
    span = _span_if_sound(columns, records, now)
    return Lines(records, columns, span, []) if span is not None else None


def _holds_long_line(value: bytes) -> bool:
    """Whether a line is longer than MAX_EVENT_BYTES; looks at one line end in so many bytes."""
    start = 0
    while len(value) - start > MAX_EVENT_BYTES:
        end = value.rfind(b"\n", start, start + MAX_EVENT_BYTES + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _span_if_sound(columns: dict[str, Sequence[Any]], records: list[Any], now: datetime) -> Span | None:
    """The span of the records' times where nothing is wrong with any of them; makes the times UTC where it is so."""
    times = columns["time"]
    if not times:
        return None
    span = Span(min(times), max(times))
    # Looked at before any of them is made UTC: what lies at either end of the calendar cannot be.
    if span.earliest < EARLIEST_TIME or span.latest > now + LATEST_AHEAD:
        return None
    if carry_metering(columns) or have_value_problem(columns) or _subsets_exceed(columns):
        return None
    if list(map(_zone, times)).count(UTC) != len(times):
        columns["time"] = times = [moment.astimezone(UTC) for moment in times]
        for record, moment in zip(records, times, strict=True):
            record.time = moment
    return in_utc(span)


def _subsets_exceed(columns: Columns) -> bool:
    """Whether any event has a subset larger than its total; most events have most subsets at zero."""
    for total, names in SUBSETS:
        parts = [columns[name] for name in names if any(columns[name])]
        if parts and any(map(gt, parts[0] if len(parts) == 1 else map(add, *parts), columns[total])):
            return True
    return False


def _one_by_one(value: bytes, now: datetime) -> Lines:
    records: list[Any] = []
    bad: list[BadLine] = []
    for number, line in enumerate(value.split(b"\n")):
        if not line or line.isspace():
            continue
        record = _usual(line, now)
        if record is None:
            try:
                event = read_event_line(line, now=now)
            except RejectedInput as error:
                bad.append(BadLine(number, line, error))
                continue
            record = record_of(event)
        records.append(record)
    columns = columns_of(records)
    times = columns["time"]
    return Lines(records, columns, Span(min(times), max(times)) if times else None, bad)


def _usual(line: bytes, now: datetime) -> Any | None:
    if len(line) > MAX_EVENT_BYTES or CONTROL_CHARACTER.search(line):
        return None
    try:
        record = _decode_line(line)
    except _UNDECODABLE:
        return None
    return record if _span_if_sound(columns_of([record]), [record], now) is not None else None


def record_of(event: UsageEvent) -> Any:
    """The struct of a checked event."""
    return UsageRecord(**{name: getattr(event, name) for name in _NAMES})
