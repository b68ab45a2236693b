"""What a model's prices were: every row with what it corrects, and which row holds when. Pure.

Rows are never changed, so a correction is a row that is known later than another for the same tier, region and hours,
and says something of a time that was past by then and of which that one spoke. A new price, from when it became known
on, corrects nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from tokenweir.pricing.describe import calls_meant
from tokenweir.pricing.price import STANDARD, Price, Rate, times_standard
from tokenweir.pricing.timeline import Stretch, stretches

_PERCENT_STEP: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row, and those that it corrects."""

    row: Price
    corrects: tuple[Price, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """From `starts_at` up to but not `ends_at`, `price` held for a tier and region at its hours; None where none did.

    change_percent: by rate, against the price before (`changes`).
    """

    service_tier: str
    regions: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    price: Price | None
    change_percent: dict[str, Decimal]


def recorded_rows(ranked: Sequence[Price]) -> list[Recorded]:
    """Every row by tier, region and time, with what it corrects.

    ranked: one model's rows, in order of precedence (`PriceFinder.candidates`).
    """
    found = [
        Recorded(
            row,
            tuple(
                other
                for other in ranked[number + 1 :]
                if other.recorded_at < row.recorded_at
                and _sort(other) == _sort(row)
                and max(row.starts_at, other.starts_at) < min(row.ends_at, other.ends_at, row.recorded_at)
            ),
        )
        for number, row in enumerate(ranked)
    ]
    return sorted(
        found,
        key=lambda each: (
            *_order(each.row.service_tier, each.row.regions),
            each.row.starts_at,
            each.row.recorded_at,
        ),
    )


def timeline(ranked: Sequence[Price]) -> list[Held]:
    """Which row holds when, for each tier and each set of regions that has rows of its own.

    A row for certain hours stands beside the one that holds at the others. ranked: as for `recorded_rows`.
    """
    sorts = {(row.service_tier, row.regions) for row in ranked if not row.no_price} | {(STANDARD, ())}
    held: list[Held] = []
    for tier, regions in sorted(sorts, key=lambda sort: _order(*sort)):
        rows = [row for row in ranked if row.regions in (regions, ())]
        own = [row for row in rows if row.service_tier == tier and row.regions == regions]
        if own:
            held += _of_sort(rows, tier, regions)
    return held


def percent(old: int, new: int) -> Decimal:
    """By how many percent `new` is more than `old`, to two decimals. old: not 0."""
    exact = (Decimal(new) - Decimal(old)) * 100 / Decimal(old)
    return exact.quantize(_PERCENT_STEP, ROUND_HALF_EVEN)


def changes(old: Price | None, new: Price | None) -> dict[str, Decimal]:
    """The change of every rate that both prices state, in percent; those that stay are left out.

    A rate for calls above a length is named with it: `input (input_above 200000)`. No change from 0 has a percentage,
    and none between currencies.
    """
    if old is None or new is None or old.currency != new.currency:
        return {}
    before, after = rates_by_name(old), rates_by_name(new)
    return {
        name: percent(before[name].picos * rate.per, rate.picos * before[name].per)
        for name, rate in after.items()
        if name in before
        and before[name].picos
        and before[name].picos * rate.per != rate.picos * before[name].per
    }


def rates_by_name(price: Price) -> dict[str, Rate]:
    """Every rate of every card by component, and by what calls it is for where that is not all."""
    named = {}
    for card in price.cards:
        words = [f"{key} {value}" for key, value in calls_meant(card).items() if key != "tags"]
        words += [f"{tag} {'|'.join(values)}" for tag, values in card.with_tags]
        only = f" ({', '.join(words)})" if words else ""
        named.update({f"{name}{only}": rate for name, rate in card.rates})
    return named


def _of_sort(rows: Sequence[Price], tier: str, regions: tuple[str, ...]) -> list[Held]:
    held: list[Held] = []
    last: dict[object, Price] = {}
    edges = stretches(rows, tier)
    standard = stretches(rows, STANDARD)
    for stretch in edges:
        if not stretch.rows:
            if held:
                held.append(Held(tier, regions, stretch.starts_at, stretch.ends_at, None, {}))
            continue
        for row in stretch.rows:
            if row.no_price:
                # Before a tier's first price, that the model has none is said for the standard tier.
                if held or tier == STANDARD:
                    held.append(Held(tier, regions, stretch.starts_at, stretch.ends_at, row, {}))
                continue
            bases = [(stretch.starts_at, stretch.ends_at, row)]
            if row.factor is not None:
                bases = list(_multiplied(row, stretch.starts_at, stretch.ends_at, standard))
            for starts_at, ends_at, price in bases:
                change = changes(last.get(row.schedule), price)
                held.append(Held(tier, regions, starts_at, ends_at, price, change))
                last[row.schedule] = price
    if held and held[-1].price is None:
        # Without an end, that there is none is said by the end of the one before.
        held.pop()
    return held


def _multiplied(
    row: Price, starts_at: datetime, ends_at: datetime, standard: Iterable[Stretch]
) -> list[tuple[datetime, datetime, Price]]:
    """A price that is a factor of the standard one, for each of the standard prices meanwhile."""
    found = []
    for stretch in standard:
        first, last = max(starts_at, stretch.starts_at), min(ends_at, stretch.ends_at)
        base = next((each for each in stretch.rows if each.factor is None), None)
        if first < last and base is not None and not base.no_price:
            found.append((first, last, times_standard(row, base)))
    return found


def _sort(row: Price) -> tuple[object, ...]:
    return row.service_tier, row.regions, row.schedule


def _order(tier: str, regions: tuple[str, ...]) -> tuple[object, ...]:
    return tier != STANDARD, tier, regions
