"""Many calls of one price at once: the arithmetic of plain token counts, column by column.

Plain are calls with nothing but input, output, and cached tokens, at a price whose rates are whole picos a token, so
that nothing needs rounding. What comes out equals `PriceBook.price` of each call, to the digit, at a third of the
time: going down a column is done in C, going along an event is not. Everything else is priced call by call.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from operator import add, gt, mul, sub
from typing import Any, Final, NamedTuple

from tokenweir.money import PICOS_PER_UNIT, divide_half_even
from tokenweir.pricing.calculation import PreparedPrice

_DECIDING: Final = ("input_tokens", "output_tokens", "reasoning_tokens")

_BEYOND_PLAIN: Final = (
    "units",
    "input_audio_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "cache_write_1h_tokens",
)
"""What no call may state that is priced here, by field of UsageEvent."""


class PlainRates(NamedTuple):
    """A price that can be reckoned here: picos of its currency for one token.

    cache_read, cache_write: -1 where such tokens cost as other input does. output: -1 where the price has no rate for
    any. others: (input, output, reasoning) tokens of which a call has to have more, all three, to be priced otherwise.
    tags: those by which a call may be priced otherwise.
    """

    others: tuple[tuple[int, int, int], ...]
    tags: frozenset[str]
    input: int
    output: int
    cache_read: int
    cache_write: int


def plain_rates(price: PreparedPrice) -> PlainRates | None:
    """The rates of a price's first card; None where they are not that simple."""
    first = price.cards[0]
    if not first.is_plain or first.scale != 1:
        return None
    # A card that asks for a unit is for calls that are not plain.
    further = [card for card in price.cards[1:] if not card.with_unit]
    others = tuple(
        (card.input_above, card.output_above, card.reasoning_above) for card in further if not card.with_tags
    )
    # Nor does a card by tags matter that differs from the first in units alone.
    tags = frozenset(
        name for card in further if not card.costs_plain_tokens_as(first) for name, _ in card.with_tags
    )
    return PlainRates(others, tags, first.input, first.output, first.cache_read, first.cache_write)


class GroupCost(NamedTuple):
    """What each call of a group costs, in the order of the group; otherwise as `Priced`.

    parts: (component, picos of USD for each call). list_cost_picos: the same object as `cost_picos` where the public
    price is what is billed.
    """

    cost_picos: Sequence[int]
    list_cost_picos: Sequence[int]
    native_cost_picos: Sequence[int]
    currency: str
    fx_rate_picos: int
    parts: tuple[tuple[str, Sequence[int]], ...]
    price_id: str
    price_status: str


def plain_parts(rates: PlainRates, columns: Mapping[str, Sequence[Any]]) -> dict[str, list[int]] | None:
    """Native picos of each call by component; None where the calls are not all plain, or of two sorts.

    columns: the counts and units of the calls by field of UsageEvent. Cached tokens have a part of their own, so a
    group in which some calls have them and some have not is of two sorts.
    """
    inputs: Sequence[int] = columns["input_tokens"]
    if any(any(columns[name]) for name in _BEYOND_PLAIN):
        return None
    if rates.others:
        most = [max(columns[name], default=0) for name in _DECIDING]
        if any(all(map(gt, most, above)) for above in rates.others):
            return None
    if rates.tags and any(not rates.tags.isdisjoint(tags) for tags in columns["tags"]):
        return None
    parts: dict[str, list[int]] = {}
    for name, rate in (("cache_read", rates.cache_read), ("cache_write", rates.cache_write)):
        counts: Sequence[int] = columns[f"{name}_tokens"]
        if not any(counts):
            continue
        if not all(counts):
            return None
        if rate >= 0:
            parts[name] = list(map(mul, counts, repeat(rate)))
            inputs = list(map(sub, inputs, counts))
    parts["input"] = list(map(mul, inputs, repeat(rates.input)))
    if rates.output >= 0:
        parts["output"] = list(map(mul, columns["output_tokens"], repeat(rates.output)))
    elif any(columns["output_tokens"]):
        return None
    return parts


def group_cost(
    parts: dict[str, list[int]], currency: str, fx_rate_picos: int, price_id: str, price_status: str
) -> GroupCost:
    """The cost of calls with these native parts at this exchange rate."""
    if fx_rate_picos == PICOS_PER_UNIT:
        first, *others = parts.values()
        total = first
        for part in others:
            total = list(map(add, total, part))
        return GroupCost(
            total, total, total, currency, fx_rate_picos, tuple(parts.items()), price_id, price_status
        )
    natives = [sum(picos) for picos in zip(*parts.values(), strict=True)]
    costs = _converted(natives, fx_rate_picos)
    converted = [_converted(picos, fx_rate_picos) for picos in parts.values()]
    for call, (cost, *shares) in enumerate(zip(costs, *converted, strict=True)):
        left_over = cost - sum(shares)
        if left_over:
            converted[shares.index(max(shares))][call] += left_over
    return GroupCost(
        costs,
        costs,
        natives,
        currency,
        fx_rate_picos,
        tuple(zip(parts, converted, strict=True)),
        price_id,
        price_status,
    )


def _converted(picos: Sequence[int], fx_rate_picos: int) -> list[int]:
    """USD picos of native ones, each rounded half to even."""
    products = list(map(mul, picos, repeat(fx_rate_picos)))
    half = PICOS_PER_UNIT // 2
    rounded = [(product + half) // PICOS_PER_UNIT for product in products]
    # Where a product lies halfway between two picos, it was rounded up; the even one may be the one below.
    if rounded != [(product + half - 1) // PICOS_PER_UNIT for product in products]:
        return [divide_half_even(product, PICOS_PER_UNIT) for product in products]
    return rounded
