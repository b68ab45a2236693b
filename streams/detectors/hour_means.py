"""What a bucket of each series costs in the mean at each hour of the day, over the last days.

A series with a call now and then costs next to nothing by level and season, and now and then a call; in the mean of an
hour it comes to what it costs. A bucket moves the mean by what it is among those of that hour, no more than some days'
worth, and once a day has been seen no bucket counts for more than some times the mean.
"""

from typing import Final

import numpy as np

from streams.detectors.tails import Floats, Indexes

_HOURS: Final = 24
_DAYS_KEPT: Final = 7
_MOST_LEARNT: Final = 5.0


class HourMeans:
    """The series by hour of the day, UTC. A series' day lies together, as all of it is asked for at a time."""

    def __init__(self, buckets_an_hour: int) -> None:
        self._buckets_an_hour = buckets_an_hour
        self._buckets_a_day = _HOURS * buckets_an_hour
        self._means = np.zeros((0, _HOURS), np.float64)

    def begin(self, index: int) -> None:
        """A series that has no past."""
        if index >= len(self._means):
            grown = np.zeros((max(16, 2 * len(self._means), index + 1), _HOURS), np.float64)
            grown[: len(self._means)] = self._means
            self._means = grown
        self._means[index] = 0.0

    def around(self, indexes: Indexes, bucket: int) -> Floats:
        """The mean buckets of this hour of the day and of those beside it: the series by three.

        When clocks change, a rhythm moves by one.
        """
        hour = self._hour(bucket)
        around: Floats = self._means[indexes[:, None], [(hour - 1) % _HOURS, hour, (hour + 1) % _HOURS]]
        return around

    def learn(self, indexes: Indexes, bucket: int, values: Floats, ages: Indexes) -> None:
        """What the series cost in this bucket. ages: how many buckets ago each began."""
        hour = self._hour(bucket)
        means = self._means[indexes]
        usual = means[:, hour]
        # How many buckets of this hour there were, this one among them, and no more than some days' worth.
        count = (
            (ages // self._buckets_a_day) * self._buckets_an_hour
            + np.minimum(ages % self._buckets_a_day, bucket % self._buckets_an_hour)
            + 1
        )
        most = np.where(
            ages < self._buckets_a_day, values, _MOST_LEARNT * np.maximum(usual, means.mean(axis=1))
        )
        kept = np.minimum(count, _DAYS_KEPT * self._buckets_an_hour)
        self._means[indexes, hour] += (np.minimum(values, most) - usual) / kept

    def _hour(self, bucket: int) -> int:
        return bucket // self._buckets_an_hour % _HOURS

    def state(self) -> tuple[int, bytes]:
        """All of it, as plain data."""
        return len(self._means), self._means.tobytes()

    def restore(self, state: tuple[int, bytes]) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        rows, means = state
        self._means = np.frombuffer(means, np.float64).reshape((rows, _HOURS)).copy()
