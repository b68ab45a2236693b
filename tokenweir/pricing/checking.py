"""What may be wrong with prices that are right in form: things worth a look, for none of which a file is refused.

Pure: the time comes in. Rows that hold then or later are looked at, and of every name whether its periods join.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Final, Literal

from tokenweir.pricing.aliases import Meaning
from tokenweir.pricing.contracts import Discount
from tokenweir.pricing.exchange import ExchangeRates
from tokenweir.pricing.finding import ranked_rows
from tokenweir.pricing.matching import rules_of
from tokenweir.pricing.price import END, STANDARD, Price
from tokenweir.pricing.sources import PriceSource
from tokenweir.pricing.timeline import Stretch, stretches

Kind = Literal["far from others", "gap", "ended", "exchange rate", "low confidence", "old source"]
_FAR: Final = 10
_COMPARED: Final = ("input", "output")
_SOON: Final = timedelta(days=31)
_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing worth a look."""

    kind: Kind
    vendor: str
    text: str


def concerns(
    checked: PriceSource,
    beside: Sequence[PriceSource],
    rates: ExchangeRates,
    now: datetime,
    oldest: timedelta,
) -> list[Concern]:
    """Everything worth a look in `checked`, by kind.

    beside: the public sources; `checked` may be one of them. oldest: how long ago a source may have been seen.
    """
    rows = [row for row in checked.rows() if row.recorded_at <= now]
    current = [row for row in rows if row.starts_at <= now < row.ends_at and not row.no_price]
    return [
        *_far_from_others((row for row in rows if row.ends_at > now), beside, rates, now),
        *_times(checked, rows, now),
        *_missing_rates(current, rates, now),
        *_by_vendor(
            "low confidence",
            "of low confidence",
            (row for row in current if row.confidence == "low"),
        ),
        *_by_vendor(
            "old source",
            f"last seen more than {oldest.days} days ago",
            (row for row in current if row.source_at is not None and row.source_at < (now - oldest).date()),
        ),
    ]


def ended_discounts(discounts: Iterable[Discount], now: datetime) -> list[Concern]:
    """Discounts that ended with none after them for the same models."""
    last: dict[tuple[object, ...], Discount] = {}
    for discount in discounts:
        key = (discount.vendor, str(discount.match), discount.service_tiers, discount.regions)
        if key not in last or discount.ends_at > last[key].ends_at:
            last[key] = discount
    return [
        Concern("ended", each.vendor, f"the discount {each.discount_id} ended on {each.ends_at:%Y-%m-%d}")
        for each in last.values()
        if each.ends_at <= now
    ]


def _far_from_others(
    rows: Iterable[Price], beside: Sequence[PriceSource], rates: ExchangeRates, now: datetime
) -> Iterator[Concern]:
    """Prices ten times, or a tenth of, what another row has for the same name, tier and time."""
    told: set[tuple[frozenset[str], str]] = set()
    pairs = (
        (row, name, other)
        for row in rows
        for name in _names(row)
        for other in _others(row, name, beside, now)
    )
    for row, name, other in pairs:
        for component in _COMPARED:
            ours, theirs = (_usd(each, component, rates, now) for each in (row, other))
            pair = (frozenset((row.price_id, other.price_id)), component)
            if not (ours and theirs) or pair in told:
                continue
            times = max(Fraction(ours, theirs), Fraction(theirs, ours))
            if times >= _FAR:
                told.add(pair)
                more = "more" if ours > theirs else "less"
                yield Concern(
                    "far from others",
                    row.vendor,
                    f"{name} ({row.service_tier}): {component} costs {int(times):,} times {more} by "
                    f"{row.price_id} than by {other.price_id}",
                )


def _others(row: Price, name: str, beside: Sequence[PriceSource], now: datetime) -> list[Price]:
    """Rows for the same name and tier that hold now, or when the row begins."""
    at = max(now, row.starts_at)
    return [
        other
        for other in ranked_rows(beside, Meaning(row.vendor, name), None, now)
        if other.service_tier == row.service_tier
        and other.starts_at <= at < other.ends_at
        and other is not row
    ]


def _usd(row: Price, component: str, rates: ExchangeRates, now: datetime) -> Fraction | None:
    """USD picos for one of the component; None where there is none, no exchange rate, or nothing to pay."""
    rate = next((rate for name, rate in row.cards[0].rates if name == component), None) if row.cards else None
    fx, _, _ = rates.rate(row.currency, now) if row.currency else (None, now, now)
    if rate is None or fx is None or not rate.picos:
        return None
    return Fraction(rate.picos * fx, rate.per)


def _times(checked: PriceSource, rows: Iterable[Price], now: datetime) -> Iterator[Concern]:
    """Gaps between the periods of a name, and prices that ended with nothing after them."""
    sorts = {
        (row.vendor, name, row.service_tier, row.regions)
        for row in rows
        if row.factor is None
        for name in _names(row)
    }
    gaps: dict[tuple[str, str], list[str]] = {}
    ends: dict[tuple[str, str], list[str]] = {}
    for vendor, name, tier, regions in sorted(sorts):
        ranked = [
            row
            for row in ranked_rows([checked], Meaning(vendor, name), None, now)
            if row.regions in (regions, ())
        ]
        line = stretches(ranked, tier)
        which = name if tier == STANDARD else f"{name} ({tier})"
        for before, stretch, after in _between(line):
            if not stretch.rows and before is not None:
                if after is not None:
                    when = f"from {stretch.starts_at:%Y-%m-%d %H:%M} to {stretch.ends_at:%Y-%m-%d %H:%M} UTC"
                    gaps.setdefault((vendor, when), []).append(which)
                elif stretch.starts_at <= now:
                    ends.setdefault((vendor, f"{stretch.starts_at:%Y-%m-%d}"), []).append(which)
    for (vendor, when), names in gaps.items():
        yield Concern("gap", vendor, f"{_some(names)}: no price here {when}, between two that are")
    for (vendor, when), names in ends.items():
        yield Concern(
            "ended", vendor, f"{_some(names)}: the last price here ended on {when}; calls may still come"
        )


def _between(line: Sequence[Stretch]) -> Iterator[tuple[Stretch | None, Stretch, Stretch | None]]:
    for number, stretch in enumerate(line):
        before = line[number - 1] if number else None
        if before is not None and (not before.rows or before.rows[-1].no_price):
            before = None
        after = line[number + 1] if number + 1 < len(line) else None
        yield before, stretch, after


def _missing_rates(rows: Iterable[Price], rates: ExchangeRates, now: datetime) -> Iterator[Concern]:
    for currency in sorted({row.currency for row in rows if row.currency}):
        last = now
        found, _, ends_at = rates.rate(currency, last)
        while found is not None and ends_at != END:
            last = ends_at
            found, _, ends_at = rates.rate(currency, last)
        if found is None and last <= now + _SOON:
            since = "now" if last == now else f"{last:%Y-%m-%d}"
            yield Concern(
                "exchange rate",
                "",
                f"none from {currency} to USD from {since} on: calls in {currency} have no cost in USD then",
            )


def _by_vendor(kind: Kind, what: str, rows: Iterable[Price]) -> Iterator[Concern]:
    for vendor, group in groupby(sorted(rows, key=lambda row: row.vendor), key=lambda row: row.vendor):
        ids = [row.price_id for row in group]
        prices = "1 price" if len(ids) == 1 else f"{len(ids)} prices"
        yield Concern(kind, vendor, f"{prices} {what}: {_some(ids)}")


def _names(row: Price) -> list[str]:
    return [rule.text.lower() for rule in rules_of(row.match) if rule.operation in ("equals", "starts_with")]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
    return ", ".join(names[:_EXAMPLES]) + more
