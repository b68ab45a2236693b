"""The dearest bucket and minute of each series of the last days, and the most calls in 1, 3, 5 and 15 minutes.

What has been is the best measure of what may be: of a series with a call now and then the tail of a distribution says
little, and a busy one has rushes that no law of chance foretells. A record fades by half in two weeks.

What belongs to an incident sets no record, or the next one would have to be worse to be told. As it is told some time
after it began, a bucket counts only when the next one is over, unless an incident has touched the series by then.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from streams.detectors.levels import LevelKey
from streams.detectors.tails import Floats, Indexes

BUCKET_USD: Final = 0
MINUTE_USD: Final = 1
MINUTE_CALLS: Final = 2
THREE_MINUTES_CALLS: Final = 3
FIVE_MINUTES_CALLS: Final = 4
QUARTER_HOUR_CALLS: Final = 5

_RECORDS: Final = 6
_BUCKETS_BEFORE: Final = 2
"""Which are a quarter of an hour with the one that is looked at."""

_PICOS: Final = 1e12
_HALF_LIFE_DAYS: Final = 14

Amount = tuple[int, int]
"""Units of 10^-12 USD, and calls."""

NOTHING: Final[Amount] = (0, 0)


class _Most(NamedTuple):
    """Of the minutes of an open bucket: the dearest one, and the most calls in 1, 3 and 5 minutes."""

    picos: int = 0
    calls: int = 0
    in_three: int = 0
    in_five: int = 0


Kept = tuple[int, list[bytes], list[tuple[int, list[str], list[int]]]]
"""How many rows the arrays have, the arrays, and the most of the bucket's minutes by level and values."""


class CostRecords:
    """The records of one tenant's series, by index and BUCKET_USD, MINUTE_USD and so on."""

    def __init__(self, buckets_a_day: int) -> None:
        self._fades: Final = 0.5 ** (1 / (_HALF_LIFE_DAYS * buckets_a_day))
        self._highest = np.zeros((0, _RECORDS), np.float64)
        self._latest = np.zeros((0, _RECORDS), np.float64)
        self._calls = np.zeros((0, _BUCKETS_BEFORE), np.float64)
        """Of the last closed buckets; none where a bucket belongs to an incident."""
        self._minutes: dict[LevelKey, _Most] = {}

    def begin(self, index: int) -> None:
        """A series that has no past."""
        rows = len(self._highest)
        if index >= rows:
            more = np.zeros((max(16, rows, index + 1 - rows), _RECORDS), np.float64)
            self._highest = np.concatenate([self._highest, more])
            self._latest = np.concatenate([self._latest, more])
            self._calls = np.concatenate([self._calls, more[:, :_BUCKETS_BEFORE]])
        self._highest[index] = 0.0
        self._latest[index] = 0.0
        self._calls[index] = 0.0

    def take(self, minute: Mapping[LevelKey, Amount], before: Sequence[Mapping[LevelKey, Amount]]) -> None:
        """Note a whole minute. before: the four minutes before it, the latest first."""
        one, two, three, four = before
        for key, (picos, calls) in minute.items():
            in_three = calls + one.get(key, NOTHING)[1] + two.get(key, NOTHING)[1]
            in_five = in_three + three.get(key, NOTHING)[1] + four.get(key, NOTHING)[1]
            most = self._minutes.get(key)
            latest = _Most(picos, calls, in_three, in_five)
            self._minutes[key] = latest if most is None else _Most(*map(max, most, latest))

    def close(
        self,
        index: Mapping[LevelKey, int],
        indexes: Indexes,
        usd: Floats,
        calls: Floats,
        touched: Collection[LevelKey],
    ) -> None:
        """A bucket is over, in which the series of these indexes cost this and had so many calls.

        index: that of each series. touched: those of which a part is in an incident.
        """
        rows = len(self._highest)
        is_calm = np.ones(rows, np.bool_)
        is_calm[[index[key] for key in touched if key in index]] = False
        minutes = np.zeros((rows, len(_Most._fields)), np.float64)
        # What was forgotten meanwhile is in no series any more.
        called = [(index.get(key), most) for key, most in self._minutes.items()]
        known = [(its, most) for its, most in called if its is not None]
        if known:
            most = np.array([most for _, most in known], np.float64) / (_PICOS, 1.0, 1.0, 1.0)
            minutes[[its for its, _ in known]] = most
        calm = is_calm[indexes][:, None]
        calls = np.where(calm[:, 0], calls, 0.0)
        quarter = calls + self._calls[indexes].sum(axis=1)
        self._calls[indexes] = np.stack([self._calls[indexes, 1], calls], axis=1)
        bucket = np.concatenate([usd[:, None], minutes[indexes], quarter[:, None]], axis=1)
        before = np.where(calm, self._latest[indexes], 0.0)
        self._highest[indexes] = np.maximum(self._highest[indexes] * self._fades, before)
        self._latest[indexes] = np.where(calm, bucket, 0.0)
        self._minutes = {}

    def of(self, indexes: Indexes) -> Floats:
        """The records: the series by six."""
        highest: Floats = self._highest[indexes]
        return highest

    def calls_before(self, indexes: Indexes) -> Floats:
        """Calls of the last closed buckets, which are a quarter of an hour with the open one; without incidents'."""
        before: Floats = self._calls[indexes].sum(axis=1)
        return before

    def state(self) -> Kept:
        """All of it, as plain data."""
        minutes = [(level, list(values), list(most)) for (level, values), most in self._minutes.items()]
        arrays = [kept.tobytes() for kept in (self._highest, self._latest, self._calls)]
        return len(self._highest), arrays, minutes

    def restore(self, state: Kept) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        rows, arrays, minutes = state
        self._highest, self._latest, self._calls = (
            np.frombuffer(kept, np.float64).reshape((rows, columns)).copy()
            for kept, columns in zip(arrays, (_RECORDS, _RECORDS, _BUCKETS_BEFORE), strict=True)
        )
        self._minutes = {(level, tuple(values)): _Most(*most) for level, values, most in minutes}
