"""A priced event's money as it is written: decimal strings, nulls where there is no amount."""

from typing import Any

from tokenweir.money import decimal_string
from tokenweir.pricing.price import Priced


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


def _amount(picos: int | None) -> str | None:
    return None if picos is None else decimal_string(picos)
