"""What a company's contracts change: its own prices, its discounts on list prices, its aliases, its allowances.

They decide what a call costs and leave the public price as it is: `list_cost` moves with an alias only, because an
alias says which model it was.

Of several discounts that fit a call one holds: that which names the model itself, before a rule over names, before one
for all models of the vendor, before one for any vendor; then one that names the region, one that names the service
tier, the later known, the later in the file. Discounts do not add up.

Allowances need calls in their order, which a price by itself does not: `tokenweir.pricing.balances`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tokenweir.money import divide_half_even
from tokenweir.pricing.aliases import Alias, Aliases, Meaning
from tokenweir.pricing.allowances import Allowance, Allowances
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Period, Price, Rate, RateCard, region_holds
from tokenweir.pricing.sources import RowSource

ANY_VENDOR: Final = "*"
MAX_PRICE_ID: Final = 256


@dataclass(frozen=True, slots=True)
class Discount(Period):
    """A list price times `factor` (numerator, denominator) for what it names, from `valid_from` to before `valid_to`.

    vendor: who sends the bill; ANY_VENDOR for whoever does. match: None for all models. service_tiers, regions: empty
    for any.
    """

    discount_id: str
    vendor: str
    match: Match | None
    factor: tuple[int, int]
    recorded_at: datetime
    source: str
    service_tiers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def closeness(self, vendor: str, names: Sequence[str]) -> int:
        """How closely it names the model: 4 by name, 3 by rule, 2 by vendor, 1 not at all; 0 where it is not meant."""
        if self.vendor not in (ANY_VENDOR, vendor):
            return 0
        if self.match is None:
            return 1 if self.vendor == ANY_VENDOR else 2
        if not any(self.match.holds(name) for name in names):
            return 0
        rules = self.match.rules if self.match.operation == "or" else (self.match,)
        exact = any(rule.operation == "equals" and rule.text.lower() in names for rule in rules)
        return 4 if exact else 3


class Contracts:
    """Everything of a company's file that decides a cost."""

    def __init__(
        self,
        rows: Iterable[Price] = (),
        discounts: Iterable[Discount] = (),
        aliases: Iterable[Alias] = (),
        allowances: Iterable[Allowance] = (),
    ) -> None:
        self.prices = RowSource(rows)
        self.discounts = tuple(discounts)
        self.aliases = Aliases(aliases)
        self.allowances = Allowances(allowances)

    def recorded_times(self) -> set[datetime]:
        """When anything of it became known."""
        times = {term.recorded_at for term in (*self.discounts, *self.allowances)}
        return times | self.prices.recorded_times() | self.aliases.recorded_times()

    def discounts_for(
        self, vendor: str, meanings: Sequence[Meaning], tier: str, region: str, known_at: datetime
    ) -> list[Discount]:
        """Discounts on what `vendor` bills for a model with these names, in order of precedence, whenever they hold."""
        names = [meaning.model.lower() for meaning in meanings]
        ranked = []
        for position, discount in enumerate(self.discounts):
            closeness = discount.closeness(vendor, names)
            if (
                closeness
                and discount.recorded_at <= known_at
                and (not discount.service_tiers or tier in discount.service_tiers)
                and region_holds(discount.regions, region)
            ):
                order = (bool(discount.regions), bool(discount.service_tiers), discount.recorded_at, position)
                ranked.append(((closeness, *order), discount))
        ranked.sort(key=lambda pair: pair[0], reverse=True)
        return [discount for _, discount in ranked]


def discounted(price: Price, discount: Discount) -> Price:
    """`price` with every rate times the discount's factor, exactly: what is billed is rounded, never the rate."""
    return replace(
        price,
        price_id=bounded_id(f"{price.price_id}*{discount.discount_id}"),
        cards=tuple(_times(card, *discount.factor) for card in price.cards),
    )


def marked(price: Price, mark: str) -> Price:
    """`price` under an id that says by which alias it was found: `alias=price`."""
    return replace(price, price_id=bounded_id(f"{mark}={price.price_id}")) if mark else price


def bounded_id(price_id: str) -> str:
    """`price_id`, cut to what an event holds."""
    return price_id[:MAX_PRICE_ID]


def _times(card: RateCard, numerator: int, denominator: int) -> RateCard:
    """All rates of a card over one further denominator, or over none where all of them divide by it."""
    amounts = [
        picos
        for _, rate in card.rates
        for picos in (rate.picos, *(step_picos for _, step_picos in rate.steps))
    ]
    divides = all(picos * numerator % denominator == 0 for picos in amounts)

    def scaled(picos: int) -> int:
        return picos * numerator // denominator if divides else picos * numerator

    return card._replace(
        minimum_picos=divide_half_even(card.minimum_picos * numerator, denominator),
        rates=tuple(
            (
                name,
                Rate(
                    scaled(rate.picos),
                    rate.per if divides else rate.per * denominator,
                    rate.minimum,
                    tuple((above, scaled(picos)) for above, picos in rate.steps),
                    rate.block,
                ),
            )
            for name, rate in card.rates
        ),
    )
