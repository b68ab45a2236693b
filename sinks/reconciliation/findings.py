"""A finding: one disagreement of bill and ledger with its likely reason; and the case that the rules look at.

Rules are asked one after the other (`sinks.reconciliation.reconcile`). What one explains the later ones leave alone, so
the rules that are surest of themselves come first, and what is left at the end is told as unexplained.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sinks.reconciliation.measures import Key, Pair, Table, agree, tokens_agree
from sinks.reconciliation.sides import Sides

REASONS: Final = {
    "model_alias": "one model under two names",
    "key_alias": "one key under two names",
    "keys_not_labelled": "no key has the same name on both sides",
    "day_shift": "days begin at different times on the two sides",
    "not_metered": "billed, and not in the ledger",
    "not_billed_yet": "in the ledger, and the bill is not final yet",
    "not_in_bill": "in the ledger, and not in the bill",
    "counted_twice": "the ledger has a multiple of the bill",
    "cache_counted_twice": "the difference is the cached tokens",
    "cache_left_out": "the ledger lacks the cached tokens",
    "discount": "the bill is cheaper by one and the same share",
    "free_credits": "credits pay for what the ledger prices",
    "price_difference": "tokens agree, and the money does not",
    "unpriced": "the ledger has no price",
    "no_exchange_rate": "the bill is in a currency without a rate",
    "outside_ledger": "billed for something that is no call to a model",
    "restated_day": "the vendor changed the day after it was read",
    "bill_incomplete": "lines of the bill could not be read",
    "unexplained": "no rule explains it",
}
"""Every reason that a finding can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One disagreement.

    tokens, cost_usd: what the ledger has more than the bill (negative: less); None where it says nothing of it.
    evidence: the figures that speak for the reason.
    """

    reason: str
    sentence: str
    days: tuple[date, ...] = ()
    model: str = ""
    api_key: str = ""
    tokens: int | None = None
    cost_usd: Decimal | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Case:
    """What the rules look at, and what is explained already.

    tolerance: the share by which sums may differ and still agree. today: of the vendor.
    """

    sides: Sides
    tolerance: Decimal
    today: date
    explained: set[Key] = field(default_factory=set)
    explained_costs: set[Key] = field(default_factory=set)
    _coarse_cost: tuple[Table, Table] | None = None

    def open_pairs(self) -> Iterator[tuple[Key, Pair]]:
        """Keys of the table of tokens whose tokens disagree and that no rule has explained."""
        for key, pair in sorted(self.sides.tokens.pairs.items(), key=_by_key):
            if key not in self.explained and not tokens_agree(pair, self.tolerance):
                yield key, pair

    def open_cost_pairs(self, table: Table) -> Iterator[tuple[Key, Pair]]:
        """Keys of a table of money whose money disagrees and that no rule has explained."""
        for key, pair in sorted(table.pairs.items(), key=_by_key):
            bill, ledger = pair.bill.cost or Decimal(0), pair.ledger.cost or Decimal(0)
            if key not in self.explained_costs and not agree(bill, ledger, self.tolerance):
                yield key, pair

    def cost_drift(self, keys: Iterable[Key]) -> Decimal | None:
        """How many dollars the ledger has more in these keys; None where money is not told apart by them."""
        cost = self.sides.cost
        if not self.sides.tokens.dimensions <= cost.dimensions or not cost.pairs:
            return None
        if self._coarse_cost is None or self._coarse_cost[0] is not cost:
            self._coarse_cost = (cost, cost.by(*self.sides.tokens.dimensions))
        found = self._coarse_cost[1].pairs
        return sum((found[key].cost_drift for key in {*keys} if key in found), Decimal(0))

    def explain(self, keys: Iterable[Key]) -> None:
        """Leaves these keys to the rule that asked, their money included where days, models and keys tell it."""
        for key in keys:
            self.explained.add(key)
            self.explained_costs.add(self.sides.cost.key(key.day or self.today, key.model, key.api_key))


def _by_key(item: tuple[Key, Pair]) -> tuple[date, str, str]:
    return item[0].day or date.min, item[0].model, item[0].api_key


Rule = Callable[[Case], Sequence[Finding]]
"""Looks at a case and tells what it explains, which it marks as explained."""


def grouped(found: Iterable[Finding]) -> list[Finding]:
    """Findings of one reason, model, key and evidence, with their days put together."""
    together: dict[tuple[Any, ...], Finding] = {}
    for one in found:
        name = (one.reason, one.model, one.api_key, tuple(sorted(map(str, one.evidence.items()))))
        known = together.get(name)
        together[name] = (
            one
            if known is None
            else replace(
                known,
                days=tuple(sorted({*known.days, *one.days})),
                tokens=_added(known.tokens, one.tokens),
                cost_usd=_added(known.cost_usd, one.cost_usd),
            )
        )
    return list(together.values())


def _added(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return one + other


def days_of(keys: Iterable[Key]) -> tuple[date, ...]:
    """The days of some keys, in order."""
    return tuple(sorted({key.day for key in keys if key.day is not None}))


def place(model: str, api_key: str) -> str:
    """` of model m with key k`, as much of it as there is."""
    return (f" of {model}" if model else "") + (f" with key {api_key}" if api_key else "")
