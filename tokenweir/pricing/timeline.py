"""Which rows of a model hold when: its prices as a line of stretches, between two of which nothing changes.

Pure: rows in, stretches out. The rows of a stretch stand in order of precedence; all but the last hold at certain hours
only.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from tokenweir.pricing.price import BEGINNING, END, Price


class Stretch(NamedTuple):
    """From `starts_at` up to but not `ends_at`; rows: those that hold, none where there is no price."""

    starts_at: datetime
    ends_at: datetime
    rows: tuple[Price, ...]


def stretches(ranked: Sequence[Price], tier: str) -> list[Stretch]:
    """All of time, for the rows of one model and tier in order of precedence (`finding.ranked_rows`)."""
    found: list[Stretch] = []
    for starts_at, ends_at in pairwise(edges_of(ranked)):
        rows = rows_at(ranked, tier, starts_at)
        if found and found[-1].rows == rows:
            found[-1] = found[-1]._replace(ends_at=ends_at)
        else:
            found.append(Stretch(starts_at, ends_at, rows))
    return found


def edges_of(rows: Iterable[Price], *others: datetime) -> list[datetime]:
    """The moments at which what holds may change, the ends of time among them."""
    edges = {BEGINNING, END, *others}
    for row in rows:
        edges |= {row.starts_at, row.ends_at}
    return sorted(edges)


def rows_at(ranked: Sequence[Price], tier: str, moment: datetime) -> tuple[Price, ...]:
    """The rows that hold around `moment`: those for certain hours, up to the first that holds at any."""
    found: list[Price] = []
    for row in ranked:
        if (row.service_tier == tier or row.no_price) and row.starts_at <= moment < row.ends_at:
            found.append(row)
            if row.schedule is None:
                break
    return tuple(found)


def terms(rows: Iterable[Price]) -> tuple[Any, ...]:
    """What the rows make a call cost, without their names and sources: by this, rows can be compared.

    No price is one term, whatever its reason, and so is a row without any rate.
    """
    return tuple(_terms(row) for row in rows)


def _terms(row: Price) -> Any:
    if row.no_price or not row.has_rates:
        return (row.schedule,)
    cards = tuple(card._replace(rates=tuple(sorted(card.rates))) for card in row.cards)
    return row.schedule, row.currency, cards, row.factor, row.factor_of
