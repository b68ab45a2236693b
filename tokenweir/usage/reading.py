"""Reading one line of untrusted input as a UsageEvent, or saying in one word and one sentence why it cannot be.

One place decides what is refused and under which reason, so that the gateway, the collectors and the meter agree.
Sentences name fields and limits and never quote a value: a value may be a prompt.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from tokenweir.errors import RejectedInput
from tokenweir.usage.event import LATEST_AHEAD, UsageEvent, is_plausible_time
from tokenweir.usage.rejection import Reason
from tokenweir.usage.wire import MAX_EVENT_BYTES

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_AMOUNT_FIELDS: Final = ("units", "reported_cost")
_LONG_NUMBER: Final = re.compile(rb"\d[\d.]{15}")

_REASONS: Final[dict[str, Reason]] = {
    "json_invalid": "invalid_json",
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "too_long": "too_many_tags",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
    "decimal_max_digits": "out_of_range",
    "decimal_max_places": "out_of_range",
    "decimal_whole_digits": "out_of_range",
    "int_parsing_size": "out_of_range",
    "literal_error": "out_of_range",
    "string_too_long": "out_of_range",
    "string_too_short": "out_of_range",
    "string_unicode": "invalid_json",
    "timezone_aware": "implausible_time",
}
"""By pydantic's error type. What is not listed is a `wrong_type`; `value_error` is decided by where it stands."""

_HINTS: Final[dict[Reason, str]] = {
    "invalid_json": "Send one JSON object a line, UTF-8, without a comma after it",
    "wrong_type": "Send numbers as JSON numbers, names as strings, times as RFC 3339",
    "missing_field": "id, source, time, vendor and model are required",
    "unknown_field": "Remove it or rename it to a field of the usage event; free pairs belong in tags",
    "out_of_range": "Check the unit and the sign",
    "subset_exceeds_total": "Send inclusive totals: cached tokens within input_tokens, reasoning within output_tokens",
    "implausible_time": "Send the UTC time at which the vendor finished answering, as RFC 3339 with its zone",
    "control_character": "Names hold no control characters, NUL among them",
    "too_large": f"One event takes at most {MAX_EVENT_BYTES} bytes",
    "too_many_tags": "Keep to 32 pairs",
}
_CLOSER_HINTS: Final = {
    "string_too_long": "Shorten it",
    "string_too_short": "Fill it in; it may not be empty",
    "literal_error": "Use one of these names",
}
"""By pydantic's error type, where the reason's own hint would mislead."""


def read_event_line(line: bytes, *, now: datetime) -> UsageEvent:
    """The event that `line` (one JSON object, with or without line end) states.

    now: UTC, against which a time in the future is seen. Raises RejectedInput with a reason of
    `tokenweir.usage.rejection`, the field at fault and a sentence that holds nothing of the line's values.
    """
    return _checked(line, now, lambda: UsageEvent.model_validate_json(_with_amounts_as_written(line)))


def read_event_object(value: Any, *, now: datetime) -> UsageEvent:
    """The event that a decoded JSON value states, by the same rules; Python's own types are taken, too.

    Raises RejectedInput as `read_event_line` does.
    """
    return _checked(b"", now, lambda: UsageEvent.model_validate(value))


def rejection_of(error: ValidationError) -> RejectedInput:
    """The first of pydantic's complaints about a UsageEvent, in our words."""
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    location = first["loc"]
    kind = first["type"]
    reason = _value_error_reason(location) if kind == "value_error" else _REASONS.get(kind, "wrong_type")
    field = _field_name(location)
    sentence = first["msg"].removeprefix("Value error, ").rstrip("?")
    if kind == "timezone_aware":
        sentence = "states no time zone"
    message = f"{field}: {sentence}" if field else sentence
    if len(problems) > 1:
        message += f" (and {len(problems) - 1} more)"
    return RejectedInput(reason, message, field=field, hint=_CLOSER_HINTS.get(kind, _HINTS[reason]))


class _Written(float):
    """A JSON number with a fraction, and how it was written."""

    text: str


def _written(text: str) -> _Written:
    number = _Written(text)
    number.text = text
    return number


def _as_text(amount: Any) -> Any:
    return amount.text if isinstance(amount, _Written) else amount


def _with_amounts_as_written(line: bytes) -> bytes:
    """The line with its amounts as strings, where it holds a number of more digits than a float keeps.

    pydantic reads a JSON number with a fraction by way of a float, which keeps fifteen digits of any number.
    """
    if _LONG_NUMBER.search(line) is None:
        return line
    try:
        value = json.loads(line.decode(), parse_float=_written)
    except (ValueError, RecursionError):
        return line  # what is wrong with it, the model says
    if not isinstance(value, dict):
        return line
    units = value.get("units")
    if isinstance(units, dict):
        value["units"] = {name: _as_text(amount) for name, amount in units.items()}
    if "reported_cost" in value:
        value["reported_cost"] = _as_text(value["reported_cost"])
    return json.dumps(value).encode()


def _checked(line: bytes, now: datetime, read: Callable[[], UsageEvent]) -> UsageEvent:
    if len(line) > MAX_EVENT_BYTES:
        raise RejectedInput("too_large", f"the event has {len(line)} bytes", hint=_HINTS["too_large"])
    try:
        event = read()
    except ValidationError as error:
        # Without the cause: its text quotes the input.
        raise rejection_of(error) from None
    except OverflowError:  # a year 9999 whose zone carries it past the calendar
        raise RejectedInput(
            "implausible_time",
            "time: lies past the last day of the calendar",
            field="time",
            hint=_HINTS["implausible_time"],
        ) from None
    if not is_plausible_time(event.time, now):
        ahead = timedelta(seconds=round((event.time - now).total_seconds()))
        raise RejectedInput(
            "implausible_time",
            f"time: lies {ahead} ahead of now, more than the {LATEST_AHEAD} that a clock may run ahead",
            field="time",
            hint=_HINTS["implausible_time"],
        )
    return event


def _value_error_reason(location: tuple[int | str, ...]) -> Reason:
    if not location:
        return "subset_exceeds_total"
    if location[0] == "time":
        return "implausible_time"
    if location[0] in _AMOUNT_FIELDS and location[-1] != "[key]":
        return "out_of_range"
    return "control_character"


def _field_name(location: tuple[int | str, ...]) -> str:
    if not location:
        return ""
    name = str(location[0])
    return name if _PLAIN_NAME.fullmatch(name) else f"[name of {len(name)} characters]"
