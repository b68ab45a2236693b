"""Which price holds for a call: the public one, and the one that decides the cost where a contract does.

Public rows, first to last: a later source over an earlier one, a row for the region over one for any, the later
recorded, the scheduled, the later in the file. A time that no row covers has no price. A company's own row goes before
the public price; without one its discount is taken off the public price. A public price that is a factor of the
standard tier is one of the public standard price, never of a contract's.

Every answer comes with the span around the time within which it stays the same, as known at that time.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from tokenweir.pricing.aliases import Meaning
from tokenweir.pricing.contracts import Contracts, discounted, marked
from tokenweir.pricing.price import (
    BEGINNING,
    END,
    EVERY_MODEL,
    STANDARD,
    Period,
    Price,
    service_tier_name,
    times_standard,
    with_units,
)
from tokenweir.pricing.sources import PriceSource
from tokenweir.pricing.spellings import model_behind

_UNKNOWN_HOLIDAYS: Final = "its price depends on public holidays of a year that no calendar here holds"


class Found(NamedTuple):
    """What holds from `starts_at` up to but not `ends_at`.

    price: what the call costs, None where nothing holds (`reason` says why). listed: the public price where it is
    another one; None where the list cost is the cost. status: "contract" where a contract decided, "free" where what
    the model itself is charged for is free, else "". own_units: those whose price the company's file decided.
    """

    starts_at: datetime
    ends_at: datetime
    price: Price | None
    listed: Price | None
    status: str
    reason: str
    own_units: frozenset[str] = frozenset()


class Span:
    """A span around `time`, narrowed by whatever was looked at."""

    __slots__ = ("ends_at", "starts_at", "time")

    def __init__(self, time: datetime) -> None:
        self.time = time
        self.starts_at = BEGINNING
        self.ends_at = END

    def narrow(self, starts_at: datetime, ends_at: datetime) -> None:
        """Keep what lies within both."""
        self.starts_at = max(self.starts_at, starts_at)
        self.ends_at = min(self.ends_at, ends_at)

    def lies_in(self, period: Period) -> bool:
        """Whether the time lies in `period`; the span is narrowed to where that stays so."""
        if self.time < period.starts_at:
            self.ends_at = min(self.ends_at, period.starts_at)
            return False
        if self.time >= period.ends_at:
            self.starts_at = max(self.starts_at, period.ends_at)
            return False
        self.narrow(period.starts_at, period.ends_at)
        return True


class PriceFinder:
    """Finds in public sources, the later of which win, and in a company's contracts."""

    def __init__(self, sources: Sequence[PriceSource], contracts: Contracts) -> None:
        self._sources = tuple(sources)
        self._contracts = contracts
        self._have_units: dict[str, bool] = {}

    def find(
        self, vendor: str, model: str, tier_name: str, region: str, time: datetime, known_at: datetime
    ) -> Found:
        """What holds for a call at `time`, as known at `known_at`."""
        tier = service_tier_name(tier_name)
        span = Span(time)
        own = Meaning(vendor, model)
        meant = self._meant(own, known_at, span)
        public_rows, meaning = self._public_rows(meant, region, known_at)
        names = [own, *(name for name in meant if name != own)]
        contract = self._contract_row(names, public_rows, tier, region, known_at, span)
        if contract is not None and contract.no_price:
            return _nothing(span, f"{vendor}/{model}: {contract.no_price}")
        listed = _row_at(public_rows, public_rows, tier, span)
        if contract is None and listed is None:
            return _nothing(span, self._why_not(names, meaning, tier, region, public_rows, span, known_at))
        if contract is None and listed is not None and listed.no_price:
            return _nothing(span, f"{meaning.vendor}/{meaning.model}: {listed.no_price}")
        units = self._units_row(self._sources, meaning.vendor, tier, region, known_at, span)
        own_units = self._units_row([self._contracts.prices], vendor, tier, region, known_at, span)
        if contract is not None or listed is None:
            public = None if listed is None or listed.no_price else with_units(listed, units)
            cost = contract and with_units(contract, own_units)
            return Found(span.starts_at, span.ends_at, cost, public, "contract", "")
        status = "free" if listed.is_free else ""
        listed = with_units(marked(listed, meaning.mark), units)
        cost, found_list = listed, None
        if not status:
            for discount in self._contracts.discounts_for(vendor, names, tier, region, known_at):
                if span.lies_in(discount):
                    cost, found_list, status = discounted(listed, discount), listed, "contract"
                    break
        if own_units is None:
            return Found(span.starts_at, span.ends_at, cost, found_list, status, "")
        cost, listed = with_units(cost, own_units, over=True), with_units(listed, own_units)
        decided = frozenset(name for card in own_units.cards for name, _ in card.rates)
        return Found(span.starts_at, span.ends_at, cost, listed, status, "", decided)

    def _units_row(
        self,
        sources: Sequence[PriceSource],
        vendor: str,
        tier: str,
        region: str,
        known_at: datetime,
        span: Span,
    ) -> Price | None:
        """What the vendor asks for units whichever model is called; the tier's own row before the standard one."""
        if vendor not in self._have_units:
            everywhere = (*self._sources, self._contracts.prices)
            self._have_units[vendor] = any(source.rows_for(vendor, EVERY_MODEL) for source in everywhere)
        if not self._have_units[vendor]:
            return None
        rows = ranked_rows(sources, Meaning(vendor, EVERY_MODEL), region, known_at)
        return _row_at(rows, rows, tier, span) or _row_at(rows, rows, STANDARD, span)

    def names_of(
        self, vendor: str, model: str, time: datetime, known_at: datetime | None = None
    ) -> list[str]:
        """What the model is called, in lower case: as the call says, and as what that means at `time`.

        known_at: only what was known then (None: all that is known).
        """
        own = Meaning(vendor, model)
        names = [own, *self._meant(own, END if known_at is None else known_at, Span(time))]
        return list(dict.fromkeys(meaning.model.lower() for meaning in names))

    def candidates(self, vendor: str, model: str, time: datetime, known_at: datetime) -> list[Price]:
        """The rows among which a call's price is found, in any tier and region: the company's, then public ones."""
        own = Meaning(vendor, model)
        meant = self._meant(own, known_at, Span(time))
        public_rows, _ = self._public_rows(meant, None, known_at)
        names = dict.fromkeys((own, *meant))
        company = [
            row for name in names for row in ranked_rows([self._contracts.prices], name, None, known_at)
        ]
        return [*company, *public_rows]

    def _meant(self, own: Meaning, known_at: datetime, span: Span) -> list[Meaning]:
        """What the name means, and the model behind that where it is an inference profile or spelled with a path."""
        target = own
        for alias in self._contracts.aliases.of(own.vendor, own.model, known_at):
            if span.lies_in(alias):
                target = Meaning(alias.means_vendor, alias.means_model, alias.alias_id)
                break
        meant = [target]
        while (behind := model_behind(meant[-1].vendor, meant[-1].model)) is not None:
            mark = f"{meant[-1].mark}={behind.mark}" if meant[-1].mark else behind.mark
            meant.append(behind._replace(mark=mark))
        return meant

    def _public_rows(
        self, meant: Sequence[Meaning], region: str | None, known_at: datetime
    ) -> tuple[list[Price], Meaning]:
        """The rows of the first name that has a standard price at one time or another, and that name.

        Where none has, those of the first: a rule for a tier may mean names that it has no standard price for.
        """
        first: list[Price] = []
        for number, meaning in enumerate(meant):
            rows = ranked_rows(self._sources, meaning, region, known_at)
            if any(row.service_tier == STANDARD for row in rows):
                return rows, meaning
            if not number:
                first = rows
        return first, meant[0]

    def _contract_row(
        self,
        names: Sequence[Meaning],
        public_rows: Sequence[Price],
        tier: str,
        region: str,
        known_at: datetime,
        span: Span,
    ) -> Price | None:
        for meaning in names:
            rows = ranked_rows([self._contracts.prices], meaning, region, known_at)
            row = _row_at(rows, [*rows, *public_rows], tier, span)
            if row is not None:
                return marked(row, meaning.mark)
        return None

    def _why_not(
        self,
        names: Sequence[Meaning],
        meaning: Meaning,
        tier: str,
        region: str,
        public_rows: Sequence[Price],
        span: Span,
        known_at: datetime,
    ) -> str:
        """The reason, the same for every time of the span, whichever is asked for first."""
        sources = (*self._sources, self._contracts.prices)
        own_rows = [
            row for name in names for row in ranked_rows([self._contracts.prices], name, region, known_at)
        ]
        rows = [*public_rows, *own_rows]
        which = f"{meaning.vendor}/{meaning.model}"
        asked = names[0]
        if (asked.vendor, asked.model) != (meaning.vendor, meaning.model):
            which += f" (meant by {asked.vendor}/{asked.model})"
        if any(row.service_tier == tier for row in rows):
            return f"no price of {which} ({tier}) is known{span_text(span.starts_at, span.ends_at)}"
        if rows:
            return f"no price of {which} for the service tier {tier}"
        elsewhere = any(
            row.recorded_at <= known_at
            for source in sources
            for row in source.rows_for(meaning.vendor, meaning.model)
        )
        return f"no price of {which}" + (f" for the region {region!r}" if elsewhere else "")


def _nothing(span: Span, reason: str) -> Found:
    return Found(span.starts_at, span.ends_at, None, None, "", reason)


def ranked_rows(
    sources: Sequence[PriceSource], meaning: Meaning, region: str | None, known_at: datetime
) -> list[Price]:
    """Rows that mean the call and are known, in order of precedence. region: None for the rows of all regions."""
    ranked = [
        ((layer, bool(row.regions), row.recorded_at, row.schedule is not None, position), row)
        for layer, source in enumerate(sources)
        for position, row in enumerate(source.rows_for(meaning.vendor, meaning.model))
        if row.recorded_at <= known_at and (region is None or row.is_for_region(region))
    ]
    ranked.sort(key=lambda pair: pair[0], reverse=True)
    return [row for _, row in ranked]


def _row_at(rows: Sequence[Price], bases: Sequence[Price], tier: str, span: Span) -> Price | None:
    """The first of `rows` that holds. bases: where a factor's standard price is looked for."""
    for row in rows:
        if row.service_tier != tier and not row.no_price:
            continue
        if not span.lies_in(row):
            continue
        if row.schedule is not None:
            holds, day_from, day_to = row.schedule.around(span.time)
            span.narrow(day_from, day_to)
            if holds is None:
                return replace(row, cards=(), factor=None, no_price=_UNKNOWN_HOLIDAYS)
            if not holds:
                continue
        if row.factor is None:
            return row
        standard_bases = [base for base in bases if base.factor is None]
        standard = _row_at(standard_bases, standard_bases, STANDARD, span)
        if standard is not None and not standard.no_price:
            return times_standard(row, standard)
    return None


def span_text(starts_at: datetime, ends_at: datetime) -> str:
    """The span in words, with a space before; empty where it is all of time."""
    first = "" if starts_at == BEGINNING else f" from {starts_at:%Y-%m-%d %H:%M}"
    last = "" if ends_at == END else f" {'to' if first else 'before'} {ends_at:%Y-%m-%d %H:%M}"
    return (first + last + " UTC" if first or last else "") + (" on" if first and not last else "")
