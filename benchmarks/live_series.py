"""A hundred thousand live series in one worker: CPU time and memory of a minute, beside a tenth of them.

A made tenant (`benchmarks.large_tenant`) goes through `TenantDetection`, as in a detect worker: partial sums are taken,
the clock goes on in steps of five seconds, with each the open minute is looked at, and each minute is closed and shown
to every detector of the registry. First it is learnt for a day and an hour, in which the calls of ten minutes come in
one of them and no open minute is looked at; so all are past their warm-up, and every series of cost is judged at every
border of five minutes. Then an hour is timed, from 23:10 to 00:10: the work of an hour's end and of midnight, when what
is long silent is forgotten, is in its mean. A series of failures or of slowness is judged when it is called, one of
migrations once an hour. Each size has a process of its own, which collects garbage as a worker does.

Counted is what the detectors' own states hold: a series is whatever has statistics of its own. Not in it: reading
messages from Kafka, their JSON, what a day's learning does not have (a week's season; a workload's move is looked for
after three days), and incidents: nothing is told of this tenant. A checkpoint is timed by itself.
"""

import gc
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from benchmarks.large_tenant import MESSAGES_A_MINUTE, TENANT, LargeTenant
from benchmarks.measure import Measurement, clock, peak_mib
from streams.detection.tenant import TenantDetection
from streams.detectors.baseline import Baselines
from streams.detectors.detector import Detector, Surroundings
from streams.detectors.packing import unpack_plain
from streams.detectors.registry import detectors
from streams.worker import collect_garbage_seldom
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings

SERIES: Final = 100_000
FEWER: Final = 10_000
LEAST: Final = 1_000
LEARNING_MINUTES: Final = 25 * 60
TIMED_MINUTES: Final = 60

_TIMED_FROM: Final = 29_377_390
"""2025-11-08T23:10:00Z."""

_SERIES_A_SERVICE: Final = 10.5
"""About; how many there are is counted."""

_LEARNT_MINUTES: Final = 10
"""Of so many the calls come in one, while it is learnt: a day of every minute would take longer than all the rest."""

_BAR: Final = 1.3
_STEP_SECONDS: Final = 300.0
_BUCKETS: Final = 60


class Found(NamedTuple):
    """Of one size. series: by what they are of. Times are CPU ms; mib: by how much the process has grown."""

    series: dict[str, int]
    minutes_ms: list[float]
    looks_ms: list[float]
    rows: int
    signals: int
    mib: float
    state_ms: float
    state_bytes: int
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float

    @property
    def total(self) -> int:
        """All series."""
        return sum(self.series.values())

    @property
    def minute_ms(self) -> float:
        """The mean minute, all that is done in it."""
        return float(np.mean(self.minutes_ms))

    @property
    def look_ms(self) -> float:
        """The mean look at an open minute."""
        return float(np.mean(self.looks_ms))


def run(
    series: int = SERIES,
    fewer: int = FEWER,
    least: int = LEAST,
    *,
    learning_minutes: int = LEARNING_MINUTES,
    timed_minutes: int = TIMED_MINUTES,
) -> list[Measurement]:
    """Time and memory of about so many series, and of fewer; and the part of it that is one detector's baselines."""
    many, few, little = (
        _apart(measured, count, learning_minutes, timed_minutes) for count in (series, fewer, least)
    )
    return [*_told(many, few, little), *_baselines(series, fewer)]


def measured(series: int, learning_minutes: int, timed_minutes: int) -> Found:
    """One size: learn, then time minutes. Measures this process's memory, and so wants one of its own."""
    surroundings = Surroundings(PriceBook.default(), Catalog.default(), DetectionSettings())
    made: list[list[Detector]] = []

    def make() -> list[Detector]:
        made.append(detectors(surroundings))
        return made[-1]

    detection = TenantDetection(TENANT, make, surroundings.settings)
    tenant = LargeTenant(max(1, round(series / _SERIES_A_SERVICE)))
    first = _TIMED_FROM - learning_minutes
    # What one minute's messages take is not the detectors'; it is had before, and again with every minute.
    tenant.messages(first - _LEARNT_MINUTES, _LEARNT_MINUTES)
    gc.collect()
    before_mib = _resident_mib()
    with clock() as taken:
        signals = sum(
            _learn(detection, tenant, minute) for minute in range(first, _TIMED_FROM, _LEARNT_MINUTES)
        )
        minutes_ms, looks_ms, rows = [], [], 0
        for minute in range(_TIMED_FROM, _TIMED_FROM + timed_minutes):
            spent = _timed(detection, tenant, minute)
            minutes_ms.append(spent.minute_ms)
            looks_ms += spent.looks_ms
            rows += spent.rows
            signals += spent.signals
    gc.collect()
    mib = _resident_mib() - before_mib
    with clock() as saving:
        state_bytes = len(detection.state())
    return Found(
        series=_counted(made[-1]),
        minutes_ms=minutes_ms,
        looks_ms=looks_ms,
        rows=rows,
        signals=signals,
        mib=mib,
        state_ms=saving.cpu_seconds * 1000,
        state_bytes=state_bytes,
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        peak_mib=peak_mib(),
    )


class _Spent(NamedTuple):
    minute_ms: float
    looks_ms: list[float]
    rows: int
    signals: int


def _learn(detection: TenantDetection, tenant: LargeTenant, minute: int) -> int:
    """Show some minutes whose calls all come in the first. Gives how many signals there were."""
    for slot, message in enumerate(tenant.messages(minute, _LEARNT_MINUTES)):
        detection.take(message, minute * 60_000 + slot * 5_000)
    clock_ms = (minute + _LEARNT_MINUTES) * 60_000
    # The last minute is closed with the next one that is heard of.
    detection.certify(clock_ms)
    signals, _ = detection.advance(clock_ms)
    return len(signals)


def _timed(detection: TenantDetection, tenant: LargeTenant, minute: int) -> _Spent:
    """Show a minute as it grows. In it the minute before is closed."""
    messages = tenant.messages(minute)
    spent_ms, looks_ms, told = 0.0, [], 0
    for slot, message in enumerate(messages):
        clock_ms = minute * 60_000 + (slot + 1) * 60_000 // MESSAGES_A_MINUTE
        with clock() as taking:
            detection.take(message, clock_ms)
            detection.certify(clock_ms)
        with clock() as looking:
            signals, closed = detection.advance(clock_ms)
        told += len(signals)
        spent_ms += (taking.cpu_seconds + looking.cpu_seconds) * 1000
        if not closed:
            looks_ms.append(looking.cpu_seconds * 1000)
    return _Spent(spent_ms, looks_ms, sum(map(len, messages)), told)


def _counted(watching: list[Detector]) -> dict[str, int]:
    """What the detectors' states hold, by what it is of."""
    states = {one.kind: unpack_plain(one.state()) for one in watching}
    series, mix = states["cost_spike"][1:3]
    errors, latency = states["errors"], states["latency"]
    models = [workload["models"] for _, workload in states["migration"]["workloads"]]
    prices = [model["users"] for _, _, model in states["price_move"]["models"]]
    retiring = [model["users"] for _, _, model in states["retirement"]["models"]]
    return {
        "levels of cost": len(unpack_plain(series)[1]),
        "groups of the usual mix": len(msgspec.msgpack.decode(mix)[2]),
        "levels of failures": len(errors["series"]),
        "cells of failures": len(errors["cells"]),
        "cells of latency": len(latency["cells"]),
        "routes and watches of latency": len(latency["routes"]) + len(latency["watches"]),
        "models of workloads for migrations": sum(map(len, models)),
        "users of models for prices": sum(map(len, prices)),
        "users of models that go": sum(map(len, retiring)),
        "models for calls without a price": len(states["unpriced"]["models"]),
    }


def _told(many: Found, few: Found, little: Found) -> list[Measurement]:
    sizes = f"{few.total:,} series"
    held = ", ".join(f"{count:,} {what}" for what, count in many.series.items() if count)
    minutes = len(many.minutes_ms)
    whole_ms = (sum(many.minutes_ms) - sum(many.looks_ms)) / minutes
    each_us, few_us, little_us = (1000 * one.minute_ms / one.total for one in (many, few, little))
    each_kib, few_kib, little_kib = (1024 * one.mib / one.total for one in (many, few, little))
    return [
        Measurement(
            "live_series_minute",
            many.minute_ms,
            "ms",
            baseline=few.minute_ms,
            baseline_is=sizes,
            higher_is_better=False,
            cpu_seconds=many.cpu_seconds,
            wall_seconds=many.wall_seconds,
            peak_mib=many.peak_mib,
            note=f"CPU time of a minute of {many.total:,} series ({held}), {many.rows / minutes:,.0f} groups a minute "
            f"with calls, {minutes} minutes with all their borders; {whole_ms:,.0f} ms to take and close it, the rest "
            f"to look at it while it is open; {many.signals} signals",
        ),
        Measurement(
            "live_series_minute_each",
            each_us,
            "µs a series",
            baseline=few_us,
            baseline_is=f"{sizes}; linear would be 1x",
            bar=round(_BAR * few_us, 2),
            higher_is_better=False,
            note=f"of {little.total:,} series {little_us:,.2f} µs each",
        ),
        Measurement(
            "live_series_longest_minute",
            max(many.minutes_ms),
            "ms",
            baseline=max(few.minutes_ms),
            baseline_is=sizes,
            higher_is_better=False,
        ),
        Measurement(
            "live_series_open_look",
            many.look_ms,
            "ms",
            baseline=few.look_ms,
            baseline_is=sizes,
            higher_is_better=False,
            note=f"at an open minute, each five seconds; the longest {max(many.looks_ms):,.0f} ms",
        ),
        Measurement(
            "live_series_memory",
            each_kib,
            "KiB a series",
            baseline=few_kib,
            baseline_is=sizes,
            bar=round(_BAR * few_kib, 2),
            higher_is_better=False,
            note=f"the process grew by {many.mib:,.0f} MiB; of {little.total:,} series {little_kib:,.2f} KiB each",
        ),
        Measurement(
            "live_series_checkpoint",
            many.state_ms,
            "ms",
            baseline=few.state_ms,
            baseline_is=sizes,
            higher_is_better=False,
            note=f"CPU time to write the state down, once in two minutes; {many.state_bytes / 2**20:,.0f} MiB "
            "before it is compressed",
        ),
    ]


def _baselines(series: int, fewer: int) -> list[Measurement]:
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


def _resident_mib() -> float:
    """What the process holds in memory now; the most that it has held, where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return peak_mib()
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _apart(work: Callable[..., Found], *arguments: Any) -> Found:
    # Garbage is collected as in a worker: Python's own thresholds would have it walk through all that is known.
    with ProcessPoolExecutor(
        max_workers=1, mp_context=get_context("spawn"), initializer=collect_garbage_seldom
    ) as pool:
        return pool.submit(work, *arguments).result()
