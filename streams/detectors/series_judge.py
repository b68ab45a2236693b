"""One series, judged value by value as a cost spike is, outside the pipeline: a score and a verdict, in order.

It is the same baseline that judges the fleet's series (`streams.detectors.baseline`), with nothing set for the series:
the step between its values is the median of the first ones, during which nothing is judged, and whether its times
are times, or mere numbers of rows, shows in their size.
"""

import math
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from streams.detectors.baseline import CHANNELS, WARM_UP, Baselines

FLAG_SCORE: Final = 0.5
"""A value with this score, or a higher one, is flagged: once in some twenty thousand values where nothing happens."""

_CERTAIN_LOG10: Final = 10.0
_EARLIEST_TIME_SECONDS: Final = 1e8
"""1973: a smaller number is the number of a row."""


class Verdict(NamedTuple):
    """What is said of a value.

    score: 0 to 1. expected: in the value's unit; None while the series warms up. direction: 1 above, -1 below, 0 as
    expected or not judged. channel: "jump", "shift" or "drift"; "" where not flagged.
    """

    score: float
    flag: bool
    expected: float | None
    direction: int
    channel: str


_NOT_JUDGED: Final = Verdict(0.0, False, None, 0, "")


class SeriesJudge:
    """Judges one series. Values come in the order of their times; no look ahead."""

    def __init__(self) -> None:
        self._before: list[tuple[float, float]] = []
        self._baselines: Baselines | None = None
        self._series = np.zeros(0, np.intp)

    def judge(self, at_seconds: float, value: float) -> Verdict:
        """What is said of `value` at this time: Unix seconds, or the number of a row. Both finite, or ValueError."""
        if not math.isfinite(value) or not math.isfinite(at_seconds):
            raise ValueError("a value or a time that is no finite number")
        if self._baselines is None:
            self._before.append((at_seconds, value))
            if len(self._before) == WARM_UP:
                self._begin()
            return _NOT_JUDGED
        found = self._baselines.judge(self._series, at_seconds, np.array([value]))
        score = min(1.0, -float(found.log10_probability[0]) / _CERTAIN_LOG10)
        flag = score >= FLAG_SCORE
        return Verdict(
            round(score, 6) + 0.0,
            flag,
            float(found.expected[0]),
            int(found.direction[0]),
            CHANNELS[int(found.channel[0])] if flag else "",
        )

    def _begin(self) -> None:
        times = [at_seconds for at_seconds, _ in self._before]
        steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
        has_seasons = min(times) >= _EARLIEST_TIME_SECONDS
        self._baselines = Baselines(median(steps) if steps else 1.0, has_seasons=has_seasons)
        self._series = self._baselines.open(1)
        for at_seconds, value in self._before:
            self._baselines.judge(self._series, at_seconds, np.array([value]))
        self._before = []
