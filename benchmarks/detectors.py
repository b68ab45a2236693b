"""How good the detectors are: judged on simulated fleets. What they cost is measured in `benchmarks.live_series`.

A fleet's story says what was planted and where. A signal that opens at that scope, while it lasts or in its first
minutes, found it; one that opens elsewhere is false. Slow answers are planted by changing a fleet's minutes, and judged
on their own. Fleets are simulated and metered first, which is not in the time of the detectors.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from math import inf
from typing import Final, NamedTuple

from benchmarks.loop_time import SOON_CALLS, SOON_SECONDS, its_time_seconds
from benchmarks.measure import Measurement, clock
from producers.simulation import Story
from streams.detectors.incidents import Incidents
from streams.detectors.registry import detectors
from streams.groups import EPOCH, MINUTE
from tests.detectors.feeding import Feed, fleet, observe
from tests.detectors.judging_errors import judge_errors
from tests.detectors.judging_latency import judge_latency, latency_signals, plans_of, slower
from tests.detectors.judging_moves import judge_moves
from tokenweir.signals import Signal

SEEDS_VARIABLE: Final = "TOKENWEIR_BENCH_SEEDS"
"""How many fleets are judged on; one takes two minutes. `TOKENWEIR_BENCH_SEEDS=20 make bench` is the whole trial."""

_SEEDS: Final = 2
_LATE: Final = timedelta(minutes=20)
_FIRST_MINUTES: Final = 5


class Judgement(NamedTuple):
    """What one detector's signals of one fleet come to. delays_seconds: of what was found, in event time.

    beside: how many of the false ones tell of what was planted, but at another level, or once more. late: how many were
    found after their time.
    """

    planted: int
    found: int
    false: int
    delays_seconds: list[float]
    first_contributors: int
    beside: int = 0
    late: int = 0


def run(seeds: int | None = None, days: int = 30) -> list[Measurement]:
    """Precision, recall and delay of each detector."""
    seeds = seeds if seeds is not None else int(os.environ.get(SEEDS_VARIABLE, _SEEDS))
    judged: dict[str, list[Judgement]] = {kind: [] for kind in _JUDGES}
    told: Counter[str] = Counter()
    detecting = 0.0
    slow: list[Judgement] = []
    for seed in range(1, seeds + 1):
        feed = fleet(seed, days=days)
        slow.append(_judge_latency(feed, seed))
        with clock() as taken:
            signals = signals_of(feed)
        detecting += taken.cpu_seconds
        told.update(signal.kind for signal in signals if signal.state == "open")
        for kind, judge in _JUDGES.items():
            judged[kind].append(judge(feed, [signal for signal in signals if signal.kind == kind]))
    weeks = seeds * days / 7
    found = [
        measurement
        for kind, each in [*judged.items(), ("latency", slow)]
        for measurement in _quality(kind, each)
    ]
    false = sum(one.false for each in judged.values() for one in each)
    false += sum(told[kind] for kind in _NEVER_PLANTED)
    others = ", ".join(f"{count} {kind}" for kind, count in sorted(told.items()) if kind not in _JUDGES)
    return [
        *found,
        Measurement(
            "detectors_false_signals",
            false / weeks if weeks else None,
            "a fleet-week",
            bar=1.0,
            higher_is_better=False,
            cpu_seconds=detecting,
            note=f"{seeds} simulated fleets, {weeks:.1f} fleet-weeks, all detectors at once; "
            f"told besides: {others or 'nothing'}",
        ),
    ]


def signals_of(feed: Feed) -> list[Signal]:
    """All that is signalled of a fleet."""
    watching = detectors(feed.surroundings())
    incidents = Incidents(feed.story.tenant)
    signals: list[Signal] = []
    for minute, said in observe(watching, feed.minutes(growing=True)):
        signals += incidents.tick(minute, said)
    return signals


def judge_cost_spikes(
    story: Story, signals: Iterable[Signal], calls_per_minute: Mapping[str, float] | None = None
) -> Judgement:
    """Runaway loops are to be found at their service; nothing else in the story is a spike of cost.

    calls_per_minute: of the loops, by their id; where it is not given, they are taken to call often.
    """
    rates = calls_per_minute or {}
    loops = story.of_kind("runaway_loop")
    delays: list[float] = []
    found: set[str] = set()
    named = false = late = 0
    for signal in signals:
        if signal.state != "open":
            continue
        cause = next(
            (
                loop
                for loop in loops
                if signal.subject == "up"
                and loop.scope == signal.scope
                and loop.started_at <= signal.observed_at < loop.ended_at + _LATE
            ),
            None,
        )
        if cause is None or cause.id in found:
            false += 1
            continue
        found.add(cause.id)
        delays.append((signal.observed_at - cause.started_at).total_seconds())
        late += delays[-1] > its_time_seconds(rates.get(cause.id, inf))
        first = signal.contributors[0].component if signal.contributors else ""
        named += int(first == cause.contributors[0].component)
    return Judgement(len(loops), len(found), false, delays, named, late=late)


def loop_rates(feed: Feed) -> dict[str, float]:
    """Calls a minute of each loop's service in its first minutes, by the loop's id."""
    found: dict[str, float] = {}
    for loop in feed.story.of_kind("runaway_loop"):
        first = (loop.started_at - EPOCH) // MINUTE
        scope = {field: value for field, value in loop.scope.items() if field != "tenant"}
        found[loop.id] = sum(
            row.sums.calls / _FIRST_MINUTES
            for one in feed.arrived
            if first < one.minute <= first + _FIRST_MINUTES
            for row in one.rows
            if all(row.names[field] == value for field, value in scope.items())
        )
    return found


def judge_price_moves(story: Story, signals: Iterable[Signal]) -> Judgement:
    """A price cut is to be told at its model when it begins; later, once, whether volume has followed."""
    cuts = story.of_kind("price_cut")
    delays: list[float] = []
    told: set[tuple[str, str]] = set()
    named = false = 0
    for signal in signals:
        if signal.state != "open":
            continue
        cut = next((cut for cut in cuts if _at(story, cut.scope, signal)), None)
        about = (cut.id if cut else "", signal.subject)
        if cut is None or about in told or signal.observed_at < cut.started_at:
            false += 1
            continue
        told.add(about)
        if signal.subject == "price":
            delays.append((signal.observed_at - cut.started_at).total_seconds())
            named += bool(signal.contributors) and signal.contributors[0].component == "price"
    return Judgement(len(cuts), len(delays), false, delays, named)


def judge_retirements(story: Story, signals: Iterable[Signal]) -> Judgement:
    """A model that stops is to be told of while it still answers. Others are told of once, by the catalog's dates."""
    stopping = story.of_kind("retirement")
    told: dict[str, Signal] = {}
    false = 0
    for signal in signals:
        if signal.state != "open":
            continue
        false += signal.fingerprint in told
        told.setdefault(signal.fingerprint, signal)
    found = [
        signal
        for signal in told.values()
        if any(_at(story, one.scope, signal) and signal.observed_at < one.ended_at for one in stopping)
    ]
    named = sum(bool(signal.contributors) for signal in found)
    return Judgement(len(stopping), len(found), false, [], named)


def _at(story: Story, scope: Mapping[str, str], signal: Signal) -> bool:
    """Whether a signal is told at a scope of the story, which names the tenant only where a workload is meant."""
    return {"tenant": story.tenant, **scope} == signal.scope


def _judge_errors(feed: Feed, signals: Sequence[Signal]) -> Judgement:
    judged = judge_errors(feed, signals)
    found = len(judged.delays_seconds)
    return Judgement(judged.planted, found, len(judged.wrong), judged.delays_seconds, found)


def _judge_moves(feed: Feed, signals: Sequence[Signal]) -> Judgement:
    judged = judge_moves(feed.story, signals)
    delays = [move.delay_hours * 3600 for move in judged.moves if move.delay_hours is not None]
    return Judgement(len(judged.moves), len(delays), len(judged.false), delays, len(delays))


def _judge_latency(feed: Feed, seed: int) -> Judgement:
    """Of a fleet whose answers were made slow here and there: its own story plants no such thing."""
    plans = plans_of(feed, seed)
    judged = judge_latency(
        feed.story, plans, latency_signals(feed.story.tenant, slower(feed.minutes(), plans))
    )
    found = len(judged.delays_seconds)
    times = [(EPOCH + plan.begins * MINUTE, EPOCH + plan.ends * MINUTE + _LATE) for plan in plans]
    beside = sum(any(begins <= one.observed_at <= ends for begins, ends in times) for one in judged.wrong)
    return Judgement(judged.planted, found, len(judged.wrong), judged.delays_seconds, found, beside)


_JUDGES: Final[dict[str, Callable[[Feed, Sequence[Signal]], Judgement]]] = {
    "cost_spike": lambda feed, signals: judge_cost_spikes(feed.story, signals, loop_rates(feed)),
    "errors": _judge_errors,
    "migration": _judge_moves,
    "price_move": lambda feed, signals: judge_price_moves(feed.story, signals),
    "retirement": lambda feed, signals: judge_retirements(feed.story, signals),
}
_NEVER_PLANTED: Final = ("latency", "rejects")
"""No fleet's story has any, so each that is told of one is false."""
_DELAY_BARS: Final = {"cost_spike": SOON_SECONDS, "price_move": SOON_SECONDS}
"""Seconds. An error or a slow answer shows with the calls that it meets, a migration over hours: no clock fits them."""


def _quality(kind: str, judged: list[Judgement]) -> list[Measurement]:
    planted = sum(one.planted for one in judged)
    found = sum(one.found for one in judged)
    false = sum(one.false for one in judged)
    named = sum(one.first_contributors for one in judged)
    delays = sorted(delay for one in judged for delay in one.delays_seconds)
    note = f"{found} of {planted} planted found, {false} false"
    if beside := sum(one.beside for one in judged):
        note += f", {beside} of them of what was planted, at another level or once more"
    if kind in ("cost_spike", "price_move"):
        note += f"; the right cause is named first in {named}"
    return [
        Measurement(f"{kind}_recall", found / planted if planted else None, "share", bar=1.0, note=note),
        Measurement(f"{kind}_precision", found / (found + false) if found + false else None, "share"),
        Measurement(
            f"{kind}_delay_median",
            delays[len(delays) // 2] if delays else None,
            "s",
            bar=_DELAY_BARS.get(kind),
            higher_is_better=False,
            note=f"event time; the longest {max(delays, default=0):,.0f} s" + _late(kind, judged),
        ),
    ]


def _late(kind: str, judged: list[Judgement]) -> str:
    late = sum(one.late for one in judged)
    return (
        f", {late} not within {SOON_SECONDS:.0f} s nor by call {SOON_CALLS}" if kind == "cost_spike" else ""
    )
