"""Minutes are put together of what comes, closed once and in order, and what comes after that is late."""

import msgspec
import pytest

from streams.detection.minutes import (
    LAG_PATIENCE_MS,
    NEVER_MS,
    PATIENCE_MS,
    MinutesState,
    TenantMinutes,
)
from streams.detectors.minute import TenantMinute
from streams.windows import decode_windows
from tests.detection.logs import NOON_MINUTE, NOON_MS, windows

DAY_SECONDS = 86_400


class Fed:
    """A tenant's minutes, fed at times in seconds after noon."""

    def __init__(self) -> None:
        self.minutes = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000)
        self.offset = 0

    def take(
        self,
        seconds: float,
        minute: int,
        cents: int = 100,
        offset: int | None = None,
        partition: int = 0,
    ) -> None:
        self.offset += 1
        where = self.offset if offset is None else offset
        line = windows(cents, minute=minute, offset=where, partition=partition)
        self.minutes.take(decode_windows(line), NOON_MS + round(seconds * 1000))

    def close(self, seconds: float, *, certified: bool = True) -> list[tuple[int, int]]:
        """(minute after noon, cents) of what is closed by then."""
        if certified:
            self.minutes.certify(NOON_MS + round(seconds * 1000))
        return [_plain(minute) for minute in self.minutes.close(NOON_MS + round(seconds * 1000))]


def _plain(minute: TenantMinute) -> tuple[int, int]:
    return minute.minute - NOON_MINUTE, sum(row.sums.cost_picos for row in minute.rows) // 10**10


def test_a_minute_is_closed_some_seconds_after_its_end() -> None:
    fed = Fed()
    assert fed.minutes.due_ms() == NEVER_MS
    fed.take(1, 0)
    fed.take(30, 0, 50)
    assert fed.close(69.9) == []
    fed.take(65, 0, 25)
    assert fed.minutes.due_ms() == NOON_MS + 70_000 + LAG_PATIENCE_MS
    fed.minutes.certify(NOON_MS + 70_000)
    assert fed.minutes.due_ms() == NOON_MS + 70_000
    assert fed.close(70) == [(0, 175)]
    assert fed.close(70) == []


def test_silent_minutes_are_closed_too() -> None:
    fed = Fed()
    fed.take(1, 0)
    assert fed.close(200) == [(0, 100), (1, 0), (2, 0)]
    fed.take(201, 3)
    assert fed.close(330) == [(3, 100), (4, 0)]


def test_what_comes_for_a_closed_minute_is_late_and_comes_with_the_next() -> None:
    fed = Fed()
    fed.take(1, 0)
    assert fed.close(70) == [(0, 100)]
    fed.take(71, 0, 30)
    fed.take(72, 1)
    fed.minutes.certify(NOON_MS + 130_000)
    (closed,) = fed.minutes.close(NOON_MS + 130_000)
    assert _plain(closed) == (1, 100)
    assert [(minute - NOON_MINUTE, row.sums.calls) for minute, row in closed.late] == [(0, 1)]
    fed.minutes.certify(NOON_MS + 190_000)
    assert next(iter(fed.minutes.close(NOON_MS + 190_000))).late == []


def test_a_backlog_is_closed_as_it_goes_by_and_nothing_of_it_is_late() -> None:
    fed = Fed()
    begins = DAY_SECONDS
    fed.take(begins, 10)
    fed.take(begins + 1, 8)  # another partition is a little behind
    fed.take(begins + 2, 11)
    assert fed.close(begins + 4.9) == []
    assert fed.close(begins + 5) == [(8, 100), (9, 0)]
    assert fed.close(begins + 7) == [(10, 100)]
    fed.take(begins + 7, 500)
    assert fed.close(begins + 12) == [(11, 100), *((silent, 0) for silent in range(12, 500))]


def test_a_backlog_that_stops_is_waited_for() -> None:
    fed = Fed()
    fed.take(DAY_SECONDS, 0)
    assert fed.close(DAY_SECONDS + PATIENCE_MS / 1000 - 1) == []
    assert fed.close(DAY_SECONDS + PATIENCE_MS / 1000)[:2] == [(0, 100), (1, 0)]


def test_a_backlog_that_is_worked_off_ends_in_the_present() -> None:
    fed = Fed()
    fed.take(600, 3)
    fed.take(600, 9)
    assert fed.close(605) == [(3, 100), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)]
    assert fed.close(609.9) == []
    assert fed.close(610) == [(9, 100)]
    assert fed.close(670) == [(10, 0)]


def test_silence_has_to_be_certified_or_waited_for() -> None:
    fed = Fed()
    fed.take(1, 0)
    patience = LAG_PATIENCE_MS / 1000
    assert fed.close(70 + patience - 1, certified=False) == []
    assert fed.close(70 + patience, certified=False) == [(0, 100)]
    # The meter stood, and works off what has gathered: nothing of it is taken for silence.
    fed.take(600, 1)
    fed.take(601, 8)
    assert fed.close(606) == [(minute, 100 * (minute in (1, 8))) for minute in range(1, 9)]


def test_a_backlog_waits_for_every_partition_that_brings_something() -> None:
    fed = Fed()
    begins = DAY_SECONDS
    fed.take(begins, 0, partition=1)
    for second in range(30):
        fed.take(begins + second, 10 * second)
        assert fed.close(begins + second, certified=False) == []
    fed.take(begins + 30, 100, partition=1)
    assert fed.close(begins + 34, certified=False) == []
    assert fed.close(begins + 35, certified=False)[-1][0] == 99
    fed.take(begins + 100, 400)
    assert fed.close(begins + 105, certified=False)[-1][0] == 399


def test_a_clock_that_is_ahead_closes_nothing_early() -> None:
    fed = Fed()
    fed.take(1, 600)
    fed.take(2, 0)
    assert fed.close(69) == []
    assert fed.close(130) == [(0, 100), (1, 0)]


def test_the_open_minute_is_the_next_to_be_closed() -> None:
    fed = Fed()
    fed.take(1, 0)
    fed.take(61, 1, 50)

    def seen(seconds: float) -> tuple[int, int, float] | None:
        minute = fed.minutes.open_minute(NOON_MS + round(seconds * 1000))
        return None if minute is None else (*_plain(minute), minute.seconds)

    assert seen(20) == (0, 100, 20.0)
    assert seen(65) == (0, 100, 60.0)
    fed.close(70)
    assert seen(75) == (1, 50, 15.0)
    fed.close(130)
    assert seen(140) is None


def test_a_state_goes_on_as_if_nothing_had_been() -> None:
    fed, other = Fed(), Fed()
    fed.take(1, 0)
    fed.close(70)
    fed.take(71, 0, 30)
    fed.take(72, 1)
    kept = msgspec.msgpack.encode(fed.minutes.state())
    other.minutes.restore(msgspec.msgpack.decode(kept, type=MinutesState))
    for one in (fed, other):
        one.take(73, 1, 7, offset=3)  # was taken
        one.take(74, 1, 7, offset=9)
    assert fed.minutes.state() == other.minutes.state()
    assert fed.close(200) == other.close(200) == [(1, 107), (2, 0)]


@pytest.mark.parametrize("again", [[1], [2, 3], [1, 2, 3]])
def test_what_kafka_delivers_twice_is_added_once(again: list[int]) -> None:
    fed = Fed()
    for offset in (1, 2, 3, *again, 4):
        fed.take(offset, 0, 100, offset=offset)
    assert fed.close(70) == [(0, 400)]


def test_other_groups_of_the_same_message_are_no_repetition() -> None:
    fed = Fed()
    for minute in (0, 1):
        fed.take(1, minute, 100, offset=7)
        fed.take(1, minute, 100, offset=7)
    assert fed.close(140) == [(0, 100), (1, 100)]


def test_a_usage_topic_made_anew_is_not_taken_for_a_repetition() -> None:
    fed = Fed()
    fed.take(1, 0, 100, offset=500_000)
    fed.take(2, 0, 100, offset=3)
    assert fed.close(70) == [(0, 100)]
    later = windows(100, minute=1, offset=3).replace(
        f"@{NOON_MS + 3}".encode(), f"@{NOON_MS + 10**7}".encode()
    )
    fed.minutes.take(decode_windows(later), NOON_MS + 71_000)
    assert fed.close(130) == [(1, 100)]
