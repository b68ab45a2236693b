"""Allowances over the ledger's calls: what has been used of them, and what calls cost after them.

An allowance is used up in the order of the calls, so that each call of its vendor is looked at, from the beginning of
the earliest period that bears on the question. Nothing of it is kept between two questions.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sinks.clickhouse.calls import PRICING_COLUMNS, read_calls
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.conditions import Where, moment_text
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.allowances import ACCOUNT_FIELDS
from tokenweir.pricing.balances import Balance, Balances
from tokenweir.pricing.price import BEGINNING

SETTLING_COLUMNS: Final = tuple(dict.fromkeys((*PRICING_COLUMNS, *ACCOUNT_FIELDS)))
"""All that a call's cost depends on, allowances included, and what names the call."""


class Marks(NamedTuple):
    """What tells whether anything was stored since: how often an insert touched a minute, and when last (UTC)."""

    touched: int
    last_at: datetime | None


def read_marks(client: LedgerClient) -> Marks:
    """The marks of the ledger by now. Raises StoreUnavailable."""
    touched, last_at = client.query("SELECT sum(marks), max(marked_at) FROM minutes")[0]
    return Marks(touched, last_at.replace(tzinfo=UTC) if touched else None)


def first_minute_marked(client: LedgerClient, moment: datetime) -> datetime | None:
    """The earliest minute in which anything was stored since `moment`. Raises StoreUnavailable."""
    sql = (
        "SELECT count(), toUnixTimestamp(min(minute)) FROM minutes "
        "WHERE marked_at >= toDateTime64({moment:String}, 6, 'UTC')"
    )
    count, seconds = client.query(sql, {"moment": moment_text(moment)})[0]
    return datetime.fromtimestamp(seconds, UTC) if count else None


def calls_that_bear_on(
    client: LedgerClient,
    book: PriceBook,
    vendor: str,
    moment: datetime,
    until: datetime | None,
    columns: Sequence[str],
) -> Iterator[Any]:
    """A vendor's calls before `until`, in order, from the first on which allowances that hold at `moment` depend.

    columns: the fields of MeteredEvent that the calls are to have.
    """
    start = book.contracts.allowances.counting_from(vendor, moment)
    since = None if start == BEGINNING else start
    for page in read_calls(client, since=since, until=until, where={"vendor": vendor}, columns=columns):
        yield from page


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
        for call in calls_that_bear_on(client, book, vendor, first, until, SETTLING_COLUMNS):
            balances.take(call)
        found += [balance for balance in balances if balance.ends_at > first]
    return found


def calls_as_known(
    client: LedgerClient,
    book: PriceBook,
    *,
    since: datetime | None,
    until: datetime | None,
    where: Where,
    columns: Sequence[str],
) -> Iterator[tuple[Any, Priced]]:
    """The calls of `since` ≤ time < `until` that meet `where`, each with its cost as known now, after allowances.

    columns: further fields of MeteredEvent that the calls are to have. The calls of vendors with allowances come last,
    a vendor after the other.
    """
    vendors = book.contracts.allowances.vendors
    columns = (*SETTLING_COLUMNS, *where, *columns)
    for page in read_calls(client, since=since, until=until, where=where, columns=columns):
        for call in page:
            if call.vendor not in vendors:
                yield call, book.price(call)
    for vendor in vendors:
        if vendor not in _values(where.get("vendor", vendor)):
            continue
        balances = Balances(book)
        for call in calls_that_bear_on(client, book, vendor, since or BEGINNING, until, columns):
            priced = balances.price(call)
            if (since is None or call.time >= since) and meets(call, where):
                yield call, priced


def meets(call: Any, where: Where) -> bool:
    """Whether a call has the values that `where` asks for."""
    return all(getattr(call, name) in _values(value) for name, value in where.items())


def _values(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
