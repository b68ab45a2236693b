"""From a price row and an event to exact picos, component by component. Pure integer arithmetic.

Invariants: the parts sum to the cost; each component is divided once, half to even; a count that no rate covers makes
the whole event unpriced, never partly priced. Of a native cost in another currency the USD cost is the exact product
rounded once; its parts are rounded each and the largest takes what is left over.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tokenweir.money import PICOS_PER_UNIT, divide_half_even
from tokenweir.pricing.components import (
    MINIMUM_CHARGE,
    MOST_SPECIFIC_FIRST,
    OVERLAPS,
    REQUESTS,
    TOKEN_COMPONENTS,
    TOKENS_PER_RATE,
    UNIT_ALIASES,
    UNIT_PARENTS,
    UNIT_TOKEN_FIELDS,
    WITHIN,
    NoPrice,
    exact_ratio,
    token_counts,
)
from tokenweir.pricing.price import Price, Rate, RateCard

Parts = tuple[tuple[str, int], ...]

REPORTED: Final = "reported"
"""The only part of a cost that a reporter stated as one amount."""


class NativeParts(NamedTuple):
    """The parts of a cost in picos of its currency, and picos of USD for one unit of it (None where unknown)."""

    parts: Parts
    fx_rate_picos: int | None


_PLAIN: Final = frozenset(("input", "output", "cache_read", "cache_write", "cache_write_1h"))


class PreparedCard:
    """A rate card, made ready for the hot path.

    is_plain: an event with nothing but plain tokens costs the sum of its five counts times the five rates below, each
    in picos per `scale` tokens (1 where all five divide, so that nothing needs rounding).
    """

    __slots__ = (
        "cache_read",
        "cache_write",
        "cache_write_1h",
        "input",
        "input_above",
        "is_plain",
        "minimum_picos",
        "output",
        "output_above",
        "rates",
        "reasoning_above",
        "scale",
        "with_tags",
        "with_unit",
    )

    def __init__(self, card: RateCard) -> None:
        self.rates = dict(card.rates)
        self.input_above = card.input_above
        self.output_above = card.output_above
        self.reasoning_above = card.reasoning_above
        self.with_unit = card.with_unit
        self.with_tags = card.with_tags
        self.minimum_picos = card.minimum_picos
        plain = {name: rate for name, rate in card.rates if name in _PLAIN}
        self.is_plain = (
            "input" in plain
            and REQUESTS not in self.rates
            and "reasoning" not in self.rates
            and not card.minimum_picos
            and not any(rate.steps or rate.minimum or rate.block > 1 for rate in plain.values())
            and len({rate.per for rate in plain.values()}) == 1
        )
        per = next((rate.per for rate in plain.values()), TOKENS_PER_RATE)
        whole = all(rate.picos % per == 0 for rate in plain.values())
        self.scale = 1 if whole else per

        def picos(name: str, otherwise: int) -> int:
            rate = plain.get(name)
            if rate is None:
                return otherwise
            return rate.picos // per if whole else rate.picos

        self.input = picos("input", 0)
        # -1: no rate of its own. Output then has no price; cached tokens stay part of the component around them.
        self.output = picos("output", -1)
        self.cache_read = picos("cache_read", -1)
        self.cache_write = picos("cache_write", -1)
        self.cache_write_1h = picos("cache_write_1h", -1)

    def costs_plain_tokens_as(self, other: "PreparedCard") -> bool:
        """Whether a call with nothing but plain tokens costs the same by both cards, whichever."""
        names = ("is_plain", "scale", *sorted(_PLAIN))
        return self.is_plain and all(getattr(self, name) == getattr(other, name) for name in names)

    def plain_parts(self, event: Any) -> Parts:
        """Parts in native picos of an event with plain tokens only. Only for a card that `is_plain`.

        Raises NoPrice where there is output and no rate for it.
        """
        scale = self.scale
        inputs = event.input_tokens
        outputs = event.output_tokens
        reads = event.cache_read_tokens
        writes = event.cache_write_tokens
        if self.output < 0:
            if outputs:
                raise NoPrice("the price has no rate for output_tokens")
        elif not (reads or writes):
            if scale == 1:
                return (("input", inputs * self.input), ("output", outputs * self.output))
            return (
                ("input", divide_half_even(inputs * self.input, scale)),
                ("output", divide_half_even(outputs * self.output, scale)),
            )
        parts = []
        if reads and self.cache_read >= 0:
            inputs -= reads
            parts.append(("cache_read", reads * self.cache_read))
        if writes:
            writes_1h = event.cache_write_1h_tokens
            if writes_1h and self.cache_write_1h >= 0:
                inputs -= writes_1h
                writes -= writes_1h
                parts.append(("cache_write_1h", writes_1h * self.cache_write_1h))
            if writes and self.cache_write >= 0:
                inputs -= writes
                parts.append(("cache_write", writes * self.cache_write))
        parts.append(("input", inputs * self.input))
        if self.output >= 0:
            parts.append(("output", outputs * self.output))
        if scale == 1:
            return tuple(parts)
        return tuple((name, divide_half_even(picos, scale)) for name, picos in parts)


class PreparedPrice:
    """A price row with its cards made ready.

    status: the status of what it prices; "list" or "free" where it is not told. own_units: units whose price a contract
    decided. only: the card where there is just one.
    """

    __slots__ = ("cards", "currency", "only", "own_units", "price_id", "status")

    def __init__(self, price: Price, status: str = "", own_units: frozenset[str] = frozenset()) -> None:
        self.price_id = price.price_id
        self.currency = price.currency
        self.cards = tuple(PreparedCard(card) for card in price.cards)
        self.only = self.cards[0] if len(self.cards) == 1 else None
        self.status = status or ("free" if price.is_free else "list")
        self.own_units = own_units

    def status_for(self, event: Any, parts: Parts) -> str:
        """The status of an event with these parts: its units may have prices that the model's own row has not."""
        if self.own_units and any(UNIT_ALIASES.get(name, name) in self.own_units for name in event.units):
            return "contract"
        if self.status == "free" and any(picos for _, picos in parts):
            return "list"
        return self.status

    def card_for(self, event: Any) -> PreparedCard:
        """The last card whose conditions the event meets."""
        inputs = event.input_tokens
        outputs = event.output_tokens
        reasoning = event.reasoning_tokens
        for card in reversed(self.cards):
            if (
                inputs > card.input_above
                and outputs > card.output_above
                and reasoning > card.reasoning_above
                and (not card.with_unit or event.units.get(card.with_unit))
                and (not card.with_tags or _has_tags(event.tags, card.with_tags))
            ):
                return card
        return self.cards[0]


def _has_tags(tags: Mapping[str, str], wanted: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
    return all(tags.get(name) in values for name, values in wanted)


def all_parts(card: PreparedCard, event: Any) -> Parts:
    """Parts in native picos of any event. Raises NoPrice where a count is not covered by the card."""
    rates = card.rates
    parts = _token_parts(rates, event)
    units = _unit_counts(event.units)
    for name, (numerator, denominator) in units.items():
        rate = rates.get(name)
        if rate is None:
            raise NoPrice(f"the price has no rate for {name}")
        parts.append((name, _ratio_cost(rate, *_without_inner(name, numerator, denominator, units, rates))))
    if REQUESTS in rates or card.minimum_picos:
        is_billed = event.status == "ok" or event.input_tokens or event.output_tokens or event.units
        if is_billed and REQUESTS in rates:
            parts.append((REQUESTS, _ratio_cost(rates[REQUESTS], 1, 1)))
        if is_billed and (missing := card.minimum_picos - sum(picos for _, picos in parts)) > 0:
            parts.append((MINIMUM_CHARGE, missing))
    return tuple(parts)


def _token_parts(rates: dict[str, Rate], event: Any) -> list[tuple[str, int]]:
    counts = token_counts(event)
    _settle_overlaps(rates, counts, event.units)
    leaves: dict[str, int] = {}
    for component in MOST_SPECIFIC_FIRST:
        if component.name not in rates:
            continue
        inner = WITHIN[component.name]
        leaf = counts[component.name] - sum(count for name, count in leaves.items() if name in inner)
        if leaf < 0:
            raise NoPrice(f"the tokens within {component.field} add up to more than it")
        leaves[component.name] = leaf
    for total in ("input", "output"):
        covered = sum(count for name, count in leaves.items() if name == total or name in WITHIN[total])
        if counts[total] > covered:
            raise NoPrice(f"the price has no rate for {total}_tokens")
    return [
        (name, _ratio_cost(rates[name], leaf, 1))
        for name, leaf in leaves.items()
        if leaf or name in ("input", "output")
    ]


def _settle_overlaps(rates: dict[str, Rate], counts: dict[str, int], units: Mapping[str, Any]) -> None:
    """Fill in how many tokens two components share, where the event does not say but it follows or does not matter.

    units: of the event; a count that stands there is stated, 0 too.
    """
    for one, other, both, total in OVERLAPS:
        if not counts[one] or not counts[other]:
            continue
        relevant = both in rates or (one in rates and other in rates)
        if not relevant:
            continue
        if TOKEN_COMPONENTS[both].field not in units:
            least = max(0, counts[one] + counts[other] - counts[total])
            most = min(counts[one], counts[other])
            if least != most and not _overlap_is_free(rates, one, other, both, total):
                raise NoPrice(
                    f"how many of the {one} tokens are {other} tokens is not stated, and they cost differently"
                )
            counts[both] = least
        if counts[both] and both not in rates:
            raise NoPrice(f"the price has no rate for {TOKEN_COMPONENTS[both].field}")


def _overlap_is_free(rates: dict[str, Rate], one: str, other: str, both: str, total: str) -> bool:
    """Whether a token more in the overlap leaves the cost as it is."""
    needed = [rates.get(name) for name in (one, other, both, total)]
    if any(rate is None or rate.steps or rate.minimum or rate.block > 1 for rate in needed):
        return False
    first, second, shared, around = (rate.picos for rate in needed if rate is not None)
    return shared + around == first + second


def _unit_counts(units: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Units that are not token counts, under their own names, as exact ratios. Zero counts are left out."""
    counts: dict[str, tuple[int, int]] = {}
    for name, amount in units.items():
        if name in UNIT_TOKEN_FIELDS or not amount:
            continue
        own_name = UNIT_ALIASES.get(name, name)
        if own_name in counts:
            raise NoPrice(f"{own_name} is stated twice, as {name} too")
        counts[own_name] = exact_ratio(name, amount)
    return counts


def _without_inner(
    name: str, numerator: int, denominator: int, units: dict[str, tuple[int, int]], rates: dict[str, Rate]
) -> tuple[int, int]:
    """The count of a unit without the units that are part of it and have a rate of their own; never below zero."""
    for inner, outer in UNIT_PARENTS.items():
        if outer == name and inner in units and inner in rates:
            inner_numerator, inner_denominator = units[inner]
            numerator = max(numerator * inner_denominator - inner_numerator * denominator, 0)
            denominator *= inner_denominator
    return numerator, denominator


def _ratio_cost(rate: Rate, numerator: int, denominator: int) -> int:
    if not numerator:
        return 0
    numerator = max(numerator, rate.minimum * denominator)
    if rate.block > 1:
        block = rate.block * denominator
        numerator = -(-numerator // block) * block
    total = numerator * rate.picos
    below = rate.picos
    for above, picos in rate.steps:
        if numerator > above * denominator:
            total += (numerator - above * denominator) * (picos - below)
            below = picos
    return divide_half_even(total, rate.per * denominator)


def to_usd(parts: Parts, fx_rate_picos: int) -> tuple[int, int, Parts]:
    """The USD cost of native parts, their native sum, and the parts in USD picos; these sum to the cost."""
    native = 0
    remainder = 0
    largest = -1
    at_largest = 0
    converted: list[tuple[str, int]] = []
    for name, picos in parts:
        native += picos
        # As divide_half_even; written out because this is done for every part of every event.
        usd, rest = divmod(picos * fx_rate_picos, PICOS_PER_UNIT)
        if rest + rest > PICOS_PER_UNIT or (rest + rest == PICOS_PER_UNIT and usd & 1):
            usd += 1
        if usd > largest:
            largest, at_largest = usd, len(converted)
        remainder -= usd
        converted.append((name, usd))
    cost = divide_half_even(native * fx_rate_picos, PICOS_PER_UNIT)
    remainder += cost
    if remainder:
        converted[at_largest] = (converted[at_largest][0], largest + remainder)
    return cost, native, tuple(converted)
