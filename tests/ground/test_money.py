"""Money is exact, whatever its size, and never a float."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.money import decimal_from_picos, decimal_string, divide_half_even, picos_from_decimal

PICOS = st.integers(min_value=-(10**37), max_value=10**37)


@given(PICOS)
def test_picos_survive_every_form(picos: int) -> None:
    assert picos_from_decimal(decimal_from_picos(picos)) == picos
    assert picos_from_decimal(Decimal(decimal_string(picos))) == picos


@given(PICOS)
def test_the_string_has_no_exponent_and_no_trailing_zero(picos: int) -> None:
    text = decimal_string(picos)
    assert "e" not in text.lower()
    assert "." not in text or not text.endswith(("0", "."))


@given(st.integers(min_value=-(10**30), max_value=10**30), st.integers(min_value=1, max_value=10**15))
def test_division_is_the_nearest_integer_halves_to_even(numerator: int, denominator: int) -> None:
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("amount", "picos"),
    [
        ("0.0000000000005", 0),
        ("0.0000000000015", 2),
        ("1", 10**12),
        ("0.000000000001", 1),
        ("-2.5", -25 * 10**11),
    ],
)
def test_amounts_round_half_to_even_at_the_twelfth_decimal(amount: str, picos: int) -> None:
    assert picos_from_decimal(Decimal(amount)) == picos


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="never a float"):
        picos_from_decimal(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        picos_from_decimal(Decimal(amount))
