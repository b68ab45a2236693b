"""Which numbers of untrusted input are safe to count with."""

from decimal import Decimal
from typing import Final

_BOUND: Final = Decimal(10) ** 24
_MOST_DIGITS: Final = 64


def is_sensible(number: Decimal) -> bool:
    """Whether `number` is finite, below 10^24 either way and of at most 64 digits and decimals.

    No count, amount or time comes near that. `1e999999999` is short to write and endless as an integer, and so is
    its inverse as plain digits; here they are told apart by comparison alone, which is cheap and cannot overflow.
    """
    if not number.is_finite() or not -_BOUND < number < _BOUND:
        return False
    _, digits, exponent = number.as_tuple()
    return len(digits) <= _MOST_DIGITS and isinstance(exponent, int) and exponent >= -_MOST_DIGITS
