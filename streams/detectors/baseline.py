"""What each of many series usually is, learnt as it goes, and how surprising its next value is. No look ahead.

A value is taken on a scale (`streams.detectors.scales`), in units of the series' own usual step; if nothing else is
asked for, it is ratios that count. Three channels are looked at:

- a jump: the value against what the last ones and the season lead to expect, whichever has been the better guide;
- a shift: the mean distance of a few values from level and season alone;
- a drift: the same over five times as many.

Each channel's deviation counts in units of its own usual one (by time of day for the jump), and the least probable of
the three decides (`streams.detectors.tails`). Whatever is learnt from a value is bounded by what was usual, so that an
incident neither hides itself nor the next. What has lasted a whole day is the new usual.

Limits: the first WARM_UP values of a series are only learnt from, and in its first week a shift or a drift has to be
large: whether weekends differ is not known yet. Statistics are floating-point; no money comes out of here.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.detectors.scales import LOG, Scale
from streams.detectors.seasons import DAY_SECONDS, Season, Seasons, Slot
from streams.detectors.series_arrays import blocks, capacity, from_bytes, grown, to_bytes
from streams.detectors.series_figures import (
    BORN,
    FAST,
    FAST_ERROR,
    FEW,
    FIGURES,
    FOLLOWED,
    LAST,
    LEVEL,
    LOG_STEPS,
    MANY,
    RUN,
    SEEN,
    SIZE,
    STEPS,
    UNIT,
    USUAL_ERROR,
    expected_next,
)
from streams.detectors.tails import Floats, Indexes, Tails

WARM_UP: Final = 30
"""Values of a series that are learnt from before any is judged."""

JUMP: Final = 0
SHIFT: Final = 1
DRIFT: Final = 2
CHANNELS: Final = ("jump", "shift", "drift")

_LEAST_STEP: Final = 0.002
_YOUNG_STEP: Final = 0.3
_YOUNG_SECONDS: Final = 7 * DAY_SECONDS
_MEAN_TO_DEVIATION: Final = 1.2533
_MOST_LEARNT: Final = 4.0
_MOST_SLOTS: Final = 288
_STRAYS_BEFORE_JUDGING: Final = 10
_FASTEST: Final = 0.5
_FOLLOWS: Final = 0.3
_GUIDES_REMEMBER: Final = 0.02
_RECENT: Final = 20.0
_LASTING: Final = 3.0
_CHANNELS_LOOKED_AT: Final = float(np.log10(len(CHANNELS) - 1))


_FORM: Final = "baselines 1"


class _Kept(msgspec.Struct):
    form: str
    step_seconds: float
    count: int
    closed: list[int]
    arrays: dict[str, bytes]


class Surprise(NamedTuple):
    """How surprising m values are.

    log10_probability: 0 for nothing to see, -4 for once in ten thousand values; 0 while a series is warming up.
    direction: 1 above, -1 below what was expected. channel: index into CHANNELS. expected: in the value's own unit.
    usual: the same by level and season alone, which the last values hardly move.
    """

    log10_probability: Floats
    direction: Floats
    channel: NDArray[np.intp]
    expected: Floats
    usual: Floats


class _Look(NamedTuple):
    """What was found out about m values, for whoever learns from it. Arrays by value, or by channel and value.

    known: their series' VALUES, with FEW and MANY as this value makes them. y to units: on the scale of asinh.
    relative: deviations in units. ready, judging: which channels learn, and which judge.
    """

    surprise: Surprise
    known: Floats
    slot: Slot
    season: Season
    y: Floats
    usual: Floats
    away: Floats
    deviations: Floats
    units: Floats
    relative: Floats
    ready: NDArray[np.bool_]
    judging: NDArray[np.bool_]


class Baselines:
    """Many series of one step. Every call is linear in the series that it names; each is named once a call.

    A series is judged the same whichever others are: they are only worked on together, a block at a time.
    """

    def __init__(
        self,
        step_seconds: float,
        slots: int = 0,
        *,
        has_seasons: bool = True,
        period_seconds: float | None = None,
        scale: Scale = LOG,
    ) -> None:
        """step_seconds: the usual time between two values. slots: of a day, 0 for as many as there are steps.

        has_seasons: False where times are mere numbers of values, that belong to no day or week. period_seconds: what
        is taken for the day, where something repeats that is no day; there are no weeks then.
        """
        self.step_seconds = step_seconds
        self._scale = scale
        self.count = 0
        self._closed: list[int] = []
        steps_a_day = max(1.0, DAY_SECONDS / step_seconds)
        repeats = has_seasons or period_seconds is not None
        has_weeks = has_seasons and period_seconds is None
        season_seconds = period_seconds or DAY_SECONDS
        most_slots = int(min(_MOST_SLOTS, max(1.0, season_seconds / step_seconds))) if repeats else 1
        self.seasons = Seasons(step_seconds, (repeats and slots) or most_slots, has_weeks, season_seconds)
        self.tails = Tails(len(CHANNELS))
        self._steps_a_day = steps_a_day
        self._few = max(3.0, min(12.0, 3600.0 / step_seconds))
        long = min(4_000.0, max(200.0, 2 * steps_a_day))
        self._young_seconds = _YOUNG_SECONDS if has_weeks else 0.0
        self._memories = np.array([[400.0], [long], [long]])
        self.values = np.zeros((len(FIGURES), 0), np.float64)
        self.strays = np.zeros((len(CHANNELS), 0), np.float32)
        self.recent = np.zeros(0, np.float32)
        self.judged = np.zeros((len(CHANNELS), 0), np.float32)

    def open(self, count: int) -> Indexes:
        """Indexes of `count` series that have no values yet."""
        reused = self._closed[:count]
        del self._closed[:count]
        fresh = count - len(reused)
        indexes = np.array([*reused, *range(self.count, self.count + fresh)], np.intp)
        self.count += fresh
        if self.count > capacity(self.values):
            for owner, name in self._arrays():
                setattr(owner, name, grown(getattr(owner, name), self.count))
        return indexes

    def close(self, series: Iterable[int]) -> None:
        """Forget these series; their indexes will be given to others."""
        indexes = sorted(series)
        for owner, name in self._arrays():
            getattr(owner, name)[..., indexes] = 0
        self._closed += indexes

    def state(self) -> bytes:
        """All of it, as plain data."""
        arrays = {name: to_bytes(getattr(owner, name), self.count) for owner, name in self._arrays()}
        return msgspec.msgpack.encode(_Kept(_FORM, self.step_seconds, self.count, self._closed, arrays))

    def restore(self, state: bytes) -> None:
        """Take up what `state` of one of the same step and slots gave. Raises ValueError for any other form."""
        try:
            kept = msgspec.msgpack.decode(state, type=_Kept)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no state of baselines: {error}") from error
        if kept.form != _FORM or kept.step_seconds != self.step_seconds:
            raise ValueError("a state of baselines of another form or step")
        try:
            taken_up = [
                (owner, name, from_bytes(kept.arrays.get(name, b""), getattr(owner, name), kept.count))
                for owner, name in self._arrays()
            ]
        except ValueError as error:
            raise ValueError(f"a state of baselines of another number of slots: {error}") from error
        self.count, self._closed = kept.count, kept.closed
        for owner, name, array in taken_up:
            setattr(owner, name, array)

    def judge(self, series: Indexes, at_seconds: float, values: Floats) -> Surprise:
        """How surprising these values are; then they are learnt from.

        series: m different indexes. at_seconds: Unix time of all of them. values: m finite numbers.
        """
        answer = _nothing(values)
        for part in blocks(len(series)):
            self._judge_block(series[part], at_seconds, values[part], answer, part.start)
        return answer

    def _judge_block(
        self, series: Indexes, at_seconds: float, values: Floats, answer: Surprise, first: int
    ) -> None:
        warming = self.values[SEEN, series] < WARM_UP
        if warming.any():
            self._warm_up(series[warming], at_seconds, values[warming])
            live = np.flatnonzero(~warming)
            series, values = series[live], values[live]
        else:
            live = np.arange(len(series))
        if live.size:
            look = self._look(series, at_seconds, values)
            _fill(answer, live + first, look.surprise)
            self._learn(series, look)

    def _warm_up(self, series: Indexes, at_seconds: float, values: Floats) -> None:
        """Find the unit: the geometric mean of the steps that a series makes, else of its values' size."""
        known = self.values.take(series, axis=-1)
        seen = known[SEEN]
        first = seen == 0
        known[BORN, first] = at_seconds
        step = np.where(first, 0.0, np.abs(values - known[LAST]))
        moved = step > 0
        known[STEPS] += moved
        known[LOG_STEPS] += np.log(np.where(moved, step, 1.0))
        known[SIZE] += (np.abs(values) - known[SIZE]) / (seen + 1)
        known[LAST] = values
        known[SEEN] = seen + 1
        ready = known[SEEN] == WARM_UP
        mean_step = np.exp(known[LOG_STEPS] / np.maximum(known[STEPS], 1))
        unit = np.where(known[STEPS] > 0, mean_step, np.where(known[SIZE] > 0, known[SIZE], 1.0))
        known[UNIT] = np.where(ready, unit, 0.0)
        known[FAST, ready] = self._scale.of(values[ready] / unit[ready])
        self.values[:, series] = known

    def peek(self, series: Indexes, at_seconds: float, values: Floats) -> Surprise:
        """As `judge`, but nothing is learnt: for a value that is not whole yet, or to ask what is expected."""
        answer = _nothing(values)
        for part in blocks(len(series)):
            live = np.flatnonzero(self.values[SEEN, series[part]] >= WARM_UP) + part.start
            if live.size:
                _fill(answer, live, self._look(series[live], at_seconds, values[live]).surprise)
        return answer

    def is_judged(self, series: Indexes) -> NDArray[np.bool_]:
        """Whether the series have had enough values to be judged."""
        judged: NDArray[np.bool_] = self.values[SEEN, series] >= WARM_UP + _STRAYS_BEFORE_JUDGING
        return judged

    def _look(self, series: Indexes, at_seconds: float, values: Floats) -> "_Look":
        known = self.values.take(series, axis=-1)
        y = self._scale.of(values / known[UNIT])
        slot = self.seasons.slot(at_seconds)
        season = self.seasons.at(series, slot)
        seen = season.visits > 0
        usual = known[LEVEL] + season.offsets
        expected = expected_next(known, usual, seen)
        away = np.where(seen, y - usual, 0.0)
        known[FEW] += (away - known[FEW]) / self._few
        known[MANY] += (away - known[MANY]) / (5 * self._few)
        deviations = np.stack([y - expected, known[FEW], known[MANY]])
        ready = np.stack([np.ones_like(seen), seen, seen])
        judging = ready & (self.judged.take(series, axis=-1) >= _STRAYS_BEFORE_JUDGING)
        units = self._units(series, season, at_seconds - known[BORN], usual)
        relative = np.where(judging, deviations / units, 0.0)
        by_channel = self.tails.log10_probability(series, relative)
        channel = by_channel.argmin(axis=0)
        each = np.arange(len(series))
        surprise = Surprise(
            np.minimum(by_channel[channel, each] + _CHANNELS_LOOKED_AT, 0.0),
            np.sign(relative[channel, each]),
            channel,
            self._scale.back(np.where(channel == JUMP, expected, usual)) * known[UNIT],
            self._scale.back(usual) * known[UNIT],
        )
        return _Look(
            surprise, known, slot, season, y, usual, away, deviations, units, relative, ready, judging
        )

    def _units(self, series: Indexes, season: Season, age_seconds: Floats, usual: Floats) -> Floats:
        """The usual deviation of each channel, channels by m; larger while little is known."""
        judged = self.judged.take(series, axis=-1).astype(np.float64)
        mean = self.strays.take(series, axis=-1).astype(np.float64)
        mean[JUMP] = np.maximum(mean[JUMP], 0.5 * self.recent[series])
        units = mean * _MEAN_TO_DEVIATION * (1 + 6 / (judged + 1))
        least = np.full_like(units, _LEAST_STEP)
        young = age_seconds < self._young_seconds
        least[SHIFT:, young] = _YOUNG_STEP * self._scale.stretch(usual[young])
        units = np.maximum(units, least)
        # At this time of day it may stray more, or less, than at any.
        jump = units[JUMP]
        visits = season.visits
        of_slot = (2 * jump + season.strays * _MEAN_TO_DEVIATION * (visits - 1)) / (visits + 1)
        units[JUMP] = np.where(visits > 1, np.maximum(0.5 * jump, of_slot), jump)
        # What is expected rests on few values of this time of day at first, and strays as they did.
        units *= np.sqrt(1 + 1 / np.maximum(visits, 1))
        return units

    def _learn(self, series: Indexes, look: "_Look") -> None:
        self.tails.learn(series, look.relative, look.judging)
        self._learn_strays(series, look)
        known, seen = look.known, look.season.visits > 0
        most_jump = _MOST_LEARNT * look.units[JUMP]
        most = np.maximum(most_jump, _MOST_LEARNT * look.units[SHIFT])
        step = np.clip(look.away, -most, most)
        strayed = np.minimum(np.abs(look.deviations[JUMP]), most_jump)
        self.seasons.learn(series, look.slot, look.season, look.y - known[LEVEL], step, strayed)
        for column, guess in ((FAST_ERROR, known[FAST]), (USUAL_ERROR, look.usual + known[FOLLOWED])):
            error = np.minimum(np.abs(look.y - guess), most_jump)
            begun = known[column] > 0
            learnt = known[column] + (error - known[column]) * _GUIDES_REMEMBER
            known[column] = np.where(begun, np.where(seen, learnt, known[column]), error + 1e-6)
        # Bounded too, or the end of a spike would be as surprising as its beginning.
        known[FAST] += _FASTEST * np.clip(look.y - known[FAST], -most_jump, most_jump)
        followed = _FOLLOWS * np.clip(look.away - known[FOLLOWED], -most_jump, most_jump)
        known[FOLLOWED] += np.where(seen, followed, 0.0)
        known[SEEN] += 1
        known[LEVEL] += np.where(seen, step / np.minimum(known[SEEN] - WARM_UP, self._steps_a_day), 0.0)
        self._settle(known, look.relative[SHIFT])
        self.values[:, series] = known

    def _learn_strays(self, series: Indexes, look: "_Look") -> None:
        judged = self.judged.take(series, axis=-1) + look.ready
        far = np.abs(look.deviations)
        bounded = np.where(judged > 5, np.minimum(far, _MOST_LEARNT * look.units), far)
        count = np.maximum(judged, 1)
        held = self.strays.take(series, axis=-1)
        share = 1 / np.minimum(count, self._memories)
        self.strays[:, series] = held + np.where(look.ready, (bounded - held) * share, 0.0)
        recent = self.recent[series]
        self.recent[series] = recent + (bounded[JUMP] - recent) / np.minimum(count[JUMP], _RECENT)
        self.judged[:, series] = judged

    def _settle(self, known: Floats, shift: Floats) -> None:
        """What lasts a day is the new usual."""
        sign = np.sign(shift)
        run = np.where(known[RUN] * sign >= 0, known[RUN] + sign, sign)
        known[RUN] = np.where(np.abs(shift) > _LASTING, run, 0.0)
        settled = np.abs(known[RUN]) > self._steps_a_day
        known[LEVEL] += np.where(settled, known[FEW], 0.0)
        for column in (FEW, MANY, FOLLOWED, RUN):
            known[column, settled] = 0.0

    def _arrays(self) -> list[tuple[object, str]]:
        """Every array of the state and who holds it."""
        return [
            *((self, name) for name in ("values", "strays", "recent", "judged")),
            *((self.tails, name) for name in Tails.FIELDS),
            *((self.seasons, name) for name in Seasons.FIELDS),
        ]


def _nothing(values: Floats) -> Surprise:
    """The answer where nothing is known."""
    count = len(values)
    return Surprise(np.zeros(count), np.zeros(count), np.zeros(count, np.intp), values.copy(), values.copy())


def _fill(answer: Surprise, places: Indexes, found: Surprise) -> None:
    for mine, its in zip(answer, found, strict=True):
        mine[places] = its
