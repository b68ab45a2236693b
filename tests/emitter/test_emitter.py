"""The emitter on both brokers and without any: it delivers, it never hurts its caller, it stays in its bounds."""

import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from producers.emitter import Emitter
from tests.emitter.programs import run_program
from tests.emitter.topic_contents import START, event, make_topics, read_ids, read_topic
from tests.kafka.fixtures import APACHE, Broker
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings
from tokenweir.usage import MeteredEvent, UsageEvent, wire

_PATIENCE_SECONDS = 120.0


@pytest.fixture
def away() -> KafkaSettings:
    """Settings under which nobody listens."""
    return KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")


def test_every_event_arrives_once_batched_by_workload(settings: KafkaSettings) -> None:
    with Emitter(settings) as emitter:
        assert all(emitter.record(event(number, team=f"team-{number % 3}")) for number in range(5_000))
        assert emitter.flush(_PATIENCE_SECONDS)
        found = emitter.statistics
        assert (found.recorded, found.sent, found.confirmed, found.pending) == (5_000, 5_000, 5_000, 0)
        assert found.pending_bytes == 0
        assert not found.dropped
    messages = read_topic(settings)
    assert {message.headers for message in messages} == {wire.HEADERS}
    by_team: dict[str, list[int]] = {}
    for message in messages:
        lines = message.lines
        assert len(lines) <= wire.MAX_BATCH_EVENTS
        (team,) = {line["team"] for line in lines}
        assert message.key == wire.workload_key("default", team, "", "")
        by_team.setdefault(team, []).extend(int(line["id"].removeprefix("openai:call-")) for line in lines)
    assert by_team == {f"team-{team}": list(range(team, 5_000, 3)) for team in range(3)}
    assert UsageEvent.model_validate_json(json.dumps(messages[0].lines[0]))


def test_threads_share_an_emitter(settings: KafkaSettings) -> None:
    with Emitter(settings) as emitter:

        def report(first: int) -> None:
            for number in range(first, first + 1_000):
                emitter.record(event(number))

        threads = [threading.Thread(target=report, args=(first,)) for first in range(0, 4_000, 1_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert emitter.flush(_PATIENCE_SECONDS)
    assert Counter(read_ids(settings)) == Counter(f"openai:call-{number}" for number in range(4_000))


def test_what_was_recorded_before_the_broker_came_arrives_once(
    new_broker: Callable[[], Broker], unique_prefix: str
) -> None:
    broker = new_broker()
    settings = broker.settings(unique_prefix)
    if broker.durable:
        make_topics(settings)
    broker.server.stop()
    with Emitter(settings) as emitter:
        for number in range(1_000):
            assert emitter.record(event(number))
        assert not emitter.flush(1.0)
        assert emitter.statistics.pending == 1_000
        broker.server.start()
        make_topics(settings)
        assert emitter.flush(_PATIENCE_SECONDS)
    assert Counter(read_ids(settings)) == Counter(f"openai:call-{number}" for number in range(1_000))


def test_too_many_are_dropped_counted_and_told(away: KafkaSettings, caplog: pytest.LogCaptureFixture) -> None:
    told: Counter[str] = Counter()

    def on_drop(reason: str, events: int) -> None:
        told[reason] += events
        raise RuntimeError("the application's own")

    emitter = Emitter(away, max_pending_events=1_000, on_drop=on_drop)
    with caplog.at_level(logging.WARNING):
        taken = sum(emitter.record(event(number)) for number in range(5_000))
        found = emitter.statistics
        assert 1_000 <= taken <= 1_001  # one event may be changing hands
        assert (found.recorded, found.pending) == (taken, taken)
        assert found.dropped == {"full": 5_000 - taken}
        assert not emitter.close(0.5)
    found = emitter.statistics
    assert found.dropped == {"full": 5_000 - taken, "closed": taken}
    assert told == found.dropped
    assert found.pending == 0
    assert caplog.text.count("as many wait for Kafka as may") == 1


def test_memory_is_bounded_by_bytes_too(away: KafkaSettings) -> None:
    emitter = Emitter(away, max_pending_bytes=200_000)
    large = event(1, tags={f"tag-{number}": "x" * 200 for number in range(30)})
    for _ in range(10):
        for _ in range(50):
            emitter.record(large)
        emitter.flush(0.05)  # lets the thread see how large they are
    found = emitter.statistics
    assert found.dropped["full"] > 0
    assert found.pending_bytes < 200_000 + 50 * 8_000
    emitter.close(0.0)


class _Hostile:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]


_ANYTHING = st.one_of(
    st.none(),
    st.integers(),
    st.text(),
    st.binary(),
    st.dictionaries(st.text(), st.text()),
    st.lists(st.integers()),
    st.builds(_Hostile),
    st.just(UsageEvent),
    st.just(object()),
    st.builds(
        UsageEvent.model_construct,
        id=st.one_of(st.integers(), st.text(), st.builds(object)),
        input_tokens=st.one_of(st.text(), st.floats(), st.builds(object)),
    ),
)


def test_record_never_raises(away: KafkaSettings) -> None:
    emitter = Emitter(away, max_pending_events=50)

    @given(_ANYTHING)
    @hypothesis_settings(max_examples=200, deadline=None)
    def check(anything: Any) -> None:
        assert emitter.record(anything) in (True, False)

    check()
    emitter.close(0.0)
    found = emitter.statistics
    assert found.pending == 0
    assert found.dropped["wrong_type"] > 0


def test_what_is_no_event_is_counted(away: KafkaSettings) -> None:
    emitter = Emitter(away)
    metered = MeteredEvent(**dict(event(1)), metered_at=START, version=1)
    for thing in ({"id": "1"}, None, metered):
        assert not emitter.record(thing)  # type: ignore[arg-type]
    unchecked: Any = UsageEvent.model_construct
    assert emitter.record(unchecked(id="1", team=object()))
    assert emitter.record(unchecked(**(dict(event(2)) | {"error_code": "x" * 70_000})))
    assert emitter.record(event(3))
    emitter.flush(0.2)
    found = emitter.statistics
    assert found.dropped == {"wrong_type": 3, "unencodable": 1, "too_large": 1}
    assert (found.recorded, found.pending) == (3, 1)
    emitter.close(0.0)


class _Exits:
    def __str__(self) -> str:
        raise SystemExit("from within")


def test_the_thread_outlives_what_tries_to_end_it(settings: KafkaSettings) -> None:
    unchecked: Any = UsageEvent.model_construct
    with Emitter(settings) as emitter:
        for number in range(3):
            assert emitter.record({"usage": {}}, vendor="openai", team=_Exits())  # type: ignore[arg-type]
            assert emitter.record(unchecked(**(dict(event(9)) | {"team": _Exits(), "id": _Exits()})))
            assert emitter.record(event(number))
        assert emitter.flush(_PATIENCE_SECONDS)
        found = emitter.statistics
        assert (found.recorded, found.confirmed, found.pending) == (9, 3, 0)
    assert read_ids(settings) == [f"openai:call-{number}" for number in range(3)]


def test_more_answers_than_may_wait_unread_are_dropped(away: KafkaSettings) -> None:
    emitter = Emitter(away)
    answer = {"model": "gpt-4o", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    taken = sum(emitter.record(answer, vendor="openai") for _ in range(40_000))
    found = emitter.statistics
    assert found.dropped["full"] == 40_000 - taken > 0
    assert emitter.record(event(1))
    emitter.close(0.0)


def test_a_closed_emitter_takes_nothing(settings: KafkaSettings) -> None:
    emitter = Emitter(settings)
    emitter.record(event(1))
    assert emitter.close(_PATIENCE_SECONDS)
    assert not emitter.record(event(2))
    assert emitter.flush(1.0)
    assert emitter.close(1.0)
    assert emitter.close(None) is False  # type: ignore[arg-type]
    assert emitter.statistics.dropped == {"closed": 1}
    assert read_ids(settings) == ["openai:call-1"]


def test_an_emitter_that_was_never_used_closes(away: KafkaSettings) -> None:
    with Emitter(away) as emitter:
        assert emitter.flush(0.0)
    assert emitter.statistics.recorded == 0


def test_a_broker_that_accepts_and_never_answers_does_not_hold_the_caller() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        host, port = silent.getsockname()
        emitter = Emitter(KafkaSettings(bootstrap_servers=f"{host}:{port}"))
        for number in range(100):
            assert emitter.record(event(number))
        assert not emitter.flush(0.2)
        assert emitter.statistics.pending == 100
        assert not emitter.close(0.2)
    assert emitter.statistics.dropped == {"closed": 100}


def test_a_program_that_just_ends_has_its_events_delivered(settings: KafkaSettings) -> None:
    run_program(settings, "[emitter.record(event(number)) for number in range(5)]")
    assert sorted(read_ids(settings)) == [f"openai:call-{number}" for number in range(5)]


def test_a_program_ends_though_kafka_is_away(away: KafkaSettings) -> None:
    began = time.monotonic()
    run_program(
        away,
        """
        emitter = Emitter(KafkaSettings(bootstrap_servers=sys.argv[1]), exit_timeout_seconds=0.5)
        emitter.record(event(1))
        """,
    )
    assert time.monotonic() - began < 20.0


def test_a_forked_child_has_an_emitter_of_its_own(settings: KafkaSettings) -> None:
    run_program(
        settings,
        """
        [emitter.record(event(number)) for number in range(10)]
        assert emitter.flush(60)
        [emitter.record(event(number)) for number in range(10, 15)]  # wait while the child is made
        child = os.fork()
        first = 200 if child == 0 else 100
        if child == 0:
            assert emitter.statistics.recorded == 0, emitter.statistics
        [emitter.record(event(number)) for number in range(first, first + 10)]
        assert emitter.close(60)
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """,
    )
    expected = [*range(15), *range(100, 110), *range(200, 210)]
    assert Counter(read_ids(settings)) == Counter(f"openai:call-{number}" for number in expected)


@pytest.mark.parametrize("broker", [APACHE], indirect=True)
def test_signal_handlers_may_record(settings: KafkaSettings) -> None:
    run_program(
        settings,
        """
        import itertools, signal
        numbers = itertools.count(1_000_000)
        signal.signal(signal.SIGALRM, lambda *_: (emitter.record(event(next(numbers))), emitter.record(None)))
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for number in range(20_000):
            emitter.record(event(number))
            emitter.record(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert emitter.close(60)
        found = emitter.statistics
        assert found.confirmed == found.recorded == 20_000 + next(numbers) - 1_000_000, found
        """,
    )
