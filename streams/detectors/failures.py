"""How many calls of a series usually fail, and whether more of them fail just now. Pure; statistics in float.

What is usual is learnt in steps of STEP_MINUTES and forgotten by halves in HALF_LIFE_HOURS; where little is known,
what the level above is used to counts for PRIOR_CALLS calls. A step teaches at most a little more than was usual, so
that an outage does not become usual. Calls that fail in bursts are told from calls that fail each by itself: `spread`
is how much wider than a binomial's the counts of steps are, and evidence is divided by it.

Looked at are all stretches of the last LOOK_BACK_MINUTES that end now and begin with a failing call: a dense series
is judged within a minute, and one with three calls in an hour within an hour or two. Limit: of a stretch, minutes
count; a series keeps its latest MOST_MINUTES minutes with calls.
"""

import math
from typing import Final, NamedTuple

import msgspec

ERRORS: Final = 0
RATE_LIMITS: Final = 1
MEASURES: Final = ("errors", "rate_limits")
"""Errors are calls that ended in `error` or `timeout`; what was cancelled or filtered has not failed."""

STEP_MINUTES: Final = 10
HALF_LIFE_HOURS: Final = 72.0
LOOK_BACK_MINUTES: Final = 360
MOST_MINUTES: Final = 96
PRIOR_CALLS: Final = 200.0
PRIOR_SHARE: Final = 0.01
LEARNT_FROM_MINUTES: Final = 24 * 60
"""A series is only learnt from for so long."""

_LEAST_SHARE: Final = 0.003
_LEAST_FAILED_SLOWLY: Final = 8
_OVERWHELMING_SHARE: Final = 0.5
_SLOWLY_MINUTES: Final = 5
_MOST_LOG10: Final = -7.0
_AS_TELLING: Final = 1.0
"""Of stretches that are about as telling the shortest is taken: what failed by chance before is not in it."""
_LEAST_RISE: Final = 0.05
_SPREAD_PRIOR: Final = 20.0
_MOST_STRAYED: Final = 25.0


class Counts(NamedTuple):
    """Calls, and how many of them failed, by MEASURES."""

    calls: int
    failed: tuple[int, int]


class Burst(NamedTuple):
    """A stretch that ends now. log10: of the probability that it came about by what is usual."""

    begins: int
    calls: int
    failed: int
    usual: float
    log10: float

    @property
    def share(self) -> float:
        """Of the calls, how many failed."""
        return self.failed / self.calls


class FailureSeries(msgspec.Struct):
    """One series: its latest minutes with calls, and what is usual. Lists of two are by MEASURES."""

    born: int
    minutes: list[int] = []
    calls: list[int] = []
    failed: list[tuple[int, int]] = []
    step: int = 0
    step_calls: int = 0
    step_failed: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    usual_calls: float = 0.0
    usual_failed: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    strayed: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])
    could_stray: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0])

    @property
    def last(self) -> int:
        """The latest minute with calls; when it was born, where there was none."""
        return self.minutes[-1] if self.minutes else self.born

    def add(self, minute: int, counts: Counts) -> None:
        """Add the latest minute; `undo` takes it away again."""
        self.minutes.append(minute)
        self.calls.append(counts.calls)
        self.failed.append(counts.failed)

    def undo(self) -> None:
        """Take away what was added last."""
        del self.minutes[-1], self.calls[-1], self.failed[-1]

    def ends_step(self, minute: int) -> bool:
        """Whether a step is over with this minute: only then `learn` asks for what is usual one level above."""
        return minute // STEP_MINUTES > self.step

    def learn(self, minute: int, counts: Counts, priors: tuple[float, float]) -> None:
        """Learn from a minute, whenever it came. priors: the usual shares one level above."""
        if self.ends_step(minute):
            self._close_step(minute // STEP_MINUTES, priors)
        self.step_calls += counts.calls
        for measure, failed in enumerate(counts.failed):
            self.step_failed[measure] += failed
        self.trim()

    def trim(self) -> None:
        """Forget the minutes that are too many."""
        stale = len(self.minutes) - MOST_MINUTES
        if stale > 0:
            del self.minutes[:stale], self.calls[:stale], self.failed[:stale]

    def usual(self, measure: int, prior: float) -> float:
        """The share of calls that usually fail."""
        calls, failed = self.usual_calls, self.usual_failed[measure]
        return max(_LEAST_SHARE, (failed + PRIOR_CALLS * prior) / (calls + PRIOR_CALLS))

    def spread(self, measure: int) -> float:
        """How much wider than a binomial's the counts usually are; 1 where they are not."""
        strayed, could = self.strayed[measure], self.could_stray[measure]
        return max(1.0, (strayed + _SPREAD_PRIOR) / (could + _SPREAD_PRIOR))

    def since(self, minute: int) -> Counts:
        """What is known of that minute and those after it."""
        calls = errors = limited = 0
        for place in range(len(self.minutes) - 1, -1, -1):
            if self.minutes[place] < minute:
                break
            calls += self.calls[place]
            errors += self.failed[place][ERRORS]
            limited += self.failed[place][RATE_LIMITS]
        return Counts(calls, (errors, limited))

    def burst(self, measure: int, prior: float, not_before: int, least_failed: int) -> Burst | None:
        """The stretch in which far more calls failed than usual, without what came before; None where there is none.

        not_before: minutes before this one are left out. least_failed: so many failing calls it takes.
        """
        if not self.minutes or self.last - self.born < LEARNT_FROM_MINUTES:
            return None
        usual = self.usual(measure, prior)
        spread = self.spread(measure)
        earliest = max(not_before, self.last - LOOK_BACK_MINUTES)
        found: list[Burst] = []
        best = 0.0
        calls = failed = 0
        for place in range(len(self.minutes) - 1, -1, -1):
            if self.minutes[place] < earliest:
                break
            calls += self.calls[place]
            failed += self.failed[place][measure]
            if self.failed[place][measure]:
                log10 = log10_tail(calls, failed, usual) / spread
                stretch = Burst(self.minutes[place], calls, failed, usual, log10)
                found.append(stretch)
                if failed >= least_failed and log10 < best and _is_telling(stretch, self.last):
                    best = log10
        if not best:
            return None
        return next(stretch for stretch in found if stretch.log10 <= best + _AS_TELLING)

    def _close_step(self, step: int, priors: tuple[float, float]) -> None:
        calls = self.step_calls
        kept = 0.5 ** (min(step - self.step, 100_000) * STEP_MINUTES / 60 / HALF_LIFE_HOURS)
        for measure, failed in enumerate(self.step_failed):
            share = self.usual(measure, priors[measure])
            could = calls * share * (1 - share)
            spread = self.spread(measure)
            most = calls * share + 3 * math.sqrt(could * spread) + 0.5
            self.usual_failed[measure] = (self.usual_failed[measure] + min(failed, most)) * kept
            strayed = min((failed - calls * share) ** 2, _MOST_STRAYED * could * spread + 1)
            self.strayed[measure] = (self.strayed[measure] + strayed) * kept
            self.could_stray[measure] = (self.could_stray[measure] + could) * kept
        self.usual_calls = (self.usual_calls + calls) * kept
        self.step, self.step_calls, self.step_failed = step, 0, [0, 0]


def log10_tail(calls: int, failed: int, share: float) -> float:
    """A bound (Chernoff's) on log10 of the probability that so many or more of these calls fail; 0 for none above."""
    seen = failed / calls
    if seen <= share:
        return 0.0
    ok = (1 - seen) * math.log((1 - seen) / (1 - share)) if seen < 1 else 0.0
    return -calls * (seen * math.log(seen / share) + ok) / math.log(10)


def _is_telling(burst: Burst, now: int) -> bool:
    """Whether it is improbable, and large enough to matter."""
    usual, share = burst.usual, burst.share
    if burst.log10 > _MOST_LOG10 or share < max(usual + _LEAST_RISE, min(3 * usual, (1 + usual) / 2)):
        return False
    if share >= _OVERWHELMING_SHARE:
        return True
    return burst.failed >= _LEAST_FAILED_SLOWLY and now - burst.begins >= _SLOWLY_MINUTES
