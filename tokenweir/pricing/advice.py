"""What to do about calls that have no price: what they may have meant, and what would price them.

It goes by the reason that the calls have and by the last of them, priced once more: a price that has come since is the
first thing to say. Names are only offered where they have a price for such a call.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from tokenweir.pricing import reasons
from tokenweir.pricing.book import PriceBook
from tokenweir.pricing.components import TOKEN_COMPONENTS
from tokenweir.pricing.known_names import MAX_NEAREST, KnownNames
from tokenweir.pricing.price import Price

Name = tuple[str, str]
"""A vendor and a model."""

_FILE: Final = "your price file (pricing.overlay)"
_TOKEN_FIELDS: Final = {component.field: component.name for component in TOKEN_COMPONENTS.values()}


class Advice(NamedTuple):
    """What to do.

    kind: one of `reasons.KINDS`. priced_now: whether the book has a price for the last of the calls by now. nearest:
    names that have a price and may have been meant. nearest_units: likewise, of a unit without a rate. next_step: in
    plain words. alias: the table for a price file by which the calls mean the nearest name; "" where there is none.
    """

    kind: str
    priced_now: bool
    nearest: tuple[Name, ...]
    nearest_units: tuple[str, ...]
    next_step: str
    alias: str


class Adviser:
    """Knows every name and unit of a price book.

    more_names: other names for a vendor and model, the likeliest first.
    """

    def __init__(
        self, book: PriceBook, more_names: Callable[[str, str], Iterable[Name]] = lambda *_: ()
    ) -> None:
        self._book = book
        self._names = KnownNames((*book.sources, book.contracts.prices))
        for alias in book.contracts.aliases:
            self._names.add(alias.vendor, alias.match)
        self._more_names = more_names

    def advise(self, event: Any, reason: str) -> Advice:
        """What to do about calls like `event`, the last of those that have no price for this reason.

        event: as for `PriceBook.price`.
        """
        kind, named = reasons.kind_of(reason)
        if self._book.price(event).cost_picos is not None:
            step = (
                "The price book has a price for the last of these calls by now: price them again with "
                f"`weir reprice --unpriced --where vendor={event.vendor} --where model={event.model}`"
            )
            return Advice(kind, True, (), (), step, "")
        rows = self._rows(event.vendor, event.model)
        if kind == reasons.UNKNOWN_MODEL:
            return self._unknown_model(event)
        units: tuple[str, ...] = ()
        if kind == reasons.UNKNOWN_UNIT:
            units = tuple(get_close_matches(named, sorted(_units(self._book.rows()) - {named}), MAX_NEAREST))
        return Advice(kind, False, (), units, _next_step(kind, named, event, rows, units), "")

    def _unknown_model(self, event: Any) -> Advice:
        candidates = [
            *self._more_names(event.vendor, event.model),
            *self._names.nearest(event.vendor, event.model),
        ]
        nearest: list[Name] = []
        for name in candidates:
            if len(nearest) < MAX_NEAREST and name not in nearest and self._has_price(event, *name):
                nearest.append(name)
        own = "a model of its own takes a [[price]] or [[self_hosted]] row"
        if not nearest:
            step = (
                f"No known name is near: {own} in {_FILE}, or comes with newer prices (`weir prices update`)"
            )
            return Advice(reasons.UNKNOWN_MODEL, False, (), (), step, "")
        meant = " or ".join(_spelled(name, event.vendor) for name in nearest)
        step = f"If it means {meant}, say so with an [[alias]] in {_FILE}; {own} there"
        return Advice(
            reasons.UNKNOWN_MODEL, False, tuple(nearest), (), step, _alias_table(event, *nearest[0])
        )

    def _has_price(self, event: Any, vendor: str, model: str) -> bool:
        found = self._book.lookup(
            vendor, model, event.time, service_tier=event.service_tier, region=event.region
        )
        return found is not None

    def _rows(self, vendor: str, model: str) -> list[Price]:
        sources = (*self._book.sources, self._book.contracts.prices)
        return [row for source in sources for row in source.rows_for(vendor, model)]


def _next_step(kind: str, named: str, event: Any, rows: Sequence[Price], units: Sequence[str]) -> str:
    match kind:
        case reasons.UNKNOWN_REGION:
            regions = sorted({region or '""' for row in rows for region in row.regions})
            known = f"Prices are known for the regions {', '.join(regions)}: " if regions else ""
            return (
                f"{known}correct the region that is reported, or add a [[price]] row with regions = "
                f'["{event.region}"] to {_FILE}'
            )
        case reasons.UNKNOWN_TIER:
            tiers = sorted({row.service_tier for row in rows if not row.no_price})
            known = f"Prices are known for {', '.join(tiers)}: " if tiers else ""
            return (
                f"{known}correct the tier that is reported, or add a [[price]] row with service_tier = "
                f'"{named}" and its rates, or a factor, to {_FILE}'
            )
        case reasons.BEFORE_FIRST_PRICE:
            return (
                f"Add a [[price]] row with the price of that time to {_FILE}; it ends on {named} (valid_to)"
            )
        case reasons.NO_PRICE_THEN:
            return f"Add a [[price]] row with the price of that time, valid_from and valid_to to {_FILE}"
        case reasons.STATED:
            return (
                f"Where the vendor bills it all the same, add a [[price]] row with what it bills to {_FILE}"
            )
        case reasons.UNKNOWN_UNIT:
            return _unit_step(named, rows, units)
        case reasons.UNCLEAR_COUNTS:
            return (
                "Have the reporter state the counts so that they add up; what the call counted is in `usage`"
            )
        case reasons.NO_EXCHANGE_RATE:
            return (
                f'Add an [[exchange_rate]] with currency = "{named}", usd_per_unit and valid_from to {_FILE}'
            )
        case _:
            return f"Add a [[price]] row to {_FILE}"


def _unit_step(named: str, rows: Sequence[Price], units: Sequence[str]) -> str:
    if named in _TOKEN_FIELDS:
        return f"Add a [[price]] row that states {_TOKEN_FIELDS[named]}, too, to {_FILE}"
    charged = sorted(_units(rows))
    known = f"The model is charged by {', '.join(charged)}. " if charged else ""
    meant = f"If {' or '.join(units)} is meant, report it by that name; else add" if units else "Add"
    return (
        f"{known}{meant} a [[price]] row with every_model = true and units = {{ {named} = {{ price = …, per = … }} }} "
        f"to {_FILE}"
    )


def _units(rows: Iterable[Price]) -> set[str]:
    """The units that any of `rows` has a rate for."""
    return {
        name for row in rows for card in row.cards for name, _ in card.rates if name not in TOKEN_COMPONENTS
    }


def _spelled(name: Name, beside: str) -> str:
    vendor, model = name
    return model if vendor == beside else f"{model} of {vendor}"


def _alias_table(event: Any, vendor: str, model: str) -> str:
    means = (
        _quoted(model)
        if vendor == event.vendor
        else f"{{ vendor = {_quoted(vendor)}, model = {_quoted(model)} }}"
    )
    return (
        f"[[alias]]\nvendor = {_quoted(event.vendor)}\nnames = [{_quoted(event.model)}]\nmeans = {means}\n"
        'source = "who says so"\n'
    )


def _quoted(text: str) -> str:
    """A TOML basic string, of which a JSON string is one."""
    return json.dumps(text, ensure_ascii=False)
