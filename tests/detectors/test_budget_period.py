"""When budgets' periods begin and end, over changes of the clock too."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.detectors.budget_period import Length, day_of, period_of
from tests.detectors.made_rows import minute_of

_ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "America/Havana")


@pytest.mark.parametrize(
    ("length", "zone", "inside", "begins", "ends"),
    [
        ("day", "UTC", "2026-11-23T12:00Z", "2026-11-23T00:00Z", "2026-11-24T00:00Z"),
        ("day", "Europe/Berlin", "2026-11-22T23:30Z", "2026-11-22T23:00Z", "2026-11-23T23:00Z"),
        ("day", "Asia/Kolkata", "2026-11-23T18:29Z", "2026-11-22T18:30Z", "2026-11-23T18:30Z"),
        # 25 hours, 23 hours; a midnight that is skipped in Cairo; one that comes twice in Havana.
        ("day", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("day", "America/New_York", "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        ("day", "Africa/Cairo", "2026-04-24T12:00Z", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        ("day", "America/Havana", "2026-11-01T05:30Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        ("week", "UTC", "2026-11-22T23:59Z", "2026-11-16T00:00Z", "2026-11-23T00:00Z"),
        ("month", "Europe/Berlin", "2026-10-31T22:59Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"),
        ("month", "UTC", "2028-02-29T23:59Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("quarter", "Asia/Tokyo", "2026-12-31T14:59Z", "2026-09-30T15:00Z", "2026-12-31T15:00Z"),
    ],
)
def test_borders(length: Length, zone: str, inside: str, begins: str, ends: str) -> None:
    period = period_of(minute_of(inside), length, zone)
    assert (period.start, period.end) == (minute_of(begins), minute_of(ends))


@given(
    minute=st.integers(minute_of("2020-01-01T00:00Z"), minute_of("2035-01-01T00:00Z")),
    length=st.sampled_from(("day", "week", "month", "quarter")),
    zone=st.sampled_from(_ZONES),
)
def test_periods_follow_each_other_without_a_gap(minute: int, length: Length, zone: str) -> None:
    period = period_of(minute, length, zone)
    assert period.start <= minute < period.end
    assert period_of(period.end, length, zone).start == period.end
    assert period_of(period.start - 1, length, zone).end == period.start
    assert day_of(period.start, zone) == period.first_day


def test_the_first_day_is_that_of_the_zone() -> None:
    assert period_of(minute_of("2026-10-31T23:30Z"), "month", "Europe/Berlin").first_day == date(2026, 11, 1)
