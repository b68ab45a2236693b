"""The `hours` of a price row: when it holds. The form is told in docs/prices.md."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tokenweir.pricing.holiday_calendars import holiday_calendars
from tokenweir.pricing.schedule import DAY_SECONDS, Schedule
from tokenweir.pricing.toml_tables import Table

_KEYS: Final = frozenset(
    (
        "zone",
        "utc_offset_minutes",
        "windows",
        "weekdays",
        "workdays",
        "except_holidays",
        "except_days",
        "also_days",
    )
)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))")


def schedule_of(row: Table) -> Schedule | None:
    """When the row holds; None where that is always. Raises WrongCall with the line, the reason and the fix."""
    hours = row.values.get("hours")
    if hours is None:
        return None
    if not isinstance(hours, dict):
        raise row.wrong(
            "hours", "hours is a table", 'write hours = { windows = ["16:30-24:00", "00:00-00:30"] }'
        )
    row.refuse_unknown(hours, _KEYS)
    weekdays = tuple(row.whole("weekdays", day, 0) for day in _list(row, hours, "weekdays"))
    if any(day > 6 for day in weekdays):
        raise row.wrong("weekdays", "weekdays are 0 (Monday) to 6 (Sunday)", "write weekdays = [5, 6]")
    workdays = _country(row, hours, "workdays")
    if weekdays and workdays:
        raise row.wrong("workdays", "the days are given twice", "keep either weekdays or workdays")
    except_days, also_days = _days(row, hours, "except_days"), _days(row, hours, "also_days")
    for day in sorted(except_days & also_days):
        raise row.wrong("also_days", f"{day} is in except_days, too", "take it out of one of them")
    zone = _zone(row, hours)
    return Schedule(
        _offset(row, hours),
        tuple(sorted(_window(row, window) for window in _list(row, hours, "windows"))),
        weekdays,
        except_days,
        zone,
        also_days,
        _country(row, hours, "except_holidays"),
        workdays,
    )


def _list(row: Table, hours: Mapping[str, Any], key: str) -> list[Any]:
    value = hours.get(key, [])
    if not isinstance(value, list):
        raise row.wrong(key, f"{key} is a list", f"write {key} = […]")
    return value


def _window(row: Table, window: object) -> tuple[int, int]:
    found = _CLOCK.fullmatch(window) if isinstance(window, str) else None
    if found is None:
        raise row.wrong("windows", f"window {window!r} is not hours of a day", 'write it as "22:00-06:00"')
    start_hour, start_minute, end_hour, end_minute, midnight = found.groups()
    start = int(start_hour) * 3600 + int(start_minute) * 60
    end = DAY_SECONDS if midnight else int(end_hour) * 3600 + int(end_minute) * 60
    if start == end:
        raise row.wrong("windows", f"window {window} has no length", "leave it out for the whole day")
    return start, end if start < end else end + DAY_SECONDS


def _days(row: Table, hours: Mapping[str, Any], key: str) -> frozenset[date]:
    days = _list(row, hours, key)
    if not all(isinstance(day, date) and not isinstance(day, datetime) for day in days):
        raise row.wrong(key, f"{key} is a list of dates", f"write {key} = [2026-10-01]")
    return frozenset(days)


def _country(row: Table, hours: Mapping[str, Any], key: str) -> str:
    country = hours.get(key, "")
    if country != "" and country not in holiday_calendars():
        raise row.wrong(
            key,
            f"no calendar of public holidays for {country!r}",
            f"there is one for {', '.join(holiday_calendars())}; else list the days in except_days",
        )
    return str(country)


def _zone(row: Table, hours: Mapping[str, Any]) -> str:
    zone = hours.get("zone", "")
    if zone == "":
        return ""
    if "utc_offset_minutes" in hours:
        raise row.wrong(
            "utc_offset_minutes", "the zone is given twice", "keep either zone or utc_offset_minutes"
        )
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise row.wrong(
            "zone", f"no time zone {zone!r} is known here", 'write its IANA name, such as "America/New_York"'
        ) from error


def _offset(row: Table, hours: Mapping[str, Any]) -> int:
    offset = hours.get("utc_offset_minutes", 0)
    if isinstance(offset, bool) or not isinstance(offset, int) or abs(offset) > 14 * 60:
        raise row.wrong("utc_offset_minutes", "utc_offset_minutes is not an offset", "write 480 for Beijing")
    return offset
