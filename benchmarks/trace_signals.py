"""Runaway loops planted in the recorded traffic of real services: which are told, how soon, and what is told besides.

Three traces of about an hour are each split into four services of very different size, a call at its own time with its
own tokens, and repeated hour by hour: the first eight days are only learnt from, so that every day was seen, and
the hours after them have the loops. Times of events are kept: an hour of a trace is an hour to the detectors, which are
fed through the real meter and the real detection of a tenant, in steps of five seconds with the open minute where there
may be loops, in minutes before. How many times faster than its own time all of that ran is measured, too: it is to be
60 at least.

A loop repeats one call of a service, 10, 50 or 1000 times as often as the service usually calls, for twenty minutes.
One that is worth less a day than the settings ask for is not to be told: it is a control, as are all the hours and
services without a loop. Reference data is kept beside the repository (`benchmarks.known_costs.shared_data`).
"""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final, NamedTuple

import msgspec

from benchmarks.known_costs import shared_data
from benchmarks.loop_time import SOON_CALLS, SOON_SECONDS
from benchmarks.measure import Measurement, clock
from benchmarks.trace_loops import (
    HOUR_MS,
    LEARNING_HOURS,
    RATIOS,
    START,
    TENANT,
    Loop,
    Service,
    planted,
    services_of,
)
from streams.detection.tenant import TenantDetection
from streams.detectors.detector import Surroundings
from streams.detectors.registry import detectors
from streams.groups import EPOCH
from streams.meter import Meter
from streams.windows import MinuteWindow, decode_windows
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import HEADERS, encode_batch

STEP_MS: Final = 5_000
LOOP_MINUTES: Final = 20
_STEPS_A_MINUTE: Final = 60_000 // STEP_MS
_LATE: Final = timedelta(minutes=10)
_SPEED: Final = 60.0


class Judged(NamedTuple):
    """What was told of some loops. delays_seconds: by ratio, of those that were told; late: not within their time."""

    loops: list[Loop]
    delays_seconds: dict[int, list[float]]
    cheap_told: int
    false: list[Signal]
    late: int


def run(seeds: int = 2, hours: int = 12) -> list[Measurement]:
    """Precision, recall, delay and speed. hours: those with loops, of each seed."""
    services = services_of(shared_data() / "traces")
    if not services:
        return [Measurement("trace_signals", None, "", note="the traces are not beside the repository")]
    learnt = learn(services)
    judged = []
    with clock() as taken:
        for seed in range(1, seeds + 1):
            loops = planted(services, seed, hours)
            judged.append(judge(loops, signals_of(learnt, loops, seed, hours)))
    speed = seeds * hours * 3600 / taken.wall_seconds
    worth = [loop for one in judged for loop in one.loops if loop.is_worth_telling]
    cheap = sum(len(one.loops) for one in judged) - len(worth)
    delays = {ratio: sorted(d for one in judged for d in one.delays_seconds[ratio]) for ratio in RATIOS}
    every = sorted(delay for each in delays.values() for delay in each)
    false = [signal for one in judged for signal in one.false]
    by_ratio = "; ".join(
        f"{ratio} times: {len(found)} of {sum(loop.ratio == ratio for loop in worth)} told"
        + (f" after {found[len(found) // 2]:.0f} s, at most {found[-1]:.0f} s" if found else "")
        for ratio, found in delays.items()
    )
    told = sum(one.cheap_told for one in judged)
    notes = f"{by_ratio}; {told} of {cheap} that are worth too little were told"
    besides = "; ".join(f"{signal.kind} of {signal.scope}" for signal in false) or "nothing"
    found, said = len(every), len(every) + len(false)
    late = sum(one.late for one in judged)
    return [
        Measurement(
            "trace_loops_recall", found / len(worth) if worth else None, "share", bar=1.0, note=notes
        ),
        Measurement(
            "trace_loops_precision",
            found / said if said else None,
            "share",
            note=f"{seeds * hours} hours of {len(services)} services with loops; told besides: {besides}",
        ),
        Measurement(
            "trace_loops_delay_median",
            every[len(every) // 2] if every else None,
            "s",
            bar=SOON_SECONDS,
            higher_is_better=False,
            note=f"from the loop's beginning, in the trace's own time; the longest {max(every, default=0):.0f} s",
        ),
        Measurement(
            "trace_loops_in_time",
            (found - late) / found if found else None,
            "share",
            bar=1.0,
            note=f"{late} of {found} not within {SOON_SECONDS:.0f} s nor by call {SOON_CALLS}",
        ),
        Measurement(
            "trace_speed",
            speed,
            "times its own",
            bar=_SPEED,
            note="the hours with loops: the meter for the loops' own calls, the detection for all",
        ),
    ]


class Learnt(NamedTuple):
    """What is known after the hours that are only learnt from. hour: the windows of the usual hour, step by step."""

    state: bytes
    hour: list[list[MinuteWindow]]


def learn(services: Sequence[Service]) -> Learnt:
    """See the usual hours. Raises ValueError where something is signalled of them."""
    hour = _hour_of_windows(Meter(PriceBook.default()), services)
    detection = _detection()
    for number in range(0, LEARNING_HOURS * len(hour), _STEPS_A_MINUTE):
        windows = [window for step in range(_STEPS_A_MINUTE) for window in _at(hour, number + step)]
        signals = _advance(detection, windows, (number + _STEPS_A_MINUTE) * STEP_MS)
        if signals:
            raise ValueError(f"{signals[0].kind} is told of hours in which nothing happens")
    return Learnt(detection.state(), hour)


def signals_of(learnt: Learnt, loops: Sequence[Loop], seed: int, hours: int) -> list[Signal]:
    """All that is told of the hours after those that were learnt from."""
    detection = _detection()
    detection.restore(learnt.state)
    meter = Meter(PriceBook.default())
    dice = Random(f"calls/{seed}")
    signals: list[Signal] = []
    first = LEARNING_HOURS * len(learnt.hour)
    for number in range(first, first + hours * len(learnt.hour)):
        begins_ms = number * STEP_MS
        windows = _at(learnt.hour, number)
        for looped, loop in enumerate(loops):
            if loop.begins_ms < begins_ms + STEP_MS and begins_ms < loop.begins_ms + LOOP_MINUTES * 60_000:
                windows += _windows(meter, _repeated(loop, begins_ms, dice), number, 1 + looped)
        signals += _advance(detection, windows, begins_ms + STEP_MS)
    return signals


def _detection() -> TenantDetection:
    settings = DetectionSettings()
    surroundings = Surroundings(book=PriceBook.default(), catalog=Catalog.default(), settings=settings)
    return TenantDetection(TENANT, lambda: detectors(surroundings), settings)


def _advance(detection: TenantDetection, windows: list[MinuteWindow], after_ms: int) -> list[Signal]:
    """What is told once these have come, so long after the start."""
    clock_ms = (START - EPOCH) // timedelta(milliseconds=1) + after_ms
    detection.take(windows, clock_ms)
    detection.certify(clock_ms)
    return detection.advance(clock_ms)[0]


def _at(hour: list[list[MinuteWindow]], number: int) -> list[MinuteWindow]:
    """The windows of the usual hour's step that falls on this step since the start."""
    hours, place = divmod(number, len(hour))
    return [
        msgspec.structs.replace(
            window,
            minute=window.minute + timedelta(hours=hours),
            partial_id=f"usage/0/{number}@{number * STEP_MS}",
        )
        for window in hour[place]
    ]


def _hour_of_windows(meter: Meter, services: Sequence[Service]) -> list[list[MinuteWindow]]:
    """What the meter makes of an hour of all services, step by step."""
    steps: list[list[UsageEvent]] = [[] for _ in range(HOUR_MS // STEP_MS)]
    for service in services:
        for number, request in enumerate(service.requests):
            at = START + timedelta(milliseconds=request.at_ms)
            name = f"{service.scope['service']}-{number}"
            steps[request.at_ms // STEP_MS].append(service.event(request, at, name))
    return [_windows(meter, events, number, 0) for number, events in enumerate(steps)]


def _repeated(loop: Loop, begins_ms: int, dice: Random) -> list[UsageEvent]:
    """The loop's own calls of one step, besides the usual ones."""
    first = max(begins_ms, loop.begins_ms)
    last = min(begins_ms + STEP_MS, loop.begins_ms + LOOP_MINUTES * 60_000)
    mean = loop.ratio * len(loop.service.requests) * (last - first) / HOUR_MS
    calls = int(mean) + (dice.random() < mean - int(mean))
    return [
        loop.service.event(
            loop.repeated,
            START + timedelta(milliseconds=dice.randrange(first, last)),
            f"loop-{first}-{number}",
        )
        for number in range(calls)
    ]


def _windows(meter: Meter, events: list[UsageEvent], number: int, partition: int) -> list[MinuteWindow]:
    if not events:
        return []
    output = meter.step(
        encode_batch(events),
        headers=HEADERS,
        topic="usage",
        partition=partition,
        offset=number,
        reported_at_ms=0,
        now=START + timedelta(days=30),
    )
    if output.refused_lines:
        raise ValueError(f"the meter refused {output.refused_lines} calls of the traces")
    return [window for _, lines in output.windows for window in decode_windows(lines)]


def judge(loops: list[Loop], signals: Sequence[Signal]) -> Judged:
    """A loop is told by the first spike that opens at its service while it lasts, or soon after; all else is false."""
    delays: dict[int, list[float]] = {ratio: [] for ratio in RATIOS}
    cheap = late = 0
    false: list[Signal] = []
    told: set[int] = set()
    for signal in signals:
        if signal.state != "open":
            continue
        number = next((number for number, loop in enumerate(loops) if _is_of(signal, loop)), None)
        if number is None or number in told:
            false.append(signal)
            continue
        told.add(number)
        loop = loops[number]
        if loop.is_worth_telling:
            delay = (signal.observed_at - loop.started_at).total_seconds()
            delays[loop.ratio].append(delay)
            late += delay > loop.its_time_seconds
        else:
            cheap += 1
    return Judged(loops, delays, cheap, false, late)


def _is_of(signal: Signal, loop: Loop) -> bool:
    return (
        signal.kind == "cost_spike"
        and signal.subject == "up"
        and signal.scope == loop.service.scope
        and loop.started_at <= signal.observed_at <= loop.started_at + timedelta(minutes=LOOP_MINUTES) + _LATE
    )
