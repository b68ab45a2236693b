"""Reading the lines of one message: all at once where all is well, line by line where something is not.

The fast way decodes a whole message into `MeteredRecord`s and checks them together. Anything unusual (a decode error,
an escaped control character, an implausible figure) sends the message through the slow way, where each line is
tried on its own and `tokenweir.usage.reading` has the last word. So a bad line costs that line, not its message,
and both ways give the verdict of the pydantic model.

Limits: the fast way does not see objects of one line from objects of several where their number is that of the
lines; what it then reads are whole events all the same.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast

import msgspec

from streams.records import CONTROL_CHARACTER, MeteredRecord, carry_metering, have_value_problem
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import EARLIEST_TIME, LATEST_AHEAD, subset_problem
from tokenweir.usage.reading import read_event_line
from tokenweir.usage.wire import MAX_EVENT_BYTES

_NAMES: Final = tuple(UsageEvent.model_fields)
_decode_line: Final = msgspec.json.Decoder(MeteredRecord).decode
_decode_lines: Final = msgspec.json.Decoder(MeteredRecord).decode_lines

_time = cast("Callable[[Any], datetime]", attrgetter("time"))
# Only these can break the sums of subsets: where all are zero, all fit.
_subsets = cast(
    "Callable[[Any], tuple[int, ...]]",
    attrgetter(
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "input_audio_tokens",
        "input_image_tokens",
        "reasoning_tokens",
        "output_audio_tokens",
        "output_image_tokens",
    ),
)

_UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadLine(NamedTuple):
    """A line that was refused: its number from 0, its bytes, and why."""

    number: int
    line: bytes
    error: RejectedInput


def read_lines(value: bytes, now: datetime) -> tuple[list[Any], list[BadLine]]:
    """(the message's events as MeteredRecords with times in UTC, its bad lines), both in order.

    now: UTC. Blank lines are neither.
    """
    records = _all_at_once(value, now)
    if records is not None:
        return records, []
    return _one_by_one(value, now)


def _all_at_once(value: bytes, now: datetime) -> list[Any] | None:
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
    return records if _are_sound(records, now) else None


def _holds_long_line(value: bytes) -> bool:
    """Whether a line is longer than MAX_EVENT_BYTES; looks at one line end in so many bytes."""
    start = 0
    while len(value) - start > MAX_EVENT_BYTES:
        end = value.rfind(b"\n", start, start + MAX_EVENT_BYTES + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _are_sound(records: list[Any], now: datetime) -> bool:
    """Whether nothing is wrong with any of the records; makes their times UTC where it is so."""
    times = list(map(_time, records))
    if not times or min(times) < EARLIEST_TIME or max(times) > now + LATEST_AHEAD:
        return False
    if carry_metering(records) or have_value_problem(records):
        return False
    for record, has_subsets in zip(records, map(any, map(_subsets, records)), strict=True):
        if has_subsets and subset_problem(record):
            return False
    for record, moment in zip(records, times, strict=True):
        if moment.tzinfo is not UTC:
            record.time = moment.astimezone(UTC)
    return True


def _one_by_one(value: bytes, now: datetime) -> tuple[list[Any], list[BadLine]]:
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
    return records, bad


def _usual(line: bytes, now: datetime) -> Any | None:
    if len(line) > MAX_EVENT_BYTES or CONTROL_CHARACTER.search(line):
        return None
    try:
        record = _decode_line(line)
    except _UNDECODABLE:
        return None
    return record if _are_sound([record], now) else None


def record_of(event: UsageEvent) -> Any:
    """The struct of a checked event."""
    return MeteredRecord(**{name: getattr(event, name) for name in _NAMES})
