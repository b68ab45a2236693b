"""Money and rates as they are written: decimal strings, nulls where there is no amount."""

from typing import Any, Final

from tokenweir.money import decimal_string, divide_half_even
from tokenweir.pricing.components import TOKEN_COMPONENTS, TOKENS_PER_RATE
from tokenweir.pricing.price import Priced, Rate, RateCard

CONDITIONS: Final = ("input_above", "output_above", "reasoning_above")
"""The names of `RateCard.conditions`."""


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


def calls_meant(card: RateCard) -> dict[str, Any]:
    """For which calls a card is, under the names of a price file; empty where it is for all."""
    meant: dict[str, Any] = {
        name: bound for name, bound in zip(CONDITIONS, card.conditions, strict=True) if bound >= 0
    }
    if card.with_unit:
        meant["with_unit"] = card.with_unit
    if card.with_tags:
        meant["tags"] = {name: list(values) for name, values in card.with_tags}
    return meant


def rate_fields(name: str, rate: Rate) -> dict[str, Any]:
    """A rate under the names of a price file: what it costs, for how many, and what else is charged by."""
    picos, per = usual_rate(name, rate)
    fields: dict[str, Any] = {"price": decimal_string(picos), "per": per}
    if rate.minimum:
        fields["minimum"] = rate.minimum
    if rate.block > 1:
        fields["round_up_to"] = rate.block
    if rate.steps:
        fields["steps"] = [
            {"above": above, "price": decimal_string(usual_rate(name, rate._replace(picos=step))[0])}
            for above, step in rate.steps
        ]
    return fields


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
