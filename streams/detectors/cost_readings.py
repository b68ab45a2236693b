"""What is read of series of cost: of all of them when a bucket is closed, of single ones while it is open. Pure.

Figures of all series are arrays; a Reading, which has a name for each, is made of those alone that are looked at.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streams.detectors.baseline import JUMP, Surprise
from streams.detectors.levels import LevelKey
from streams.detectors.tails import Floats, Indexes

_LEAST_SECONDS: Final = 20.0
"""Of an open minute, before more than what it has cost so far is made of it."""


def to_whole(seconds: float) -> float:
    """The factor that makes of an open minute, of which so many seconds are over, what it comes to if it goes on."""
    return 60 / max(seconds, _LEAST_SECONDS)


def ratios(values: Floats, highest: Floats) -> Floats:
    """Each value as a multiple of the highest; what was never above zero is as far below any."""
    return values / np.maximum(highest, 1e-12)


class Rush(NamedTuple):
    """Calls of a series in its last minutes. of_fullest: as a multiple of the most in so many minutes."""

    minutes: int
    calls: int
    of_fullest: float


class LatestMinute(NamedTuple):
    """A series in its latest minute so far. of_dearest, of_fullest: as multiples of the records.

    to_whole: the factor that makes of an open minute what it comes to if it goes on.
    """

    usd: float
    calls: int
    of_dearest: float
    of_fullest: float
    to_whole: float


class Reading(NamedTuple):
    """One series in one bucket. direction: 1 above, -1 below.

    cost_usd, usual_usd: of the bucket. at_least_usd: what is usual at the least, now or an hour before or after.
    of_highest: as a multiple of the dearest bucket of the last days, which says more than the tail of a series with a
    call now and then. Where they were asked about, lately_usd: of the last LATELY_MINUTES; usd_per_minute: of the last
    minute if it goes on, or of the mean of those, whichever is more; the last minute itself; and calls of longer times.
    """

    key: LevelKey
    cost_usd: float
    usual_usd: float
    at_least_usd: float
    calls: int
    log10_probability: float
    direction: int
    is_jump: bool
    of_highest: float
    lately_usd: float = 0.0
    usd_per_minute: float = 0.0
    latest: LatestMinute | None = None
    rushes: tuple[Rush, ...] = ()


class Readings(NamedTuple):
    """Some series in one bucket, as arrays of what a Reading has. indexes: theirs, by which arrays hold them."""

    keys: Sequence[LevelKey]
    indexes: Indexes
    cost_usd: Floats
    usual_usd: Floats
    at_least_usd: Floats
    calls: Floats
    log10_probability: Floats
    direction: Floats
    is_jump: NDArray[np.bool_]
    of_highest: Floats

    @classmethod
    def made(
        cls,
        keys: Sequence[LevelKey],
        indexes: Indexes,
        values: Floats,
        calls: Floats,
        found: Surprise,
        around: Floats,
        of_highest: Floats,
    ) -> Self:
        """around: the mean buckets of this hour of the day and of those beside it, the series by three.

        What is usual is the larger of what level and season say and of those.
        """
        usual = np.maximum(np.maximum(found.usual, around.max(axis=1)), 0.0)
        at_least = np.minimum(usual, around.min(axis=1))
        return cls(
            keys,
            indexes,
            values,
            usual,
            at_least,
            calls,
            found.log10_probability,
            found.direction,
            found.channel == JUMP,
            of_highest,
        )

    def only(self, places: Indexes) -> Self:
        """Those at these places, in their order."""
        if len(places) == len(self.indexes):
            return self
        keys = [self.keys[place] for place in places.tolist()]
        return self._replace(
            keys=keys,
            indexes=self.indexes[places],
            cost_usd=self.cost_usd[places],
            usual_usd=self.usual_usd[places],
            at_least_usd=self.at_least_usd[places],
            calls=self.calls[places],
            log10_probability=self.log10_probability[places],
            direction=self.direction[places],
            is_jump=self.is_jump[places],
            of_highest=self.of_highest[places],
        )

    def one_by_one(self, places: Indexes | None = None) -> list[Reading]:
        """The readings at these places, in their order; all of them where none are named."""
        if places is None:
            places = np.arange(len(self.indexes))
        return [
            Reading(self.keys[place], cost, usual, least, int(calls), log10, int(direction), is_jump, ratio)
            for place, cost, usual, least, calls, log10, direction, is_jump, ratio in zip(
                places.tolist(),
                self.cost_usd[places].tolist(),
                self.usual_usd[places].tolist(),
                self.at_least_usd[places].tolist(),
                self.calls[places].tolist(),
                self.log10_probability[places].tolist(),
                self.direction[places].tolist(),
                self.is_jump[places].tolist(),
                self.of_highest[places].tolist(),
                strict=True,
            )
        ]
