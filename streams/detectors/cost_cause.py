"""Of all levels that cost too much at one moment, those at which the cause sits.

A loop of one service makes its team, its project, its model and the tenant dear, too. Told is the narrowest level that
explains most of what the widest owner has too much, of a workload that makes more calls half of it (the rest is what
others happen to spend just then); else the few of one level that do so together; else the owner. What is mostly the
cost of something that is told already is not told again.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from streams.detectors.cost_series import BUCKETS_AN_HOUR, MINUTES_A_DAY
from streams.detectors.levels import OWNED, WORKLOAD, LevelKey, is_in
from streams.detectors.usual_mix import UsualMix
from tokenweir.money import PICOS_PER_UNIT

_EXPLAINS: Final = 0.7
_COUNTS: Final = 0.2
_FEW: Final = 3
_NARROWEST_FIRST: Final = (3, 6, 2, 4, 5, 1)
"""Of LEVELS: a workload, a model, a team, a key, a vendor, a project."""
_LATELY_BUCKETS: Final = 3
_SAME_CAUSE: Final = 0.5

Costs = Sequence[tuple[Mapping[str, str], int]]
"""Groups by their names, each with what it cost in units of 10^-12 USD."""


class Excess(NamedTuple):
    """A series that costs too much. usd_per_day: at the rate of now, above the usual. usual_usd: of a bucket."""

    key: LevelKey
    usd_per_day: float
    usual_usd: float
    at_once: bool


class Spent(NamedTuple):
    """What was spent lately. buckets: of the last hour, the latest last. latest: in the latest minute.

    is_open: whether that minute is in no bucket yet. to_whole: the factor that makes of it what it comes to.
    """

    buckets: Sequence[Costs]
    latest: Costs
    is_open: bool
    to_whole: float


def causes(
    found: Sequence[Excess],
    spent: Spent,
    told: Collection[LevelKey],
    told_lately: Collection[LevelKey],
    mix: UsualMix,
) -> list[Excess]:
    """Those of `found` where it comes from. told: incidents under way. told_lately: those, and who just had one."""
    # What rests on the last hour is not told of an incident that was still in it.
    left = [
        excess
        for excess in found
        if not _is_explained(excess, spent, told if excess.at_once else told_lately)
    ]
    chosen: list[Excess] = []
    while owned := [excess for excess in left if excess.key[0] in OWNED]:
        widest = max(owned, key=lambda excess: (excess.usd_per_day, -excess.key[0]))
        explaining = _explaining(left, widest, mix)
        chosen += explaining
        taken = {widest.key, *(cause.key for cause in explaining)}
        left = [
            excess
            for excess in left
            if excess.key not in taken
            and not _is_explained(excess, spent, [cause.key for cause in explaining])
        ]
    return chosen


def _explaining(found: Sequence[Excess], widest: Excess, mix: UsualMix) -> list[Excess]:
    """Of all that cost too much, the narrowest that explains most of the widest, else the few that do together."""
    most = _EXPLAINS * widest.usd_per_day
    several: list[Excess] = []
    for level in _NARROWEST_FIRST:
        here = [e for e in found if e.key[0] == level and e.usd_per_day >= _COUNTS * widest.usd_per_day]
        here.sort(key=lambda excess: (-excess.usd_per_day, excess.key))
        is_most = here and here[0].usd_per_day >= _SAME_CAUSE * widest.usd_per_day
        if is_most and level == WORKLOAD and _is_by_calls(here[0], mix):
            return here[:1]
        if here and here[0].usd_per_day >= most and not (several and _is_by_calls(here[0], mix)):
            return here[:1]
        if not several and sum(excess.usd_per_day for excess in here[:_FEW]) >= most:
            several = here[:_FEW]
    return several or [widest]


def _is_by_calls(excess: Excess, mix: UsualMix) -> bool:
    """Whether it costs more because there are more calls, which those who call have done, not who is called."""
    usual = excess.usual_usd * BUCKETS_AN_HOUR
    steps = mix.bridge(excess.key, (), usual + excess.usd_per_day / 24, usual)
    return bool(steps) and steps[0].component == "calls"


def _is_explained(excess: Excess, spent: Spent, by: Collection[LevelKey]) -> bool:
    """Whether most of what the series costs, or costs too much, is the cost of a cause.

    What it costs is that of the last minutes, or of the last hour; what it costs too much, that of the latest minute.
    """
    if not by:
        return False
    _, shared = _costs(excess.key, spent.latest, by)
    if (
        shared
        and shared * spent.to_whole * MINUTES_A_DAY >= _SAME_CAUSE * excess.usd_per_day * PICOS_PER_UNIT
    ):
        return True
    open_minute = spent.latest if spent.is_open else ()
    for buckets in (spent.buckets[-_LATELY_BUCKETS:], spent.buckets):
        total, shared = _costs(excess.key, [*chain.from_iterable(buckets), *open_minute], by)
        if total and shared >= _SAME_CAUSE * total:
            return True
    return False


def _costs(key: LevelKey, costs: Costs, by: Collection[LevelKey]) -> tuple[int, int]:
    """What a series cost, and how much of that some others, in units of 10^-12 USD."""
    total = shared = 0
    for names, picos in costs:
        if is_in(names, key):
            total += picos
            if any(is_in(names, cause) for cause in by):
                shared += picos
    return total, shared
