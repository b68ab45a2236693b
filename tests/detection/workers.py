"""Detect workers as processes, what they are sent, and what they have said."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from kafka import KafkaProducer

from streams.app import consumer_group
from streams.topic_admin import topic_lag
from tests.detection.logs import windows
from tests.emitter.topic_contents import read_topic
from tokenweir.settings import DetectionSettings, KafkaSettings, Settings, WorkerSettings, topic_name
from tokenweir.signals import Signal, SignalRequest, decode_signals
from tokenweir.signals.request import HEADER_REQUEST, encode_request
from tokenweir.topics import SIGNALS, WINDOWS

_PATIENCE_SECONDS = 90
TENANTS = ("acme", "brightwater", "corvid")
DEAR_CENTS, CHEAP_CENTS = 500, 1
NO_SIGNAL = b"this is no signal"


def settings_of(kafka: KafkaSettings, folder: Path) -> Settings:
    """Of workers whose tenants take turns, so that at a kill the state of some is kept and that of others is not."""
    return Settings(
        kafka=kafka,
        worker=WorkerSettings(state_dir=folder / "state"),
        detection=DetectionSettings(
            close_after_seconds=1, hold_seconds=0.3, early_seconds=1, checkpoint_seconds=9
        ),
    )


class Sender:
    """Sends a minute of each tenant; the minutes lie in the past, and lead the clock."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
        self._topic = topic_name(kafka, WINDOWS.name)
        self._signals = topic_name(kafka, SIGNALS.name)
        self.minute = 0

    def minutes(self, count: int, cents: int) -> None:
        for _ in range(count):
            for tenant in TENANTS:
                line = windows(cents, minute=self.minute - 20_000, tenant=tenant, offset=self.minute)
                # As when a meter dies before it has committed: the same again.
                for _ in range(2):
                    self._producer.send(self._topic, key=tenant.encode(), value=line).get(timeout=30)
            self.minute += 1

    def garbage(self) -> None:
        """What nobody of ours has written, on both topics."""
        hostile = windows(DEAR_CENTS).replace(b"2026-", b"9999-")
        for topic, value in ((self._topic, b"no JSON"), (self._topic, hostile), (self._signals, NO_SIGNAL)):
            self._producer.send(topic, key=TENANTS[0].encode(), value=value).get(timeout=30)

    def ask(self, request: SignalRequest) -> None:
        headers = [(HEADER_REQUEST, encode_request(request))]
        self._producer.send(self._topic, key=request.tenant.encode(), value=b"", headers=headers).get(
            timeout=30
        )

    def close(self) -> None:
        self._producer.close()


@contextmanager
def a_worker(settings: Settings, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, killed at the end. log: takes what it says."""
    with log.open("wb") if log is not None else nullcontext() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.detection.detect_process", settings.model_dump_json()],
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(timeout=30)


def signals_of(settings: Settings) -> list[Signal]:
    """All that was sent by us."""
    read = [one.value for one in read_topic(settings.kafka, SIGNALS)]
    return [signal for value in read if value != NO_SIGNAL for signal in decode_signals(value)]


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
