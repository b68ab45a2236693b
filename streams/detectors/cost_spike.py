"""Cost spikes, and usage that goes silent: told at the level where the cause sits, with the bridge that explains it.

Every level (`streams.detectors.levels`) has a series of its cost in buckets of five minutes. A bucket that is both
improbable and dear opens an incident: at once where it costs many times what is usual, even before it is whole, and
otherwise when the next ones bear it out. Of all levels that show it, the one is reported at which the cause sits: the
narrowest that explains most of what the owner has too much. A model that only takes over another's traffic raises no
owner's cost, and is no spike.

Silence is said of what somebody owns, when it usually costs something at this time and has called nobody for half an
hour; of a vendor or a model it is not, as its traffic may have moved.

Limits: a series is judged after its first day, in its first week only a large change counts, and it is not missed
before it was there for eight days. Late reports are not looked at again.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

import msgspec
import numpy as np

from streams.detectors.cost_cause import Excess, Spent, causes
from streams.detectors.cost_excess import (
    AT_ONCE_RATIO,
    GREAT_RECORD_RATIO,
    LASTING_RATIO,
    Usual,
    too_dear_a_bucket,
    too_full_a_minute,
    weighs,
)
from streams.detectors.cost_readings import Reading, Readings, to_whole
from streams.detectors.cost_records import NOTHING, Amount
from streams.detectors.cost_report import Open, silence, spike
from streams.detectors.cost_series import (
    BUCKET_MINUTES,
    BUCKETS_A_DAY,
    BUCKETS_AN_HOUR,
    CostSeries,
)
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.levels import API_KEY, OWNED, LevelKey, is_in, level_keys, lies_in
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.packing import pack, unpack
from streams.detectors.past_buckets import Bucket
from streams.detectors.tails import Indexes
from streams.detectors.usual_mix import UsualMix
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Severity

LASTING_LOG10: Final = -6.0
_OLD_MINUTES: Final = 6 * 60
_KNOWN_DAYS: Final = 7
_STILL_BUCKETS: Final = 3
_OVER_RATIO: Final = 1.5
_SILENT_BUCKETS: Final = 6
_FAILOVER_BUCKETS: Final = 18
_FAILOVER_SHARE: Final = 0.4
_SILENT_SHARE: Final = 0.02
_SAME: Final = 1.05
_FORM: Final = 2

_Rows = dict[tuple[str, ...], tuple[Mapping[str, str], int]]


class _Kept(msgspec.Struct, array_like=True):
    form: int
    series: bytes
    mix: bytes
    rows: list[list[tuple[dict[str, str], int]]]
    opened: list[tuple[int, list[str], Open]]
    waiting: list[tuple[int, list[str], tuple[int, int]]]
    ended: list[tuple[int, list[str], int]] = []


class CostSpike:
    """One tenant's spikes and silences."""

    kind: ClassVar[str] = "cost_spike"
    early: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        self._settings: DetectionSettings = surroundings.settings
        self._series = CostSeries()
        self._mix = UsualMix()
        self._open: dict[LevelKey, Open] = {}
        self._waiting: dict[LevelKey, tuple[int, int]] = {}
        self._ended: dict[LevelKey, int] = {}
        self._rows: deque[_Rows] = deque([{}], maxlen=BUCKETS_AN_HOUR)

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """What costs too much, or nothing any more."""
        bucket = minute.minute // BUCKET_MINUTES
        if not minute.is_whole:
            return self._conditions(minute, self._look_early(bucket, minute))
        self._series.begin_minute()
        lately = self._begun_lately(minute.minute)
        for row in minute.rows:
            self._add(row, lately)
        self._mix.add(minute.minute, minute.rows, frozen=self._is_in_incident)
        self._begin(self._look_early(bucket, minute), minute.minute)
        if minute.minute % BUCKET_MINUTES == BUCKET_MINUTES - 1:
            self._begin(self._close(bucket, minute), minute.minute)
        return self._conditions(minute, ())

    def _add(self, row: GroupRow, lately: Sequence[LevelKey]) -> None:
        is_told = bool(lately) and any(is_in(row.names, key) for key in lately)
        self._series.add(level_keys(row.names), row.sums.cost_picos, row.sums.calls, is_told=is_told)
        rows = self._rows[-1]
        _, before = rows.get(row.key, (row.names, 0))
        rows[row.key] = (row.names, before + row.sums.cost_picos)

    def _look_early(self, bucket: int, minute: TenantMinute) -> list[Excess]:
        """What is many times as dear already, in a bucket that is not whole."""
        more: dict[LevelKey, Amount] = {}
        if not minute.is_whole:
            lately = self._begun_lately(minute.minute)
            for names, sums in minute.rows:
                if lately and any(is_in(names, key) for key in lately):
                    continue
                its_picos, its_calls = sums.cost_picos, sums.calls
                for key in level_keys(names):
                    picos, calls = more.get(key, NOTHING)
                    more[key] = (picos + its_picos, calls + its_calls)
            if not more:
                return []
        least = self._least_usd_per_day()
        found: list[Excess] = []
        for reading in self._series.peek(bucket, AT_ONCE_RATIO, more, least, minute.seconds):
            key = reading.key
            if key in self._open:
                continue
            usual = self._usual(reading, least, bucket)
            per_day = too_dear_a_bucket(reading, usual)
            if per_day and self._mix.unusual_share(key, minute.rows if more else ()) > _FAILOVER_SHARE:
                per_day = None
            if not per_day and (per_day := too_full_a_minute(reading, usual)):
                per_day = per_day if self._mix.unusual_share_of(key, minute.rows) <= _FAILOVER_SHARE else None
            if per_day:
                found.append(Excess(key, per_day, reading.usual_usd, at_once=True))
        return self._causes(found, minute)

    def _causes(self, found: Sequence[Excess], minute: TenantMinute) -> list[Excess]:
        """Of all levels that show it, those where it comes from."""
        if not found:
            return []
        latest = [(row.names, row.sums.cost_picos) for row in minute.rows]
        buckets = [list(bucket.values()) for bucket in self._rows]
        spent = Spent(buckets, latest, not minute.is_whole, to_whole(minute.seconds))
        return causes(found, spent, self._open, [*self._open, *self._ended], self._mix)

    def _close(self, bucket: int, minute: TenantMinute) -> list[Excess]:
        lately = self._begun_lately(minute.minute)
        touched = {
            key
            for names, _ in (self._rows[-1].values() if lately else ())
            if any(is_in(names, cause) for cause in lately)
            for key in level_keys(names)
        }
        closed = self._series.close(bucket, touched)
        least = self._least_usd_per_day()
        self._end_what_is_over(least, bucket)
        readings = closed.one_by_one(self._worth_a_look(closed, least))
        found: list[Excess] = []
        for reading in readings:
            per_day = too_dear_a_bucket(reading, self._usual(reading, least, bucket))
            excess = (
                Excess(reading.key, per_day, reading.usual_usd, at_once=True)
                if per_day
                else self._lasting(reading, least, bucket)
            )
            if excess is not None and reading.key not in self._open and self._has_lasted(excess, bucket):
                found.append(excess)
        self._find_silence(readings, least, bucket)
        begun = self._causes(found, minute)
        self._rows.append({})
        return begun

    def _worth_a_look(self, closed: Readings, least: float) -> Indexes:
        """All but those of which nothing can come: what is asked of a series first, asked of all at once."""
        is_dear = closed.cost_usd >= LASTING_RATIO * closed.usual_usd
        is_much = (closed.cost_usd - closed.usual_usd) * BUCKETS_A_DAY >= least
        is_unseen = (closed.log10_probability <= LASTING_LOG10) | (closed.of_highest >= GREAT_RECORD_RATIO)
        is_unseen[self._series.places(closed, self._waiting)] = True
        is_missed = (closed.direction < 0) & (closed.log10_probability <= LASTING_LOG10)
        return np.flatnonzero((is_dear & (is_much | is_unseen)) | is_missed)

    def _begun_lately(self, minute: int) -> list[LevelKey]:
        """What is in an incident that is not old. What costs so for long sets records, too."""
        return [
            key for key, incident in self._open.items() if minute - incident.started_minute < _OLD_MINUTES
        ]

    def _lasting(self, reading: Reading, least: float, bucket: int) -> Excess | None:
        """Too dear for an hour, or in two buckets of three, and still now."""
        _, before = self._waiting.get(reading.key, (bucket, -_STILL_BUCKETS))
        is_waited_for = bucket - before < _STILL_BUCKETS
        is_below = reading.direction < 0 and reading.cost_usd < reading.usual_usd
        is_record = self._is_known(reading.key, bucket) and reading.of_highest >= GREAT_RECORD_RATIO
        is_unseen = reading.log10_probability <= LASTING_LOG10 or is_record
        if is_below or not (is_unseen or is_waited_for):
            return None
        span = 3 if reading.is_jump else BUCKETS_AN_HOUR
        past = self._series.last(reading.key, span)
        per_day = (past.cost_usd - past.usual_usd) * BUCKETS_A_DAY / span
        # What is usual at this time rests on so few days at first.
        days = self._series.age_days(reading.key, bucket)
        ratio = LASTING_RATIO * (1 + max(0.0, 1 / max(1.0, days) - 1 / _KNOWN_DAYS))
        dear = past.cost_usd >= ratio * past.usual_usd and reading.cost_usd >= ratio * reading.usual_usd
        if per_day < least or not dear or not weighs(past.calls, per_day / BUCKETS_A_DAY * span, least):
            return None
        return Excess(reading.key, per_day, reading.usual_usd, at_once=False)

    def _usual(self, reading: Reading, least: float, bucket: int) -> Usual:
        return Usual(least, self._is_known(reading.key, bucket), partial(self._mix.calls, reading.key))

    def _is_known(self, key: LevelKey, bucket: int) -> bool:
        """Whether its records say what it may come to: it was seen on every day of the week."""
        return self._series.is_known(key, bucket, _KNOWN_DAYS)

    def _has_lasted(self, excess: Excess, bucket: int) -> bool:
        """Whether it has been so for as long as it takes. A workload that calls other models may be failing over."""
        first, before = self._waiting.get(excess.key, (bucket, bucket))
        if bucket - before >= _STILL_BUCKETS:
            first = bucket
        self._waiting[excess.key] = (first, bucket)
        wait = 0 if excess.at_once else 1
        if self._mix.unusual_share(excess.key) > _FAILOVER_SHARE:
            wait = _FAILOVER_BUCKETS
        return bucket - first >= wait

    def _begin(self, found: Sequence[Excess], minute: int) -> None:
        for excess in found:
            usual = excess.usual_usd * BUCKETS_AN_HOUR
            began = minute if excess.at_once else minute - 2 * BUCKET_MINUTES
            self._open[excess.key] = Open(began, "up", usual + excess.usd_per_day / 24, usual)

    def _end_what_is_over(self, least: float, bucket: int) -> None:
        self._ended = {key: at for key, at in self._ended.items() if bucket - at < BUCKETS_AN_HOUR}
        self._waiting = {
            key: seen for key, seen in self._waiting.items() if bucket - seen[1] < _STILL_BUCKETS
        }
        for key, incident in list(self._open.items()):
            # Only what is whole and has come since.
            buckets = min(_STILL_BUCKETS, bucket - incident.started_minute // BUCKET_MINUTES)
            if not buckets:
                continue
            last, an_hour = self._series.last(key, buckets), BUCKETS_AN_HOUR / buckets
            cost, usual = last.cost_usd * an_hour, last.usual_usd * an_hour
            if incident.kind == "silent":
                silent_usd = incident.usual_usd_per_hour / an_hour
                minutes = buckets * BUCKET_MINUTES
                if not self._is_silent(key, last, silent_usd, minutes) or usual * 24 < least / 2:
                    del self._open[key]
            elif cost < _OVER_RATIO * usual or (cost - usual) * 24 < least / 2:
                del self._open[key]
                self._ended[key] = bucket
            else:
                incident.cost_usd_per_hour, incident.usual_usd_per_hour = cost, usual

    def _find_silence(self, readings: list[Reading], least: float, bucket: int) -> None:
        silent: dict[LevelKey, float] = {}
        for reading in readings:
            improbable = reading.direction < 0 and reading.log10_probability <= LASTING_LOG10
            # Who was never seen on this day of the week may never work on it.
            if improbable and reading.key[0] in OWNED and self._series.is_known(reading.key, bucket, days=8):
                last = self._series.last(reading.key, _SILENT_BUCKETS)
                minutes = _SILENT_BUCKETS * BUCKET_MINUTES
                if self._is_silent(reading.key, last, last.at_least_usd, minutes):
                    silent[reading.key] = last.at_least_usd * BUCKETS_AN_HOUR / _SILENT_BUCKETS
        if any(level != API_KEY for level, _ in silent):
            # What a key is used for has an owner, and the owner says more.
            silent = {key: usual for key, usual in silent.items() if key[0] != API_KEY}
        for key, usual in silent.items():
            # Of two that are the same traffic, the narrower says more.
            wider = any(lies_in(key, other) and silent[other] > _SAME * usual for other in silent)
            narrower = any(lies_in(other, key) and usual <= _SAME * silent[other] for other in silent)
            known = any(other == key or lies_in(key, other) or lies_in(other, key) for other in self._open)
            if usual * 24 >= least and not (wider or narrower or known):
                started = (bucket + 1 - _SILENT_BUCKETS) * BUCKET_MINUTES
                self._open[key] = Open(started, "silent", 0.0, usual)

    def _is_silent(self, key: LevelKey, last: Bucket, usual_usd: float, minutes: int) -> bool:
        """Whether it cost and called next to nothing in so many minutes, where so much is usual.

        Whose calls fail, or have no price any more, still calls.
        """
        calls = self._mix.calls(key, usual_usd, minutes)
        return last.cost_usd <= _SILENT_SHARE * usual_usd and last.calls <= _SILENT_SHARE * calls

    def _least_usd_per_day(self) -> float:
        """What an incident has to cost to be told."""
        share = float(self._settings.spike_share_of_spend) * self._mix.usd_per_day()
        return max(float(self._settings.spike_min_usd_per_day), share)

    def _is_in_incident(self, names: Mapping[str, str]) -> bool:
        return any(is_in(names, key) for key in self._open)

    def _conditions(self, minute: TenantMinute, early: Any) -> list[Condition]:
        said = [self._condition(key, incident) for key, incident in self._open.items()]
        for excess in early:
            usual = excess.usual_usd * BUCKETS_AN_HOUR
            incident = Open(minute.minute, "up", usual + excess.usd_per_day / 24, usual)
            said.append(self._condition(excess.key, incident, minute.rows))
        return said

    def _condition(self, key: LevelKey, incident: Open, more: Sequence[GroupRow] = ()) -> Condition:
        if incident.kind == "silent":
            return silence(self.kind, key, incident)
        steps = self._mix.bridge(key, more, incident.cost_usd_per_hour, incident.usual_usd_per_hour)
        return spike(self.kind, key, incident, steps, self._severity(incident))

    def _severity(self, incident: Open) -> Severity:
        impact_usd_per_day = (incident.cost_usd_per_hour - incident.usual_usd_per_hour) * 24
        spend = self._mix.usd_per_day()
        critical = impact_usd_per_day >= self._settings.spike_critical_usd_per_day
        return "critical" if critical or (spend > 0 and impact_usd_per_day >= 0.5 * spend) else "warning"

    def state(self) -> bytes:
        """All that it knows."""
        return pack(
            _Kept(
                _FORM,
                self._series.state(),
                self._mix.state(),
                [[(dict(names), picos) for names, picos in rows.values()] for rows in self._rows],
                [(level, list(values), incident) for (level, values), incident in self._open.items()],
                [(level, list(values), seen) for (level, values), seen in self._waiting.items()],
                [(level, list(values), at) for (level, values), at in self._ended.items()],
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        try:
            kept = unpack(state, _Kept)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no state of cost spikes: {error}") from error
        if kept.form != _FORM:
            raise ValueError(f"a state of cost spikes of the form {kept.form}, not {_FORM}")
        self._series.restore(kept.series)
        self._mix.restore(kept.mix)
        self._rows = deque(
            ({tuple(names.values()): (names, picos) for names, picos in rows} for rows in kept.rows),
            maxlen=BUCKETS_AN_HOUR,
        )
        self._open = {(level, tuple(values)): incident for level, values, incident in kept.opened}
        self._waiting = {(level, tuple(values)): seen for level, values, seen in kept.waiting}
        self._ended = {(level, tuple(values)): at for level, values, at in kept.ended}


DETECTOR: Final = CostSpike
