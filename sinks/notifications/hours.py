"""The hours in which a channel is told: `Mon-Fri 08:00-18:00`, on the clock of a time zone. Pure."""

import re
from datetime import datetime, time
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tokenweir.errors import WrongCall

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM: Final = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? )?(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)"
)


class Hours(NamedTuple):
    """On these days (0 is Monday) from `start` to before `end`, which is on the next day where it is the lesser."""

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo

    def hold(self, now: datetime) -> bool:
        """Whether `now` is within them."""
        local = now.astimezone(self.zone)
        clock, day = local.time(), local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= clock < self.end
        return (day in self.days and clock >= self.start) or ((day - 1) % 7 in self.days and clock < self.end)


@lru_cache(maxsize=64)
def read_hours(text: str, zone: str) -> Hours:
    """Read hours. zone: an IANA name. Raises WrongCall."""
    try:
        return _parse(text.strip().lower(), ZoneInfo(zone))
    except (ValueError, OSError, KeyError) as error:
        raise WrongCall(
            f"{text!r} in time zone {zone!r} are no hours",
            hint="Write them as Mon-Fri 08:00-18:00, and the zone as Europe/Berlin",
        ) from error


def _parse(text: str, zone: ZoneInfo) -> Hours:
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    first = _DAYS.index(found["first"] or "mon")
    last = _DAYS.index(found["last"] or found["first"] or "sun")
    days = frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    return Hours(days, time.fromisoformat(found["start"]), time.fromisoformat(found["end"]), zone)
