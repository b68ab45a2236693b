"""A price row, and the answer to what an event costs.

Rows are only ever added. A row knows two times: when it holds (`valid_from` up to but not `valid_to`) and since when
we know it (`recorded_at`). A correction is a new row with a later `recorded_at`; the old one stays, so that what was
answered then can be answered again.

Rates are integers: picos (10^-12 of the currency unit) per million tokens, or per `per` of a unit. A decimal price per
million tokens with up to twelve decimals is exact.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from tokenweir.money import divide_half_even
from tokenweir.pricing.components import REQUESTS, TOKENS_PER_RATE
from tokenweir.pricing.matching import Match
from tokenweir.pricing.schedule import Schedule

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)
STANDARD: Final = "standard"
EVERY_MODEL: Final = "*"
"""The name under which a vendor's rows stand that say what units cost whichever model is called."""

_TIER_NAMES: Final = {"": STANDARD, "default": STANDARD, "on_demand": STANDARD}


class Rate(NamedTuple):
    """`picos` of the currency for `per` of the component.

    minimum: the least count that is billed where any is used (ten seconds of audio, say).
    steps: (above, picos): the part of the count above `above` costs so much instead; the part below keeps its rate.
    block: a block that is begun is billed whole (60 for a minute begun, of a count of seconds).
    """

    picos: int
    per: int
    minimum: int = 0
    steps: tuple[tuple[int, int], ...] = ()
    block: int = 1


class RateCard(NamedTuple):
    """Rates by component that hold for a whole call, if it is longer than this.

    input_above, output_above, reasoning_above: the call's total input, total output and reasoning tokens must exceed
    these; -1 where any will do. reasoning_above 0 is a vendor's thinking mode. with_unit: the call must state a count
    of this unit; "" where none is asked for. with_tags: (tag, values): each of these tags of the call must have one of
    its values. minimum_picos: the least that a call costs which used anything.
    """

    rates: tuple[tuple[str, Rate], ...]
    input_above: int = -1
    output_above: int = -1
    reasoning_above: int = -1
    with_unit: str = ""
    with_tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    minimum_picos: int = 0

    @property
    def conditions(self) -> tuple[int, int, int]:
        """What a call has to exceed: input, output and reasoning tokens."""
        return self.input_above, self.output_above, self.reasoning_above


class Period:
    """What holds from `valid_from` up to but not `valid_to`; None stands for without end."""

    __slots__ = ()
    valid_from: datetime | None
    valid_to: datetime | None

    @property
    def starts_at(self) -> datetime:
        """`valid_from`, or the beginning of time."""
        return self.valid_from or BEGINNING

    @property
    def ends_at(self) -> datetime:
        """`valid_to`, or the end of time."""
        return self.valid_to or END


@dataclass(frozen=True, slots=True)
class Price(Period):
    """One row of the price book.

    cards: the first holds for every call, each further one for the calls that it names; the last that fits is used.
    factor: instead of cards, a numerator and denominator: the rates of the components `factor_of` are those of the
    standard tier times so much, the others the same. no_price: instead of cards, why there is no price while the row
    holds; it hides the rows of earlier sources. regions: names, or beginnings with a star; empty for any.
    """

    price_id: str
    vendor: str
    match: Match
    cards: tuple[RateCard, ...]
    currency: str
    recorded_at: datetime
    source: str
    source_at: date | None = None
    confidence: str = ""
    service_tier: str = STANDARD
    regions: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    schedule: Schedule | None = None
    factor: tuple[int, int] | None = None
    factor_of: frozenset[str] = frozenset()
    no_price: str = ""

    @property
    def is_free(self) -> bool:
        """Whether every rate is zero."""
        return not any(
            card.minimum_picos or any(rate.picos or rate.steps for _, rate in card.rates)
            for card in self.cards
        )

    @property
    def has_rates(self) -> bool:
        """Whether it says what anything costs, by itself or as a factor."""
        return self.factor is not None or any(card.rates for card in self.cards)

    def is_for_region(self, region: str) -> bool:
        """Whether the row holds in `region` ("" where the event names none)."""
        return region_holds(self.regions, region)


def region_holds(names: tuple[str, ...], region: str) -> bool:
    """Whether `region` is one of `names`, which may be beginnings with a star; any is where there are no names."""
    if not names:
        return True
    return any(region.startswith(name[:-1]) if name.endswith("*") else region == name for name in names)


def service_tier_name(name: str) -> str:
    """The price book's name of a service tier: what vendors call the usual one is `standard`."""
    return _TIER_NAMES.get(name, name)


def tokens_included(card: RateCard) -> tuple[RateCard, ...]:
    """`card`, which has no rate for tokens, and cards by which they cost nothing beside a unit that it has a rate for.

    So is a vendor's price by the minute. Tokens alone, without the unit, stay without a price.
    """
    free = (("input", Rate(0, TOKENS_PER_RATE)), ("output", Rate(0, TOKENS_PER_RATE)))
    units = [name for name, _ in card.rates if name != REQUESTS]
    return (card, *(card._replace(rates=(*free, *card.rates), with_unit=name) for name in units))


def with_units(price: Price, units: Price | None, *, over: bool = False) -> Price:
    """`price` with the rates of a row for every model, where it has none of its own; over: also where it has.

    As it is where there is no such row, or one in another currency.
    """
    if units is None or units.no_price or units.currency != price.currency:
        return price
    added = dict(units.cards[0].rates)
    return replace(
        price,
        cards=tuple(
            card._replace(
                rates=tuple(
                    ({**dict(card.rates), **added} if over else {**added, **dict(card.rates)}).items()
                )
            )
            for card in price.cards
        ),
    )


def times_standard(row: Price, standard: Price) -> Price:
    """`row`, which states a factor, with the rates that follow from the standard price of the moment."""
    if row.factor is None:
        raise ValueError(f"{row.price_id} states rates, not a factor")
    numerator, denominator = row.factor

    def scaled(picos: int) -> int:
        return divide_half_even(picos * numerator, denominator)

    cards = tuple(
        card._replace(
            rates=tuple(
                (
                    name,
                    rate._replace(
                        picos=scaled(rate.picos), steps=tuple((above, scaled(p)) for above, p in rate.steps)
                    )
                    if name in row.factor_of
                    else rate,
                )
                for name, rate in card.rates
            )
        )
        for card in standard.cards
    )
    return replace(
        row,
        price_id=f"{row.price_id}*{standard.price_id}",
        cards=cards,
        currency=standard.currency,
    )


class Priced(NamedTuple):
    """What an event costs. Picos of USD, except `native_cost_picos`, which counts picos of `currency`.

    All costs are None where there is no price (`price_status` "unpriced"); `unpriced_reason` then says why.
    list_cost_picos: at the public price; where none covers the call it is the cost. parts: USD picos by component; they
    sum to `cost_picos`. fx_rate_picos: picos of USD for one unit of `currency`.
    """

    cost_picos: int | None
    list_cost_picos: int | None
    native_cost_picos: int | None
    currency: str
    fx_rate_picos: int | None
    parts: tuple[tuple[str, int], ...]
    price_id: str
    price_status: str
    unpriced_reason: str
