"""One series, judged value by value as a cost spike is, outside the pipeline: a score and a verdict, in order.

It is the baseline that judges the fleet's series (`streams.detectors.baseline`), with nothing set for the series. What
the fleet's costs are known to be, a series from anywhere has to show in its own past:

- the step between its values is the median of the first ones, during which nothing is judged;
- whether its times are times, or mere numbers of rows, shows in their size;
- whether ratios or distances count is left open: it is looked at on both scales, and the clearer one decides;
- a period that is no day is looked for whenever its past has doubled;
- what only rises is a counter: judged is by how much it rises, until it falls other than to a new beginning.
"""

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from streams.detectors.baseline import CHANNELS, WARM_UP, Baselines, Surprise
from streams.detectors.periods import period_of
from streams.detectors.scales import PAIRED
from streams.detectors.seasons import DAY_SECONDS

FLAG_SCORE: Final = 0.5
"""A value with this score, or a higher one, is flagged: once in some ten thousand values where nothing happens."""

_CERTAIN_LOG10: Final = 9.0
_EARLIEST_TIME_SECONDS: Final = 1e8
"""1973: a smaller number is the number of a row."""

_KEPT: Final = 4_096
_LOOKS: Final = frozenset(2**power for power in range(7, 13))
"""After how many values a period is looked for."""
_SAME_PERIOD: Final = 0.03
_NEARLY_A_DAY: Final = 0.8
"""Of what takes days, a few cycles show no more than this."""
_RISES: Final = 0.6
_BEGINS_ANEW: Final = 0.1
_LARGEST: Final = 1e100

_Row = tuple[float, float]
"""Time and value."""


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
        self._past: deque[_Row] = deque(maxlen=_KEPT)
        self._seen = 0
        self._step_seconds = 1.0
        self._has_seasons = True
        self._counts = False
        self._period: float | None = None
        self._views: list[Baselines] = []

    def judge(self, at_seconds: float, value: float) -> Verdict:
        """What is said of `value` at this time: Unix seconds, or the number of a row. Both finite, or ValueError."""
        if not math.isfinite(value) or not math.isfinite(at_seconds):
            raise ValueError("a value or a time that is no finite number")
        value = _bounded(value)
        verdict = self._verdict(at_seconds, value) if self._views else _NOT_JUDGED
        self._past.append((at_seconds, value))
        self._seen += 1
        if self._seen == WARM_UP:
            self._begin()
        elif self._seen in _LOOKS:
            self._look_for_period()
        return verdict

    def _verdict(self, at_seconds: float, value: float) -> Verdict:
        before = self._past[-1][1]
        if self._counts and not _goes_on(before, value):
            self._counts = False
            self._learn_anew()
        amount = value - before if self._counts else value
        if self._counts and amount < 0:
            return _NOT_JUDGED
        found = [_judged(view, at_seconds, amount) for view in self._views]
        log10, clearest, scale = min(
            (float(one.log10_probability[scale]), number, scale)
            for number, one in enumerate(found)
            for scale in _BOTH
        )
        # The clearest of several looks decides, and each may be mistaken.
        log10 = min(0.0, log10 + math.log10(len(found) * len(_BOTH)))
        score = min(1.0, -log10 / _CERTAIN_LOG10)
        flag = score >= FLAG_SCORE
        said = found[clearest]
        expected = float(said.expected[scale])
        return Verdict(
            round(score, 6) + 0.0,
            flag,
            before + expected if self._counts else expected,
            int(said.direction[scale]) if log10 else 0,
            CHANNELS[int(said.channel[scale])] if flag else "",
        )

    def _begin(self) -> None:
        times = [at_seconds for at_seconds, _ in self._past]
        steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
        self._step_seconds = median(steps) if steps else 1.0
        self._has_seasons = min(times) >= _EARLIEST_TIME_SECONDS
        self._counts = _is_counter([value for _, value in self._past])
        self._learn_anew()

    def _look_for_period(self) -> None:
        rows = self._rows()
        period = period_of(np.array([amount for _, amount in rows]))
        if period is None or (self._has_seasons and self._is_of_calendar(period)):
            return
        if self._period is None or abs(period / self._period - 1) > _SAME_PERIOD:
            self._period = period
            self._learn_anew()

    def _is_of_calendar(self, period: float) -> bool:
        """Whether it is a day, a part of it, or some days, all of which the calendar's season knows."""
        days = period * self._step_seconds / DAY_SECONDS
        if days < _NEARLY_A_DAY:
            return abs(1 / days / round(1 / days) - 1) <= _SAME_PERIOD
        return abs(days / max(1, round(days)) - 1) <= 1 - _NEARLY_A_DAY

    def _learn_anew(self) -> None:
        """See the past with other eyes."""
        periods: list[float | None] = [None] if self._period is None else [self._period * self._step_seconds]
        if self._period is not None and self._has_seasons:
            periods.insert(0, None)
        self._views = [
            Baselines(self._step_seconds, has_seasons=self._has_seasons, period_seconds=period, scale=PAIRED)
            for period in periods
        ]
        for view in self._views:
            view.open(len(_BOTH))
        for at_seconds, amount in self._rows():
            for view in self._views:
                _judged(view, at_seconds, amount)

    def _rows(self) -> Sequence[_Row]:
        """The past as it is judged."""
        past = list(self._past)
        if not self._counts:
            return past
        return [(at, value - before) for (_, before), (at, value) in pairwise(past) if value >= before]


_BOTH: Final = np.arange(2)
"""The series on either of the scales."""


def _judged(view: Baselines, at_seconds: float, amount: float) -> Surprise:
    return view.judge(_BOTH, at_seconds, np.array([amount, amount]))


def _bounded(value: float) -> float:
    """The value, or the nearest one that can be held against others without leaving what a number can be."""
    if abs(value) < 1 / _LARGEST:
        return 0.0
    return max(-_LARGEST, min(_LARGEST, value))


def _is_counter(values: Sequence[float]) -> bool:
    rises = [later - earlier for earlier, later in pairwise(values)]
    return min(values) >= 0 and min(rises) >= 0 and sum(rise > 0 for rise in rises) >= _RISES * len(rises)


def _goes_on(before: float, value: float) -> bool:
    """Whether a counter may go from the one to the other: up, or to a new beginning."""
    return value >= before or 0 <= value <= _BEGINS_ANEW * before
