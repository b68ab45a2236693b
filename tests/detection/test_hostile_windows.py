"""What stands on the windows topic and is none of ours costs its line: nothing stops, nothing grows without an end."""

import json
from typing import Any

import pytest

from streams.detection.checkpoint import read_kept, records_of
from streams.detection.minutes import TenantMinutes
from streams.detection.partition import LogMessage, PartitionDetection
from streams.detection.reading import IMPLAUSIBLE, NO_WINDOW, read_windows
from streams.detection.seen import Seen
from streams.windows import decode_windows
from tests.detection.logs import NOON_MINUTE, NOON_MS, SETTINGS, Log, detection, told, windows
from tests.detectors.small import DearTeams
from tokenweir.signals import Signal

GOOD = json.loads(windows(100))


def changed(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff\xfe", NO_WINDOW),
        (b"[" * 100_000, NO_WINDOW),
        (b"null", NO_WINDOW),
        (b"{}", NO_WINDOW),
        (changed(calls="7"), NO_WINDOW),
        (changed(tenant=None), NO_WINDOW),
        (changed(tenant="\ud800"), NO_WINDOW),
        (changed(minute="yesterday"), NO_WINDOW),
        (changed(calls=10**30), IMPLAUSIBLE),
        (changed(calls=-1), IMPLAUSIBLE),
        (changed(calls_by_status={"ok": -1}), IMPLAUSIBLE),
        (changed(calls_by_status={str(number): 1 for number in range(1000)}), IMPLAUSIBLE),
        (changed(tokens={"input_tokens": -5}), IMPLAUSIBLE),
        (changed(unpriced_calls=-2), IMPLAUSIBLE),
        (changed(cost="much"), IMPLAUSIBLE),
        (changed(cost="NaN"), IMPLAUSIBLE),
        (changed(cost="1e400000000"), IMPLAUSIBLE),
        (changed(cost="9" * 5000), IMPLAUSIBLE),
        (changed(cost="-1"), IMPLAUSIBLE),
        (changed(minute="1970-01-01T00:00:00Z"), IMPLAUSIBLE),
        (changed(minute="0001-01-01T00:00:00+23:00"), IMPLAUSIBLE),
        (changed(minute="9999-12-31T23:59:00Z"), IMPLAUSIBLE),
        (changed(minute="9999-12-31T23:59:00-23:00"), IMPLAUSIBLE),
        (changed(tenant="\x1f"), IMPLAUSIBLE),
        (changed(team="x" * 100_000), IMPLAUSIBLE),
        (changed(latency_scale=1), IMPLAUSIBLE),
        (changed(duration_ms={"buckets": {"100000": 1}}), IMPLAUSIBLE),
        (changed(ttft_ms={"buckets": {"3": -1}}), IMPLAUSIBLE),
        (changed(refused_lines={"no_such_reason": 1}), IMPLAUSIBLE),
        (changed(refused_lines={"missing_field": -1}), IMPLAUSIBLE),
        (changed(refused_sources={str(number): 1 for number in range(1000)}), IMPLAUSIBLE),
    ],
)
def test_a_line_that_no_meter_writes_is_left_out_alone(line: bytes, reason: str) -> None:
    read = read_windows(b"\n".join([windows(1), line, windows(2, offset=1)]), NOON_MS)
    assert [window.cost for window in read.windows] == ["0.01", "0.02"]
    assert read.refused == [reason]


def signals(of: PartitionDetection, messages: list[LogMessage]) -> list[Signal]:
    return [signal for message in messages for signal in of.take(message).signals]


def test_hostile_lines_change_nothing_of_what_is_told() -> None:
    plain, beset = Log(), Log()
    for log in (plain, beset):
        for second in range(0, 120, 4):
            log.add(second, windows(20, minute=second // 60, offset=second))
            if log is beset:
                for line in (b"not json", changed(minute="9999-12-31T23:59:00Z"), changed(cost="1e9999")):
                    log.add(second, line)
        log.tick(*range(122, 400, 2))
    assert told(signals(detection(), beset.messages)) == told(signals(detection(), plain.messages))


def test_minutes_that_have_not_come_close_none_of_those_that_have() -> None:
    minutes = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000)

    def take(seconds: float, minute: int, offset: int) -> None:
        line = windows(100, minute=minute, offset=offset)
        minutes.take(decode_windows(line), NOON_MS + round(seconds * 1000))

    def closed(seconds: float) -> list[tuple[int, int]]:
        found = minutes.close(NOON_MS + round(seconds * 1000))
        return [(one.minute - NOON_MINUTE, len(one.rows)) for one in found]

    take(1, 0, 1)
    take(2, 60, 2)  # a sender's clock is an hour ahead
    minutes.certify(NOON_MS + 70_000)
    assert closed(75) == [(0, 1)]
    # The meter stands for ten minutes, and works off what has gathered: none of it is taken for silence.
    take(600, 1, 3)
    take(601, 8, 4)
    assert closed(602) == []
    minutes.certify(NOON_MS + 606_000)
    assert closed(606) == [(minute, int(minute in (1, 8))) for minute in range(1, 9)]
    minutes.certify(NOON_MS + 61 * 60_000 + 10_000)
    assert closed(61 * 60 + 10)[-1] == (60, 1)


def test_groups_without_number_are_added_up_for_their_tenant() -> None:
    minutes = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000, most_groups=100)
    for number in range(1000):
        line = windows(1, team=f"team-{number}", offset=number)
        minutes.take(decode_windows(line), NOON_MS)
    assert minutes.too_many == 900
    again = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000, most_groups=100)
    again.restore(minutes.state())
    for one in (minutes, again):
        one.certify(NOON_MS + 70_000)
        (closed,) = one.close(NOON_MS + 70_000)
        assert len(closed.rows) == 101
        assert sum(row.sums.calls for row in closed.rows) == 1000
        assert closed.rows[-1].names["tenant"] == "acme"
        assert closed.rows[-1].names["team"] == ""
        # Of what is late, no more than that is kept, and nothing is left of it afterwards.
        late = [windows(1, team=f"late-{number}", offset=2000 + number) for number in range(300)]
        before = one.too_many
        for line in late:
            one.take(decode_windows(line), NOON_MS + 71_000)
        assert one.too_many - before == 200
        one.certify(NOON_MS + 130_000)
        (closed,) = one.close(NOON_MS + 130_000)
        assert len(closed.late) == 100
        assert one.state().rows == one.state().late == []


def test_usage_partitions_without_number_are_forgotten() -> None:
    seen = Seen()
    assert all(seen.is_new(f"t/{number}/1@{NOON_MS + number}", ("a",)) for number in range(4200))
    assert len(seen.state()) <= 4096
    assert not seen.is_new(f"t/4199/1@{NOON_MS + 4199}", ("a",))


def test_dollars_beyond_sixty_four_bits_are_kept() -> None:
    log = Log()
    for number in range(3):
        log.add(number, windows(10**13, offset=number, minute=0))
        log.add(number, windows(10**13, offset=100 + number, minute=1))
    log.tick(*range(4, 82, 2))
    of = detection()
    kept = [one for message in log.messages for one in of.take(message).checkpoints]
    assert kept
    again = read_kept([record for one in kept for record in records_of(one)])
    restored = PartitionDetection(lambda: [DearTeams()], SETTINGS, again._replace(begin=of.begin))
    assert restored.checkpoints()[0].state == kept[-1].state
