"""Facts that hosts state in forms of their own: costs, times, figures of HTTP headers.

Invariants: what is stated in a form that is not the documented one is left out, and never costs the event, except where
it is a figure that is billed: that raises RejectedInput naming the field.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput

_MS_IN_SECOND: Final = Decimal(1000)
_NS_IN_MS: Final = Decimal(1_000_000)
_MOST_DIGITS: Final = 12
_MOST_MS: Final = Decimal(10) ** 10


def reported(amount: Decimal | None, currency: str = "USD") -> dict[str, Any]:
    """`facts` of a Reading with what the vendor says that the call cost; {} where it says nothing."""
    return {} if amount is None else {"reported_cost": amount, "reported_currency": currency}


def seconds_as_ms(answer: Answer, **paths: str) -> dict[str, float]:
    """Facts in milliseconds, from seconds at the path given for each."""
    return _durations(answer, _MS_IN_SECOND, paths)


def nanoseconds_as_ms(answer: Answer, **paths: str) -> dict[str, float]:
    """Facts in milliseconds, from nanoseconds at the path given for each."""
    return _durations(answer, 1 / _NS_IN_MS, paths)


def milliseconds(answer: Answer, **paths: str) -> dict[str, float]:
    """Facts in milliseconds, from milliseconds at the path given for each."""
    return _durations(answer, Decimal(1), paths)


def figure(answer: Answer, holder: str, name: str) -> int:
    """The whole number under `name` in the object `holder`, whose names are those of HTTP headers; else 0.

    Headers are strings, and their case is anyone's.
    """
    headers = answer.body.get(holder)
    for key, value in headers.items() if isinstance(headers, Mapping) else ():
        if isinstance(key, str) and key.lower() == name:
            if type(value) is int and value >= 0:
                return value
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
                return int(value)
            raise answer.refusal("wrong_type", f"{holder}.{name}", "is not a whole number")
    return 0


def _durations(answer: Answer, factor: Decimal, paths: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, path in paths.items():
        try:
            amount = answer.amount(path)
        except RejectedInput:
            continue
        if amount is not None and amount * factor <= _MOST_MS:
            found[name] = float(amount * factor)
    return found
