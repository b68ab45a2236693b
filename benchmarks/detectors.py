"""How good the detectors are, and what they cost: judged on simulated fleets, and timed on a hundred thousand series.

A fleet's story says what was planted and where. A signal that opens at that scope, while it lasts or in its first
minutes, found it; one that opens elsewhere is false. Fleets are simulated and metered first, which is not in the time
of the detectors. Baselines are what they are always used for here: series of five minutes, judged and learnt from.
"""

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np

from benchmarks.measure import Measurement, clock
from producers.simulation import Story
from streams.detectors.baseline import Baselines
from streams.detectors.cost_spike import CostSpike
from streams.detectors.incidents import Incidents
from tests.detectors.feeding import fleet, observe
from tokenweir.signals import Signal

SEEDS_VARIABLE: Final = "TOKENWEIR_BENCH_SEEDS"
"""How many fleets are judged on; one takes about a minute. `TOKENWEIR_BENCH_SEEDS=20 make bench` is the whole trial."""

_SEEDS: Final = 2
_SERIES: Final = 100_000
_FEWER_SERIES: Final = 10_000
_STEP_SECONDS: Final = 300.0
_BUCKETS: Final = 60
_LATE: Final = timedelta(minutes=20)
_WEEK_SECONDS: Final = 7 * 86_400


class Judgement(NamedTuple):
    """What the signals of some fleets come to. delays_seconds: of what was found. weeks: of fleet, looked at."""

    planted: int
    found: int
    false: int
    delays_seconds: list[float]
    first_contributors: int
    weeks: float


def run(seeds: int | None = None, days: int = 30, series: int = _SERIES) -> list[Measurement]:
    """Precision, recall and delay of cost spikes, and the time of a bucket of many series."""
    seeds = seeds if seeds is not None else int(os.environ.get(SEEDS_VARIABLE, _SEEDS))
    judged: list[Judgement] = []
    with clock() as taken:
        for seed in range(1, seeds + 1):
            story, signals = signals_of(seed, days)
            judged.append(judge_cost_spikes(story, signals))
    return [*_quality("cost_spike", judged, taken.cpu_seconds), *_baselines(series)]


def signals_of(seed: int, days: int) -> tuple[Story, list[Signal]]:
    """All that is signalled of a fleet's cost."""
    feed = fleet(seed, days=days)
    detector = CostSpike(feed.surroundings())
    incidents = Incidents(feed.story.tenant)
    signals: list[Signal] = []
    for minute, said in observe([detector], feed.minutes(), open_minutes=True):
        signals += incidents.tick(minute, said)
    return feed.story, signals


def judge_cost_spikes(story: Story, signals: Iterable[Signal]) -> Judgement:
    """Runaway loops are to be found at their service; nothing else in the story is a spike of cost."""
    loops = story.of_kind("runaway_loop")
    delays: list[float] = []
    found: set[str] = set()
    named = false = 0
    for signal in signals:
        if signal.state != "open" or signal.subject != "up":
            false += int(signal.state == "open")
            continue
        cause = next(
            (
                loop
                for loop in loops
                if loop.scope == signal.scope
                and loop.started_at <= signal.observed_at < loop.ended_at + _LATE
            ),
            None,
        )
        if cause is None or cause.id in found:
            false += 1
            continue
        found.add(cause.id)
        delays.append((signal.observed_at - cause.started_at).total_seconds())
        first = signal.contributors[0].component if signal.contributors else ""
        named += int(first == cause.contributors[0].component)
    weeks = (story.ended_at - story.started_at).total_seconds() / _WEEK_SECONDS
    return Judgement(len(loops), len(found), false, delays, named, weeks)


def _quality(kind: str, judged: list[Judgement], cpu_seconds: float) -> list[Measurement]:
    planted = sum(one.planted for one in judged)
    found = sum(one.found for one in judged)
    false = sum(one.false for one in judged)
    weeks = sum(one.weeks for one in judged)
    delays = sorted(delay for one in judged for delay in one.delays_seconds)
    named = sum(one.first_contributors for one in judged)
    note = (
        f"{len(judged)} simulated fleets, {weeks:.1f} fleet-weeks; {found} of {planted} found, {false} false"
    )
    return [
        Measurement(f"{kind}_recall", found / planted if planted else None, "share", note=note, bar=1.0),
        Measurement(
            f"{kind}_precision",
            found / (found + false) if found + false else None,
            "share",
            note=f"the right cause is named first in {named} of {found}",
        ),
        Measurement(
            f"{kind}_false_signals",
            false / weeks if weeks else None,
            "a fleet-week",
            bar=1.0,
            higher_is_better=False,
            cpu_seconds=cpu_seconds,
        ),
        Measurement(
            f"{kind}_delay_median",
            delays[len(delays) // 2] if delays else None,
            "s",
            bar=75.0,
            higher_is_better=False,
            note=f"event time, from the first extra call; the longest {max(delays, default=0):.0f} s",
        ),
    ]


def _baselines(series: int) -> list[Measurement]:
    fewer = max(1, series * _FEWER_SERIES // _SERIES)
    many, few = (_seconds_a_bucket(count) for count in (series, fewer))
    kib = many[1] / series / 1024
    return [
        Measurement(
            "baselines_bucket",
            many[0] * 1000,
            "ms",
            baseline=few[0] * 1000,
            baseline_is=f"{fewer:,} series",
            higher_is_better=False,
            note=f"{series:,} series judged and learnt from once in five minutes; {kib:.1f} KiB each",
        )
    ]


def _seconds_a_bucket(count: int) -> tuple[float, int]:
    """CPU seconds of a bucket of `count` live series, and the bytes that they hold."""
    dice = np.random.default_rng(1)
    baselines = Baselines(_STEP_SECONDS)
    indexes = baselines.open(count)
    rates = dice.lognormal(0.0, 1.0, count)
    best = float("inf")
    for bucket in range(_BUCKETS):
        values = rates * dice.lognormal(0.0, 0.3, count)
        with clock() as taken:
            baselines.judge(indexes, bucket * _STEP_SECONDS, values)
        if bucket > _BUCKETS // 2:
            best = min(best, taken.cpu_seconds)
    return best, len(baselines.state())
