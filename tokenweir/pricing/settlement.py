"""What stored calls cost, had every call before them been known when they were priced.

The meter prices a call when it arrives, without allowances. Settling goes through the calls in their order and finds
what those that an allowance covers, or covered before, cost by now. So however often and after whatever arrivals it is
done, what is stored in the end follows from the calls alone.

As known now: the prices and allowances of the book as it is. As billed: those that were known when the call was
metered. What was billed only ever moves by an allowance: where the book cannot reproduce the price that was billed
then, it stays as it is.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

from tokenweir.money import decimal_from_picos
from tokenweir.pricing.balances import Balances, covered_price
from tokenweir.pricing.book import PriceBook
from tokenweir.pricing.price import Priced

STORED_COLUMNS: Final = ("price_id", "metered_at", "billed_cost", "billed_list_cost", "billed_price_id")
"""Fields of MeteredEvent that settling looks at, besides those that a price and an account depend on.

As the ledger's view `usage` gives them: what was billed is always stated.
"""


class Settled(NamedTuple):
    """What a call costs as known now, and what it is to have been billed; None where that stays as it is."""

    priced: Priced
    billed: Priced | None


class Settlement:
    """Settles a book's allowances over stored calls of one vendor, which come in the order of (time, tenant, id).

    known_at: "now" is what was known then (None: all that is known).
    """

    def __init__(self, book: PriceBook, *, known_at: datetime | None = None) -> None:
        self._book = book
        self._known_at = known_at
        self._known = Balances(book)
        self._billed = Balances(book)
        ids = {allowance.allowance_id for allowance in book.contracts.allowances}
        self._beginnings = tuple(f"{allowance_id}+" for allowance_id in sorted(ids))

    def pass_over(self, call: Any) -> None:
        """Let the next call take what it does, without asking what it costs. Otherwise as `step`."""
        self._known.take(call, known_at=self._known_at)
        self._billed.take(call, known_at=call.metered_at)

    def step(self, call: Any) -> Settled | None:
        """What the next call costs; None where no allowance covers any of it, nor did when it was stored.

        call: anything with the attributes of UsageEvent and of STORED_COLUMNS. Raises ValueError for a call that
        belongs before the last one.
        """
        priced, coverage = self._known.take(call, known_at=self._known_at)
        as_billed, covered_then = self._billed.take(call, known_at=call.metered_at)
        marked, billed_marked = self._is_covered(call.price_id), self._is_covered(call.billed_price_id)
        if not (coverage.taken or covered_then.taken or marked or billed_marked):
            return None
        billed = None
        if (covered_then.taken or billed_marked) and _is_what_was_billed(call, as_billed, billed_marked):
            billed = covered_price(self._book, call, as_billed, covered_then, known_at=call.metered_at)
        return Settled(covered_price(self._book, call, priced, coverage, known_at=self._known_at), billed)

    def _is_covered(self, price_id: str) -> bool:
        """Whether a stored price id says that an allowance covered any of the call."""
        return f"{price_id}+".startswith(self._beginnings)


def _is_what_was_billed(call: Any, priced: Priced, covered: bool) -> bool:
    """Whether the call was billed at this price. covered: what is stored is what an allowance left of it."""
    if _amount(priced.list_cost_picos) != call.billed_list_cost:
        return False
    return covered or (_amount(priced.cost_picos), priced.price_id) == (
        call.billed_cost,
        call.billed_price_id,
    )


def _amount(picos: int | None) -> Any:
    return None if picos is None else decimal_from_picos(picos)
