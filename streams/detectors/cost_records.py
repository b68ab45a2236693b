"""The dearest bucket, the dearest minute and the minute with most calls of each series of the last days.

What has been is the best measure of what may be: of a series with a call now and then the tail of a distribution says
little, and a busy one has rushes that no law of chance foretells. A record fades by half in two weeks.

What belongs to an incident sets no record, or the next one would have to be worse to be told. As it is told some time
after it began, a bucket counts only when the next one is over, unless an incident has touched the series by then.
"""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from streams.detectors.levels import LevelKey
from streams.detectors.tails import Floats, Indexes

BUCKET_USD: Final = 0
MINUTE_USD: Final = 1
MINUTE_CALLS: Final = 2

_PICOS: Final = 1e12
_HALF_LIFE_DAYS: Final = 14

Amount = tuple[int, int]
"""Units of 10^-12 USD, and calls."""

NOTHING: Final[Amount] = (0, 0)


class CostRecords:
    """The records of one tenant's series, by index and (BUCKET_USD, MINUTE_USD, MINUTE_CALLS)."""

    def __init__(self, buckets_a_day: int) -> None:
        self._fades: Final = 0.5 ** (1 / (_HALF_LIFE_DAYS * buckets_a_day))
        self._highest = np.zeros((0, 3), np.float64)
        self._latest = np.zeros((0, 3), np.float64)
        self._minutes: dict[LevelKey, Amount] = {}

    def begin(self, index: int) -> None:
        """A series that has no past."""
        rows = len(self._highest)
        if index >= rows:
            more = np.zeros((max(16, rows, index + 1 - rows), 3), np.float64)
            self._highest = np.concatenate([self._highest, more])
            self._latest = np.concatenate([self._latest, more])
        self._highest[index] = 0.0
        self._latest[index] = 0.0

    def take(self, minute: Mapping[LevelKey, Amount]) -> None:
        """Note a whole minute."""
        for key, (picos, calls) in minute.items():
            most_picos, most_calls = self._minutes.get(key, NOTHING)
            self._minutes[key] = max(picos, most_picos), max(calls, most_calls)

    def close(
        self,
        index: Mapping[LevelKey, int],
        indexes: Indexes,
        usd: Floats,
        touched: Collection[LevelKey],
    ) -> None:
        """A bucket is over, in which the series of these indexes cost this.

        index: that of each series. touched: those of which a part is in an incident.
        """
        rows = len(self._highest)
        is_calm = np.ones(rows, np.bool_)
        is_calm[[index[key] for key in touched if key in index]] = False
        minutes = np.zeros((rows, 2), np.float64)
        # What was forgotten meanwhile is in no series any more.
        called = [(index.get(key), most) for key, most in self._minutes.items()]
        known = [(its, most) for its, most in called if its is not None]
        if known:
            most = np.array([most for _, most in known], np.float64) / (_PICOS, 1.0)
            minutes[[its for its, _ in known]] = most
        bucket = np.concatenate([usd[:, None], minutes[indexes]], axis=1)
        calm = is_calm[indexes][:, None]
        before = np.where(calm, self._latest[indexes], 0.0)
        self._highest[indexes] = np.maximum(self._highest[indexes] * self._fades, before)
        self._latest[indexes] = np.where(calm, bucket, 0.0)
        self._minutes = {}

    def of(self, indexes: Indexes) -> Floats:
        """The records: the series by three."""
        highest: Floats = self._highest[indexes]
        return highest

    def state(self) -> tuple[int, bytes, bytes, list[tuple[int, list[str], int, int]]]:
        """All of it, as plain data."""
        minutes = [(level, list(values), *amount) for (level, values), amount in self._minutes.items()]
        return len(self._highest), self._highest.tobytes(), self._latest.tobytes(), minutes

    def restore(self, state: tuple[int, bytes, bytes, list[tuple[int, list[str], int, int]]]) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        rows, highest, latest, minutes = state
        self._highest, self._latest = (
            np.frombuffer(kept, np.float64).reshape((rows, 3)).copy() for kept in (highest, latest)
        )
        self._minutes = {(level, tuple(values)): (picos, calls) for level, values, picos, calls in minutes}
