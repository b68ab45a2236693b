"""Exact money: integers of 10^-12 of a currency unit inside, `Decimal` at the edges, never a float.

A pico-amount is an `int` that counts 10^-12 of one currency unit: 1_000_000_000_000 is one dollar. A price per
million tokens with up to six decimals is a whole number of picos per token, so a token count times such a
price is exact. `Decimal(38, 12)` in ClickHouse holds the same numbers.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact

PICOS_PER_UNIT = 10**12
_DECIMAL_PLACES = 12
# Wide enough for every value of Decimal(38, 12); a rounding that was not asked for is an error.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[Inexact])
_ROUNDING = Context(prec=60, rounding=ROUND_HALF_EVEN)
_STEP = Decimal(1).scaleb(-_DECIMAL_PLACES)


def picos_from_decimal(amount: Decimal) -> int:
    """Picos of an amount in currency units, rounded half to even at the twelfth decimal.

    Raises ValueError for an amount that is not finite, TypeError for a float.
    """
    given: object = amount
    if isinstance(given, float):
        raise TypeError("money is never a float; pass a Decimal or a string")
    if not amount.is_finite():
        raise ValueError(f"not an amount of money: {amount}")
    return int(amount.quantize(_STEP, context=_ROUNDING).scaleb(_DECIMAL_PLACES, context=_EXACT))


def decimal_from_picos(picos: int) -> Decimal:
    """The exact amount in currency units, always with twelve decimals."""
    return Decimal(picos).scaleb(-_DECIMAL_PLACES, context=_EXACT)


def decimal_string(picos: int) -> str:
    """The exact amount as plain digits: no exponent, no trailing zeros ("0.0025", "12", "-0.1").

    This is the form in which money travels in JSON; ClickHouse reads it into Decimal(38, 12) as it is.
    """
    if picos < 0:
        return "-" + decimal_string(-picos)
    digits = str(picos)
    if picos < PICOS_PER_UNIT:
        return "0." + digits.zfill(_DECIMAL_PLACES).rstrip("0") if picos else "0"
    fraction = digits[-_DECIMAL_PLACES:].rstrip("0")
    whole = digits[:-_DECIMAL_PLACES]
    return f"{whole}.{fraction}" if fraction else whole


def divide_half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator as the nearest integer, halves to the even one. denominator must be positive."""
    quotient, remainder = divmod(numerator, denominator)
    twice = remainder * 2
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient
