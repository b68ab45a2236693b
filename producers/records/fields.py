"""Fields of other tools' records, as they come from JSON and from CSV alike.

A column of a CSV export holds "12" where JSON holds 12, "" where it holds null, and a whole JSON object as a string
where it holds the object; so does a JSON export of a Postgres table. These functions take either.

Invariants: what is missing, null or "" is 0, "", None or an empty object; what is there and cannot be read is
RejectedInput that names the field and never quotes it. Labels (`labels`, `label`) are short single lines: longer text
may be a prompt and is left out.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from producers.vendors.answer import Answer
from producers.vendors.numbers import is_sensible
from tokenweir.usage.event import EARLIEST_TIME, MAX_TAGS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_SECONDS: Final = 10**11
"""A number of time above this is milliseconds: as seconds it would lie in the year 5138."""

_PORTAL_FORMS: Final = ("%m/%d/%Y, %I:%M:%S.%f %p", "%m/%d/%Y, %I:%M:%S %p")
"""How the Azure portal writes times into CSV."""

_LABEL_LENGTH: Final = 128
_MAX_NUMBER_LENGTH: Final = 64
_MISSING: Final = (None, "")
_WORDS_OF_TRUTH: Final = {
    "true": True,
    "t": True,
    "1": True,
    "false": False,
    "f": False,
    "0": False,
    "none": None,
    "null": None,
}


def find(record: Answer, *paths: str) -> Any:
    """The value at the first of `paths` that is there; None where none is."""
    for path in paths:
        if not record.has_any(path):
            continue
        value = record.find(path)
        if value not in _MISSING:
            return value
    return None


def part(record: Answer, *paths: str) -> Answer:
    """The object at the first of `paths` that is there, decoded where it stands as a string; else an empty one."""
    for path in paths:
        value = find(record, path)
        if value is None:
            continue
        value = decoded(value)
        if isinstance(value, Mapping):
            return Answer(value, f"{record.at}.{path}" if record.at else path)
    return Answer({}, record.at)


def decoded(value: Any) -> Any:
    """A JSON object or array that stands as a string, decoded; every other value as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        return value


def whole(record: Answer, *paths: str) -> int:
    """A count; 0 where none of `paths` is there. Raises RejectedInput for what is none."""
    for path in paths:
        value = find(record, path)
        if value is None:
            continue
        if type(value) is int and value >= 0:
            return value
        number = _number(record, path, value)
        if number != number.to_integral_value():
            raise record.refusal("wrong_type", path, "is not a whole number")
        return int(number)
    return 0


def amount(record: Answer, *paths: str) -> Decimal | None:
    """A number, exact as it is written; None where none of `paths` is there. Raises RejectedInput."""
    for path in paths:
        value = find(record, path)
        if value is not None:
            return _number(record, path, value)
    return None


def text(record: Answer, *paths: str) -> str:
    """A name or an id; "" where none of `paths` holds one. Raises RejectedInput for an object or an array."""
    for path in paths:
        value = find(record, path)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise record.refusal("wrong_type", path, "is not a name")
        return str(value)
    return ""


def label(record: Answer, *paths: str) -> str:
    """The first of `paths` that holds a short single line; "" where none does. Never raises."""
    for path in paths:
        value = find(record, path)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and _is_label(value):
            return value
    return ""


def labels(value: Any) -> dict[str, str]:
    """Pairs of a tool's metadata as tags: those whose name and value are short single lines, at most MAX_TAGS."""
    value = decoded(value)
    if not isinstance(value, Mapping):
        return {}
    tags: dict[str, str] = {}
    for name, content in value.items():
        if len(tags) == MAX_TAGS:
            break
        if isinstance(content, bool):
            content = "true" if content else "false"
        elif isinstance(content, int | Decimal):
            content = str(content)
        if isinstance(content, str) and content and _is_label(content) and name and len(name) <= 64:
            tags[name] = content
    return {name: content for name, content in tags.items() if _is_label(name)}


def truth(record: Answer, path: str) -> bool | None:
    """true or false, also as the words "True" and "False" of a text column; None where it is neither."""
    value = find(record, path)
    if isinstance(value, bool):
        return value
    return _WORDS_OF_TRUTH.get(str(value).strip().lower()) if isinstance(value, str | int) else None


def moment(record: Answer, *paths: str) -> datetime | None:
    """A time, UTC: ISO 8601 (UTC where it names no zone), or seconds or milliseconds since 1970. None where none is.

    Raises RejectedInput for what is there and is no time; a time before 2020 counts as missing.
    """
    for path in paths:
        value = find(record, path)
        if value is None:
            continue
        try:
            when = _moment(value)
        except (ValueError, OverflowError, InvalidOperation):
            raise record.refusal("implausible_time", path, "is not a time") from None
        if when >= EARLIEST_TIME:
            return when
    return None


def milliseconds(start: datetime | None, end: datetime | None) -> float | None:
    """How long it took from one to the other; None where one is missing or they are reversed."""
    if start is None or end is None or end < start:
        return None
    return (end - start) / timedelta(milliseconds=1)


def _number(record: Answer, path: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise record.refusal("wrong_type", path, "is not a number")
    if isinstance(value, str) and len(value) > _MAX_NUMBER_LENGTH:
        raise record.refusal("wrong_type", path, "is not a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise record.refusal("wrong_type", path, "is not a number") from None
    if not is_sensible(number):
        raise record.refusal("out_of_range", path, "is no number of a sensible size")
    if number < 0:
        raise record.refusal("out_of_range", path, "is negative")
    return number


def _moment(value: Any) -> datetime:
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - told by the caller as what it is: no time
    if isinstance(value, int | float | Decimal):
        return _since_epoch(Decimal(str(value)))
    written = str(value).strip()
    if len(written) > _MAX_NUMBER_LENGTH:
        raise ValueError
    if written.replace(".", "", 1).isdigit():
        return _since_epoch(Decimal(written))
    for ending in (" UTC", " GMT"):
        written = written.removesuffix(ending)
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        when = _portal_time(written)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _since_epoch(number: Decimal) -> datetime:
    if not is_sensible(number):
        raise ValueError
    seconds = number / 1000 if number > _LATEST_SECONDS else number
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _portal_time(written: str) -> datetime:
    for form in _PORTAL_FORMS:
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError


def _is_label(written: str) -> bool:
    return len(written) <= _LABEL_LENGTH and written.isprintable()
