"""Allowances, calls and books for the tests of allowances."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from pricing_events import TEST_RATES, row

from tokenweir.pricing import Price, PriceBook, Priced
from tokenweir.pricing.allowance_counts import EVERY_TOKEN_ONCE
from tokenweir.pricing.allowances import Allowance
from tokenweir.pricing.balances import Balances
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
START = datetime(2025, 11, 1, tzinfo=UTC)


def an_allowance(amount: int, allowance_id: str = "pack", **fields: Any) -> Allowance:
    weights = fields.pop("weights", EVERY_TOKEN_ONCE)
    defaults: dict[str, Any] = {
        "allowance_id": allowance_id,
        "vendor": "v",
        "match": None,
        "amount": amount,
        "recorded_at": JANUARY,
        "source": "test",
        "weights": {kind: Fraction(weight) for kind, weight in weights.items()},
    }
    return Allowance(**(defaults | fields))


def a_book(*allowances: Allowance, rows: Sequence[Price] = (), public: Sequence[Price] = ()) -> PriceBook:
    contracts = Contracts(rows, allowances=allowances)
    return PriceBook([RowSource(public or [row()])], TEST_RATES, contracts)


def a_call(number: int = 0, *, model: str = "m", **fields: Any) -> UsageEvent:
    """The call `number`, as many seconds after the start."""
    defaults: dict[str, Any] = {
        "id": f"c{number:04}",
        "source": "test",
        "time": START + timedelta(seconds=number),
        "vendor": "v",
        "model": model,
    }
    return UsageEvent(**(defaults | fields))


def settled(book: PriceBook, calls: Iterable[UsageEvent], **known: Any) -> tuple[dict[str, Priced], Balances]:
    """What each call costs by its id, and what is left."""
    balances = Balances(book)
    in_order = sorted(calls, key=lambda call: (call.time, call.tenant, call.id))
    return {call.id: balances.price(call, **known) for call in in_order}, balances
