"""What calls cost at the prices of a time, exactly and call by call, or why not.

The time is one for all, or each call's own. Where one is given and a price depends on the hour, each call is priced at
its own weekday and hour of the week that begins at that time: a night's call stays one.

A cost that was reported with a call is no price of another model nor of another time, and is not used.
"""

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any, Final

from tokenweir.money import divide_half_even
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.plain import GroupCost
from tokenweir.pricing.price import STANDARD, Price, service_tier_name
from tokenweir.usage.event import TOKEN_FIELDS
from tokenweir.whatif.reasons import Reason
from tokenweir.whatif.traffic import Columns, PriceKey, kept

_WEEK: Final = timedelta(days=7)
_HALF_HOURS: Final = tuple(timedelta(minutes=30 * number) for number in range(7 * 48))
_INNER_INPUTS: Final = (
    ("input_audio", "input_audio_tokens"),
    ("input_image", "input_image_tokens"),
)
_FIELDS: Final = (
    "time",
    *PriceKey._fields,
    *TOKEN_FIELDS,
    "units",
    "tags",
    "status",
    "reported_cost",
    "reported_currency",
)
_Call = namedtuple("_Call", _FIELDS)  # type: ignore[misc]


@dataclass(slots=True)
class AsInput:
    """Tokens read from a cache that cost as input, as the price has no rate for them, and of how many calls."""

    calls: int = 0
    tokens: int = 0
    cost_picos: int = 0

    def add(self, other: "AsInput") -> None:
        """Count what `other` counts, too."""
        self.calls += other.calls
        self.tokens += other.tokens
        self.cost_picos += other.cost_picos


@dataclass(slots=True)
class Costs:
    """What each call of a group costs, in picos of USD.

    cost_picos, list_cost_picos: None where there is no price; `reasons` then says why, by place. at_standard: how many
    were priced in the standard tier because theirs is not offered.
    """

    cost_picos: Sequence[int | None]
    list_cost_picos: Sequence[int | None]
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    as_input: AsInput = field(default_factory=AsInput)
    at_standard: int = 0


class Repricer:
    """Prices groups at `at`; None stands for each call's own time."""

    def __init__(self, book: PriceBook, at: datetime | None) -> None:
        self._book = book
        self.at = at
        self._by_hour: dict[PriceKey, bool] = {}

    @property
    def contracts(self) -> Contracts:
        """The company's contracts."""
        return self._book.contracts

    def costs(self, key: PriceKey, columns: Columns, *, standard_instead: bool = False) -> Costs:
        """What the calls cost at the prices of `key`.

        standard_instead: price calls in the standard tier where theirs is not offered.
        """
        costs = self._costs(key, columns)
        if not standard_instead:
            return costs
        at_standard = [place for place, why in costs.reasons.items() if why.code == "tier_not_offered"]
        if not at_standard:
            return costs
        chosen = [False] * len(columns["time"])
        for place in at_standard:
            chosen[place] = True
        instead = self._costs(key._replace(service_tier=STANDARD), kept(columns, chosen))
        return _merged(costs, instead, at_standard)

    def price(self, key: PriceKey, moment: datetime) -> Price | None:
        """The price row that holds for the key at a time."""
        return self._book.lookup(
            key.vendor, key.model, moment, service_tier=key.service_tier, region=key.region
        )

    def _costs(self, key: PriceKey, columns: Columns) -> Costs:
        count = len(columns["time"])
        moments = self._moments(key, columns["time"])
        together = self._book.price_group(
            key._asdict(), min(moments), max(moments), {**columns, "reported_cost": (None,) * count}
        )
        if isinstance(together, GroupCost):
            return Costs(
                together.cost_picos, together.list_cost_picos, as_input=_group_as_input(together, columns)
            )
        each: Iterator[Priced]
        if together is not None:
            each = repeat(together, count)
        else:
            calls = self._calls(key, columns, count)
            times = moments if len(moments) == count else repeat(moments[0], count)
            price = self._book.price
            each = (price(call, at=moment) for call, moment in zip(calls, times, strict=True))
        costs: list[int | None] = []
        listed: list[int | None] = []
        reasons: dict[int, Reason] = {}
        known: dict[str, Reason] = {}
        as_input = AsInput()
        for place, priced in enumerate(each):
            costs.append(priced.cost_picos)
            listed.append(priced.list_cost_picos)
            if priced.cost_picos is None:
                why = priced.unpriced_reason
                if why not in known:
                    moment = moments[place] if len(moments) == count else moments[0]
                    known[why] = self._reason(key, moment, priced)
                reasons[place] = known[why]
            elif columns["cache_read_tokens"][place]:
                as_input.add(_call_as_input(priced, columns, place))
        return Costs(costs, listed, reasons, as_input)

    def _moments(self, key: PriceKey, times: Sequence[datetime]) -> Sequence[datetime]:
        """When each call is priced: one moment where it is the same for all."""
        at = self.at
        if at is None:
            return times
        if not self._depends_on_the_hour(key, at):
            return (at,)
        return [at + (moment - at) % _WEEK for moment in times]

    def _depends_on_the_hour(self, key: PriceKey, at: datetime) -> bool:
        if key not in self._by_hour:
            standard = key._replace(service_tier=STANDARD)
            rows = (self.price(each, at + later) for each in {key, standard} for later in _HALF_HOURS)
            self._by_hour[key] = any(row is not None and row.schedule is not None for row in rows)
        return self._by_hour[key]

    def _calls(self, key: PriceKey, columns: Columns, count: int) -> Iterator[Any]:
        nothing = {"reported_cost": repeat(None, count), "reported_currency": repeat("", count)}
        alike = {name: repeat(value, count) for name, value in key._asdict().items()}
        values = {**columns, **alike, **nothing}
        return map(_Call._make, zip(*(values[name] for name in _FIELDS), strict=True))

    def _reason(self, key: PriceKey, moment: datetime, priced: Priced) -> Reason:
        why = priced.unpriced_reason
        if priced.native_cost_picos is not None:
            return Reason("no_exchange_rate", why)
        if self.price(key, moment) is not None:
            return Reason("not_covered", why)
        standard = key._replace(service_tier=STANDARD)
        if service_tier_name(key.service_tier) != STANDARD and self.price(standard, moment) is not None:
            return Reason("tier_not_offered", key.service_tier)
        if key.region and self._has_other_regions(key, moment):
            return Reason("region_not_offered", key.region)
        return Reason("no_price", why)

    def _has_other_regions(self, key: PriceKey, moment: datetime) -> bool:
        if self.price(key._replace(region=""), moment) is not None:
            return True
        rows = [row for source in self._book.sources for row in source.rows_for(key.vendor, key.model)]
        return bool(rows) and not any(row.is_for_region(key.region) for row in rows)


def _merged(costs: Costs, instead: Costs, places: Sequence[int]) -> Costs:
    """`costs` with those at `places` replaced by the ones of `instead`, in that order."""
    cost, listed, reasons = list(costs.cost_picos), list(costs.list_cost_picos), dict(costs.reasons)
    for number, place in enumerate(places):
        cost[place] = instead.cost_picos[number]
        listed[place] = instead.list_cost_picos[number]
        if number in instead.reasons:
            reasons[place] = instead.reasons[number]
        else:
            del reasons[place]
    as_input = AsInput()
    as_input.add(costs.as_input)
    as_input.add(instead.as_input)
    return Costs(cost, listed, reasons, as_input, len(places) - len(instead.reasons))


def _group_as_input(group: GroupCost, columns: Columns) -> AsInput:
    reads = columns["cache_read_tokens"]
    parts = dict(group.parts)
    if not any(reads) or "cache_read" in parts:
        return AsInput()
    counted = columns["input_tokens"]
    if "cache_write" in parts:
        counted = list(map(int.__sub__, counted, columns["cache_write_tokens"]))
    picos = sum(
        divide_half_even(part * read, tokens)
        for part, read, tokens in zip(parts["input"], reads, counted, strict=True)
    )
    return AsInput(len(reads), sum(reads), picos)


def _call_as_input(priced: Priced, columns: Columns, place: int) -> AsInput:
    parts = dict(priced.parts)
    if "input" not in parts or any(name.startswith("cache_read") for name in parts):
        return AsInput()
    counted = columns["input_tokens"][place]
    if "cache_write" in parts:
        counted -= columns["cache_write_tokens"][place]
    elif "cache_write_1h" in parts:
        counted -= columns["cache_write_1h_tokens"][place]
    counted -= sum(columns[name][place] for part, name in _INNER_INPUTS if part in parts)
    reads = columns["cache_read_tokens"][place]
    if counted <= 0:
        return AsInput(1, reads, 0)
    return AsInput(1, reads, divide_half_even(parts["input"] * reads, counted))
