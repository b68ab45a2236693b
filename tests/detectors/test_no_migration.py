"""What looks like a migration and is none, and must not be told."""

from datetime import UTC, datetime
from random import Random

import pytest

from tests.detectors.made_traffic import NEW, OLD, Made, office, told, traffic

DAY = 24.0
THIRD = "mistral/mistral-large-2512"


@pytest.mark.parametrize("seed", range(3))
def test_a_quiet_fleet(seed: int) -> None:
    fleet = [
        Made(lambda _: {OLD: 1.0}, names={"team": "steady"}),
        Made(lambda _: {OLD: 1.0}, volume=office, names={"team": "office"}),
        Made(lambda _: {OLD: 1.0}, calls_per_hour=0.5, names={"team": "rare"}),
        Made(lambda _: {OLD: 0.6, NEW: 0.4}, names={"team": "two"}),
        Made(lambda _: {OLD: 0.6, NEW: 0.4}, calls_per_hour=1.0, names={"team": "two-rare"}),
        Made(lambda _: {OLD: 0.97, NEW: 0.03}, volume=office, names={"team": "seldom"}),
    ]
    assert told(traffic(fleet, 28, seed=seed)) == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lasts_hours", [1, 6, 24])
def test_shares_that_are_never_the_same(seed: int, lasts_hours: int) -> None:
    """A router that sends other shares in every hour, six hours, or day."""

    def shares(hour: float) -> dict[str, float]:
        random = Random(seed * 10_000 + int(hour // lasts_hours))
        first, second, third = (random.gammavariate(4.0, 1.0) for _ in range(3))
        return {OLD: first, NEW: second, THIRD: third}

    assert told(traffic([Made(shares)], 35, seed=seed)) == []


def test_one_model_by_day_and_another_by_night() -> None:
    def shares(hour: float) -> dict[str, float]:
        return {OLD: 1.0} if 7 <= hour % 24 < 19 else {NEW: 1.0}

    assert told(traffic([Made(shares)], 21)) == []


def test_one_model_on_weekdays_and_another_at_weekends() -> None:
    def shares(hour: float) -> dict[str, float]:
        return {NEW: 1.0} if hour // DAY % 7 >= 5 else {OLD: 1.0}

    # The run begins on a weekend day, which is how the workload is got to know.
    assert told(traffic([Made(shares)], 28)) == []


@pytest.mark.parametrize("lasts_hours", [0.7, 2.0, 6.0])
@pytest.mark.parametrize("begins", [9.5 * DAY, 10.1 * DAY])
def test_a_vendor_outage_with_failover_and_return(begins: float, lasts_hours: float) -> None:
    def is_out(hour: float) -> bool:
        return begins <= hour < begins + lasts_hours

    def shares(hour: float) -> dict[str, float]:
        return {OLD: 0.15, NEW: 0.85} if is_out(hour) else {OLD: 1.0}

    def failing(hour: float, model: str) -> float:
        return 0.9 if model == OLD and is_out(hour) else 0.005

    fleet = [
        Made(shares, failing=failing),
        Made(shares, failing=failing, volume=office, names={"team": "office"}),
    ]
    assert told(traffic(fleet, 14)) == []


def test_a_failover_whose_errors_nobody_reports() -> None:
    def shares(hour: float) -> dict[str, float]:
        return {NEW: 1.0} if 9.5 * DAY <= hour < 9.5 * DAY + 1.5 else {OLD: 1.0}

    assert told(traffic([Made(shares)], 14)) == []


def test_an_outage_of_what_was_moved_to_is_no_reversal() -> None:
    out = 12.5 * DAY

    def shares(hour: float) -> dict[str, float]:
        return {OLD: 1.0} if hour < 9 * DAY or out + 0.2 <= hour < out + 6 else {NEW: 1.0}

    def failing(hour: float, model: str) -> float:
        return 0.9 if model == NEW and out <= hour < out + 6 else 0.0

    signals = told(traffic([Made(shares, failing=failing)], 16))
    assert [signal.evidence["stage"] for signal in signals] == ["started", "complete", "complete"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("openai/gpt-4o", "openai/gpt-4o-2024-08-06"),
        ("anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929"),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20"),
    ],
)
def test_a_model_alias_that_moves(before: str, after: str) -> None:
    def shares(hour: float) -> dict[str, float]:
        return {before: 1.0} if hour < 9 * DAY else {after: 1.0}

    assert told(traffic([Made(shares)], 14)) == []


def test_an_alias_that_comes_to_mean_another_model() -> None:
    signals = told(
        traffic(
            [Made(lambda _: {"mistral/mistral-large-latest": 1.0})],
            20,
            start=datetime(2026, 8, 1, tzinfo=UTC),
        )
    )
    assert signals == []


def test_a_new_workload_that_tries_models_in_its_first_days() -> None:
    def shares(hour: float) -> dict[str, float]:
        tried = [OLD, NEW, THIRD, OLD]
        return {tried[min(int((hour - 10 * DAY) // DAY), 3)]: 1.0}

    assert (
        told(traffic([Made(lambda _: {OLD: 1.0}, names={"team": "old"}), Made(shares, starts=10 * DAY)], 24))
        == []
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_model_that_is_added_for_new_calls(seed: int) -> None:
    def shares(hour: float) -> dict[str, float]:
        return {OLD: 1.0} if hour < 10 * DAY else {OLD: 0.5, NEW: 0.5}

    def volume(hour: float) -> float:
        return 1.0 if hour < 10 * DAY else 2.0

    assert told(traffic([Made(shares, volume=volume)], 21, seed=seed)) == []


def test_a_launch_that_makes_ten_times_the_calls_and_stays() -> None:
    def volume(hour: float) -> float:
        return 1.0 if hour < 10 * DAY else 10.0

    assert told(traffic([Made(lambda _: {OLD: 0.7, NEW: 0.3}, volume=volume, calls_per_hour=6)], 21)) == []


def test_a_holiday_and_a_month_end() -> None:
    def volume(hour: float) -> float:
        day = hour // DAY
        return 0.02 if day in (10, 11) else 4.0 if day == 13 else 1.0

    assert told(traffic([Made(lambda _: {OLD: 0.5, NEW: 0.5}, volume=volume)], 21)) == []


def test_clocks_that_are_put_back() -> None:
    """A job of the night comes an hour later from the last Sunday of October on, by UTC."""

    def shares(hour: float) -> dict[str, float]:
        begins = 1.0 if hour < 6 * DAY else 2.0
        return {NEW: 1.0} if begins <= hour % 24 < begins + 4 else {OLD: 1.0}

    assert told(traffic([Made(shares)], 14, start=datetime(2026, 10, 19, tzinfo=UTC))) == []
