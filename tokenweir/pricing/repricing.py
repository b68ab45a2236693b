"""Pricing a stored call anew: what becomes other than it was, or nothing. Pure.

Invariants:
- a call whose price says the same as before is left as it is, so that pricing it again changes nothing;
- what was billed is what the meter wrote first. A new price never moves it, however often there is one;
- the version grows by one within the same report: a redelivery of that report changes nothing of it, and a fuller or
  later report still wins;
- a call that was priced after the moment up to which prices are known here is left alone, as it was priced with more.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tokenweir.errors import TokenweirError
from tokenweir.money import decimal_from_picos
from tokenweir.pricing.price import Priced
from tokenweir.usage.version import MAX_REVISION, next_revision

PRICED_FIELDS: Final = (
    "cost",
    "list_cost",
    "native_cost",
    "currency",
    "fx_rate",
    "cost_parts",
    "price_id",
    "price_status",
    "unpriced_reason",
)
"""The fields of MeteredEvent that a price decides."""

BILLED_FIELDS: Final = {
    "billed_cost": "cost",
    "billed_list_cost": "list_cost",
    "billed_price_id": "price_id",
}
"""What is kept of the first pricing: the field that keeps it, and which field it keeps."""


class RevisionsExhausted(TokenweirError):
    """A call has been priced anew as often as its version can count."""


def priced_values(priced: Priced) -> dict[str, Any]:
    """PRICED_FIELDS of a price as MeteredEvent holds them: amounts are Decimal with twelve decimals."""
    return {
        "cost": _amount(priced.cost_picos),
        "list_cost": _amount(priced.list_cost_picos),
        "native_cost": _amount(priced.native_cost_picos),
        "currency": priced.currency,
        "fx_rate": _amount(priced.fx_rate_picos),
        "cost_parts": {name: decimal_from_picos(picos) for name, picos in priced.parts},
        "price_id": priced.price_id,
        "price_status": priced.price_status,
        "unpriced_reason": priced.unpriced_reason,
    }


def revision(
    call: Any, priced: Priced, *, repriced_at: datetime, billed: Priced | None = None
) -> dict[str, Any] | None:
    """What becomes other in a call that is priced anew, by field of MeteredEvent; None where nothing does.

    call: anything with the attributes of MeteredEvent as the ledger gives them, where `billed_cost` and its companions
    are always stated. priced: what it costs. repriced_at: UTC. billed: what it is to have been billed, in place of what
    is kept, where that depends on other calls too. Raises RevisionsExhausted.
    """
    values = priced_values(priced)
    kept = {name: getattr(call, name) for name in BILLED_FIELDS}
    if billed is not None:
        stated = priced_values(billed)
        kept = {name: stated[of] for name, of in BILLED_FIELDS.items()}
    if _agree(call, values) and _agree(call, kept):
        return None
    version = next_revision(call.version)
    if version is None:
        raise RevisionsExhausted(
            f"the call {call.id} of tenant {call.tenant} has been priced anew {MAX_REVISION} times, "
            "and its version cannot count further",
            hint="Leave it out with --where or --until, or report the call again: its count then begins anew",
        )
    return {**values, "version": version, "repriced_at": repriced_at, **kept}


def is_priced_later(call: Any, moment: datetime) -> bool:
    """Whether the call was last priced after `moment`."""
    return bool((call.repriced_at or call.metered_at) > moment)


def _agree(call: Any, values: Mapping[str, Any]) -> bool:
    return all(getattr(call, name) == value for name, value in values.items())


def _amount(picos: int | None) -> Any:
    return None if picos is None else decimal_from_picos(picos)
