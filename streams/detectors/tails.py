"""How improbable a deviation is, learnt from the deviations that a series has had: a tail for each of many series.

A deviation counts in units of the series' usual one. What lies beyond TAIL_BEGINS is the tail: how often a series gets
there, and the first two moments of how far it then goes, give a generalised Pareto tail (peaks over threshold). Until a
series has shown enough of its own, what it showed is weighed against an exponential tail, so that the first deviation
of a young series is judged neither as impossible nor as usual. Ups and downs have tails of their own.

What was learnt fades, with a memory of MEMORY values; a single deviation teaches no more than LONGEST_EXCESS, or than
some times what it usually is, so that one incident does not hide the next, while what recurs becomes usual.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]

TAIL_BEGINS: Final = 2.5
MEMORY: Final = 4_000.0
LONGEST_EXCESS: Final = 12.0
_LONGER: Final = 4.0
_SHARE_BEFORE: Final = 0.01
_SHARE_WEIGHT: Final = 200.0
_EXCESS_BEFORE: Final = 0.6
_EXCESS_WEIGHT: Final = 5.0
_HEAVIEST: Final = 0.5
_LIGHTEST: Final = 1e-6
_LN_10: Final = float(np.log(10.0))

DOWN: Final = 0
UP: Final = 1


class Tails:
    """Two tails for each channel of each series. Arrays: channel, direction, series (see `series_arrays`)."""

    FIELDS: Final = ("seen", "beyond", "excess", "squares", "peak")

    def __init__(self, channels: int) -> None:
        self.seen = np.zeros((channels, 0), np.float32)
        self.beyond = np.zeros((channels, 2, 0), np.float32)
        self.excess = np.zeros((channels, 2, 0), np.float32)
        self.squares = np.zeros((channels, 2, 0), np.float32)
        self.peak = np.zeros((channels, 2, 0), np.float32)

    def log10_probability(self, series: Indexes, deviations: Floats) -> Floats:
        """log10 of the probability of a deviation as large in that direction; 0 for one before the tail.

        series: m indexes. deviations: channels by m, signed, in units of the usual one.
        """
        far = np.abs(deviations) - TAIL_BEGINS
        result = np.zeros_like(deviations)
        channels, columns = np.nonzero(far > 0)
        if not columns.size:
            return result
        direction = np.where(deviations[channels, columns] > 0, UP, DOWN)
        owner = series[columns]
        place = (channels, direction, owner)
        count = self.beyond[place].astype(np.float64)
        share = (_SHARE_BEFORE * _SHARE_WEIGHT + count) / (_SHARE_WEIGHT + self.seen[channels, owner])
        weight = _EXCESS_WEIGHT + count
        mean = (_EXCESS_BEFORE * _EXCESS_WEIGHT + self.excess[place]) / weight
        square = (2 * _EXCESS_BEFORE**2 * _EXCESS_WEIGHT + self.squares[place]) / weight
        variance = np.maximum(square - mean * mean, 1e-9)
        shape = np.clip(0.5 * (1 - mean * mean / variance), _LIGHTEST, _HEAVIEST)
        width = mean * (1 - shape)
        beyond = far[channels, columns]
        result[channels, columns] = (
            np.log10(np.minimum(share, 1.0)) - np.log1p(shape * beyond / width) / shape / _LN_10
        )
        return result

    def learn(self, series: Indexes, deviations: Floats, ready: NDArray[np.bool_]) -> None:
        """Take note of deviations, of the channels that are ready (channels by m).

        An excursion beyond the tail's beginning teaches once, when it is over, by its peak: how long it lasts says
        nothing about how often there is one.
        """
        fade = np.where(ready, 1 - 1 / MEMORY, 1.0)
        self.seen[:, series] = self.seen.take(series, axis=-1) * fade + ready
        peak = self.peak.take(series, axis=-1)
        far = np.stack([-deviations, deviations], axis=1) - TAIL_BEGINS
        over = (peak > 0) & (far <= 0) & ready[:, None]
        held = {name: getattr(self, name).take(series, axis=-1) for name in ("beyond", "excess", "squares")}
        usual = held["excess"] / np.maximum(held["beyond"], 1.0)
        most = np.maximum(LONGEST_EXCESS, _LONGER * usual)
        excess = np.minimum(np.where(over, peak, 0.0), most)
        for name, learnt in (("beyond", over), ("excess", excess), ("squares", excess * excess)):
            getattr(self, name)[..., series] = held[name] * fade[:, None] + learnt
        self.peak[..., series] = np.where(over, 0.0, np.maximum(peak, far))
