"""The cap, and the patience with a channel that fails."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sinks.notifications.schedule import CAP_PERIOD, is_gathered, is_within_cap, retry_at
from tests.notifications.making import START


@given(
    wishes=st.lists(st.tuples(st.integers(0, 2000), st.booleans()), max_size=40),
    cap=st.integers(1, 8),
)
def test_no_hour_has_more_messages_than_the_cap(wishes: list[tuple[int, bool]], cap: int) -> None:
    now = START
    sent: list[datetime] = []
    for gap, is_critical in wishes:
        now += timedelta(seconds=gap)
        if is_within_cap(now, sent, cap, is_critical=is_critical):
            sent.append(now)
    for first in sent:
        assert sum(1 for one in sent if first <= one < first + CAP_PERIOD) <= cap


@given(ages=st.lists(st.integers(0, 7200), max_size=10), cap=st.integers(1, 8))
def test_after_an_hour_of_silence_any_message_may_go(ages: list[int], cap: int) -> None:
    sent = [START - timedelta(seconds=age) for age in ages]
    assert is_within_cap(START + CAP_PERIOD, sent, cap, is_critical=False)


def test_the_last_of_an_hour_is_for_what_is_critical() -> None:
    sent = [START] * 4
    assert not is_within_cap(START, sent, 5, is_critical=False)
    assert is_within_cap(START, sent, 5, is_critical=True)
    assert is_within_cap(START, [], 1, is_critical=False)


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_patience_grows_within_bounds(failures: int, chance: float) -> None:
    wait = (retry_at(START, failures, chance) - START).total_seconds()
    longest = (retry_at(START, failures, 1.0) - START).total_seconds()
    assert 2.5 <= longest / 2 <= wait <= longest <= 900
    assert retry_at(START, failures + 1, 1.0) >= retry_at(START, failures, 1.0)
    assert retry_at(START, failures, chance, 429) >= START + timedelta(seconds=60)
    assert retry_at(START, failures, chance, 500) == retry_at(START, failures, chance)


def test_what_comes_together_waits_for_its_like() -> None:
    assert not is_gathered(START + timedelta(seconds=9), START, 10)
    assert is_gathered(START + timedelta(seconds=10), START, 10)
