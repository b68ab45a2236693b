"""The dearest and the fullest of the last days: set by what is usual, never by an incident, and faded with time."""

import numpy as np
import pytest

from streams.detectors.cost_records import (
    BUCKET_USD,
    FIVE_MINUTES_CALLS,
    MINUTE_CALLS,
    MINUTE_USD,
    QUARTER_HOUR_CALLS,
    THREE_MINUTES_CALLS,
    Amount,
    CostRecords,
)
from streams.detectors.levels import LevelKey

DAY = 288
SERVICE: LevelKey = (3, ("shop", "search", "ranker", "production"))
TEAM: LevelKey = (2, ("shop", "search"))
BOTH = np.arange(2)
USD = 10**12
NOTHING_BEFORE: list[dict[LevelKey, Amount]] = [{}, {}, {}, {}]


@pytest.fixture
def records() -> CostRecords:
    made = CostRecords(DAY)
    for index in BOTH:
        made.begin(int(index))
    return made


def bucket(records: CostRecords, usd: float, calls: int, touched: tuple[LevelKey, ...] = ()) -> None:
    """Five minutes in one of which all was spent, by the service that is all of the team."""
    amount = (int(usd * USD), calls)
    records.take({SERVICE: amount, TEAM: amount}, NOTHING_BEFORE)
    close(records, (usd, usd), (calls, calls), touched)


def close(
    records: CostRecords,
    usd: tuple[float, float],
    calls: tuple[int, int],
    touched: tuple[LevelKey, ...] = (),
) -> None:
    """The service and the team have cost and called so much."""
    records.close({SERVICE: 0, TEAM: 1}, BOTH, np.array(usd), np.array(calls, np.float64), set(touched))


def test_a_record_counts_when_the_next_bucket_is_over(records: CostRecords) -> None:
    bucket(records, 3.0, 40)
    assert not records.of(BOTH).any()
    bucket(records, 1.0, 90)
    assert records.of(BOTH)[0].tolist() == [3.0, 3.0, 40.0, 40.0, 40.0, 40.0]
    bucket(records, 1.0, 10)
    found = records.of(BOTH)[0]
    assert found[[BUCKET_USD, MINUTE_USD]] == pytest.approx([3.0, 3.0], rel=0.01)
    assert found[MINUTE_CALLS] == 90.0


def test_minutes_in_a_row_are_added_up_across_the_borders_of_buckets(records: CostRecords) -> None:
    calls = [4, 0, 5, 1, 7, 2, 0, 9, 1, 1, 3, 0, 0, 8, 6]
    minutes: list[dict[LevelKey, Amount]] = [{SERVICE: (0, one)} if one else {} for one in calls]
    for number, minute in enumerate(minutes):
        before = [minutes[number - back] if number >= back else {} for back in (1, 2, 3, 4)]
        records.take(minute, before)
        if number % 5 == 4:
            close(records, (0.0, 0.0), (sum(calls[number - 4 : number + 1]), 0))
    assert records.calls_before(BOTH)[0] == sum(calls[5:])
    close(records, (0.0, 0.0), (0, 0))
    found = records.of(BOTH)[0]
    windows = {
        MINUTE_CALLS: 1,
        THREE_MINUTES_CALLS: 3,
        FIVE_MINUTES_CALLS: 5,
        QUARTER_HOUR_CALLS: 15,
    }
    for record, span in windows.items():
        most = max(sum(calls[max(0, end - span) : end]) for end in range(1, 16) if calls[end - 1])
        assert found[record] == pytest.approx(most, rel=0.01), span


def test_calls_of_an_incident_are_no_part_of_the_quarter_after_it(records: CostRecords) -> None:
    bucket(records, 2.0, 10)
    bucket(records, 80.0, 900, touched=(SERVICE,))
    assert records.calls_before(BOTH).tolist() == [10.0, 910.0]


def test_what_an_incident_has_touched_sets_no_record_nor_does_what_led_to_it(records: CostRecords) -> None:
    bucket(records, 2.0, 10)
    bucket(records, 2.0, 10)
    bucket(records, 50.0, 500)
    bucket(records, 80.0, 900, touched=(SERVICE,))
    bucket(records, 2.0, 10)
    service, team = records.of(BOTH)
    assert service[BUCKET_USD] == pytest.approx(2.0, rel=0.02)
    assert team[BUCKET_USD] == 80.0, "what is not touched goes on"


def test_a_record_is_half_as_high_after_two_weeks(records: CostRecords) -> None:
    bucket(records, 8.0, 100)
    for _ in range(14 * DAY + 1):
        bucket(records, 0.0, 0)
    assert records.of(BOTH)[0] == pytest.approx([4.0, 4.0, 50.0, 50.0, 50.0, 50.0], rel=0.01)


def test_a_state_goes_on_and_a_new_series_has_no_past(records: CostRecords) -> None:
    bucket(records, 3.0, 40)
    records.take({SERVICE: (9 * USD, 7)}, NOTHING_BEFORE)
    fresh = CostRecords(DAY)
    fresh.restore(records.state())
    for each in (records, fresh):
        close(each, (9.0, 0.0), (7, 0))
        close(each, (0.0, 0.0), (0, 0))
    assert fresh.of(BOTH).tolist() == records.of(BOTH).tolist()
    assert fresh.state() == records.state()
    fresh.begin(0)
    assert not fresh.of(BOTH)[0].any()
