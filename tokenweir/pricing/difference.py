"""What differs between two states of prices: what was added, what changed, what ended. Pure.

A state is some sources as known at a time. Two states are held beside each other name by name, at all times or each at
one; names that the states know by a rule are looked at by the text of the rule. Contracts other than prices (discounts,
aliases) are no part of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from tokenweir.pricing.aliases import Meaning
from tokenweir.pricing.finding import ranked_rows
from tokenweir.pricing.matching import Match, rules_of
from tokenweir.pricing.price import BEGINNING, END, STANDARD, Price, times_standard
from tokenweir.pricing.sources import PriceSource
from tokenweir.pricing.timeline import edges_of, rows_at, terms

_NAMING: Final = ("equals", "starts_with")


@dataclass(frozen=True, slots=True)
class State:
    """Sources, the later of which win, as known at `known_at`. at: the one time that is looked at; None for all."""

    sources: Sequence[PriceSource]
    known_at: datetime = END
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs for some names of a vendor, in a tier and for some regions.

    starts_at, ends_at: in which time; the ends of time where each state was looked at at a time of its own. before,
    after: the prices, None where there was or is none.
    """

    vendor: str
    models: tuple[str, ...]
    service_tier: str
    regions: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    before: Price | None
    after: Price | None

    @property
    def kind(self) -> Literal["added", "changed", "ended"]:
        """What happened to the price."""
        if self.before is None:
            return "added"
        return "changed" if self.after is not None else "ended"


def differences(
    old: State, new: State, vendor: str | None = None, model: str | None = None
) -> list[Difference]:
    """What differs, by vendor and name. vendor, model: only this one's."""
    found: dict[tuple[object, ...], tuple[list[str], Difference]] = {}
    for whose, name in sorted(_names(old, vendor, model) | _names(new, vendor, model)):
        for each in _of_name(old, new, whose, name):
            key = (
                whose,
                each.service_tier,
                each.regions,
                each.starts_at,
                each.ends_at,
                _said(each.before),
                _said(each.after),
                each.before and each.before.price_id,
                each.after and each.after.price_id,
            )
            found.setdefault(key, ([], each))[0].append(name)
    return [replace(each, models=tuple(names)) for names, each in found.values()]


def _names(state: State, vendor: str | None, model: str | None) -> set[tuple[str, str]]:
    """The names that the state states, or only `model` of the vendors that have it."""
    names = set()
    for source in state.sources:
        for row in source.rows():
            if vendor is not None and row.vendor != vendor:
                continue
            if model is not None:
                if row.match.holds(model.lower()):
                    names.add((row.vendor, model.lower()))
                continue
            names |= {(row.vendor, text) for text in _texts(row.match)}
    return names


def _texts(match: Match) -> Iterator[str]:
    for rule in rules_of(match):
        if rule.operation in _NAMING:
            yield rule.text.lower()
        elif rule.operation == "and":
            yield from _texts(rule.rules[0])


def _of_name(old: State, new: State, vendor: str, name: str) -> Iterator[Difference]:
    before = ranked_rows(old.sources, Meaning(vendor, name), None, old.known_at)
    after = ranked_rows(new.sources, Meaning(vendor, name), None, new.known_at)
    if before == after and old.at == new.at:
        return
    for tier, regions in dict.fromkeys(
        (row.service_tier, row.regions) for row in (*before, *after) if not row.no_price
    ):
        ours, theirs = _for(before, regions), _for(after, regions)
        spans = [(BEGINNING, END)]
        if old.at is None or new.at is None:
            spans = list(pairwise(edges_of([*ours, *theirs])))
        held: list[_Held] = []
        for starts_at, ends_at in spans:
            was = _priced(ours, tier, old.at or starts_at)
            now = _priced(theirs, tier, new.at or starts_at)
            if held and (held[-1].was, held[-1].now) == (was, now):
                held[-1] = held[-1]._replace(ends_at=ends_at)
            else:
                held.append(_Held(starts_at, ends_at, was, now))
        for each in held:
            for one, other in _paired(each.was, each.now):
                yield Difference(vendor, (name,), tier, regions, each.starts_at, each.ends_at, one, other)


class _Held(NamedTuple):
    starts_at: datetime
    ends_at: datetime
    was: tuple[Price, ...]
    now: tuple[Price, ...]


def _for(rows: Sequence[Price], regions: tuple[str, ...]) -> list[Price]:
    """The rows among which a price for these regions is found."""
    return [row for row in rows if row.regions in (regions, ())]


def _priced(rows: Sequence[Price], tier: str, moment: datetime) -> tuple[Price, ...]:
    """The prices that hold, at certain hours or at any; a factor of the standard price as what it comes to."""
    found = []
    for row in rows_at(rows, tier, moment):
        price: Price | None = row
        if row.factor is not None:
            standard = [base for base in rows_at(rows, STANDARD, moment) if base.factor is None]
            price = times_standard(row, standard[-1]) if standard and not standard[-1].no_price else None
        if price is not None and not price.no_price:
            # What it is a factor of has been told; what counts is what it comes to.
            price = replace(price, factor=None, factor_of=frozenset())
            found += [price] if price.has_rates else []
    return tuple(found)


def _paired(was: Sequence[Price], now: Sequence[Price]) -> Iterator[tuple[Price | None, Price | None]]:
    """The prices that differ, those for the same hours together."""
    # Of several for the same hours, the first holds.
    ours, theirs = ({row.schedule: row for row in reversed(rows)} for rows in (was, now))
    for schedule in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(schedule), theirs.get(schedule)
        if _said(one) != _said(other):
            yield one, other


def _said(price: Price | None) -> object:
    return None if price is None else terms([price])
