"""What a model costs at a time, in every tier, region and hour that the book tells apart. Pure.

Each variant is found as the price of a call is, contracts included, so that what is shown is what is billed. Of prices
for certain hours each is shown with a time of its own at which it holds, from the time asked for on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tokenweir.pricing.book import PriceBook
from tokenweir.pricing.finding import Found
from tokenweir.pricing.known_names import KnownNames
from tokenweir.pricing.price import STANDARD, Price

_MAX_NEAREST: Final = 5
_LONGEST_WAIT: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Variant:
    """What a call of one sort costs.

    region: the one it was looked up for, "" for none. at: the time it was looked up for. holds: whether that is the
    time asked for. found: the price, or why there is none. fx_rate_picos: of USD for one unit of its currency; None
    where there is no rate.
    """

    vendor: str
    model: str
    service_tier: str
    region: str
    at: datetime
    holds: bool
    found: Found
    fx_rate_picos: int | None

    @property
    def status(self) -> str:
        """As `price_status` of a call: list, contract, free, or unpriced."""
        if self.found.price is None:
            return "unpriced"
        return self.found.status or ("free" if self.found.price.is_free else "list")


def vendors_of(
    book: PriceBook, model: str, time: datetime, known_at: datetime, vendor: str | None = None
) -> list[tuple[str, str]]:
    """The vendors that have a price of `model`, each with the model's name there; `vendor/model` names one of them."""
    known = sorted({row.vendor for row in book.rows()} | book.contracts.aliases.vendors)
    front, slash, rest = model.partition("/")

    def has_price(each: str, name: str) -> bool:
        # A rule for a tier, so many percent of the standard price, may mean names that have no standard price.
        return any(row.factor is None for row in book.finder.candidates(each, name, time, known_at))

    if vendor is None and slash and front in known and has_price(front, rest):
        return [(front, rest)]
    return [(each, model) for each in (known if vendor is None else [vendor]) if has_price(each, model)]


def nearest_names(book: PriceBook, model: str, vendor: str | None = None) -> list[tuple[str, str]]:
    """Vendors and names that `model` may have meant, the nearest first; `vendor/model` means one of that vendor."""
    front, slash, rest = model.partition("/")
    if vendor is None and slash:
        vendor, model = front, rest
    return KnownNames((*book.sources, book.contracts.prices)).nearest(vendor or "", model)[:_MAX_NEAREST]


def variants(
    book: PriceBook,
    vendor: str,
    model: str,
    time: datetime,
    known_at: datetime,
    *,
    service_tier: str | None = None,
    region: str | None = None,
) -> list[Variant]:
    """Every variant of one vendor's model at `time`. service_tier, region: only this one.

    That there is no price is told for the standard tier without a region, or for what was asked for.
    """
    rows = book.finder.candidates(vendor, model, time, known_at)
    tiers = {row.service_tier for row in rows if not row.no_price} | {STANDARD}
    asked_tiers = (
        sorted(tiers, key=lambda tier: (tier != STANDARD, tier)) if service_tier is None else [service_tier]
    )
    asked_regions = _regions(book, vendor, rows) if region is None else [region]
    found: dict[tuple[str, str], Variant] = {}
    for tier in asked_tiers:
        for place in asked_regions:
            for variant in _of_call(book, vendor, model, tier, place, rows, time, known_at):
                price = variant.found.price
                by_itself = (place and region is None) or (tier != STANDARD and service_tier is None)
                key = price.price_id if price is not None else variant.found.reason
                if not (price is None and by_itself) and (
                    (tier, key) not in found or variant.holds > found[tier, key].holds
                ):
                    found[tier, key] = variant
    return list(found.values())


def _of_call(
    book: PriceBook,
    vendor: str,
    model: str,
    tier: str,
    region: str,
    rows: Sequence[Price],
    time: datetime,
    known_at: datetime,
) -> Iterator[Variant]:
    for at in _moments(rows, time):
        found = book.finder.find(vendor, model, tier, region, at, known_at)
        if at != time and found.price is None:
            continue
        rate = None
        if found.price is not None:
            rate, _, _ = book.rates.rate(found.price.currency, at, known_at)
        yield Variant(vendor, model, tier, region, at, at == time, found, rate)


def _moments(rows: Iterable[Price], time: datetime) -> Iterator[datetime]:
    """`time`, and for each schedule the next moments at which it holds and at which it does not."""
    yield time
    schedules = {
        row.schedule for row in rows if row.schedule is not None and row.starts_at <= time < row.ends_at
    }
    for schedule in sorted(schedules, key=str):
        moment, wanted = time, {True, False}
        while wanted and moment - time < _LONGEST_WAIT:
            holds, _, until = schedule.around(moment)
            if holds in wanted:
                wanted.remove(holds)
                if moment != time:
                    yield moment
            moment = until


def _regions(book: PriceBook, vendor: str, rows: Iterable[Price]) -> list[str]:
    """A region of each sort that the book tells apart, none first."""
    patterns = [pattern for row in rows for pattern in row.regions]
    patterns += [
        pattern
        for discount in book.contracts.discounts
        if discount.vendor in (vendor, "*")
        for pattern in discount.regions
    ]
    return ["", *sorted({pattern.removesuffix("*") for pattern in patterns} - {""})]
