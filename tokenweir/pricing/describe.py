"""Money and rates as they are written: decimal strings, nulls where there is no amount."""

from typing import Any

from tokenweir.money import decimal_string, divide_half_even
from tokenweir.pricing.components import TOKEN_COMPONENTS, TOKENS_PER_RATE
from tokenweir.pricing.price import Priced, Rate


def priced_fields(priced: Priced) -> dict[str, Any]:
    """The metering fields of `priced`, under the names of MeteredEvent: amounts are plain decimal strings or None."""
    return {
        "cost": _amount(priced.cost_picos),
        "list_cost": _amount(priced.list_cost_picos),
        "native_cost": _amount(priced.native_cost_picos),
        "currency": priced.currency,
        "fx_rate": _amount(priced.fx_rate_picos),
        "cost_parts": {name: decimal_string(picos) for name, picos in priced.parts},
        "price_id": priced.price_id,
        "price_status": priced.price_status,
        "unpriced_reason": priced.unpriced_reason,
    }


def usual_rate(name: str, rate: Rate) -> tuple[int, int]:
    """A rate's picos and what they are for: a million where it counts tokens.

    Under a discount, or by GPU hours, a rate may be one over an odd number. It is shown to the twelfth decimal; what is
    billed is exact.
    """
    if name in TOKEN_COMPONENTS and rate.per != TOKENS_PER_RATE:
        return divide_half_even(rate.picos * TOKENS_PER_RATE, rate.per), TOKENS_PER_RATE
    return rate.picos, rate.per


def _amount(picos: int | None) -> str | None:
    return None if picos is None else decimal_string(picos)
