"""Periods stand on steps, hold what was asked for, and are made of whole rollup rows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.period import DAY, HOUR, RANGES, moment, period_between, rolling_period
from tokenweir.errors import WrongCall

times = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(times, st.timedeltas(timedelta(milliseconds=1), timedelta(days=3650)))
def test_a_period_holds_what_was_asked_for_in_whole_steps(since: datetime, length: timedelta) -> None:
    period = period_between(since, since + length)
    step = timedelta(seconds=period.step_seconds)
    assert period.since <= since < period.since + step
    assert period.until - step < since + length <= period.until
    assert period.starts[0] == period.since
    assert period.starts[-1] + step == period.until
    assert len(period.starts) <= 77
    assert all(
        (int(start.timestamp()) - period.offset_seconds) % period.step_seconds == 0 for start in period.starts
    )


@given(times, st.sampled_from(sorted(RANGES)))
def test_a_rolling_period_has_its_length_and_ends_with_the_step_of_now(now: datetime, name: str) -> None:
    period = rolling_period(name, now)
    assert period.until - period.since == RANGES[name]
    assert period.until - timedelta(seconds=period.step_seconds) <= now < period.until
    assert period.before.until == period.since
    assert period.before.until - period.before.since == RANGES[name]


@given(times, st.timedeltas(timedelta(minutes=1), timedelta(days=3650)))
def test_the_rollups_own_steps_divide_the_periods(since: datetime, length: timedelta) -> None:
    period = period_between(since, since + length)
    rollup_seconds = {"usage_by_minute": 60, "usage_by_hour": HOUR, "usage_by_day": DAY}[period.rollup]
    assert period.step_seconds % rollup_seconds == 0
    assert period.since.timestamp() % rollup_seconds == 0


def test_long_steps_start_on_mondays() -> None:
    period = period_between(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert period.step_seconds == 7 * DAY
    assert {start.weekday() for start in period.starts} == {0}


def test_times_are_read_as_utc_or_refused() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert moment("2026-11-23T12:00:00Z") == noon
    assert moment("2026-11-23T20:00:00+08:00") == noon
    assert moment("2026-11-23T12:00:00") == noon
    with pytest.raises(WrongCall, match="not a time"):
        moment("yesterday")
    with pytest.raises(WrongCall, match="before it starts"):
        period_between(noon, noon)
