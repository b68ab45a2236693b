"""What the readers of spans, logs and metrics share: typed access to attributes, and what is not counted.

Invariants: numbers come as integers, reals or strings of them, as versions of one instrumentation differ; a label is
a short single line, whatever else it was sent as is left out; no refusal quotes a value.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from producers.opentelemetry.conventions import LABELS, TAG_PREFIX
from producers.opentelemetry.signals import Attributes, Origin, Value
from producers.vendors.numbers import is_sensible
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import MAX_TAGS

_LABEL_CHARACTERS: Final = 256
_TAG_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_CODE: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")

_RATE_LIMITED: Final = re.compile(
    r"429|rate.?limit|throttl|too.?many.?requests|resource.?exhausted", re.IGNORECASE
)
_TIMED_OUT: Final = re.compile(r"408|504|time.?out|timed.?out|deadline", re.IGNORECASE)
_CANCELLED: Final = re.compile(r"499|cancel|abort", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A signal that states no call of its own. reason: one word, for counting.

    | reason | what it was |
    | --- | --- |
    | no_inference | nothing that asks a model |
    | aggregate | an agent, a tool or a workflow, whose calls have signals of their own |
    | no_usage | a call that says neither how many tokens it took nor that it failed |
    | repeats_child | a span around another one that was counted |
    | reported_by_logs | of a coding agent whose logs are counted |
    | reported_by_metrics | of a coding agent whose metrics are counted, by setting |
    """

    reason: str


def find(attributes: Attributes, names: Iterable[str]) -> Value | None:
    """The value of the first of `names` that is there and not empty; None where none is."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return value
    return None


def text(attributes: Attributes, *names: str) -> str:
    """The first of `names` that holds a name or a number, as text; "" where none does."""
    value = find(attributes, names)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def label(attributes: Attributes, *names: str) -> str:
    """As `text`, where it is a short single line, else ""."""
    found = text(attributes, *names)
    return found if len(found) <= _LABEL_CHARACTERS and found.isprintable() else ""


def code(attributes: Attributes, *names: str) -> str:
    """As `text`, where it is one short word, as a status or an error's class is, else ""."""
    found = text(attributes, *names)
    return found if _CODE.fullmatch(found) else ""


def count(attributes: Attributes, *names: str) -> int:
    """The whole number at the first of `names` that is there, else 0. Raises RejectedInput."""
    for name in names:
        value = attributes.get(name)
        if value is None or value == "":
            continue
        number = _number(name, value)
        if number != number.to_integral_value():
            raise _refusal(name, "is not a whole number")
        return int(number)
    return 0


def amount(attributes: Attributes, *names: str) -> Decimal | None:
    """The number at the first of `names` that is there; None where none is. Raises RejectedInput."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return _number(name, value)
    return None


def is_stated(attributes: Attributes, names: Iterable[str]) -> bool:
    """Whether one of `names` is there."""
    return any(name in attributes for name in names)


def attribution(attributes: Attributes, origin: Origin) -> dict[str, Any]:
    """The fields of UsageEvent that tell whose call it was, of the signal first and of its resource else."""
    found: dict[str, Any] = {}
    for field, names in LABELS.items():
        value = label(attributes, *names) or label(origin.resource, *names)
        if value:
            found[field] = value
    tags: dict[str, str] = {}
    for source in (origin.resource, attributes):
        for name in source:
            if name.startswith(TAG_PREFIX) and _TAG_NAME.fullmatch(name[len(TAG_PREFIX) :]):
                tags[name[len(TAG_PREFIX) :]] = label(source, name)
    if tags:
        found["tags"] = dict(list(tags.items())[:MAX_TAGS])
    return found


def failure(error: str) -> dict[str, str]:
    """status and error_code of a call that failed with this class or status of error."""
    if _RATE_LIMITED.search(error):
        status = "rate_limited"
    elif _TIMED_OUT.search(error):
        status = "timeout"
    else:
        status = "cancelled" if _CANCELLED.search(error) else "error"
    return {"status": status, "error_code": error or "error"}


def _number(name: str, value: Value) -> Decimal:
    if isinstance(value, bool | tuple):
        raise _refusal(name, "is not a number")
    try:
        number = Decimal(str(value)) if len(str(value)) <= 40 else Decimal("NaN")
    except InvalidOperation:
        raise _refusal(name, "is not a number") from None
    if not is_sensible(number):
        raise _refusal(name, "is not a number")
    if number < 0:
        raise RejectedInput("out_of_range", f"{name} is negative", field=name)
    return number


def _refusal(name: str, complaint: str) -> RejectedInput:
    return RejectedInput("wrong_type", f"{name} {complaint}", field=name)
