"""Which stretch of time a report's period is."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.report import named_period, period_from
from tokenweir.errors import WrongCall

NOW = datetime(2026, 11, 26, 15, 20, 3, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until", "words", "earlier"),
    [
        ("2026-10", "2026-10-01", "2026-11-01", "October 2026", "2026-09-01"),
        ("last-month", "2026-10-01", "2026-11-01", "October 2026", "2026-09-01"),
        ("2026-01", "2026-01-01", "2026-02-01", "January 2026", "2025-12-01"),
        ("2024-02", "2024-02-01", "2024-03-01", "February 2024", "2024-01-01"),
        ("2026-Q3", "2026-07-01", "2026-10-01", "Quarter 3 of 2026", "2026-04-01"),
        ("2025-Q4", "2025-10-01", "2026-01-01", "Quarter 4 of 2025", "2025-07-01"),
        ("last-quarter", "2026-07-01", "2026-10-01", "Quarter 3 of 2026", "2026-04-01"),
        ("2026-W47", "2026-11-16", "2026-11-23", "Week 47 of 2026", "2026-11-09"),
        ("2020-W53", "2020-12-28", "2021-01-04", "Week 53 of 2020", "2020-12-21"),
        ("last-week", "2026-11-16", "2026-11-23", "Week 47 of 2026", "2026-11-09"),
        ("2026-10-05", "2026-10-05", "2026-10-06", "Monday, 5 October 2026", "2026-10-04"),
        ("last-day", "2026-11-25", "2026-11-26", "Wednesday, 25 November 2026", "2026-11-24"),
        ("2024", "2024-01-01", "2025-01-01", "Year 2024", "2023-01-01"),
    ],
)
def test_a_period_of_the_calendar(text: str, since: str, until: str, words: str, earlier: str) -> None:
    found = named_period(text, NOW)
    assert (found.period.since, found.period.until) == (at(since), at(until))
    assert found.words == words
    assert found.is_over
    assert found.earlier is not None
    assert (found.earlier[0].since, found.earlier[0].until) == (at(earlier), at(since))


@pytest.mark.parametrize("text", ["2026-11", "2026-Q4", "2026-W48", "2026-11-26", "2026", "this-month"])
def test_one_that_is_not_over_goes_up_to_the_hour_that_runs(text: str) -> None:
    found = named_period(text, NOW)
    assert found.period.until == at("2026-11-26T16:00")
    assert found.ends_at > found.period.until
    assert not found.is_over
    assert found.earlier is None
    assert found.period.rollup == "usage_by_hour"


def test_a_span_ends_with_the_hour_that_runs() -> None:
    for text, hours in (("7d", 168), ("30d", 720), ("24h", 24), ("2w", 336)):
        found = named_period(text, NOW)
        assert found.period.until == at("2026-11-26T16:00")
        assert found.period.until - found.period.since == timedelta(hours=hours)
        assert not found.is_over
    assert named_period("1d", NOW).words == "Last day"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "october",
        "2026-13",
        "2026-00",
        "2026-Q5",
        "2026-W60",
        "2025-W53",
        "2026-02-30",
        "0d",
        "7",
        "2026-12",
        "2027",
        "0000",
        "0001",
        "9999-12",
        "1969-12",
        "last-age",
        "2026-10 ",
        "\N{FULLWIDTH DIGIT TWO}026-10",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(WrongCall):
        named_period(text, NOW)


def test_two_moments_are_widened_to_whole_hours() -> None:
    found = period_from(at("2026-10-03T10:20"), at("2026-10-05T11:00"), NOW)
    assert (found.period.since, found.period.until) == (at("2026-10-03T10:00"), at("2026-10-05T11:00"))
    assert found.is_over
    later = period_from(at("2026-11-20"), NOW, NOW)
    assert later.period.until == at("2026-11-26T16:00")
    assert not later.is_over
    for since, until in (
        ("2026-10-05", "2026-10-05"),
        ("2026-10-05", "2026-10-01"),
        ("2026-12-01", "2026-12-02"),
    ):
        with pytest.raises(WrongCall):
            period_from(at(since), at(until), NOW)


def test_a_rollup_never_begins_or_ends_within_one_of_its_rows() -> None:
    for days in (1, 2, 7, 20, 31, 92, 366, 800):
        for hours in (0, 5):
            begin = at("2023-01-02")
            period = period_from(begin + timedelta(hours=hours), begin + timedelta(days=days), NOW).period
            row = {"usage_by_day": 24, "usage_by_hour": 1}[period.rollup] * 3600
            assert period.since.timestamp() % row == 0
            assert period.until.timestamp() % row == 0
            assert period.step_seconds % row == 0
