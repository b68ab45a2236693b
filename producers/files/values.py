"""From what stands in a column to what a field of UsageEvent takes: counts, times, durations, amounts, names.

Values come as strings (CSV) or as decoded JSON with numbers that have a point as `Decimal`. Every function raises
Unreadable, whose sentence never quotes the value: it may be a prompt. No float touches money.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from producers.vendors.numbers import is_sensible
from tokenweir.errors import WrongCall

Convert = Callable[[Any], Any]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_BY_UNIT: Final = {
    "ns": Decimal("0.000001"),
    "us": Decimal("0.001"),
    "µs": Decimal("0.001"),
    "ms": Decimal(1),
    "s": Decimal(1000),
    "min": Decimal(60_000),
}
_MICROSECONDS_BY_UNIT: Final = {"us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000}
TIME_UNITS: Final = ("ns", "us", "µs", "ms", "s", "min")

_MAX_TEXT: Final = 64

_WHOLE = re.compile(r"[+-]?\d{1,18}(\.0{1,9})?", re.ASCII)
_SOME_MOMENT: Final = datetime(2024, 2, 29, 23, 59, 58, 123456, tzinfo=UTC)
_LONG_FRACTION = re.compile(r"(\.\d{6})\d+", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


class Unreadable(ValueError):
    """A value that cannot be what its field needs. reason: a word of `tokenweir.usage.rejection`."""

    def __init__(self, reason: str, complaint: str) -> None:
        super().__init__(complaint)
        self.reason = reason


def whole(value: Any) -> int:
    """A whole number, also when written with zeros behind a point, as spreadsheets do."""
    if type(value) is int:
        return value
    if type(value) is str:
        if value.isdigit() and value.isascii() and len(value) <= 18:
            return int(value)
        text = value.strip()
        if _WHOLE.fullmatch(text):
            return int(text.partition(".")[0])
    elif type(value) is Decimal and is_sensible(value) and value == value.to_integral_value():
        return int(value)
    raise Unreadable("wrong_type", "holds no whole number")


def amount(value: Any) -> Decimal:
    """A number, exact as it is written."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable("wrong_type", "holds no number")
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        raise Unreadable("out_of_range", "holds too long a number")
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise Unreadable("wrong_type", "holds no number") from None
    if not is_sensible(number):
        raise Unreadable("out_of_range", "holds no number of a sensible size")
    return number


def text(value: Any) -> str:
    """A name. Numbers become their digits, true and false their names; objects and arrays are refused."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise Unreadable("wrong_type", "holds no text")


def truth(value: Any) -> bool:
    """true or false, as a JSON value, as a word or as 1 or 0."""
    word = text(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Unreadable("wrong_type", "holds neither true nor false")


def milliseconds(unit: str) -> Convert:
    """A reader of durations in `unit` (of MILLISECONDS_BY_UNIT)."""
    factor = MILLISECONDS_BY_UNIT[unit]

    def convert(value: Any) -> float:
        return float(amount(value) * factor)

    return convert


def iso_time(value: Any) -> datetime:
    """ISO 8601, any separator, up to nine decimals; without a zone it is UTC. More than microseconds is cut off."""
    if type(value) is str:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = _loose_iso_time(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    raise Unreadable("implausible_time", "holds a number without a unit")


def epoch_time(unit: str, start: datetime = EPOCH) -> Convert:
    """A reader of times given as a number of `unit` (of TIME_UNITS) since `start`; exact to the microsecond."""
    nanoseconds = unit == "ns"
    factor = 1 if nanoseconds else _MICROSECONDS_BY_UNIT[unit]

    def convert(value: Any) -> datetime:
        try:
            if nanoseconds:
                return start + timedelta(microseconds=int(amount(value)) // 1000)
            if type(value) is int:
                return start + timedelta(microseconds=value * factor)
            return start + timedelta(microseconds=int(amount(value) * factor))
        except OverflowError:
            raise Unreadable("implausible_time", "lies outside the calendar") from None

    return convert


def formatted_time(pattern: str) -> Convert:
    """A reader of times written as `pattern`, in the words of strptime; without a zone it is UTC.

    Raises WrongCall for a pattern that strptime cannot read.
    """
    try:
        # No outcome is of interest here but whether strptime knows the words.
        datetime.strptime(_SOME_MOMENT.strftime(pattern), pattern)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        raise WrongCall(
            f"the time form {pattern!r} cannot be read: {error}",
            hint="Write it in the words of strptime, e.g. %d/%m/%Y %H:%M:%S",
        ) from None

    def convert(value: Any) -> datetime:
        written = text(value).strip()
        if "%f" in pattern:
            written = _LONG_FRACTION.sub(r"\1", written)
        try:
            # Without a zone in the pattern it is UTC by agreement.
            moment = datetime.strptime(written, pattern)  # noqa: DTZ007
        except ValueError:
            raise Unreadable("implausible_time", "holds no time of the form that was given") from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    return convert


def _loose_iso_time(written: str) -> datetime:
    stripped = written.strip()
    for ending in (" UTC", " GMT", " Z", "z"):
        stripped = stripped.removesuffix(ending)
    try:
        return datetime.fromisoformat(stripped)
    except ValueError:
        complaint = "holds no ISO 8601 time"
        if _WHOLE.fullmatch(stripped) or stripped.replace(".", "", 1).isdigit():
            complaint = "holds a number without a unit"
        raise Unreadable("implausible_time", complaint) from None
