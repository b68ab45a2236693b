"""A partition read by several workers one after the other says what it says to one."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detection.checkpoint import begin_record, read_kept, records_of
from streams.detection.partition import LogMessage, PartitionDetection
from streams.detectors.minute import TenantMinute
from tests.detection.logs import NOON, NOON_MS, SETTINGS, Log, detection, told, windows
from tests.detectors.small import DearTeams
from tokenweir.signals import Signal, SignalRequest, encode_signal
from tokenweir.signals.request import HEADER_REQUEST, encode_request


def _signals(of: PartitionDetection, messages: Iterable[LogMessage]) -> list[Signal]:
    return [signal for message in messages for signal in of.take(message).signals]


def _refused(of: PartitionDetection, messages: Iterable[LogMessage]) -> list[str]:
    return [reason for message in messages for reason in of.take(message).refused]


def _loop() -> Log:
    """A team that is dear for two minutes, beside one that is not."""
    log = Log()
    for second in range(0, 120, 4):
        log.add(second, windows(20, minute=second // 60, offset=second))
        log.add(second + 1, windows(1, minute=second // 60, team="ads", offset=second, partition=1))
    log.tick(*range(122, 400, 2))
    return log


def test_an_incident_is_told_within_seconds_and_resolved_when_it_is_over() -> None:
    signals = _signals(detection(), _loop().messages)
    assert told(signals) == [("open", "search", 20.0), ("resolved", "search", 240.0)]
    opened, resolved = signals
    assert opened.title == "search is dear"
    assert resolved.evidence["minutes_seen"] == 2
    assert opened.incident == resolved.incident


def test_it_says_since_when_a_minute_should_have_been_closed() -> None:
    of = detection()
    assert of.deadline_ms() > NOON_MS * 1000
    log = Log()
    log.add(1, windows(1))
    log.tick(71, 72, 73)
    for message, minutes in zip(log.messages, (1, 2, 2, 2), strict=True):
        of.take(message)
        assert of.deadline_ms() == NOON_MS + minutes * 60_000 + 10_000


def test_a_request_is_taken_up_in_order() -> None:
    log = _loop()
    opened = _signals(detection(), log.messages)[0]
    request = SignalRequest(
        action="mute",
        tenant="acme",
        fingerprint=opened.fingerprint,
        by="ana",
        until=NOON + timedelta(hours=1),
    )
    asked = Log()
    asked.messages = log.messages[:40]
    asked.add(100, b"", [(HEADER_REQUEST, encode_request(request))])
    asked.add(100, b"", [(HEADER_REQUEST, b"{}")])
    asked.tick(*range(122, 400, 2))
    of = detection()
    signals = _signals(of, asked.messages)
    assert [(signal.state, signal.change, signal.is_muted()) for signal in signals] == [
        ("open", "", False),
        ("update", "muted", True),
        ("resolved", "", True),
    ]
    assert _refused(detection(), asked.messages) == ["no_request"]


def test_what_cannot_be_read_is_passed_over() -> None:
    log = Log()
    log.add(0, b"not json")
    log.add(1, windows(500))
    log.tick(80)
    assert len(_signals(detection(), log.messages)) == 1
    assert _refused(detection(), log.messages) == ["no_window"]


def test_a_detector_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(DearTeams):
        kind = "failing"

        def observe(self, minute: TenantMinute) -> list[Any]:
            raise KeyError(minute.minute)

    of = PartitionDetection(lambda: [Failing(), DearTeams()], SETTINGS)
    signals = _signals(of, _loop().messages)
    assert {signal.kind for signal in signals} == {"dear_team"}
    assert of.failures > 2
    assert "failing failed in minute" in caplog.text


def test_a_tenant_that_is_silent_for_long_is_forgotten() -> None:
    log = Log()
    log.add(0, windows(500))
    log.tick(*range(20, 90_000, 20))
    of = detection()
    forgotten = [name for message in log.messages for name in of.take(message).forgotten]
    assert forgotten == ["acme"]
    assert not of.is_watching()
    assert of.begin.offset == len(log.messages)


def test_a_tenant_comes_back_after_years_without_years_of_silence() -> None:
    log = Log()
    log.add(0, windows(1))
    years = 3 * 365 * 86_400
    log.add(years, windows(1, minute=years // 60, offset=1))
    log.tick(*range(years + 2, years + 200, 2))
    made: list[DearTeams] = []

    def make() -> list[DearTeams]:
        made.append(DearTeams())
        return made[-1:]

    of = PartitionDetection(make, SETTINGS)
    _signals(of, log.messages)
    assert sum(one.minutes for one in made) < 1440 + 10
    assert of.is_watching()


def _until_killed(
    log: Sequence[LogMessage], at: int, records: list[tuple[bytes, bytes | None]], topic: list[bytes]
) -> None:
    """A worker that takes the partition up, as `streams.detect_role` does, and is killed after a message."""
    kept = read_kept(records)
    sent = set(topic)
    of = PartitionDetection(lambda: [DearTeams()], SETTINGS, kept)
    if kept.begin is None:
        records.append(begin_record(of.begin))
    for message in log[of.next_offset : at]:
        outcome = of.take(message)
        topic.extend(line for signal in outcome.signals if (line := encode_signal(signal)) not in sent)
        if outcome.checkpoints:
            for checkpoint in outcome.checkpoints:
                records.extend(records_of(checkpoint, 64))
            records.append(begin_record(of.begin))


calls = st.tuples(
    st.sampled_from([0, 1, 2, 9]),  # seconds since the call before
    st.sampled_from(["acme", "other", "third"]),
    st.sampled_from(["search", "ads"]),
    st.sampled_from([1, 150, 30_000]),
    st.sampled_from([0, 0, 0, 1, 3]),  # minutes late
    st.booleans(),  # delivered twice
)


@st.composite
def logs(draw: st.DrawFn) -> list[LogMessage]:
    log, seconds = Log(), 0.0
    for number, (pause, tenant, team, cents, late, twice) in enumerate(draw(st.lists(calls, max_size=60))):
        seconds += pause
        value = windows(cents, minute=int(seconds) // 60 - late, tenant=tenant, team=team, offset=number)
        for _ in range(1 + twice):
            log.add(seconds, value)
    log.tick(*(seconds + extra for extra in range(2, draw(st.sampled_from([30, 200, 500])), 2)))
    return log.messages


@given(logs(), st.lists(st.integers(0, 400), max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_worker_that_is_killed_anywhere_is_not_noticed(
    messages: list[LogMessage], killed_at: list[int]
) -> None:
    once: list[bytes] = []
    _until_killed(messages, len(messages), [], once)
    records: list[tuple[bytes, bytes | None]] = []
    topic: list[bytes] = []
    for at in [*killed_at, len(messages)]:
        _until_killed(messages, min(at, len(messages)), records, topic)
    assert topic.count(b"") == 0
    assert sorted(set(topic)) == sorted(topic)
    assert set(topic) == set(once)


def test_killed_while_it_keeps_a_state_the_one_before_holds() -> None:
    records: list[tuple[bytes, bytes | None]] = []
    topic: list[bytes] = []
    log = _loop().messages
    _until_killed(log, len(log), records, topic)
    heads = [number for number, (key, _) in enumerate(records) if b"\x1f" not in key]
    assert len(heads) > 2
    for cut in range(heads[0] + 1, len(records)):
        again = list(topic)
        _until_killed(log, len(log), records[:cut], again)
        assert again == topic
