"""Lines that were refused, from the windows topic to a signal: they lead no minute that calls lead, and count once."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detection.checkpoint import begin_record, read_kept, records_of
from streams.detection.minutes import MinutesState, TenantMinutes
from streams.detection.partition import MOST_WITHOUT_CALLS, LogMessage, PartitionDetection
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import TenantMinute
from streams.detectors.rejects import Rejects
from streams.refused import NOTHING_REFUSED, UNKNOWN_TENANT, Refused, refused_windows
from streams.windows import decode_windows
from tests.detection.logs import NOON_MINUTE, NOON_MS, SETTINGS, Log, windows
from tokenweir.catalog import Catalog
from tokenweir.signals import Signal, encode_signal

DAY_SECONDS = 86_400


def refused(
    lines: int, *, tenant: str = "acme", offset: int = 0, seconds: float = 0, reason: str = "wrong_type"
) -> bytes:
    """Lines of one message that were refused; reported so many seconds after noon."""
    piece = b'{"tenant":"%s","source":"shop"}' % tenant.encode() if tenant != UNKNOWN_TENANT else b"{"
    at_ms = NOON_MS + round(seconds * 1000)
    name = f"usage/7/{offset}@{NOON_MS + offset}"
    return refused_windows([Refused(piece, reason, lines)], name, None, at_ms)[0][1]


class Fed:
    """A tenant's minutes and what is closed of them: (minute after noon, rows, refused lines)."""

    def __init__(self) -> None:
        self.minutes = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000)

    def take(self, seconds: float, line: bytes) -> bool:
        return self.minutes.take(decode_windows(line), NOON_MS + round(seconds * 1000))

    def close(self, seconds: float) -> list[tuple[int, int, int]]:
        self.minutes.certify(NOON_MS + round(seconds * 1000))
        return [
            (minute.minute - NOON_MINUTE, len(minute.rows) + len(minute.late), minute.refused.lines)
            for minute in self.minutes.close(NOON_MS + round(seconds * 1000))
        ]


def test_refused_lines_come_with_the_next_minute_that_is_closed_and_are_no_row() -> None:
    fed = Fed()
    fed.take(1, windows(100))
    fed.take(2, refused(7, seconds=2))
    fed.take(3, refused(5, seconds=3, offset=1))
    assert fed.close(70) == [(0, 1, 12)]
    assert fed.close(130) == [(1, 0, 0)]


def test_while_a_month_is_replayed_a_refused_line_closes_nothing() -> None:
    fed = Fed()
    month = -30 * 1440
    fed.take(1, windows(100, minute=month, offset=1))
    fed.take(2, refused(3, seconds=2))
    assert fed.close(3) == []
    fed.take(4, windows(100, minute=month + 1, offset=2))
    assert fed.close(10) == [(month, 1, 3)]
    assert fed.close(3_600) == []


def test_a_tenant_of_which_all_is_refused_has_minutes_by_the_clock() -> None:
    fed = Fed()
    assert not fed.take(1, refused(4, seconds=-DAY_SECONDS))
    assert fed.close(70) == [(0, 0, 4)]
    fed.take(71, refused(4, offset=1))
    assert fed.close(190) == [(1, 0, 4), (2, 0, 0)]


@pytest.mark.parametrize("seconds", [20, 200])
def test_the_first_call_of_a_replay_begins_the_minutes_anew(seconds: int) -> None:
    fed = Fed()
    fed.take(1, refused(4))
    closed = fed.close(seconds)
    assert bool(closed) == (seconds > 70)
    month = -30 * 1440
    assert fed.take(seconds, windows(100, minute=month)) == bool(closed)
    fed.take(seconds + 1, windows(100, minute=month + 1, offset=1))
    assert fed.close(seconds + 20) == [(month, 1, 0 if closed else 4)]


def test_the_first_call_in_time_goes_on_with_the_clocks_minutes() -> None:
    fed = Fed()
    fed.take(1, refused(4))
    assert fed.close(70) == [(0, 0, 4)]
    assert not fed.take(75, windows(100, minute=1, offset=9))
    assert fed.close(130) == [(1, 1, 0)]


def test_what_kafka_delivers_twice_is_counted_once_beside_its_messages_calls() -> None:
    fed = Fed()
    for _ in range(2):
        name = f"usage/7/5@{NOON_MS}"
        fed.take(1, windows(100, offset=0, partition=7))
        fed.take(2, refused_windows([Refused(b"{}", "missing_field", 9)], name, None, NOON_MS)[0][1])
    assert fed.close(70) == [(0, 1, 9)]


def test_a_state_goes_on_and_one_of_an_older_version_is_read() -> None:
    fed, after = Fed(), Fed()
    fed.take(1, refused(4))
    state = msgspec.msgpack.encode(fed.minutes.state())
    after.minutes.restore(msgspec.msgpack.decode(state, type=MinutesState))
    assert after.close(130) == fed.close(130) == [(0, 0, 4), (1, 0, 0)]
    older = msgspec.msgpack.decode(state)
    del older["refused"], older["has_calls"]
    restored = Fed()
    restored.minutes.restore(msgspec.convert(older, MinutesState))
    assert restored.minutes.has_calls
    assert restored.minutes.state().refused == NOTHING_REFUSED


class Watching(Rejects):
    """The detector, and that the minutes that it is shown rise."""

    def observe(self, minute: TenantMinute) -> list[Condition]:
        assert minute.minute > self._state.last
        return super().observe(minute)


def make() -> list[Rejects]:
    book: Any = None
    return [Watching(Surroundings(book, Catalog.default(), SETTINGS))]


def _signals(of: PartitionDetection, messages: Iterable[LogMessage]) -> list[Signal]:
    found = [signal for message in messages for signal in of.take(message).signals]
    assert of.failures == 0
    return found


def test_refused_lines_become_one_incident() -> None:
    log = Log()
    for second in range(0, 300, 5):
        log.add(second, windows(1, minute=second // 60, offset=second))
        if second == 70:
            log.tick(70)
        if second < 120:
            log.add(second + 1, refused(4, offset=second, seconds=second))
    log.tick(*range(302, 3_000, 2))
    signals = _signals(PartitionDetection(make, SETTINGS), log.messages)
    assert [signal.state for signal in signals if signal.state != "update"] == ["open", "resolved"]
    assert signals[0].scope == {"tenant": "acme"}
    assert signals[0].observed_at.timestamp() * 1000 == NOON_MS + 60_000
    assert signals[0].evidence["refused_lines"] == 15 * 4
    assert signals[0].evidence["lines"] == 15 * 4 + 12


def test_tenants_that_only_refused_lines_name_are_few_and_are_soon_forgotten() -> None:
    log = Log()
    for number in range(2 * MOST_WITHOUT_CALLS):
        log.add(number / 100, refused(1, tenant=f"t{number}", offset=number))
    log.add(10, refused(90, tenant=UNKNOWN_TENANT, offset=900))
    log.add(11, windows(1, tenant="acme"))
    of = PartitionDetection(make, SETTINGS.model_copy(update={"forget_days": 30}))
    signals = _signals(of, log.messages)
    assert len(of._tenants) == MOST_WITHOUT_CALLS + 2
    later = Log()
    later.messages = list(log.messages)
    later.tick(*range(20, 200, 20), DAY_SECONDS, DAY_SECONDS + 300)
    forgotten: list[str] = []
    for message in later.messages[len(log.messages) :]:
        outcome = of.take(message)
        signals += outcome.signals
        forgotten += outcome.forgotten
    assert len(forgotten) == MOST_WITHOUT_CALLS + 1
    assert set(of._tenants) == {"acme"}
    assert [(one.state, one.scope["tenant"]) for one in signals] == [
        ("open", UNKNOWN_TENANT),
        ("resolved", UNKNOWN_TENANT),
    ]


def _until_killed(
    log: Sequence[LogMessage], at: int, records: list[tuple[bytes, bytes | None]], topic: list[bytes]
) -> None:
    """As a worker that takes the partition up and is killed after a message."""
    sent = set(topic)
    of = PartitionDetection(make, SETTINGS, read_kept(records))
    for message in log[of.next_offset : at]:
        outcome = of.take(message)
        topic.extend(line for signal in outcome.signals if (line := encode_signal(signal)) not in sent)
        for checkpoint in outcome.checkpoints:
            records.extend(records_of(checkpoint))
        records.append(begin_record(of.begin))
    assert of.failures == 0


steps = st.tuples(
    st.sampled_from([0, 5, 40, 70]),  # seconds since the one before
    st.sampled_from(["acme", "other", UNKNOWN_TENANT]),
    st.sampled_from([0, 5, 40]),  # refused lines; 0 is a call
    st.sampled_from([0, 0, 1, 20_000]),  # minutes late
    st.booleans(),  # delivered twice
)


@given(st.lists(steps, max_size=25), st.lists(st.integers(0, 120), max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_worker_that_is_killed_anywhere_is_not_noticed(
    drawn: list[tuple[int, str, int, int, bool]], killed_at: list[int]
) -> None:
    log, seconds = Log(), 0
    for number, (pause, tenant, lines, late, twice) in enumerate(drawn):
        seconds += pause
        call = windows(1, minute=seconds // 60 - late, tenant=tenant, offset=number)
        for _ in range(1 + twice):
            log.add(seconds, refused(lines, tenant=tenant, offset=number) if lines else call)
    log.tick(*range(seconds + 2, seconds + 200, 4))
    once: list[bytes] = []
    _until_killed(log.messages, len(log.messages), [], once)
    records: list[tuple[bytes, bytes | None]] = []
    topic: list[bytes] = []
    for at in [*killed_at, len(log.messages)]:
        _until_killed(log.messages, min(at, len(log.messages)), records, topic)
    assert sorted(topic) == sorted(once)
