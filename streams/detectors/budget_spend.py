"""What is known of the spend that one budget holds: this period's and the last one's, by the minute and by the week.

Money is exact, in picos; only what is expected is a float. A minute that comes late counts in its own period, this one
or the one before it; what is older is too late to be told of.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from streams.detectors.budget_period import Period, period_of
from streams.detectors.minute import GroupRow
from streams.detectors.weekly_hours import HOURS, WeeklyHours
from tokenweir.money import PICOS_PER_UNIT, divide_half_even
from tokenweir.settings import BudgetSettings

RECENT_MINUTES: Final = 360
SPENDER_FIELDS: Final = ("team", "project", "service", "vendor", "model")
DAY_MINUTES: Final = 1440

_MOST_SPENDERS: Final = 400
"""Past so many, the lesser half is forgotten; it could not be among the first few."""

_WELL_ABOVE: Final = 1.25

Spender = tuple[str, ...]
Spenders = list[tuple[Spender, int]]


class Window(NamedTuple):
    """What some minutes up to now have cost."""

    picos: int
    calls: int


class BudgetSpend(msgspec.Struct):
    """Of one budget. spent: of this period; spent_before: of the one before it; picos. recent: by minute."""

    weekly: WeeklyHours = msgspec.field(default_factory=WeeklyHours)
    start: int = -1
    """Of this period; -1 before the first minute."""
    start_before: int = -1
    spent: int = 0
    spent_before: int = 0
    recent: dict[int, tuple[int, int]] = msgspec.field(default_factory=dict)
    spenders: dict[Spender, int] = msgspec.field(default_factory=dict)
    this_hour: dict[Spender, int] = msgspec.field(default_factory=dict)
    last_hour: dict[Spender, int] = msgspec.field(default_factory=dict)
    rest_usd: float = 0.0
    """What is expected from the hour's end to the period's, as looked at when the hour began; so is the next."""
    runs_out: int | None = None
    leader: Spender = ()
    """Who was last said to have spent most."""
    since: dict[str, int] = msgspec.field(default_factory=dict)
    """What is so in this period, and since which minute."""

    def go_on_to(self, minute: int, settings: BudgetSettings) -> Period:
        """Begin the minute, and the hour and the period where it is the first of one."""
        period = period_of(minute, settings.period, settings.time_zone)
        if period.start != self.start:
            follows = period_of(period.start - 1, settings.period, settings.time_zone).start == self.start
            self.start_before, self.spent_before = (self.start, self.spent) if follows else (-1, 0)
            self.start, self.spent, self.spenders, self.since = period.start, 0, {}, {}
        begun = self.weekly.hour
        self.weekly.go_on_to(minute)
        if self.weekly.hour != begun:
            self.last_hour, self.this_hour = self.this_hour, {}
            oldest = minute - RECENT_MINUTES
            self.recent = {one: window for one, window in self.recent.items() if one > oldest}
        if self.weekly.hour != begun or minute == period.start:
            self._look_ahead(minute, period, settings)
        return period

    def add(self, minute: int, rows: Iterable[GroupRow], now: int) -> None:
        """Add what some groups cost in a minute, which is `now` or one that has been closed."""
        picos = calls = 0
        for names, sums in rows:
            picos += sums.cost_picos
            calls += sums.calls
            if sums.cost_picos and minute >= self.start:
                spender = tuple(names[field] for field in SPENDER_FIELDS)
                for tally in (self.spenders, self.this_hour) if minute == now else (self.spenders,):
                    tally[spender] = tally.get(spender, 0) + sums.cost_picos
        self.weekly.add(minute, picos)
        if minute >= self.start:
            self.spent += picos
        elif minute >= self.start_before >= 0:
            self.spent_before += picos
        if minute > now - RECENT_MINUTES:
            before = self.recent.get(minute, (0, 0))
            self.recent[minute] = before[0] + picos, before[1] + calls
        if len(self.spenders) > _MOST_SPENDERS:
            self.spenders = dict(most(self.spenders, _MOST_SPENDERS // 2))

    def last(self, minutes: int, now: int) -> Window:
        """What the last minutes have cost, `now` among them."""
        found = [window for one, window in self.recent.items() if now - minutes < one <= now]
        return Window(sum(picos for picos, _ in found), sum(calls for _, calls in found))

    def last_picos_at_most(self, minutes: int) -> int:
        """No less than the last minutes have cost, by whole hours: quick to have, to look no further."""
        hour = self.weekly.hour
        return sum(self.weekly.hours[(hour - ago) % HOURS] for ago in range(minutes // 60 + 1))

    def usual_usd_at_most(self, minutes: int, now: int) -> float:
        """What the last minutes may cost as usual, be it an hour earlier or later than usual."""
        usd = 0.0
        for hour in range((now - minutes + 1) // 60, now // 60 + 1):
            within = min(now + 1, hour * 60 + 60) - max(now - minutes + 1, hour * 60)
            usd += within / 60 * max(self.weekly.usual_usd(near) for near in (hour - 1, hour, hour + 1))
        return usd

    @property
    def is_rhythm_known(self) -> bool:
        """Whether a day has been seen, so that there is something to expect."""
        return self.weekly.known_hours >= 24

    @property
    def is_week_known(self) -> bool:
        """Whether it is known how the days of a week differ."""
        return self.weekly.known_hours > HOURS

    def forecast_usd(self, now: int, period: Period) -> float:
        """What the period will have cost: at the usual rate of its hours, or while none is known at the rate so far."""
        spent = self.spent / PICOS_PER_UNIT
        if not self.is_rhythm_known:
            return spent * (period.end - self.counted_since(period)) / self.counted_minutes(now, period)
        hour_left = (59 - now % 60) / 60
        return spent + self.weekly.usual_usd(now // 60) * hour_left + self.rest_usd

    def counted_since(self, period: Period) -> int:
        """The minute since which the period's spend is known: its own begin, or the first minute's hour seen."""
        return max(period.start, self.weekly.first * 60)

    def counted_minutes(self, now: int, period: Period) -> int:
        """How many minutes of the period are known."""
        return now + 1 - self.counted_since(period)

    def usd_picos_per_day(self, now: int, period: Period) -> int:
        """Picos a day: the mean of the last week, or while little is known of this period."""
        if self.is_rhythm_known:
            return round(self.weekly.usd_per_day() * PICOS_PER_UNIT)
        return divide_half_even(self.spent * DAY_MINUTES, self.counted_minutes(now, period))

    def first_spenders(self, count: int) -> Spenders:
        """Who has spent most in this period, with the picos. Who led goes on leading until another is well above."""
        found = most(self.spenders, count)
        if not found:
            return []
        if found[0][1] > _WELL_ABOVE * self.spenders.get(self.leader, 0):
            self.leader = found[0][0]
        leading = (self.leader, self.spenders[self.leader])
        return [leading, *(one for one in found if one != leading)][:count]

    def recent_spenders(self, count: int) -> Spenders:
        """Who has spent most in this hour and the one before it."""
        both = dict(self.last_hour)
        for spender, picos in self.this_hour.items():
            both[spender] = both.get(spender, 0) + picos
        return most(both, count)

    def _look_ahead(self, minute: int, period: Period, settings: BudgetSettings) -> None:
        if not self.is_rhythm_known:
            return
        hour_ends = (minute // 60 + 1) * 60
        self.rest_usd = self.weekly.usual_until(hour_ends, period.end)
        left = float(settings.amount_usd) - self.spent / PICOS_PER_UNIT
        self.runs_out = self.weekly.minute_after(left, minute, period.end) if left > 0 else None


def most(tally: dict[Spender, int], count: int) -> Spenders:
    """The largest of a tally, the largest first."""
    return sorted(tally.items(), key=lambda one: (-one[1], one[0]))[:count]
