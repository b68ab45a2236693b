"""What is usually spent in each hour of the week, from the weeks that have been seen; and so what is still to come.

The last 168 hours are kept as they were, exactly, so that what comes late goes to its own hour; older weeks as one
weighted mean. In the first week an hour is expected to be what that hour of the day was so far. Hours are of UTC: when
clocks change, the expectation is an hour off for a week, which a forecast can bear.
"""

from math import floor
from typing import Final

import msgspec

from tokenweir.money import PICOS_PER_UNIT

HOURS: Final = 168
"""Of a week."""

_NEW_WEEK: Final = 0.4
"""The weight of the last week against those before it."""


class WeeklyHours(msgspec.Struct):
    """One series. hours: picos of the last week's hours, by the hour's number modulo 168. past: USD an hour before."""

    first: int = -1
    """The first hour seen, counted since the Unix epoch; it may have been seen in part. -1: none."""
    hour: int = -1
    """The hour that is going on."""
    hours: list[int] = msgspec.field(default_factory=lambda: [0] * HOURS)
    past: list[float] = msgspec.field(default_factory=lambda: [0.0] * HOURS)

    def go_on_to(self, minute: int) -> None:
        """Begin the hours up to that of the minute."""
        hour = minute // 60
        if self.first < 0:
            self.first = self.hour = hour
        for begun in range(max(self.hour + 1, hour - 2 * HOURS), hour + 1):
            slot = begun % HOURS
            if begun - HOURS > self.first:
                last = self.hours[slot] / PICOS_PER_UNIT
                weight = _NEW_WEEK if begun - 2 * HOURS > self.first else 1.0
                self.past[slot] += (last - self.past[slot]) * weight
            self.hours[slot] = 0
        self.hour = max(self.hour, hour)

    def add(self, minute: int, picos: int) -> None:
        """Add to the hour of a minute; one that is more than a week past is too late to matter."""
        hour = minute // 60
        if max(self.first, self.hour - HOURS + 1) <= hour <= self.hour:
            self.hours[hour % HOURS] += picos

    @property
    def known_hours(self) -> int:
        """How many whole hours have been seen."""
        return max(0, self.hour - self.first - 1)

    def usd_per_day(self) -> float:
        """The mean of the whole hours of the last week."""
        known = min(self.known_hours, HOURS - 1)
        if not known:
            return 0.0
        return self._sum_of_last(known) / PICOS_PER_UNIT / known * 24

    def usual_usd(self, hour: int) -> float:
        """What is expected in an hour, from a week before the one that is going on; 24 hours have to be known.

        For hours that have begun it is what was expected of them before they did.
        """
        if hour > self.hour:
            hour = self.hour + (hour - self.hour) % HOURS
        slot = hour % HOURS
        if hour - HOURS > self.first:
            # Of an hour that has begun, the week before is in the mean already.
            if hour <= self.hour:
                return self.past[slot]
            last = self.hours[slot] / PICOS_PER_UNIT
            if hour - 2 * HOURS > self.first:
                return self.past[slot] + (last - self.past[slot]) * _NEW_WEEK
            return last
        same = range(hour - 24, max(self.first, hour - HOURS, self.hour - HOURS), -24)
        known = [self.hours[before % HOURS] for before in same if before < self.hour]
        return sum(known) / len(known) / PICOS_PER_UNIT if known else 0.0

    def usual_until(self, minute: int, end: int) -> float:
        """USD expected from the minute on up to the minute `end`."""
        first, last = minute / 60, end / 60
        weeks = floor(max(0.0, last - first) / HOURS)
        rest = last - weeks * HOURS
        usd = weeks * sum(self.usual_usd(self.hour + ahead) for ahead in range(HOURS)) if weeks else 0.0
        hour = floor(first)
        while hour < rest:
            usd += self.usual_usd(hour) * (min(hour + 1, rest) - max(hour, first))
            hour += 1
        return usd

    def minute_after(self, usd: float, minute: int, end: int) -> int | None:
        """The minute at which so much more will be spent; None where it is not before `end`."""
        week = sum(self.usual_usd(self.hour + ahead) for ahead in range(HOURS))
        if week <= 0.0:
            return None
        weeks = floor(max(0.0, usd) / week)
        usd -= weeks * week
        at = minute / 60
        for hour in range(floor(at), floor(at) + HOURS + 2):
            part = hour + 1 - at if hour < at else 1.0
            expected = self.usual_usd(hour) * part
            if usd <= expected:
                into = part * max(0.0, usd) / expected if expected > 0.0 else 0.0
                found = floor((max(at, float(hour)) + into + weeks * HOURS) * 60)
                return found if found < end else None
            usd -= expected
        return None

    def _sum_of_last(self, count: int) -> int:
        return sum(self.hours[before % HOURS] for before in range(self.hour - count, self.hour))
