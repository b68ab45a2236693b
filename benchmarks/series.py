"""How well a series from anywhere is judged: what is planted in made series, what is flagged of it, and what besides.

The series are those of tests/detectors/made_series.py, with other seeds than the tests have; two weeks of values every
five minutes, once with their times and once as numbered rows. Beside it stands what is mostly used: a value further
than so many standard deviations from the mean of a day before it.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Measurement, clock
from streams.detectors.series_judge import SeriesJudge
from tests.detectors.made_series import CHARACTERS, LENGTH, planted, series, times

PLANTED: Final = {"spike": 1, "triple": 12, "shift": 36, "zero": 36, "ramp": 72}
"""What, over how many values."""

_AT: Final = 2_700
_KNOWN: Final = 600
"""Values after which a flag on a quiet series counts as false: two days."""
_SEED: Final = 900
_WINDOW: Final = 288
_DEVIATIONS: Final = 4.0


Flags = NDArray[np.bool_]


class Found(NamedTuple):
    """planted, found: anomalies. false, values: flags on quiet series, and how many values those have."""

    planted: int
    found: dict[str, int]
    false: int
    values: int


def run(seeds: int = 1) -> list[Measurement]:
    """Recall, false flags and the time of a value."""
    with clock() as taken:
        judged = _look(seeds, _flags)
    others = _look(seeds, _far_from_the_mean)
    each = seeds * 2 * len(CHARACTERS)
    by_kind = ", ".join(f"{kind} {found}" for kind, found in judged.found.items())
    seen = judged.values + judged.planted * _AT
    return [
        Measurement(
            "series_recall",
            sum(judged.found.values()) / judged.planted,
            "share",
            baseline=sum(others.found.values()) / others.planted,
            baseline_is=f"{_DEVIATIONS:g} standard deviations from the mean of a day",
            note=f"of {each} each: {by_kind}",
        ),
        Measurement(
            "series_false_flags",
            10_000 * judged.false / judged.values,
            "in 10,000 values",
            baseline=10_000 * others.false / others.values,
            higher_is_better=False,
            note=f"{judged.false} on quiet series of {len(CHARACTERS)} kinds",
        ),
        Measurement(
            "series_value",
            1_000 * taken.cpu_seconds / seen,
            "ms",
            higher_is_better=False,
            cpu_seconds=taken.cpu_seconds,
        ),
    ]


def _look(seeds: int, flags: Callable[[Sequence[float], Sequence[float]], Flags]) -> Found:
    found = dict.fromkeys(PLANTED, 0)
    false = values = 0
    for character in CHARACTERS:
        for seed in range(_SEED, _SEED + seeds):
            quiet = series(character, seed)
            for seconds in (times(), [float(row) for row in range(LENGTH)]):
                said = flags(seconds, quiet)[_KNOWN:]
                false += int(said[0]) + int((said[1:] & ~said[:-1]).sum())
                values += len(said)
                for kind, length in PLANTED.items():
                    end = _AT + length
                    changed = planted(quiet, kind, _AT, length)[:end]
                    found[kind] += bool(flags(seconds[:end], changed)[_AT:].any())
    return Found(seeds * 2 * len(CHARACTERS) * len(PLANTED), found, false, values)


def _flags(seconds: Sequence[float], values: Sequence[float]) -> Flags:
    judge = SeriesJudge()
    return np.array([judge.judge(at, value).flag for at, value in zip(seconds, values, strict=True)])


def _far_from_the_mean(seconds: Sequence[float], values: Sequence[float]) -> Flags:
    found = np.zeros(len(seconds), bool)
    known = np.array(values)
    for number in range(_WINDOW, len(known)):
        before = known[number - _WINDOW : number]
        found[number] = abs(known[number] - before.mean()) > _DEVIATIONS * before.std()
    return found
