"""What calls cost at other prices than those that the ledger holds: each call priced again, and the prices summed.

Exact: amounts are integers of 10^-12 USD until they are given out. A call without a price is counted in
`unpriced_calls` and is in no amount. Costs a read of every call: some 50,000 calls a second and core.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import add
from typing import Any, Final

from sinks.clickhouse.calls import PRICING_COLUMNS, read_calls
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.columns import COUNT_COLUMNS, MONEY_COLUMNS
from sinks.clickhouse.conditions import Where
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import PriceBook, Priced
from tokenweir.usage.event import TOKEN_FIELDS

Row = dict[str, Any]

PRICE_DIMENSIONS: Final = ("price_status", "price_id", "currency", "unpriced_reason")
"""Dimensions that are not a call's own but come of its price."""

_PERIOD_FORMATS: Final = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H:00:00Z"}
_NOTHING: Final = (0,) * (len(COUNT_COLUMNS) + len(MONEY_COLUMNS))
_NO_AMOUNTS: Final = (0,) * len(MONEY_COLUMNS)


def columns_for(by: Sequence[str]) -> list[str]:
    """The fields of a call that grouping by these names needs."""
    return [name for name in by if name not in (*PRICE_DIMENSIONS, *_PERIOD_FORMATS)]


def calls_at(
    client: LedgerClient,
    book: PriceBook,
    moment: datetime,
    *,
    since: datetime | None,
    until: datetime | None,
    where: Where,
    columns: Sequence[str],
) -> Iterator[tuple[Any, Priced]]:
    """The calls of `since` ≤ time < `until` that meet `where`, each with its cost at the prices of `moment`.

    Allowances are no prices, and cover none of that. columns: further fields that the calls are to have.
    """
    for page in read_calls(
        client, since=since, until=until, where=where, columns=(*PRICING_COLUMNS, *columns)
    ):
        for call in page:
            yield call, book.price(call, at=moment)


def spend_of_calls(calls: Iterable[tuple[Any, Priced]], *, by: Sequence[str]) -> list[Row]:
    """As `queries.spend`, of calls with the cost that each is to have. Grouped by what comes of that price, too."""
    sums: dict[tuple[str, ...], tuple[int, ...]] = {} if by else {(): _NOTHING}
    stated: dict[tuple[str, ...], tuple[int, ...]] = {}
    for call, priced in calls:
        group = tuple(_value(name, call, priced) for name in by)
        tokens = (getattr(call, name) for name in TOKEN_FIELDS)
        cost, listed = priced.cost_picos, priced.list_cost_picos
        values = (1, cost is None, *tokens, cost or 0, listed or 0)
        sums[group] = tuple(map(add, sums.get(group, _NOTHING), values))
        # A call that an allowance covers may have a cost and no list cost.
        amounts = (cost is not None, listed is not None)
        stated[group] = tuple(map(add, stated.get(group, _NO_AMOUNTS), amounts))
    rows = [_row(by, group, values, stated.get(group, _NO_AMOUNTS)) for group, values in sums.items()]
    return sorted(rows, key=lambda row: _standing(by, row))


def _value(name: str, call: Any, priced: Priced) -> str:
    if name in _PERIOD_FORMATS:
        return str(call.time.strftime(_PERIOD_FORMATS[name]))
    return str(getattr(priced if name in PRICE_DIMENSIONS else call, name))


def _row(by: Sequence[str], group: tuple[str, ...], values: tuple[int, ...], stated: tuple[int, ...]) -> Row:
    """stated: how many calls have each of the amounts."""
    counts = values[: len(COUNT_COLUMNS)]
    amounts = values[len(COUNT_COLUMNS) :]
    return {
        **dict(zip(by, group, strict=True)),
        **dict(zip(COUNT_COLUMNS, counts, strict=True)),
        **{
            name: decimal_from_picos(picos) if calls else None
            for name, picos, calls in zip(MONEY_COLUMNS, amounts, stated, strict=True)
        },
    }


def _standing(by: Sequence[str], row: Row) -> tuple[Any, ...]:
    """By period where one is asked for, then the dearest first."""
    cost = row["cost"]
    periods = [row[name] for name in by if name in _PERIOD_FORMATS]
    return (*periods, cost is None, -(cost or 0), -row["calls"], *(row[name] for name in by))
