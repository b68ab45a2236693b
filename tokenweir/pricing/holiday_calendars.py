"""Public holidays by country, as its government publishes them: `holidays/<country>.toml`, each year with its source.

A year that a file does not hold is not known: nothing is concluded from other years, as days move and are worked for.
"""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

_SUFFIX: Final = ".toml"
_FOLDER: Final = files("tokenweir.pricing").joinpath("holidays")


class HolidayCalendar(NamedTuple):
    """The public holidays of a country in the years that are known, and the weekend days that are worked for them."""

    years: frozenset[int]
    days_off: frozenset[date]
    worked_weekend_days: frozenset[date]

    def is_holiday(self, day: date) -> bool | None:
        """Whether `day` is a public holiday; None in a year that is not known."""
        return day in self.days_off if day.year in self.years else None

    def is_workday(self, day: date) -> bool | None:
        """Whether offices work on `day`; None in a year that is not known."""
        if day.year not in self.years:
            return None
        return day in self.worked_weekend_days or (day.weekday() < 5 and day not in self.days_off)


@cache
def holiday_calendars() -> tuple[str, ...]:
    """The countries of which there is a calendar."""
    return tuple(
        sorted(
            entry.name.removesuffix(_SUFFIX) for entry in _FOLDER.iterdir() if entry.name.endswith(_SUFFIX)
        )
    )


@cache
def holiday_calendar(country: str) -> HolidayCalendar:
    """The calendar of a country in `holiday_calendars()`."""
    years = tomllib.loads(_FOLDER.joinpath(country + _SUFFIX).read_text(encoding="utf-8"))
    return HolidayCalendar(
        frozenset(map(int, years)),
        frozenset(day for year in years.values() for day in year["days_off"]),
        frozenset(day for year in years.values() for day in year["worked_weekend_days"]),
    )
