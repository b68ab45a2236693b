"""The stretch of time that a report is about: a calendar's year, quarter, month, week or day, or the time up to now.

Bounds lie on whole hours UTC, so that every figure is an exact sum of whole rows of a rollup. A period that is not over
ends with the hour that runs, so that the period right before is as long.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from dashboards.period import DAY, HOUR, Period
from tokenweir.errors import WrongCall

_HINT: Final = (
    "Write 2026, 2026-Q4, 2026-10, 2026-W41, 2026-10-05, last-month (or -quarter, -week, -day), or 30d for the time "
    "up to now"
)
_CALENDAR: Final = re.compile(
    r"(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-W(?P<week>\d\d)|-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?", re.ASCII
)
_RELATIVE: Final = re.compile(r"(?P<which>last|this)-(?P<unit>year|quarter|month|week|day)")
_SPAN: Final = re.compile(r"(?P<count>\d{1,4})(?P<unit>[hdw])", re.ASCII)
_SPAN_SECONDS: Final = {"h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN_WORDS: Final = {"h": "hour", "d": "day", "w": "week"}
_MONTHS_OF: Final = {"year": 12, "quarter": 3, "month": 1}
_STEPS_WITHIN_A_DAY: Final = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
_FIRST_YEAR: Final = 1971
_LAST_YEAR: Final = 2100
_MOST_STEPS: Final = 48
_MOST_DAYS: Final = 400


@dataclass(frozen=True)
class ReportPeriod:
    """What is asked for, and what it is called.

    words: "October 2026". ends_at: where the named period ends; later than `period.until` where it goes on beyond this
    hour. is_over: whether all of it lay in the past when the report was made.
    name: for file names. earlier: the calendar's period before, with its words; None where the period is none of a
    calendar's or is not over.
    """

    period: Period
    words: str
    ends_at: datetime
    is_over: bool
    name: str
    earlier: tuple[Period, str] | None = None


def named_period(text: str, now: datetime) -> ReportPeriod:
    """The period that `text` names, as seen at `now` (UTC). Raises WrongCall, also for one that is yet to begin."""
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return _calendar_unit(relative["unit"], now, now, before=relative["which"] == "last")
    span = _SPAN.fullmatch(text)
    if span is not None and int(span["count"]):
        seconds, unit = int(span["count"]) * _SPAN_SECONDS[span["unit"]], _SPAN_WORDS[span["unit"]]
        until = _next_hour(now)
        words = f"Last {unit}" if span["count"] == "1" else f"Last {int(span['count'])} {unit}s"
        return ReportPeriod(_period(until - timedelta(seconds=seconds), until), words, until, False, text)
    named = _CALENDAR.fullmatch(text)
    if named is None:
        raise WrongCall(f"{text!r} is no period", hint=_HINT)
    try:
        unit, begin = _named_in_the_calendar(named)
    except ValueError as failure:
        raise WrongCall(f"{text!r} is not in the calendar: {failure}", hint=_HINT) from failure
    return _calendar_unit(unit, begin, now)


def _named_in_the_calendar(named: re.Match[str]) -> tuple[str, datetime]:
    """The unit and its begin. Raises ValueError for a day, week, month or year that does not exist."""
    year = int(named["year"])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"a year lies from {_FIRST_YEAR} to {_LAST_YEAR}")
    if named["quarter"]:
        return "quarter", datetime(year, int(named["quarter"]) * 3 - 2, 1, tzinfo=UTC)
    if named["week"]:
        return "week", datetime.fromisocalendar(year, int(named["week"]), 1).replace(tzinfo=UTC)
    if named["day"]:
        return "day", datetime(year, int(named["month"]), int(named["day"]), tzinfo=UTC)
    unit = "month" if named["month"] else "year"
    return unit, datetime(year, int(named["month"] or 1), 1, tzinfo=UTC)


def period_from(since: datetime, until: datetime, now: datetime) -> ReportPeriod:
    """From `since` up to `until` (UTC), widened to whole hours. Raises WrongCall."""
    begin = since.replace(minute=0, second=0, microsecond=0)
    end = _next_hour(until - timedelta(microseconds=1))
    if until <= since:
        raise WrongCall(
            f"the period ends at {until.isoformat()}, before it starts at {since.isoformat()}",
            hint="Give a later --until or an earlier --since",
        )
    return _seen_at(now, begin, end, "Chosen period", f"{begin:%Y-%m-%d}-{end:%Y-%m-%d}")


def _calendar_unit(unit: str, at: datetime, now: datetime, *, before: bool = False) -> ReportPeriod:
    """The year, quarter, month, week or day in which `at` lies, or the one before it."""
    begin = _begin_of(unit, at)
    if before:
        begin = _begin_of(unit, begin - timedelta(hours=1))
    end = _after(unit, begin)
    earlier = _begin_of(unit, begin - timedelta(hours=1))
    words, name = _called(unit, begin)
    return _seen_at(now, begin, end, words, name, earlier=(earlier, _called(unit, earlier)[0]))


def _seen_at(
    now: datetime,
    begin: datetime,
    end: datetime,
    words: str,
    name: str,
    *,
    earlier: tuple[datetime, str] | None = None,
) -> ReportPeriod:
    if begin >= now:
        raise WrongCall(f"{words} begins at {begin:%Y-%m-%d %H:%M} UTC, which is yet to come", hint=_HINT)
    if begin.year < _FIRST_YEAR:
        raise WrongCall(f"{words} begins before {_FIRST_YEAR}", hint=_HINT)
    until = min(end, _next_hour(now))
    compared = None
    if earlier is not None and until == end:
        compared = (_period(earlier[0], begin), earlier[1])
    return ReportPeriod(_period(begin, until), words, end, end <= now, name, compared)


def _begin_of(unit: str, at: datetime) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "day":
        return midnight
    if unit == "week":
        return midnight - timedelta(days=midnight.weekday())
    months = _MONTHS_OF[unit]
    return midnight.replace(month=(midnight.month - 1) // months * months + 1, day=1)


def _after(unit: str, begin: datetime) -> datetime:
    """Where the unit that begins there ends. 400 days from a year's begin lie in the next year, and so on."""
    length = {"day": 1, "week": 7, "month": 31, "quarter": 93, "year": 366}[unit]
    return _begin_of(unit, begin + timedelta(days=length))


def _called(unit: str, begin: datetime) -> tuple[str, str]:
    """The words and the name of the unit that begins there."""
    if unit == "year":
        return f"Year {begin.year}", f"{begin.year}"
    if unit == "quarter":
        number = begin.month // 3 + 1
        return f"Quarter {number} of {begin.year}", f"{begin.year}-Q{number}"
    if unit == "month":
        return f"{begin:%B %Y}", f"{begin:%Y-%m}"
    if unit == "week":
        year, number, _ = begin.isocalendar()
        return f"Week {number} of {year}", f"{year}-W{number:02}"
    return f"{begin:%A}, {begin.day} {begin:%B %Y}", f"{begin:%Y-%m-%d}"


def _period(since: datetime, until: datetime) -> Period:
    """Steps of at most a day where an end lies within one: then the rollup by the hour answers."""
    seconds = (until - since).total_seconds()
    whole_days = int(since.timestamp()) % DAY == 0 and int(until.timestamp()) % DAY == 0
    for step in _STEPS_WITHIN_A_DAY:
        if seconds / step <= _MOST_STEPS:
            return Period(since, until, step)
    if not whole_days:
        return Period(since, until, _STEPS_WITHIN_A_DAY[-1])
    return Period(since, until, DAY if seconds / DAY <= _MOST_DAYS else 7 * DAY)


def _next_hour(at: datetime) -> datetime:
    """The end of the hour in which `at` lies."""
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
