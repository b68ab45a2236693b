"""What calls take of allowances, in the order in which they happened, and what is left.

Calls come in the order of (time, tenant, id), whatever order they arrived in; so the outcome depends on nothing but the
calls themselves. A call that needs more than is left takes what is left, and the rest of it goes to the next allowance
that fits, and in the end to the price.

Invariants: what is taken of an allowance in a period is never more than its amount; what is covered of a call and what
is charged are the whole of it.

Limits: calls are weighed one by one, some 30 to 60 µs each for those that an allowance fits. One answer, "as billed" or
"as known now", a `Balances`: they may take different calls from the same allowance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from tokenweir.pricing.allowance_counts import counted, groups_used, needed
from tokenweir.pricing.allowances import Account, Allowance, Fitting
from tokenweir.pricing.book import PriceBook
from tokenweir.pricing.components import REQUESTS
from tokenweir.pricing.covering import NOT_COVERED, Coverage, covered
from tokenweir.pricing.price import Priced

CallOrder = tuple[datetime, str, str]


@dataclass(slots=True)
class Balance:
    """One account's use of an allowance in the period from `starts_at` up to but not `ends_at`.

    first_used_at, last_used_at: times of the calls that took anything. used_up_at: of that which took the last of it;
    None while any is left.
    """

    allowance: Allowance
    account: Account
    starts_at: datetime
    ends_at: datetime
    used: Fraction = Fraction(0)
    calls: int = 0
    first_used_at: datetime | None = None
    last_used_at: datetime | None = None
    used_up_at: datetime | None = None

    @property
    def left(self) -> Fraction:
        """What is left; never below 0, even where a correction has lowered the amount since."""
        return max(self.allowance.amount - self.used, Fraction(0))

    def take(self, need: Fraction, moment: datetime) -> Fraction:
        """As much of `need` as is left."""
        taken = min(need, self.left)
        if taken:
            self.used += taken
            self.calls += 1
            self.first_used_at = self.first_used_at or moment
            self.last_used_at = moment
            self.used_up_at = None if self.left else moment
        return taken


class Balances:
    """What is left of a book's allowances while calls go by."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._allowances = book.contracts.allowances
        self._balances: dict[tuple[str, datetime, Account], Balance] = {}
        self._last: CallOrder | None = None

    def __iter__(self) -> Iterator[Balance]:
        """Every balance that a call took from, in the order in which the first call met it."""
        return (balance for balance in self._balances.values() if balance.calls)

    def price(self, event: Any, *, known_at: datetime | None = None) -> Priced:
        """What the call costs after what it takes. Raises ValueError as `take` does."""
        priced, coverage = self.take(event, known_at=known_at)
        return covered_price(self._book, event, priced, coverage, known_at=known_at)

    def take(self, event: Any, *, known_at: datetime | None = None) -> tuple[Priced, Coverage]:
        """What the next call costs by itself, and what allowances cover of it; they have that much less then.

        known_at: prices and allowances as known then (None: all that is known). A call that costs nothing by itself
        takes nothing. Raises ValueError for a call that belongs before the last one.
        """
        order = (event.time, event.tenant, event.id)
        if self._last is not None and order < self._last:
            raise ValueError(f"the call {event.id} of {event.time} comes after one of {self._last[0]}")
        self._last = order
        priced = self._book.price(event, known_at=known_at)
        costs_nothing = priced.cost_picos == 0 and priced.price_status != "reported"
        if costs_nothing or event.vendor not in self._allowances.vendors:
            return priced, NOT_COVERED
        names = self._book.finder.names_of(event.vendor, event.model, event.time, known_at)
        fitting = self._allowances.fitting(event, names, known_at)
        return priced, self._cover(event, names, fitting) if fitting else NOT_COVERED

    def _cover(self, event: Any, names: list[str], fitting: list[Fitting]) -> Coverage:
        charged = groups_used(event)
        taken = []
        for fits in fitting if charged else ():
            balance = self._balance(event, fits)
            if not balance.left:
                continue
            counts = counted(event, fits.allowance.weights_for(names))
            need = needed(counts, charged)
            if not need:
                continue
            took = balance.take(need, event.time)
            taken.append((fits.allowance.allowance_id, took))
            for group in charged:
                if REQUESTS in counts or group in counts:
                    charged[group] *= Fraction(need - took, need)
        return Coverage(tuple(taken), charged) if taken else NOT_COVERED

    def _balance(self, event: Any, fits: Fitting) -> Balance:
        allowance, starts_at, ends_at = fits
        account = allowance.account_of(event)
        key = (allowance.allowance_id, starts_at, account)
        balance = self._balances.get(key)
        if balance is None:
            balance = self._balances[key] = Balance(allowance, account, starts_at, ends_at)
        # A correction that is known by now may have another amount or end.
        balance.allowance, balance.ends_at = allowance, ends_at
        return balance


def covered_price(
    book: PriceBook, event: Any, priced: Priced, coverage: Coverage, *, known_at: datetime | None = None
) -> Priced:
    """`priced`, what the book says of the event, less what is covered of it."""
    if not coverage.taken:
        return priced
    return covered(priced, book.native_parts(event, known_at=known_at), coverage)
