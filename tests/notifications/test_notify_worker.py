"""`weir worker --role notify` on real brokers, killed in the middle: everybody is told, and hardly anything twice."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.app import consumer_group
from streams.topic_admin import ensure_topics, topic_lag
from tests.emitter.topic_contents import read_topic
from tests.end_to_end.commands import wait_for, weir_process
from tests.kafka.fixtures import Broker
from tests.notifications.making import incident_signal
from tests.notifications.servers import HttpService, http_service
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.signals import Signal, decode_signals, encode_signal
from tokenweir.topics import SIGNALS

INCIDENTS = 12


@pytest.fixture
def kafka(broker: Broker, unique_prefix: str) -> KafkaSettings:
    settings = broker.settings(unique_prefix).model_copy(update={"partitions": 2})
    ensure_topics(settings)
    return settings


@pytest.fixture
def http() -> Iterator[HttpService]:
    with http_service() as service:
        yield service


def send(kafka: KafkaSettings, *signals: Signal) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
    name = topic_name(kafka, SIGNALS.name)
    for one in signals:
        producer.send(name, key=one.fingerprint.encode(), value=encode_signal(one)).get(30)
    producer.send(name, key=b"x", value=b"this is no signal").get(30)
    producer.close()


def now(team: str, number: int = 0) -> Signal:
    return incident_signal(team, number, observed_at=datetime.now(UTC))


def all_taken(kafka: KafkaSettings) -> Callable[[], bool]:
    name = topic_name(kafka, SIGNALS.name)
    return lambda: topic_lag(kafka, consumer_group(kafka, "notify"), [name])[name] == 0


@pytest.mark.kafka
@pytest.mark.timeout(240)
def test_a_worker_that_is_killed_in_the_middle(
    kafka: KafkaSettings, http: HttpService, tmp_path: Path
) -> None:
    (tmp_path / "tokenweir.toml").write_text(
        f"""
[kafka]
bootstrap_servers = "{kafka.bootstrap_servers}"
topic_prefix = "{kafka.topic_prefix}"
session_timeout_seconds = 6
rebalance_timeout_seconds = 6
[notifications]
group_seconds = 0
failures_before_signal = 1
[notifications.channels.pager]
url = "{http.url()}"
one_per_incident = true
max_messages_per_hour = 100
[notifications.channels.broken]
url = "json://127.0.0.1:9/nobody"
""",
        encoding="utf-8",
    )
    log = tmp_path / "worker.log"
    opened = [now(f"team-{number}") for number in range(INCIDENTS)]
    send(kafka, *opened)
    with weir_process("worker", "--role", "notify", cwd=tmp_path, log=log) as process:
        wait_for("some are told", lambda: len(http.posts) >= 3, log=log)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    before = len(http.posts)
    assert before < INCIDENTS
    send(kafka, *opened, now("late"))
    with weir_process("worker", "--role", "notify", cwd=tmp_path, log=log) as process:
        wait_for("all are told", lambda: any("late" in one["title"] for one in http.posts), log=log)
        wait_for(
            "the failing channel is told of",
            lambda: any("broken" in one["title"] for one in http.posts),
            log=log,
        )
        wait_for("all is taken", all_taken(kafka), log=log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    told = Counter(one["title"] for one in http.posts)
    assert set(told) == {f"[critical] {one.title}" for one in [*opened, now("late")]} | {
        "[warning] The notification channel broken does not work"
    }
    assert sum(told.values()) - len(told) <= 1  # what was sent and not yet noted when the worker was killed
    said = [
        one
        for message in read_topic(kafka, SIGNALS)
        if message.value and message.value != b"this is no signal"
        for one in decode_signals(message.value)
        if one.kind == "notification"
    ]
    assert len({one.id for one in said}) == 1
    assert "s3cret" not in log.read_text(encoding="utf-8")
