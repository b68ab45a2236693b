"""Pricing a ledger's calls anew where allowances cover some: each call after those that happened before it.

What an allowance covers of a call depends on earlier calls, whether they are to be priced anew or not. So beside the
calls that are asked for the earlier ones of their vendor are read, in the same order, and no further than those.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sinks.clickhouse.balances import SETTLING_COLUMNS, calls_that_bear_on, meets
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.conditions import Where
from tokenweir.local.repricing import PriceAnew, Repriced
from tokenweir.local.repricing_journal import JobTerms
from tokenweir.pricing import PriceBook
from tokenweir.pricing.price import BEGINNING
from tokenweir.pricing.settlement import STORED_COLUMNS, Settled, Settlement

_COLUMNS: Final = (*SETTLING_COLUMNS, *STORED_COLUMNS)


class SettledPrices:
    """Prices calls as known at `known_at`, after allowances. The calls come by time, tenant and id.

    since: no call before it is asked for (None: any may be).
    """

    def __init__(
        self, client: LedgerClient, book: PriceBook, *, since: datetime | None, known_at: datetime
    ) -> None:
        self._client = client
        self._book = book
        self._since = since or BEGINNING
        self._known_at = known_at
        self._following: dict[str, _Following] = {}

    def __call__(self, calls: Sequence[Any]) -> Iterator[Repriced]:
        """What each costs."""
        for call in calls:
            settled = self.settled(call)
            yield Repriced(*settled) if settled else Repriced(self._book.price(call, known_at=self._known_at))

    def settled(self, call: Any) -> Settled | None:
        """What the next call costs, where an allowance covers some of it, or did when it was stored."""
        if call.vendor not in self._book.contracts.allowances.vendors:
            return None
        following = self._following.get(call.vendor)
        if following is None:
            others = calls_that_bear_on(self._client, self._book, call.vendor, self._since, None, _COLUMNS)
            following = _Following(Settlement(self._book, known_at=self._known_at), others)
            self._following[call.vendor] = following
        return following.settled(call)


class Elsewhere(NamedTuple):
    """A re-pricing of calls of a vendor that changes only what allowances make of them."""

    vendor: str
    terms: JobTerms
    where: Where
    price: PriceAnew


def settle_elsewhere(client: LedgerClient, book: PriceBook, terms: JobTerms, where: Where) -> list[Elsewhere]:
    """What else is to be settled: a re-pricing with these terms may leave other calls more of an allowance, or less.

    Of each vendor with allowances whose calls it looked at: all other calls from the beginning of the periods in which
    those lie. None where it looked at all.
    """
    if terms.since is None and terms.until is None and not where.keys() - {"vendor"}:
        return []
    return [
        _settling(client, book, vendor, terms, lambda call: _looked_at(call, terms, where))
        for vendor in book.contracts.allowances.vendors
        if "vendor" not in where or vendor in where["vendor"]
    ]


def settle_everywhere(client: LedgerClient, book: PriceBook, terms: JobTerms) -> list[Elsewhere]:
    """What is to be settled where calls from `terms.since` on may have come: as above, of all calls of the vendors."""
    return [
        _settling(client, book, vendor, terms, lambda _: False)
        for vendor in book.contracts.allowances.vendors
    ]


def _settling(
    client: LedgerClient, book: PriceBook, vendor: str, terms: JobTerms, left_out: Callable[[Any], bool]
) -> Elsewhere:
    start = book.contracts.allowances.counting_from(vendor, terms.since or BEGINNING)
    since = None if start == BEGINNING else start
    prices = SettledPrices(client, book, since=since, known_at=terms.known_at)

    def settled(calls: Sequence[Any]) -> Iterator[Repriced | None]:
        for call in calls:
            found = None if left_out(call) else prices.settled(call)
            yield Repriced(*found) if found else None

    return Elsewhere(vendor, replace(terms, since=since, until=None), {"vendor": [vendor]}, settled)


def _looked_at(call: Any, terms: JobTerms, where: Where) -> bool:
    return (
        (terms.since is None or call.time >= terms.since)
        and (terms.until is None or call.time < terms.until)
        and meets(call, where)
    )


class _Following:
    """The settlement of a vendor, and the calls before the next that is asked for."""

    def __init__(self, settlement: Settlement, others: Iterator[Any]) -> None:
        self._settlement = settlement
        self._others = others
        self._ahead: Any = None

    def settled(self, call: Any) -> Settled | None:
        """What the next call costs after all that happened before it."""
        key = _key(call)
        while True:
            if self._ahead is None:
                self._ahead = next(self._others, None)
            if self._ahead is None or _key(self._ahead) > key:
                return self._settlement.step(call)
            if _key(self._ahead) < key:
                self._settlement.pass_over(self._ahead)
            self._ahead = None


def _key(call: Any) -> tuple[datetime, str, str]:
    return call.time, call.tenant, call.id
