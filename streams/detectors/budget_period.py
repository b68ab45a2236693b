"""The periods of budgets: days, weeks, months and quarters that begin at midnight in a time zone.

Exact over changes of the clock: a day may have 23 or 25 hours, and where midnight is skipped the period begins at the
first moment after it. Pure; minutes are counted since the Unix epoch.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from streams.groups import EPOCH, MINUTE

Length = Literal["day", "week", "month", "quarter"]

_MONTHS: Final = {"month": 1, "quarter": 3}


class Period(NamedTuple):
    """From the minute `start` up to but not `end`. first_day: the day on which it begins, in its zone."""

    start: int
    end: int
    first_day: date

    @property
    def minutes(self) -> int:
        """How long it is."""
        return self.end - self.start


@lru_cache(maxsize=1024)
def period_of(minute: int, length: Length, zone_name: str) -> Period:
    """The period in which the minute lies."""
    zone = ZoneInfo(zone_name)
    day = (EPOCH + minute * MINUTE).astimezone(zone).date()
    if length == "day":
        first, following = day, day + timedelta(days=1)
    elif length == "week":
        first = day - timedelta(days=day.weekday())
        following = first + timedelta(days=7)
    else:
        months = _MONTHS[length]
        first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
        year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
        following = date(year, month + 1, 1)
    return Period(_midnight(first, zone), _midnight(following, zone), first)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """The minute in which a day begins."""
    # A midnight that is skipped is told by the offset before it, which gives the moment of the change; of two
    # midnights in a day the first is taken.
    begins = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return (begins - EPOCH) // MINUTE


def day_of(minute: int, zone_name: str) -> date:
    """The day of a minute, in the zone."""
    return (EPOCH + minute * MINUTE).astimezone(ZoneInfo(zone_name)).date()
