"""A price that no book knows, seen by what calls are reported to cost: it moved when it did for all workloads at once.

For each workload of such a model and service tier the reported cost of a token is kept as it was and as it has been in
the last hours (an output token is taken for four, one read from a cache for a tenth). A move is told when every
workload's has changed by the same factor and has held there, hour by hour: what changes for one alone, or differently
for each, is another mix of calls, not a price.
"""

from collections.abc import Callable
from math import exp, log
from typing import Final

import msgspec

from streams.detectors.detector import Condition
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.model_use import Owner, owner_of, user_of
from streams.detectors.price_move_report import Affected, Move, moved
from streams.groups import EPOCH, MINUTE
from streams.windows import GroupSums
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.usage.event import TOKEN_FIELDS

_HOURS: Final = 3
_FADING: Final = 0.98
"""What an older hour counts against the one after it."""

_FEWEST_CALLS: Final = 30
_FEWEST_OF_ONE: Final = 100
_FEWEST_BEFORE: Final = 100
_LEAST_FACTOR: Final = log(1.15)
_ALIKE: Final = 0.1
_MOST_OF_CALLS: Final = 0.8
_FORGET_HOURS: Final = 14 * 24
_INPUT, _CACHED, _OUTPUT = (
    TOKEN_FIELDS.index(name) for name in ("input_tokens", "cache_read_tokens", "output_tokens")
)

Series = tuple[str, str, str]
"""Vendor, model, service tier."""


class _Sums(msgspec.Struct, array_like=True):
    usd: float = 0.0
    tokens: float = 0.0
    calls: float = 0.0

    def add(self, other: "_Sums", fading: float = 1.0) -> None:
        self.usd = self.usd * fading + other.usd
        self.tokens = self.tokens * fading + other.tokens
        self.calls = self.calls * fading + other.calls

    @property
    def rate(self) -> float:
        return self.usd / self.tokens


class _Workload(msgspec.Struct, array_like=True):
    """hours: those with calls that are not in `before` yet, the latest last; hour: when it was last called."""

    hour: int
    before: _Sums = msgspec.field(default_factory=_Sums)
    hours: list[_Sums] = msgspec.field(default_factory=list)
    open: _Sums = msgspec.field(default_factory=_Sums)

    def recent(self) -> _Sums:
        total = _Sums()
        for one in self.hours:
            total.add(one)
        return total

    def factor(self) -> float | None:
        """The logarithm of the rate's change; None where it has not held for hours or too little is known."""
        recent = self.recent()
        if len(self.hours) < _HOURS or recent.calls < _FEWEST_CALLS or self.before.calls < _FEWEST_BEFORE:
            return None
        if any(abs(log(one.rate / recent.rate)) > _ALIKE for one in self.hours):
            return None
        return log(recent.rate / self.before.rate)

    def close(self, fresh: bool) -> None:
        """End an hour. fresh: what was before is forgotten, as the price has moved."""
        if fresh:
            self.before, self.hours = self.recent(), []
        if self.open.usd > 0 and self.open.tokens > 0:
            self.hours.append(self.open)
            if len(self.hours) > _HOURS:
                self.before.add(self.hours.pop(0), _FADING)
        self.open = _Sums()


class ReportedRates(msgspec.Struct):
    """One tenant's models that the book has no price for. Fed with whole minutes; late ones are left out."""

    series: dict[Series, dict[Owner, _Workload]] = msgspec.field(default_factory=dict)

    def observe(self, minute: TenantMinute, is_priced: Callable[[GroupRow], bool]) -> list[Condition]:
        """The moves that the last hours show, at the end of an hour."""
        hour = minute.minute // 60
        for row in minute.rows:
            names, sums = row
            if sums.cost_picos and not sums.unpriced_calls and not is_priced(row):
                key = (names["vendor"], names["model"], names["service_tier"])
                owner = owner_of(user_of(names))
                workload = self.series.setdefault(key, {}).setdefault(owner, _Workload(hour))
                workload.open.add(_sums_of(sums))
                workload.hour = hour
        if minute.minute % 60 != 59 or not self.series:
            return []
        conditions = []
        for key, workloads in sorted(self.series.items()):
            for workload in workloads.values():
                workload.close(fresh=False)
            move = _move(key, workloads, hour)
            if move is not None:
                conditions.append(moved(move))
                for workload in workloads.values():
                    workload.close(fresh=True)
            self.series[key] = {
                user: one for user, one in workloads.items() if hour - one.hour < _FORGET_HOURS
            }
        self.series = {key: workloads for key, workloads in self.series.items() if workloads}
        return conditions


def _move(key: Series, workloads: dict[Owner, _Workload], hour: int) -> Move | None:
    found = {user: factor for user, one in workloads.items() if (factor := one.factor()) is not None}
    if not found:
        return None
    factors = list(found.values())
    if min(map(abs, factors)) < _LEAST_FACTOR or max(factors) - min(factors) > _ALIKE:
        return None
    recent = {user: one.recent() for user, one in workloads.items()}
    calls = sum(recent[user].calls for user in found)
    if calls < _MOST_OF_CALLS * sum(one.calls for one in recent.values()):
        return None
    if len(found) == 1 and calls < _FEWEST_OF_ONE:
        return None
    # Hours without calls are not in `hours`: what a day costs is told from what these hours cost, at the most.
    a_day = 24 / _HOURS
    affected = [
        Affected(
            user,
            recent[user].calls * a_day,
            recent[user].usd * a_day / exp(factor),
            recent[user].usd * a_day,
        )
        for user, factor in found.items()
    ]
    affected.sort(key=lambda one: (-abs(one.new_usd - one.old_usd), one.owner))
    vendor, model, _ = key
    old_usd, new_usd = sum(one.old_usd for one in affected), sum(one.new_usd for one in affected)
    began = EPOCH + (hour + 1 - _HOURS) * 60 * MINUTE
    return Move(vendor, model, began, old_usd, new_usd, {}, "", tuple(affected))


def _sums_of(sums: GroupSums) -> _Sums:
    tokens = sums.tokens[_INPUT] - 0.9 * sums.tokens[_CACHED] + 4 * sums.tokens[_OUTPUT]
    return _Sums(sums.cost_picos / PICOS_PER_UNIT, tokens, float(sums.calls))
