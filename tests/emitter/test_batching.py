"""Events gathered into messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.delivery.batching import Batcher, Message, messages_of, workload_of
from tests.emitter.topic_contents import event
from tokenweir.usage import wire

_WORKLOADS = [("default", team, "", "") for team in ("a", "b", "c")]


@given(
    arrivals=st.lists(st.tuples(st.sampled_from(_WORKLOADS), st.integers(1, 40), st.floats(0, 0.2))),
    max_events=st.integers(1, 7),
    max_bytes=st.integers(30, 200),
)
def test_every_line_leaves_once_in_order_and_within_bounds(
    arrivals: list[tuple[tuple[str, str, str, str], int, float]], max_events: int, max_bytes: int
) -> None:
    batcher = Batcher("usage", max_events=max_events, max_bytes=max_bytes, linger_seconds=0.1)
    now = 0.0
    sent: dict[bytes, list[bytes]] = {}
    given_lines: dict[bytes, list[bytes]] = {}
    messages: list[Message] = []
    for number, (workload, size, pause) in enumerate(arrivals):
        now += pause
        messages.extend(batcher.due(now))
        line = b"%d-" % number + b"x" * size
        given_lines.setdefault(wire.workload_key(*workload), []).append(line)
        messages.extend(batcher.add(workload, line, now))
        due_at = batcher.due_at
        assert due_at is None or due_at >= now - 0.1
    assert batcher.pending_events + sum(message.events for message in messages) == len(arrivals)
    messages.extend(batcher.take_all())
    for message in messages:
        lines = message.value.split(b"\n")
        assert len(lines) == message.events <= max_events
        assert len(message.value) <= max_bytes or message.events == 1
        assert message.key is not None
        sent.setdefault(message.key, []).extend(lines)
    assert sent == given_lines
    assert (batcher.pending_events, batcher.pending_bytes, batcher.due_at) == (0, 0, None)


def test_a_batch_is_due_when_its_first_event_has_lingered() -> None:
    batcher = Batcher("usage", linger_seconds=0.1)
    batcher.add(_WORKLOADS[0], b"1", 5.0)
    batcher.add(_WORKLOADS[1], b"2", 5.05)
    batcher.add(_WORKLOADS[0], b"3", 5.09)
    assert batcher.due(5.09) == []
    assert [message.value for message in batcher.due(5.11)] == [b"1\n3"]
    assert batcher.due_at == pytest.approx(5.15)


def test_messages_of_groups_by_workload() -> None:
    events = [event(number, team=f"team-{number % 3}") for number in range(1_600)]
    messages = messages_of("usage", events)
    assert sum(message.events for message in messages) == 1_600
    assert max(message.events for message in messages) == wire.MAX_BATCH_EVENTS
    for message in messages:
        teams = {json.loads(line)["team"] for line in message.value.split(b"\n")}
        assert len(teams) == 1
        assert message.key == wire.workload_key("default", teams.pop(), "", "")
    assert workload_of(events[1]) == ("default", "team-1", "", "")


def test_halves_keep_every_line() -> None:
    whole = Message("usage", b"k", b"1\n2\n3", 3)
    halves = whole.halves()
    assert halves is not None
    assert [half.value for half in halves] == [b"1", b"2\n3"]
    assert [half.events for half in halves] == [1, 2]
    assert halves[0].halves() is None
