"""Cost by level in buckets of five minutes: what each series cost, what it usually does, and how surprising that is.

Money comes in as integers of 10^-12 USD and is summed as such; what is judged is a float of USD. A series begins with
its first call and is forgotten when it has cost nothing for FORGET_BUCKETS.

What is usual is told twice: by the baseline's level and season, which of a series with a call now and then is next to
nothing, and as the mean of this hour of the day over the last days, which is what such a series comes to. The larger
holds.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np

from streams.detectors.baseline import JUMP, Baselines, Surprise
from streams.detectors.cost_records import (
    BUCKET_USD,
    MINUTE_CALLS,
    MINUTE_USD,
    NOTHING,
    Amount,
    CostRecords,
)
from streams.detectors.levels import LevelKey
from streams.detectors.packing import pack, unpack_plain
from streams.detectors.tails import Floats, Indexes

BUCKET_MINUTES: Final = 5
BUCKETS_AN_HOUR: Final = 60 // BUCKET_MINUTES
BUCKETS_A_DAY: Final = 24 * BUCKETS_AN_HOUR
FORGET_BUCKETS: Final = 14 * BUCKETS_A_DAY
_BUCKET_SECONDS: Final = 60 * BUCKET_MINUTES
_PICOS: Final = 1e12
_FORM: Final = 3
_MOST_LEARNT: Final = 5.0
_BUCKETS_KEPT: Final = 7 * BUCKETS_AN_HOUR

LATELY_MINUTES: Final = 2
_LEAST_SECONDS: Final = 20.0
"""Of an open minute, before more than what it has cost so far is made of it."""
MINUTES_A_DAY: Final = 24 * 60


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
    minute if it goes on, or of the mean of those, whichever is more; and the last minute itself.
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


def to_whole(seconds: float) -> float:
    """The factor that makes of an open minute, of which so many seconds are over, what it comes to if it goes on."""
    return 60 / max(seconds, _LEAST_SECONDS)


class Bucket(NamedTuple):
    """A closed bucket of a series."""

    cost_usd: float
    usual_usd: float
    at_least_usd: float
    calls: int


class Past:
    """The buckets of a series within the last hour, the latest last."""

    def __init__(self, buckets: Iterable[Bucket] = ()) -> None:
        self.buckets: deque[Bucket] = deque(buckets, maxlen=BUCKETS_AN_HOUR)

    def last(self, count: int) -> Bucket:
        """The last `count` buckets, added up."""
        chosen = list(self.buckets)[-count:]
        return Bucket(
            sum(bucket.cost_usd for bucket in chosen),
            sum(bucket.usual_usd for bucket in chosen),
            sum(bucket.at_least_usd for bucket in chosen),
            sum(bucket.calls for bucket in chosen),
        )


_NO_PAST: Final = Past()


class CostSeries:
    """The series of one tenant."""

    def __init__(self) -> None:
        self._baselines = Baselines(float(_BUCKET_SECONDS))
        self._hours = np.zeros((0, 24), np.float64)
        self._records = CostRecords(BUCKETS_A_DAY)
        self._index: dict[LevelKey, int] = {}
        self._born: dict[LevelKey, int] = {}
        self._active: dict[LevelKey, int] = {}
        self._past: dict[LevelKey, Past] = {}
        self._open: dict[LevelKey, Amount] = {}
        self._told: dict[LevelKey, Amount] = {}
        self._minute: dict[LevelKey, Amount] = {}
        self._minute_before: dict[LevelKey, Amount] = {}

    def begin_minute(self) -> None:
        """What is added from here on is of another minute."""
        self._records.take(self._minute)
        self._minute_before, self._minute = self._minute, {}

    def add(self, keys: Iterable[LevelKey], cost_picos: int, calls: int, *, is_told: bool = False) -> None:
        """Add a group's cost and calls to the minute that was begun, at all its levels.

        is_told: it is part of an incident under way, of which `peek` wants to know nothing more.
        """
        for key in keys:
            for sums in (self._open, self._told if is_told else self._minute):
                before = sums.get(key, NOTHING)
                sums[key] = before[0] + cost_picos, before[1] + calls

    def past(self, key: LevelKey) -> Past:
        """The closed buckets of the last hour."""
        return self._past.get(key, _NO_PAST)

    def age_days(self, key: LevelKey, bucket: int) -> float:
        """How long ago the series began."""
        return (bucket - self._born.get(key, bucket)) / BUCKETS_A_DAY

    def is_known(self, key: LevelKey, bucket: int, days: int = 1) -> bool:
        """Whether the series was there so many days ago."""
        return bucket - self._born.get(key, bucket) >= days * BUCKETS_A_DAY

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
        would be much in five is no less surprising; and those whose latest minute is the dearest of the last days.
        Only what has cost something in the latest minute is looked at, and only what is not told of already.
        more: the open minute; empty to look at the whole one that was added last. seconds: of it that are over.
        """
        hour = _hour(bucket)
        around = _around(hour)
        latest, before = (more, self._minute) if more else (self._minute, self._minute_before)
        whole = to_whole(seconds)
        least_picos = least_usd_per_day * _PICOS / MINUTES_A_DAY
        keys: list[LevelKey] = []
        amounts: list[Amount] = []
        rates: list[tuple[float, float]] = []
        for key in sorted(latest):
            in_minute = latest[key]
            in_bucket = _difference(self._open.get(key, NOTHING), self._told.get(key, NOTHING))
            lately = _sum(in_minute, before.get(key, NOTHING))
            if more:
                in_bucket = _sum(in_bucket, in_minute)
            picos, calls = max(in_bucket, lately)
            if picos * whole < least_picos or not self.is_known(key, bucket):
                continue
            index = self._index[key]
            is_dear = picos / _PICOS >= ratio * float(self._hours[index, around].max())
            if is_dear or self._records.is_dearest(index, in_minute):
                keys.append(key)
                amounts.append((picos, calls))
                rate = max(in_minute[0] * whole, lately[0] / LATELY_MINUTES)
                rates.append((lately[0] / _PICOS, rate / _PICOS))
        if not keys:
            return []
        indexes = np.array([self._index[key] for key in keys], np.intp)
        values = np.array([picos for picos, _ in amounts], np.float64) / _PICOS
        found = self._baselines.peek(indexes, float(bucket * _BUCKET_SECONDS), values)
        records = self._records.of(indexes)
        usual = self._around(indexes, hour)
        of_highest = _ratios(values, records[:, BUCKET_USD])
        readings = _readings(keys, values, usual, [calls for _, calls in amounts], found, of_highest)
        minutes = np.array([latest[key] for key in keys], np.float64) / (_PICOS, 1.0)
        of_records = _ratios(minutes, records[:, [MINUTE_USD, MINUTE_CALLS]])
        return [
            reading._replace(
                lately_usd=lately,
                usd_per_minute=rate,
                latest=LatestMinute(usd, latest[reading.key][1], of_dearest, of_fullest, whole),
            )
            for reading, (lately, rate), usd, (of_dearest, of_fullest) in zip(
                readings, rates, minutes[:, 0].tolist(), of_records.tolist(), strict=True
            )
        ]

    def close(self, bucket: int, touched: Collection[LevelKey] = ()) -> list[Reading]:
        """Judge the bucket, learn from it and begin the next one. Series that were there a day ago, oldest first.

        touched: series of which a part is in an incident.
        """
        for key, (cost, _) in self._open.items():
            if key not in self._index:
                self._begin(key, bucket)
            if cost:
                self._active[key] = bucket
        self._forget(bucket)
        keys = list(self._index)
        indexes = np.array(list(self._index.values()), np.intp)
        amounts = [self._open.get(key, NOTHING) for key in keys]
        self._open, self._told = {}, {}
        if not keys:
            return []
        values = np.array([picos for picos, _ in amounts], np.float64) / _PICOS
        calls = [count for _, count in amounts]
        found = self._baselines.judge(indexes, float(bucket * _BUCKET_SECONDS), values)
        usual = self._usual(indexes, keys, bucket, values)
        highest = self._records.of(indexes)[:, BUCKET_USD]
        self._records.close(keys, indexes, values, touched)
        readings = _readings(keys, values, usual, calls, found, _ratios(values, highest))
        for reading in readings:
            self._past[reading.key].buckets.append(
                Bucket(reading.cost_usd, reading.usual_usd, reading.at_least_usd, reading.calls)
            )
        return [reading for reading in readings if self.is_known(reading.key, bucket)]

    def _begin(self, key: LevelKey, bucket: int) -> None:
        index = int(self._baselines.open(1)[0])
        self._index[key], self._born[key], self._active[key] = index, bucket, bucket
        self._past[key] = Past()
        if index >= len(self._hours):
            grown = np.zeros((max(16, 2 * len(self._hours), index + 1), 24), np.float64)
            grown[: len(self._hours)] = self._hours
            self._hours = grown
        self._hours[index] = 0.0
        self._records.begin(index)

    def _around(self, indexes: Indexes, hour: int) -> Floats:
        """The mean buckets of this hour of the day and of those beside it: the series by three."""
        around: Floats = self._hours[indexes][:, _around(hour)]
        return around

    def _usual(self, indexes: Indexes, keys: list[LevelKey], bucket: int, values: Floats) -> Floats:
        """As `_around`, so far; then this bucket is learnt from."""
        hour = _hour(bucket)
        usual: Floats = self._hours[indexes, hour]
        age = bucket - np.array([self._born[key] for key in keys])
        # How many buckets of this hour there were, this one among them, and no more than some days' worth.
        count = (
            (age // BUCKETS_A_DAY) * BUCKETS_AN_HOUR
            + np.minimum(age % BUCKETS_A_DAY, bucket % BUCKETS_AN_HOUR)
            + 1
        )
        mean = self._hours[indexes].mean(axis=1)
        around = self._around(indexes, hour)
        most = np.where(age < BUCKETS_A_DAY, values, _MOST_LEARNT * np.maximum(usual, mean))
        self._hours[indexes, hour] += (np.minimum(values, most) - usual) / np.minimum(count, _BUCKETS_KEPT)
        return around

    def _forget(self, bucket: int) -> None:
        for key in [key for key, active in self._active.items() if bucket - active > FORGET_BUCKETS]:
            self._baselines.close([self._index.pop(key)])
            for kept in (self._active, self._born, self._past):
                kept.pop(key, None)

    def state(self) -> bytes:
        """All of it, as plain data."""
        series = [
            (
                *(level, list(values), index),
                *(self._born[level, values], self._active[level, values]),
                [tuple(bucket) for bucket in self._past[level, values].buckets],
            )
            for (level, values), index in self._index.items()
        ]
        amounts = [
            [(level, list(values), *amount) for (level, values), amount in sums.items()]
            for sums in (self._open, self._told, self._minute, self._minute_before)
        ]
        return pack(
            (
                *(_FORM, series, amounts, len(self._hours)),
                *(self._hours.tobytes(), self._records.state(), self._baselines.state()),
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        try:
            form, series, amounts, rows, hours, records, baselines = unpack_plain(state)
            if form != _FORM:
                raise ValueError(f"a state of cost series of the form {form}, not {_FORM}")
            self._baselines.restore(baselines)
            self._hours = np.frombuffer(hours, np.float64).reshape((rows, 24)).copy()
            self._records.restore(records)
            self._index, self._born, self._active, self._past = {}, {}, {}, {}
            for level, values, index, born, active, past in series:
                key = (level, tuple(values))
                self._index[key], self._born[key], self._active[key] = index, born, active
                self._past[key] = Past(Bucket(*bucket) for bucket in past)
            self._open, self._told, self._minute, self._minute_before = (
                {(level, tuple(values)): (picos, calls) for level, values, picos, calls in sums}
                for sums in amounts
            )
        except (msgspec.MsgspecError, TypeError) as error:
            raise ValueError(f"no state of cost series: {error}") from error


def _sum(one: Amount, other: Amount) -> Amount:
    return one[0] + other[0], one[1] + other[1]


def _difference(one: Amount, other: Amount) -> Amount:
    return one[0] - other[0], one[1] - other[1]


def _hour(bucket: int) -> int:
    return bucket // BUCKETS_AN_HOUR % 24


def _around(hour: int) -> list[int]:
    """The hour and its neighbours: when clocks change, a rhythm moves by one."""
    return [(hour - 1) % 24, hour, (hour + 1) % 24]


def _ratios(values: Floats, highest: Floats) -> Floats:
    """Each value as a multiple of the highest; what was never above zero is as far below any."""
    return values / np.maximum(highest, 1e-12)


def _readings(
    keys: list[LevelKey],
    values: Floats,
    around: Floats,
    calls: list[int],
    found: Surprise,
    of_highest: Floats,
) -> list[Reading]:
    usual = np.maximum(np.maximum(found.usual, around.max(axis=1)), 0.0)
    at_least = np.minimum(usual, around.min(axis=1))
    return [
        Reading(key, cost, mean, least, count, probability, int(direction), channel == JUMP, ratio)
        for key, cost, mean, least, count, probability, direction, channel, ratio in zip(
            keys,
            values.tolist(),
            usual.tolist(),
            at_least.tolist(),
            calls,
            found.log10_probability.tolist(),
            found.direction.tolist(),
            found.channel.tolist(),
            of_highest.tolist(),
            strict=True,
        )
    ]
