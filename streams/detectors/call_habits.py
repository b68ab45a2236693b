"""What calls usually take: by tokens, by hour of the day, and what is a workload's own. Plain data, learnt as it goes.

What a call is expected to take is a product: what its tokens take at its model (`streams.detectors.token_relation`),
times the model's present level, times the hour of the day, times what is the workload's own (its prompts may call for
tools that others' do not). So a workload that calls another model, or sends longer prompts, is expected to wait for
longer, and nothing has become slow. All but the first is kept as logarithms.

What is learnt from a call is bounded, so that an incident neither hides itself nor the next one; a level follows by
halves in half a day, so that what lasts for a day or two is the new usual. Hours are of UTC, and those beside an hour
count as it does when clocks change: the slowest of the three is what is usual.
"""

import math
from typing import Final, NamedTuple

import msgspec

from streams.detectors.call_times import DURATION, MEASURES, TTFT, CallTimes
from streams.detectors.token_relation import SHARES_OF_DURATION, SHARES_OF_TTFT, TokenRelation

JUDGED_AFTER_MINUTES: Final = 24 * 60
JUDGED_AFTER_CALLS: Final = 20.0
WELL_KNOWN_CALLS: Final = 300.0
THEN_EACH: Final = 3
"""Of what is well known, each third row is learnt from, as if it were three: it costs less and says as much."""
_MOST_LEARNT: Final = 0.4
_LEVEL_HALF_LIFE_MINUTES: Final = 12 * 60.0
_OWN_HALF_LIFE_MINUTES: Final = 5 * 24 * 60.0
_LEAST_KEPT_CALLS: Final = 60.0
_HOUR_PRIOR_CALLS: Final = 30.0
_HOUR_KEPT_A_DAY: Final = 0.8
_HOUR_MOST_CALLS: Final = 100_000.0
_SPREAD_BEFORE: Final = 0.15
_LEAST_SPREAD: Final = 0.01
_SPREAD_ROWS: Final = 300.0
_ROWS_BEFORE: Final = 10.0
_MOST_STRAYED: Final = 9.0
_USUAL_KEPT_A_DAY: Final = 0.8
_NEGLIGIBLE: Final = 0.05
_MOST_RISE: Final = 1.5
_UNSURE: Final = 1.5
"""So many times how far the expectation itself may be off is taken from a rise."""
_FORGIVEN: Final = 0.5
"""Of growth in tokens beyond all that was seen."""

_SHARES: Final = {TTFT: SHARES_OF_TTFT, DURATION: SHARES_OF_DURATION}


class Rhythm(msgspec.Struct, array_like=True):
    """Offsets by hour of the day."""

    offsets: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)
    calls: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)
    days: list[int] = msgspec.field(default_factory=lambda: [0] * 24)

    def at(self, hour: int, prior: float = 0.0) -> float:
        """The offset of an hour; with few calls, near the prior."""
        calls = self.calls[hour]
        return (calls * self.offsets[hour] + _HOUR_PRIOR_CALLS * prior) / (calls + _HOUR_PRIOR_CALLS)

    def learn(self, minute: int, rise: float, calls: int) -> None:
        """Learn from calls of a minute. rise: against all but the hour; the caller has bounded it."""
        hour, day = minute // 60 % 24, minute // 1440
        known = self.calls[hour]
        if known > _HOUR_MOST_CALLS:
            known = _HOUR_MOST_CALLS
        if day > self.days[hour]:
            known *= _HOUR_KEPT_A_DAY ** min(day - self.days[hour], 30)
            self.days[hour] = day
        known += calls
        self.calls[hour] = known
        self.offsets[hour] += (rise - self.offsets[hour]) * calls / known


class Tracked(msgspec.Struct, array_like=True):
    """A mean that follows. held: of how many calls it is one."""

    value: float = 0.0
    held: float = 0.0
    minute: int = 0

    def learn(self, minute: int, step: float, calls: int, half_life: float) -> None:
        """Learn from some calls that lie `step` away."""
        passed = minute - self.minute
        held = self.held
        if passed > 0:
            if held > _LEAST_KEPT_CALLS:
                held = max(held * 0.5 ** (passed / half_life), _LEAST_KEPT_CALLS)
            self.minute = minute
        self.held = held + calls
        self.value += step * calls / self.held


class Habit(msgspec.Struct, array_like=True):
    """One measure of a route: a vendor's model in a region, by operation and service tier."""

    relation: TokenRelation = msgspec.field(default_factory=TokenRelation)
    level: Tracked = msgspec.field(default_factory=Tracked)
    rhythm: Rhythm = msgspec.field(default_factory=Rhythm)
    hour: int = -1
    """That of the two offsets that follow, counted since the Unix epoch."""
    offset: float = 0.0
    offset_at_most: float = 0.0

    def go_to(self, minute: int, vendor: Rhythm) -> None:
        """Look up the offsets of the minute's hour, where that is another than before."""
        if self.hour == minute // 60:
            return
        self.hour = minute // 60
        hour = self.hour % 24
        around = [self.rhythm.at(one % 24, vendor.at(one % 24)) for one in (hour - 1, hour, hour + 1)]
        self.offset, self.offset_at_most = around[1], max(around)


class Own(msgspec.Struct, array_like=True):
    """One measure of one workload at one route. spread: the variance of one call's logarithm."""

    offset: Tracked = msgspec.field(default_factory=Tracked)
    spread: float = _SPREAD_BEFORE
    rows: float = _ROWS_BEFORE


class Rise(NamedTuple):
    """How much longer some calls took than expected, as a logarithm.

    expected_ms, mean_ms: expected of one of them, in the middle and in the mean. precision: of the logarithm. at_least:
    the rise, less what the expectation may be off.
    is_judged: whether enough is known.
    """

    expected_ms: float
    mean_ms: float
    rise: float
    at_least: float
    precision: float
    is_judged: bool


def expected_ms(habit: Habit, own: Own, measure: int, times: CallTimes) -> float | None:
    """What a call is expected to take at this hour; None where nothing is known yet."""
    if not habit.relation.factors:
        return None
    level = habit.level.value + habit.offset + own.offset.value
    return habit.relation.expected_ms(times.amounts[measure]) * math.exp(level)


def rise_of(habit: Habit, own: Own, measure: int, times: CallTimes, expected: float, mean_ms: float) -> Rise:
    """How much longer they took than `expected`."""
    calls = times.counts[measure]
    spread = own.spread
    # The logarithm of the mean of many lies above the mean of their logarithms.
    rise = math.log(mean_ms / expected)
    if calls > 1:
        rise += spread / (2 * calls) - spread / 2
    if not -_MOST_RISE < rise < _MOST_RISE:
        rise = math.copysign(_MOST_RISE, rise)
    level, offset = habit.level.held, own.offset.held
    unsure = _UNSURE * math.sqrt(spread * (1 / (level + 1) + 1 / (offset + 1)))
    unsure += habit.offset_at_most - habit.offset
    unsure += _FORGIVEN * habit.relation.stretch(times.amounts[measure])
    is_judged = level >= JUDGED_AFTER_CALLS and offset >= JUDGED_AFTER_CALLS
    return Rise(expected, expected * math.exp(spread / 2), rise, rise - unsure, calls / spread, is_judged)


def learn(
    habit: Habit,
    own: Own,
    vendor: Rhythm,
    measure: int,
    minute: int,
    times: CallTimes,
    rise: Rise | None,
    mean_ms: float,
    *,
    is_steady: bool,
    is_settling: bool,
    times_over: int = 1,
) -> None:
    """Learn from some calls. rise: of them, None where nothing was expected. times_over: as if there were so many.

    is_steady: whether nothing speaks for an incident. is_settling: whether one has lasted so long that it is the usual.
    """
    calls = times.counts[measure]
    relation = habit.relation
    if rise is not None:
        most = _MOST_RISE if is_settling or not rise.is_judged else _MOST_LEARNT
        step = rise.rise
        if not -most < step < most:
            step = math.copysign(most, step)
        by_hour = habit.offset + step
        number = calls * times_over
        habit.rhythm.learn(minute, by_hour, number)
        vendor.learn(minute, by_hour, number)
        habit.level.learn(minute, step, number, _LEVEL_HALF_LIFE_MINUTES)
        own.offset.learn(minute, step, number, _OWN_HALF_LIFE_MINUTES)
        if is_steady:
            own.rows = min(own.rows + 1, _SPREAD_ROWS)
            strayed = min(calls * rise.rise * rise.rise, _MOST_STRAYED * own.spread)
            own.spread = max(_LEAST_SPREAD, own.spread + (strayed - own.spread) / own.rows)
    if is_steady or is_settling:
        relation.learn(times.amounts[measure], calls, mean_ms)
        if relation.is_stale(minute):
            habit.level.value -= relation.fit(minute, _SHARES[measure])


class Cell(msgspec.Struct, array_like=True):
    """One workload at one route. tokens: input and output that one of its calls usually has."""

    last: int
    rows: int = 0
    own: list[Own] = msgspec.field(default_factory=lambda: [Own() for _ in MEASURES])
    tokens: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    tokens_held: float = 0.0

    def learn_tokens(self, times: CallTimes) -> None:
        """Learn what a call has."""
        self.tokens_held = min(self.tokens_held, 1000.0) + times.calls
        for kind, total in enumerate(times.tokens):
            self.tokens[kind] += (total - times.calls * self.tokens[kind]) / self.tokens_held


class Route(msgspec.Struct, array_like=True):
    """A vendor's model in a region, by operation and service tier. usual: calls by coarse bucket, by measure."""

    born: int
    habits: list[Habit] = msgspec.field(default_factory=lambda: [Habit() for _ in MEASURES])
    usual: list[dict[int, float]] = msgspec.field(default_factory=lambda: [{} for _ in MEASURES])

    def pass_a_day(self) -> None:
        """What was usual counts for less."""
        self.usual = [
            {
                bucket: kept
                for bucket, count in usual.items()
                if (kept := count * _USUAL_KEPT_A_DAY) > _NEGLIGIBLE
            }
            for usual in self.usual
        ]
