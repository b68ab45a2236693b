"""The hours and days at which a price holds, by the clock on the wall of a place.

A window that passes midnight belongs to the day on which it begins. Where clocks are put back, an hour that comes twice
counts both times; where they are put forward, a time that is left out never comes. Whether a day is a public holiday
is only known for the years that a calendar holds: in others a price that depends on it is not known, rather than
guessed.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tokenweir.pricing.holiday_calendars import holiday_calendar

DAY_SECONDS: Final = 86_400
_ONE_DAY: Final = timedelta(days=1)
_ONE_HOUR: Final = timedelta(hours=1)
_ONE_SECOND: Final = timedelta(seconds=1)


class Schedule(NamedTuple):
    """When a price holds: on days that fit, within windows.

    utc_offset_minutes: of the place; zone: its IANA name instead, "" for the fixed offset. windows: (from, to) in
    seconds of the local day, `to` excluded, above DAY_SECONDS where it passes midnight; empty for the whole day.
    weekdays: 0 for Monday; empty for every day. workdays: a country on whose working days it holds, in place of
    weekdays. except_holidays: a country on whose public holidays it does not hold. except_days, also_days: local
    dates on which it does not hold, or does whatever else says no.
    """

    utc_offset_minutes: int = 0
    windows: tuple[tuple[int, int], ...] = ()
    weekdays: tuple[int, ...] = ()
    except_days: frozenset[date] = frozenset()
    zone: str = ""
    also_days: frozenset[date] = frozenset()
    except_holidays: str = ""
    workdays: str = ""

    @property
    def place(self) -> tzinfo:
        """The clock that it goes by."""
        return ZoneInfo(self.zone) if self.zone else timezone(timedelta(minutes=self.utc_offset_minutes))

    def around(self, moment: datetime) -> tuple[bool | None, datetime, datetime]:
        """Whether it holds at `moment`, and the span around it within which that stays so.

        None: that depends on the public holidays of a year that is not known.
        """
        place = self.place
        local = moment.astimezone(place)
        starts_at, ends_at = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        for change in self._changes_near(local.date(), place):
            if change <= moment:
                starts_at = max(starts_at, change)
            else:
                ends_at = min(ends_at, change)
        return self._holds(local), starts_at, ends_at

    def _holds(self, local: datetime) -> bool | None:
        day = local.date()
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        days = []
        if not self.windows or any(first <= seconds < last for first, last in self.windows):
            days.append(day)
        if any(first <= seconds + DAY_SECONDS < last for first, last in self.windows):
            days.append(day - _ONE_DAY)
        answers = [self._holds_on(each) for each in days]
        if any(answers):
            return True
        return None if None in answers else False

    def _holds_on(self, day: date) -> bool | None:
        if day in self.also_days:
            return True
        if day in self.except_days or (self.weekdays and day.weekday() not in self.weekdays):
            return False
        works = holiday_calendar(self.workdays).is_workday(day) if self.workdays else True
        off = holiday_calendar(self.except_holidays).is_holiday(day) if self.except_holidays else False
        if works is False or off is True:
            return False
        return None if works is None or off is None else True

    def _changes_near(self, day: date, place: tzinfo) -> Iterator[datetime]:
        """Every time in UTC, from before the local `day` to after it, at which what holds may change.

        Those are the edges of days and windows, twice where the clock shows them twice, and changes of the offset.
        """
        edges = {0, *(edge % DAY_SECONDS for window in self.windows for edge in window)}
        for each in (day - _ONE_DAY, day, day + _ONE_DAY):
            for edge in edges:
                hour, minute, second = edge // 3600, edge % 3600 // 60, edge % 60
                for fold in (0, 1) if self.zone else (0,):
                    local = datetime.combine(each, time(hour, minute, second, fold=fold), place)
                    yield local.astimezone(UTC)
        if self.zone:
            # The local day lies within, wherever the place is; the edges of the day bound every span.
            first = datetime.combine(day - _ONE_DAY, time(), UTC)
            yield from _offset_changes(place, first, first + 3 * _ONE_DAY)


def _offset_changes(place: tzinfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """The times from `first` to `last` at which the offset from UTC of a place changes."""

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(place).utcoffset()

    before, known = first, offset(first)
    while before < last:
        after = before + _ONE_HOUR
        found = offset(after)
        if found != known:
            earlier, later = before, after
            while later - earlier > _ONE_SECOND:
                middle = (earlier + (later - earlier) // 2).replace(microsecond=0)
                earlier, later = (middle, later) if offset(middle) == known else (earlier, middle)
            yield later
        before, known = after, found
