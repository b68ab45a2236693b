"""When a price holds: zones with their changes of clock, windows over midnight, public holidays; exact spans."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing_events import event, per_million, row

from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.holiday_calendars import holiday_calendar, holiday_calendars
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.price import RateCard
from tokenweir.pricing.schedule import Schedule
from tokenweir.pricing.sources import RowSource

HOUR = 3600
DAY = 24 * HOUR
SECOND = timedelta(seconds=1)
NEW_YORK = ZoneInfo("America/New_York")

zones = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Shanghai"]
)
windows = st.lists(
    st.builds(
        lambda start, length: (start * 60, (start + length) * 60),
        st.integers(0, 24 * 60 - 1),
        st.integers(1, 24 * 60),
    ),
    max_size=3,
).map(lambda found: tuple(sorted(found)))
schedules = st.builds(
    Schedule,
    st.integers(-12 * 60, 14 * 60),
    windows,
    st.sampled_from([(), (0, 1, 2, 3, 4), (5, 6)]),
    st.frozensets(st.dates(date(2025, 3, 1), date(2025, 4, 10)), max_size=3),
    st.just("") | zones,
    st.frozensets(st.dates(date(2025, 4, 11), date(2025, 5, 10)), max_size=3),
    st.sampled_from(["", "CN"]),
    st.just(""),
)
# Spring and autumn of the zones above, a year's end, and the end of the known holidays.
moments = st.sampled_from(
    [
        datetime(2025, 3, 9, 7, tzinfo=UTC),
        datetime(2025, 3, 30, 1, tzinfo=UTC),
        datetime(2025, 4, 5, 15, tzinfo=UTC),
        datetime(2025, 10, 4, 15, 30, tzinfo=UTC),
        datetime(2025, 9, 7, 4, tzinfo=UTC),
        datetime(2025, 11, 2, 6, tzinfo=UTC),
        datetime(2026, 12, 31, 16, tzinfo=UTC),
    ]
).flatmap(
    lambda around: st.integers(-3 * DAY, 3 * DAY).map(lambda seconds: around + timedelta(seconds=seconds))
)


def holds_by_the_clock(schedule: Schedule, moment: datetime) -> bool | None:
    """The same, told minute by minute from what the clock on the wall shows."""
    wall = moment.astimezone(schedule.place)
    seconds = wall.hour * HOUR + wall.minute * 60 + wall.second
    answers: list[bool | None] = []
    for first, last in schedule.windows or ((0, DAY),):
        for days_before in (0, 1):
            if not first <= seconds + days_before * DAY < last:
                continue
            day = wall.date() - timedelta(days=days_before)
            if day in schedule.also_days:
                answers.append(True)
            elif day in schedule.except_days or (
                schedule.weekdays and day.weekday() not in schedule.weekdays
            ):
                answers.append(False)
            elif schedule.except_holidays:
                off = holiday_calendar(schedule.except_holidays).is_holiday(day)
                answers.append(None if off is None else not off)
            else:
                answers.append(True)
    if True in answers:
        return True
    return None if None in answers else False


@settings(deadline=None)
@given(schedules, moments, st.floats(0, 1))
def test_it_holds_by_the_clock_on_the_wall_and_all_through_its_span(
    schedule: Schedule, moment: datetime, within: float
) -> None:
    holds, starts_at, ends_at = schedule.around(moment)
    assert starts_at <= moment < ends_at
    length = ends_at - starts_at
    for inside in (moment, starts_at, ends_at - SECOND, starts_at + int(length / SECOND * within) * SECOND):
        if starts_at <= inside < ends_at:
            assert holds_by_the_clock(schedule, inside) == holds
            assert schedule.around(inside) == (holds, starts_at, ends_at)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2025, 3, 8), 8),  # ends in the night in which an hour is left out
        (date(2025, 3, 9), 9),
        (date(2025, 11, 1), 10),  # and in which one comes twice
        (date(2025, 11, 2), 9),
    ],
)
def test_a_night_is_as_long_as_it_is(day: date, hours: int) -> None:
    night = Schedule(zone="America/New_York", windows=((22 * HOUR, 31 * HOUR),))
    begin = datetime(day.year, day.month, day.day, 22, tzinfo=NEW_YORK).astimezone(UTC)
    moments_of_it = [begin + timedelta(minutes=minute) for minute in range(20 * 60)]
    minutes = sum(night.around(moment)[0] is True for moment in moments_of_it)
    assert minutes == hours * 60
    edges = {night.around(moment)[1] for moment in moments_of_it}
    assert all(first < second for first, second in pairwise(sorted(edges)))


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = Schedule(windows=((22 * HOUR, 30 * HOUR),), weekdays=(4,))
    held = [
        hour
        for hour in range(72)
        if friday_night.around(datetime(2025, 11, 6, tzinfo=UTC) + timedelta(hours=hour))[0]
    ]
    assert held == [46, 47, 48, 49, 50, 51, 52, 53]


def test_weekends_holidays_and_the_weekend_days_worked_for_them() -> None:
    def holds(schedule: Schedule, month: int, day: int) -> bool | None:
        return schedule.around(datetime(2026, month, day, 4, tzinfo=UTC))[0]

    office = Schedule(480, workdays="CN")
    weekdays = Schedule(480, weekdays=(0, 1, 2, 3, 4), except_holidays="CN")
    assert [holds(office, 10, day) for day in (7, 8, 9, 10, 11)] == [False, True, True, True, False]
    assert [holds(weekdays, 10, day) for day in (7, 8, 9, 10, 11)] == [False, True, True, False, False]
    also = weekdays._replace(also_days=frozenset((date(2026, 10, 10),)))
    assert holds(also, 10, 10) is True
    assert holds(also._replace(except_days=frozenset((date(2026, 10, 8),))), 10, 8) is False


def test_holidays_of_an_unknown_year_are_not_guessed() -> None:
    weekdays = Schedule(480, ((9 * HOUR, 12 * HOUR),), (0, 1, 2, 3, 4), except_holidays="CN")
    assert weekdays.around(datetime(2027, 3, 1, 2, tzinfo=UTC))[0] is None
    assert (
        weekdays.around(datetime(2027, 3, 1, 6, tzinfo=UTC))[0] is False
    )  # not in the window, whichever day
    assert weekdays.around(datetime(2027, 3, 6, 2, tzinfo=UTC))[0] is False  # a Saturday, whichever day
    peak = row(card=RateCard(per_million(input="9", output="9")), schedule=weekdays, price_id="peak")
    batch = row(service_tier="batch", cards=(), factor=(1, 2), factor_of=frozenset(("input",)))
    book = PriceBook([RowSource([row(), peak, batch])])
    monday = datetime(2027, 3, 1, 2, tzinfo=UTC)
    priced = book.price(event("v", "m", monday, input_tokens=1))
    assert (priced.cost_picos, priced.price_status) == (None, "unpriced")
    assert "depends on public holidays of a year that no calendar here holds" in priced.unpriced_reason
    in_batch = book.price(event("v", "m", monday, input_tokens=1, service_tier="batch"))
    assert in_batch.price_status == "unpriced"
    assert book.price(event("v", "m", monday + timedelta(hours=4), input_tokens=1)).price_id == "test:m"


@pytest.mark.parametrize("country", holiday_calendars())
def test_the_calendars_hold_whole_years(country: str) -> None:
    calendar = holiday_calendar(country)
    for day in calendar.days_off | calendar.worked_weekend_days:
        assert day.year in calendar.years
    assert all(day.weekday() >= 5 for day in calendar.worked_weekend_days)
    assert not calendar.days_off & calendar.worked_weekend_days
    for year in calendar.years:
        assert date(year, 1, 1) in calendar.days_off


def test_chinas_days_off_are_as_many_as_published() -> None:
    calendar = holiday_calendar("CN")
    assert {year: sum(day.year == year for day in calendar.days_off) for year in calendar.years} == {
        2025: 1 + 8 + 3 + 5 + 3 + 8,
        2026: 3 + 9 + 3 + 5 + 3 + 3 + 7,
    }


ROW = """\
recorded_at = 2025-10-01

[[price]]
vendor = "acme"
models = ["night"]
currency = "USD"
input = 1
source = "contract"
hours = { HOURS }
"""


def test_a_file_states_hours_in_a_zone() -> None:
    hours = 'zone = "America/New_York", windows = ["22:00-06:00", "12:00-13:00"], except_holidays = "CN"'
    (found,) = read_overlay(ROW.replace("HOURS", hours), "acme.toml").rows()
    assert found.schedule == Schedule(
        windows=((12 * HOUR, 13 * HOUR), (22 * HOUR, 30 * HOUR)),
        zone="America/New_York",
        except_holidays="CN",
    )


@pytest.mark.parametrize(
    ("hours", "reason"),
    [
        ('zone = "America/New_Yrok"', "no time zone 'America/New_Yrok' is known here. Write its IANA name"),
        ("zone = 8", "no time zone 8 is known here"),
        ('zone = "../../etc/passwd"', "no time zone"),
        ('zone = "Asia/Tokyo", utc_offset_minutes = 540', "the zone is given twice"),
        ('windows = ["10:00-10:00"]', "window 10:00-10:00 has no length"),
        ('windows = ["24:00-02:00"]', "is not hours of a day"),
        ('windows = "10:00-11:00"', "windows is a list"),
        ('except_holidays = "XX"', "no calendar of public holidays for 'XX'. There is one for CN"),
        ("workdays = true", "no calendar of public holidays for True"),
        ('workdays = "CN", weekdays = [5]', "the days are given twice"),
        ("also_days = [2026-10-01], except_days = [2026-10-01]", "2026-10-01 is in except_days, too"),
        ('also_days = ["2026-10-01"]', "also_days is a list of dates"),
    ],
)
def test_mistakes_in_hours_are_refused_with_the_line(hours: str, reason: str) -> None:
    with pytest.raises(WrongCall) as refused:
        read_overlay(ROW.replace("HOURS", hours), "acme.toml")
    assert str(refused.value).startswith("acme.toml, line 9, row 1 (acme night): ")
    assert reason in str(refused.value)
