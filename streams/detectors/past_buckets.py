"""The last buckets of each of many series: what they cost, what they usually do, and how many calls they had."""

from typing import Final, NamedTuple

import numpy as np

from streams.detectors.series_arrays import capacity, from_bytes, grown, to_bytes
from streams.detectors.tails import Floats, Indexes


class Bucket(NamedTuple):
    """A closed bucket of a series, or some of them added up."""

    cost_usd: float
    usual_usd: float
    at_least_usd: float
    calls: int


NO_BUCKET: Final = Bucket(0.0, 0.0, 0.0, 0)


class PastBuckets:
    """The last buckets of many series, which are closed together."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._closed = 0
        """How many buckets were closed so far; each takes the place of the one that is `kept` older."""
        self._figures = np.zeros((kept, len(Bucket._fields), 0), np.float64)

    def begin(self, index: int) -> None:
        """A series that has no past."""
        self._figures = grown(self._figures, index + 1)
        self._figures[..., index] = 0.0

    def close(self, indexes: Indexes, figures: tuple[Floats, Floats, Floats, Floats]) -> None:
        """A bucket of all series is over. figures: of these series, as a Bucket has them."""
        place = self._closed % self._kept
        for row, figure in zip(self._figures[place], figures, strict=True):
            row[indexes] = figure
        self._closed += 1

    def last(self, index: int, count: int) -> Bucket:
        """The last `count` buckets of a series, added up."""
        places = [place % self._kept for place in range(self._closed - count, self._closed)]
        cost, usual, at_least, calls = self._figures[places, :, index].T.tolist()
        return Bucket(sum(cost), sum(usual), sum(at_least), int(sum(calls)))

    def state(self) -> tuple[int, int, bytes]:
        """All of it, as plain data."""
        count = capacity(self._figures)
        return self._closed, count, to_bytes(self._figures, count)

    def restore(self, state: tuple[int, int, bytes]) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        self._closed, count, figures = state
        self._figures = from_bytes(figures, self._figures, count)
