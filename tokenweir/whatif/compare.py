"""The comparison itself: pages of calls in, sums by workload and candidate out.

Pure: the price book, the catalog's facts and the time come in. What is kept is a few numbers for each workload and
candidate, whatever the number of calls.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from tokenweir.money import picos_from_decimal
from tokenweir.pricing import PriceBook
from tokenweir.whatif.answer import Answer, Period, answer_of
from tokenweir.whatif.candidate import Candidate
from tokenweir.whatif.repricing import Repricer
from tokenweir.whatif.tally import Picos, Tally, Traffic
from tokenweir.whatif.traffic import Columns, Group, PriceKey, groups_of, kept

_Workload = tuple[str, ...]


class WhatIf:
    """What the calls that are added cost, and would cost on each of some candidates."""

    def __init__(
        self,
        book: PriceBook,
        candidates: Sequence[Candidate],
        *,
        at: datetime | None,
        by: Sequence[str] = (),
        models: Collection[tuple[str, str]] | None = None,
        standard_instead: bool = False,
    ) -> None:
        """at: the time whose prices hold; None for each call's own. by: the dimensions of a workload.

        models: (vendor, model) of the calls to look at; None for all. standard_instead: price a call in the standard
        tier where the candidate does not offer the call's own.
        """
        self._candidates = tuple(candidates)
        self._repricer = Repricer(book, at)
        self._at = at
        self._by = tuple(by)
        self._models = frozenset(models) if models is not None else None
        self._standard_instead = standard_instead
        self._traffic: dict[_Workload, Traffic] = {}
        self._tallies: list[dict[_Workload, Tally]] = [{} for _ in self._candidates]
        self._times: tuple[datetime, datetime] | None = None

    def add(self, columns: Columns) -> None:
        """Count calls. columns: COLUMNS and the dimensions of a workload; `billed_cost` is Decimal or None."""
        for group in groups_of(columns, self._by, by_day=self._at is None):
            if self._models is None or (group.key.vendor, group.key.model) in self._models:
                self._add(group)

    def answer(self, period: Period) -> Answer:
        """What was counted so far, the best candidate first. period: what was asked for."""
        return answer_of(
            self._candidates,
            self._traffic,
            self._tallies,
            self._by,
            period.within(self._times),
            self._repricer,
        )

    def _add(self, group: Group) -> None:
        times = group.columns["time"]
        first, last = self._times or (times[0], times[0])
        self._times = min(first, *times), max(last, *times)
        billed = [cost if cost is None else picos_from_decimal(cost) for cost in group.columns["billed_cost"]]
        same_prices = self._repricer.costs(group.key, group.columns).cost_picos
        self._traffic.setdefault(group.workload, Traffic()).count(group.columns, billed, same_prices)
        for candidate, tallies in zip(self._candidates, self._tallies, strict=True):
            tally = tallies.setdefault(group.workload, Tally())
            self._move(group, candidate, tally, billed, same_prices)

    def _move(
        self, group: Group, candidate: Candidate, tally: Tally, billed: Picos, same_prices: Picos
    ) -> None:
        """Count a group on a candidate."""
        columns = candidate.counted(group.columns)
        unable = candidate.unable(group, columns, self._at)
        if unable:
            tally.leave_out(unable, billed)
            if len(unable) == len(group):
                return
            able = [place not in unable for place in range(len(group))]
            columns = kept(columns, able)
            billed, same_prices = _at_places(billed, able), _at_places(same_prices, able)
        region = group.key.region if candidate.region is None else candidate.region
        key = PriceKey(candidate.vendor, candidate.model, group.key.service_tier, region)
        costs = self._repricer.costs(key, columns, standard_instead=self._standard_instead)
        tally.count(columns, costs, billed, same_prices)


def _at_places(values: Sequence[Any], chosen: Sequence[bool]) -> list[Any]:
    return [value for value, is_chosen in zip(values, chosen, strict=True) if is_chosen]
