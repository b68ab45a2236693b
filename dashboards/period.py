"""Which stretch of time the page shows, in which steps, and which rollup of the ledger answers for it.

A period always starts and ends on a step, and a step is a whole number of the rollup's own steps. So every
figure of the page is an exact sum of whole rollup rows, and the bars of the chart add up to the headline.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tokenweir.errors import WrongCall

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

RANGES: Final = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""The page's own choices. `all` starts at the first event."""

_STEPS: Final = (
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
)
_MOST_STEPS: Final = 75
_ENOUGH_STEPS: Final = 24
"""With so many, longer steps will do where a coarser rollup then answers: it has a small part of the rows."""
# Unix time began on a Thursday; weeks begin on a Monday.
_FIRST_MONDAY: Final = 4 * DAY


@dataclass(frozen=True)
class Period:
    """From `since` up to and not including `until`, both UTC and on a step."""

    since: datetime
    until: datetime
    step_seconds: int

    @property
    def offset_seconds(self) -> int:
        """Where steps are counted from, in Unix seconds."""
        return _FIRST_MONDAY if self.step_seconds % (7 * DAY) == 0 else 0

    @property
    def rollup(self) -> str:
        """The coarsest of the ledger's rollups that the steps are made of."""
        if self.step_seconds % DAY == 0:
            return "usage_by_day"
        return "usage_by_hour" if self.step_seconds % HOUR == 0 else "usage_by_minute"

    @property
    def starts(self) -> list[datetime]:
        """The start of each step."""
        count = int((self.until - self.since).total_seconds()) // self.step_seconds
        return [self.since + timedelta(seconds=self.step_seconds * number) for number in range(count)]

    @property
    def before(self) -> "Period":
        """The same length right before."""
        return Period(self.since - (self.until - self.since), self.since, self.step_seconds)


def period_between(since: datetime, until: datetime) -> Period:
    """The period that holds everything from `since` (UTC) to `until` (UTC), widened to whole steps.

    Raises WrongCall where `until` does not lie after `since`.
    """
    if until <= since:
        raise WrongCall(f"the period ends at {until.isoformat()}, before it starts at {since.isoformat()}")
    seconds = (until - since).total_seconds()
    step = _step_for(seconds)
    offset = _FIRST_MONDAY if step % (7 * DAY) == 0 else 0
    first = (int(since.timestamp()) - offset) // step
    last = -((offset - int(-(-until.timestamp() // 1))) // step)
    return Period(
        datetime.fromtimestamp(first * step + offset, UTC),
        datetime.fromtimestamp(last * step + offset, UTC),
        step,
    )


def _step_for(seconds: float) -> int:
    step = next((step for step in _STEPS if seconds / step <= _MOST_STEPS), _STEPS[-1])
    for coarser in (DAY, HOUR):
        if step < coarser and seconds / coarser >= _ENOUGH_STEPS:
            return coarser
    return step


def rolling_period(name: str, now: datetime) -> Period:
    """The period of one of RANGES that ends now: so many whole steps, the last of them still filling."""
    length = RANGES[name]
    step = period_between(now - length, now).step_seconds
    last = int(now.timestamp()) // step + 1
    count = int(length.total_seconds()) // step
    return Period(
        datetime.fromtimestamp((last - count) * step, UTC), datetime.fromtimestamp(last * step, UTC), step
    )


def moment(text: str) -> datetime:
    """An RFC 3339 time as UTC. Raises WrongCall for anything else."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as failure:
        raise WrongCall(f"not a time: {text!r}", hint="Write it like 2026-11-23T00:00:00Z") from failure
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
