"""What the ledger's calls have used of a company's allowances: each call of their vendors is looked at, in order."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sinks.clickhouse.calls import PRICING_COLUMNS, read_calls
from sinks.clickhouse.client import LedgerClient
from tokenweir.pricing import PriceBook
from tokenweir.pricing.allowances import ACCOUNT_FIELDS
from tokenweir.pricing.balances import Balance, Balances
from tokenweir.pricing.price import BEGINNING

SETTLING_COLUMNS: Final = tuple(dict.fromkeys((*PRICING_COLUMNS, *ACCOUNT_FIELDS)))
"""All that a call's cost depends on, allowances included, and what names the call."""


def read_balances(
    client: LedgerClient, book: PriceBook, *, until: datetime, since: datetime | None = None
) -> list[Balance]:
    """What was used before `until`, of each period that had begun by then and that ends after `since`.

    since: None for the periods that hold at `until`. All that is known counts. Only what was used of, in the order of
    first use. Raises StoreUnavailable.
    """
    first = until if since is None else since
    found: list[Balance] = []
    for vendor in book.contracts.allowances.vendors:
        balances = Balances(book)
        start = book.contracts.allowances.counting_from(vendor, first)
        for call in calls_of(client, vendor, start, until):
            balances.take(call)
        found += [balance for balance in balances if balance.ends_at > first]
    return found


def calls_of(client: LedgerClient, vendor: str, start: datetime, until: datetime | None) -> Iterator[Any]:
    """A vendor's calls from `start` on, in the order in which they use up allowances."""
    pages = read_calls(
        client,
        since=None if start == BEGINNING else start,
        until=until,
        where={"vendor": vendor},
        columns=SETTLING_COLUMNS,
    )
    for page in pages:
        yield from page
