"""The detect role on real brokers: one signal for each thing that happened, whatever is killed meanwhile."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.app import consumer_group
from streams.topic_admin import ensure_topics, topic_lag
from tests.detection.logs import windows
from tests.emitter.topic_contents import read_topic
from tests.kafka.fixtures import Broker
from tokenweir.settings import DetectionSettings, KafkaSettings, Settings, WorkerSettings, topic_name
from tokenweir.signals import Signal, SignalRequest, decode_signals
from tokenweir.signals.request import HEADER_REQUEST, encode_request
from tokenweir.topics import SIGNALS, WINDOWS

_PATIENCE_SECONDS = 90
TENANTS = ("acme", "brightwater", "corvid")
DEAR_CENTS, CHEAP_CENTS = 500, 1


@pytest.fixture
def settings(broker: Broker, unique_prefix: str, tmp_path: Path) -> Settings:
    kafka = broker.settings(unique_prefix).model_copy(update={"partitions": 2})
    ensure_topics(kafka)
    return Settings(
        kafka=kafka,
        worker=WorkerSettings(state_dir=tmp_path / "state"),
        # The tenants take turns, so that at a kill the state of some is kept and that of others is not.
        detection=DetectionSettings(
            close_after_seconds=1, hold_seconds=0.3, early_seconds=1, checkpoint_seconds=9
        ),
    )


class Sender:
    """Sends a minute of each tenant; the minutes lie in the past, and lead the clock."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
        self._topic = topic_name(kafka, WINDOWS.name)
        self.minute = 0

    def minutes(self, count: int, cents: int) -> None:
        for _ in range(count):
            for tenant in TENANTS:
                line = windows(cents, minute=self.minute - 20_000, tenant=tenant, offset=self.minute)
                # As when a meter dies before it has committed: the same again.
                for _ in range(2):
                    self._producer.send(self._topic, key=tenant.encode(), value=line).get(timeout=30)
            self.minute += 1

    def ask(self, request: SignalRequest) -> None:
        headers = [(HEADER_REQUEST, encode_request(request))]
        self._producer.send(self._topic, key=request.tenant.encode(), value=b"", headers=headers).get(
            timeout=30
        )

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def sender(settings: Settings) -> Iterator[Sender]:
    one = Sender(settings.kafka)
    yield one
    one.close()


@contextmanager
def a_worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.detection.detect_process", settings.model_dump_json()]
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


def signals_of(settings: Settings) -> list[Signal]:
    """All that was sent."""
    return [signal for read in read_topic(settings.kafka, SIGNALS) for signal in decode_signals(read.value)]


def wait_for(settings: Settings, reached: Callable[[list[Signal]], bool]) -> list[Signal]:
    """What was sent, once it is as it should be."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not reached(found := signals_of(settings)):
        assert time.monotonic() < deadline, [(one.id, one.state) for one in found]
        time.sleep(0.3)
    return found


def wait_until_read(settings: Settings) -> None:
    """Returns when a worker has finished all that was sent."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    group, topic = consumer_group(settings.kafka, "detect"), topic_name(settings.kafka, WINDOWS.name)
    while topic_lag(settings.kafka, group, [topic])[topic]:
        assert time.monotonic() < deadline
        time.sleep(0.3)


def in_state(state: str) -> Callable[[list[Signal]], bool]:
    """Whether each tenant has a signal of this state."""
    return lambda found: {one.scope["tenant"] for one in found if one.state == state} == set(TENANTS)


def test_a_kill_in_the_middle_of_an_incident_is_not_noticed(settings: Settings, sender: Sender) -> None:
    with a_worker(settings):
        sender.minutes(5, CHEAP_CENTS)
        sender.minutes(3, DEAR_CENTS)
        time.sleep(0.5)
        sender.minutes(3, DEAR_CENTS)
        opened = wait_for(settings, in_state("open"))
    sender.minutes(2, DEAR_CENTS)
    with a_worker(settings):
        sender.minutes(2, DEAR_CENTS)
        time.sleep(0.5)
        sender.minutes(2, CHEAP_CENTS)
        one = opened[0]
        sender.ask(
            SignalRequest(
                action="acknowledge", tenant=one.scope["tenant"], fingerprint=one.fingerprint, by="ana"
            )
        )
        wait_for(settings, lambda found: any(signal.acknowledged_by for signal in found))
        sender.minutes(8, CHEAP_CENTS)
        time.sleep(0.5)
        sender.minutes(1, CHEAP_CENTS)
        wait_for(settings, in_state("resolved"))
    with a_worker(settings):
        sender.minutes(5, CHEAP_CENTS)
        wait_until_read(settings)
    found = signals_of(settings)
    assert len({one.id for one in found}) == len(found)
    by_tenant = {
        tenant: [(one.state, one.change) for one in found if one.scope["tenant"] == tenant]
        for tenant in TENANTS
    }
    plain = [("open", ""), ("resolved", "")]
    asked = [("open", ""), ("update", "acknowledged"), ("resolved", "")]
    assert by_tenant == {
        tenant: asked if tenant == opened[0].scope["tenant"] else plain for tenant in TENANTS
    }
