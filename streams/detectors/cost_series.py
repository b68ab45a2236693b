"""Cost by level in buckets of five minutes: what each series cost, what it usually does, and how surprising that is.

Money comes in as integers of 10^-12 USD and is summed as such; what is judged is a float of USD. A series begins with
its first call and is forgotten when it has cost nothing for FORGET_BUCKETS.

What is usual is told twice: by the baseline's level and season, which of a series with a call now and then is next to
nothing, and as the mean of this hour of the day over the last days (`streams.detectors.hour_means`), which is what such
a series comes to. The larger holds.

A bucket's border is the work of all series, and is done in arrays; between borders only what has calls costs any time.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np

from streams.detectors.baseline import Baselines
from streams.detectors.cost_readings import LatestMinute, Reading, Readings, Rush, ratios, to_whole
from streams.detectors.cost_records import (
    BUCKET_USD,
    FIVE_MINUTES_CALLS,
    MINUTE_CALLS,
    MINUTE_USD,
    NOTHING,
    QUARTER_HOUR_CALLS,
    THREE_MINUTES_CALLS,
    Amount,
    CostRecords,
)
from streams.detectors.hour_means import HourMeans
from streams.detectors.levels import LevelKey
from streams.detectors.packing import pack, unpack_plain
from streams.detectors.past_buckets import NO_BUCKET, Bucket, PastBuckets
from streams.detectors.series_arrays import from_bytes, grown, to_bytes
from streams.detectors.tails import Floats, Indexes

BUCKET_MINUTES: Final = 5
BUCKETS_AN_HOUR: Final = 60 // BUCKET_MINUTES
BUCKETS_A_DAY: Final = 24 * BUCKETS_AN_HOUR
FORGET_BUCKETS: Final = 14 * BUCKETS_A_DAY
_BUCKET_SECONDS: Final = 60 * BUCKET_MINUTES
_PICOS: Final = 1e12
_FORM: Final = 5

LATELY_MINUTES: Final = 2
MINUTES_A_DAY: Final = 24 * 60

_ROUNDING: Final = 1e-9
_RUSH_MINUTES: Final = (1, 3, 5, 15)

_BORN: Final = 0
_ACTIVE: Final = 1


class _Lately(NamedTuple):
    """A series that may cost far too much in a bucket that is not whole.

    place: its index. picos, calls: of the bucket, or of lately, whichever cost more. rush: calls of the last 1, 3 and 5
    minutes, and of the open bucket.
    """

    key: LevelKey
    place: int
    picos: int
    calls: int
    in_minute: Amount
    lately_picos: int
    rush: tuple[int, int, int, int]


class CostSeries:
    """The series of one tenant."""

    def __init__(self) -> None:
        self._baselines = Baselines(float(_BUCKET_SECONDS))
        self._hours = HourMeans(BUCKETS_AN_HOUR)
        self._records = CostRecords(BUCKETS_A_DAY)
        self._past = PastBuckets(BUCKETS_AN_HOUR)
        self._index: dict[LevelKey, int] = {}
        """By which the arrays hold a series; in the order in which the series began."""
        self._buckets = np.zeros((2, 0), np.int64)
        """Of each series the bucket in which it began, and the latest in which it cost anything."""
        self._open: dict[LevelKey, Amount] = {}
        self._told: dict[LevelKey, Amount] = {}
        self._minute: dict[LevelKey, Amount] = {}
        self._before: list[dict[LevelKey, Amount]] = [{}, {}, {}, {}]
        """The four minutes before, the latest first."""

    def begin_minute(self) -> None:
        """What is added from here on is of another minute."""
        self._records.take(self._minute, self._before)
        self._before, self._minute = [self._minute, *self._before[:-1]], {}

    def add(self, keys: Iterable[LevelKey], cost_picos: int, calls: int, *, is_told: bool = False) -> None:
        """Add a group's cost and calls to the minute that was begun, at all its levels.

        is_told: it is part of an incident under way, of which `peek` wants to know nothing more.
        """
        for key in keys:
            for sums in (self._open, self._told if is_told else self._minute):
                before = sums.get(key, NOTHING)
                sums[key] = before[0] + cost_picos, before[1] + calls

    def last(self, key: LevelKey, count: int) -> Bucket:
        """The last `count` closed buckets, within an hour, added up."""
        index = self._index.get(key)
        return NO_BUCKET if index is None else self._past.last(index, count)

    def age_days(self, key: LevelKey, bucket: int) -> float:
        """How long ago the series began."""
        return self._age(key, bucket) / BUCKETS_A_DAY

    def is_known(self, key: LevelKey, bucket: int, days: int = 1) -> bool:
        """Whether the series was there so many days ago."""
        return self._age(key, bucket) >= days * BUCKETS_A_DAY

    def _age(self, key: LevelKey, bucket: int) -> int:
        index = self._index.get(key)
        return 0 if index is None else bucket - int(self._buckets[_BORN, index])

    def peek(
        self,
        bucket: int,
        ratio: float,
        more: Mapping[LevelKey, Amount],
        least_usd_per_day: float,
        seconds: float = 60.0,
    ) -> list[Reading]:
        """Series that cost `ratio` times the usual of a bucket already, at a rate of so much a day or more.

        Looked at are the open bucket and the last LATELY_MINUTES, whichever cost more: what costs in two minutes what
        would be much in five is no less surprising; those whose latest minute is the dearest of the last days; and
        those that had more calls in the last minutes than ever in so many.
        Only what has cost something in the latest minute is looked at, and only what is not told of already.
        more: the open minute; empty to look at the whole one that was added last. seconds: of it that are over.
        """
        whole = to_whole(seconds)
        found = self._lately(bucket, more, least_usd_per_day * _PICOS / MINUTES_A_DAY, whole)
        if not found:
            return []
        indexes = np.array([one.place for one in found], np.intp)
        costs = np.array([one.picos for one in found], np.float64) / _PICOS
        minutes = np.array([one.in_minute for one in found], np.float64) / (_PICOS, 1.0)
        around = self._hours.around(indexes, bucket)
        records = self._records.of(indexes)
        calls = np.array([one.rush for one in found], np.float64)
        calls[:, -1] += self._records.calls_before(indexes)
        most = records[:, [MINUTE_CALLS, THREE_MINUTES_CALLS, FIVE_MINUTES_CALLS, QUARTER_HOUR_CALLS]]
        is_dear = (costs >= ratio * around.max(axis=1)) | (minutes[:, 0] >= records[:, MINUTE_USD])
        places = np.flatnonzero(is_dear | (calls > most).any(axis=1))
        readings = self._readings(
            bucket, [found[place] for place in places.tolist()], around[places], records[places], whole
        )
        return [
            reading._replace(rushes=tuple(map(Rush, _RUSH_MINUTES, map(int, its_calls), of_most)))
            for reading, its_calls, of_most in zip(
                readings, calls[places].tolist(), ratios(calls, most)[places].tolist(), strict=True
            )
        ]

    def _lately(
        self, bucket: int, more: Mapping[LevelKey, Amount], least_picos: float, whole: float
    ) -> list[_Lately]:
        """What costs so much a minute, in the open bucket or lately, and was there a day ago; by the order of keys."""
        latest, before, *earlier = (
            (more, self._minute, *self._before) if more else (self._minute, *self._before)
        )
        found: list[_Lately] = []
        # Nearly all cost far less, whatever is told of them: they are passed over with the least that can be asked.
        surely_less = least_picos / whole * (1 - _ROUNDING)
        for key, in_minute in latest.items():
            opened, minute_before = self._open.get(key, NOTHING), before.get(key, NOTHING)
            if opened[0] + in_minute[0] < surely_less and minute_before[0] + in_minute[0] < surely_less:
                continue
            in_bucket = _difference(opened, self._told.get(key, NOTHING))
            lately = _sum(in_minute, minute_before)
            if more:
                in_bucket = _sum(in_bucket, in_minute)
            picos, calls = max(in_bucket, lately)
            if picos * whole >= least_picos and self.is_known(key, bucket):
                third, fourth, fifth = (minute.get(key, NOTHING)[1] for minute in earlier[:3])
                in_three = lately[1] + third
                rush = in_minute[1], in_three, in_three + fourth + fifth, in_bucket[1]
                found.append(_Lately(key, self._index[key], picos, calls, in_minute, lately[0], rush))
        found.sort()
        return found

    def _readings(
        self, bucket: int, found: list[_Lately], around: Floats, records: Floats, whole: float
    ) -> list[Reading]:
        """What is read of series in an open bucket. around, records: theirs."""
        if not found:
            return []
        indexes = np.array([one.place for one in found], np.intp)
        values = np.array([one.picos for one in found], np.float64) / _PICOS
        calls = np.array([one.calls for one in found], np.float64)
        surprise = self._baselines.peek(indexes, float(bucket * _BUCKET_SECONDS), values)
        of_highest = ratios(values, records[:, BUCKET_USD])
        keys = [one.key for one in found]
        readings = Readings.made(keys, indexes, values, calls, surprise, around, of_highest)
        minutes = np.array([one.in_minute for one in found], np.float64) / (_PICOS, 1.0)
        of_records = ratios(minutes, records[:, [MINUTE_USD, MINUTE_CALLS]])
        return [
            reading._replace(
                lately_usd=one.lately_picos / _PICOS,
                usd_per_minute=max(one.in_minute[0] * whole, one.lately_picos / LATELY_MINUTES) / _PICOS,
                latest=LatestMinute(usd, one.in_minute[1], of_dearest, of_fullest, whole),
            )
            for reading, one, usd, (of_dearest, of_fullest) in zip(
                readings.one_by_one(), found, minutes[:, 0].tolist(), of_records.tolist(), strict=True
            )
        ]

    def close(self, bucket: int, touched: Collection[LevelKey] = ()) -> Readings:
        """Judge the bucket, learn from it and begin the next one. Series that were there a day ago, oldest first.

        touched: series of which a part is in an incident.
        """
        for key in self._open:
            if key not in self._index:
                self._begin(key, bucket)
        amounts = self._amounts()
        self._buckets[_ACTIVE, amounts[:, 0] > 0] = bucket
        self._forget(bucket)
        keys, indexes = list(self._index), self._indexes()
        values, calls = amounts[indexes, 0] / _PICOS, amounts[indexes, 1]
        self._open, self._told = {}, {}
        surprise = self._baselines.judge(indexes, float(bucket * _BUCKET_SECONDS), values)
        ages = bucket - self._buckets[_BORN, indexes]
        around = self._hours.around(indexes, bucket)
        self._hours.learn(indexes, bucket, values, ages)
        highest = self._records.of(indexes)[:, BUCKET_USD]
        self._records.close(self._index, indexes, values, calls, touched)
        readings = Readings.made(keys, indexes, values, calls, surprise, around, ratios(values, highest))
        self._past.close(
            indexes, (readings.cost_usd, readings.usual_usd, readings.at_least_usd, readings.calls)
        )
        return readings.only(np.flatnonzero(ages >= BUCKETS_A_DAY))

    def _amounts(self) -> Floats:
        """What the open bucket has, as an Amount, by index; its series have begun."""
        amounts = np.zeros((self._buckets.shape[-1], 2), np.float64)
        if self._open:
            called = [self._index[key] for key in self._open]
            amounts[called] = np.array(list(self._open.values()), np.float64)
        return amounts

    def places(self, readings: Readings, keys: Collection[LevelKey]) -> Indexes:
        """Where these series are among the readings; those that are not are left out."""
        indexes = [self._index[key] for key in keys if key in self._index]
        return np.flatnonzero(np.isin(readings.indexes, indexes))

    def _begin(self, key: LevelKey, bucket: int) -> None:
        index = int(self._baselines.open(1)[0])
        self._index[key] = index
        self._buckets = grown(self._buckets, index + 1)
        self._buckets[:, index] = bucket
        for figures in (self._hours, self._records, self._past):
            figures.begin(index)

    def _forget(self, bucket: int) -> None:
        silent = bucket - self._buckets[_ACTIVE, self._indexes()] > FORGET_BUCKETS
        if silent.any():
            keys = list(self._index)
            for place in np.flatnonzero(silent).tolist():
                self._baselines.close([self._index.pop(keys[place])])

    def _indexes(self) -> Indexes:
        """Of all series, in the order in which they began."""
        return np.fromiter(self._index.values(), np.intp, len(self._index))

    def state(self) -> bytes:
        """All of it, as plain data."""
        series = [(level, list(values), index) for (level, values), index in self._index.items()]
        amounts = [
            [(level, list(values), *amount) for (level, values), amount in sums.items()]
            for sums in (self._open, self._told, self._minute, *self._before)
        ]
        rows = self._buckets.shape[-1]
        return pack(
            (
                *(_FORM, series, amounts, rows, to_bytes(self._buckets, rows)),
                *(self._hours.state(), self._past.state(), self._records.state(), self._baselines.state()),
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        try:
            form, *kept = unpack_plain(state)
            if form != _FORM:
                raise ValueError(f"a state of cost series of the form {form}, not {_FORM}")
            series, amounts, rows, buckets, hours, past, records, baselines = kept
            self._baselines.restore(baselines)
            self._hours.restore(hours)
            self._past.restore(past)
            self._records.restore(records)
            self._buckets = from_bytes(buckets, self._buckets, rows)
            self._index = {(level, tuple(values)): index for level, values, index in series}
            self._open, self._told, self._minute, *self._before = (
                {(level, tuple(values)): (picos, calls) for level, values, picos, calls in sums}
                for sums in amounts
            )
        except (msgspec.MsgspecError, TypeError) as error:
            raise ValueError(f"no state of cost series: {error}") from error


def _sum(one: Amount, other: Amount) -> Amount:
    return one[0] + other[0], one[1] + other[1]


def _difference(one: Amount, other: Amount) -> Amount:
    return one[0] - other[0], one[1] - other[1]
