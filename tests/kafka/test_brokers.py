"""One contract for both brokers: what the emitter, the streams and the drain rely on."""

import os
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import MessageSizeTooLargeError, UnknownProducerIdError
from kafka.structs import OffsetAndMetadata

from streams.topic_admin import (
    describe_topics,
    end_offsets,
    ensure_topics,
    group_members,
    topic_lag,
)
from tests.kafka.fixtures import Broker
from tokenweir.errors import BrokerUnavailable
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import TOPICS, USAGE, Topic

_MEBIBYTE = 1024 * 1024
_PATIENCE_SECONDS = 60


@pytest.fixture
def settings(broker: Broker, unique_prefix: str) -> KafkaSettings:
    return broker.settings(unique_prefix)


def _producer(settings: KafkaSettings, **options: Any) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_request_size=16 * _MEBIBYTE,
        **options,
    )


def _send(
    settings: KafkaSettings, values: Sequence[bytes], *, topic: Topic = USAGE, partition: int = 0
) -> None:
    with closing(_producer(settings)) as producer:
        name = topic_name(settings, topic.name)
        sent = [producer.send(name, value, partition=partition) for value in values]
        for future in sent:
            future.get(timeout=_PATIENCE_SECONDS)


def _consumer(settings: KafkaSettings, group: str | None = None) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=16 * _MEBIBYTE,
    )


def _records(consumer: KafkaConsumer, count: int) -> Iterator[Any]:
    """The next `count` records; fails the test where they do not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    left = count
    while left:
        assert time.monotonic() < deadline, f"{left} of {count} records did not come"
        for records in consumer.poll(timeout_ms=200).values():
            yield from records
            left -= len(records)


def _read(settings: KafkaSettings, count: int, *, topic: Topic = USAGE, partition: int = 0) -> list[Any]:
    with closing(_consumer(settings)) as consumer:
        place = TopicPartition(topic_name(settings, topic.name), partition)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        return list(_records(consumer, count))


def test_missing_topics_are_created_as_registered(settings: KafkaSettings) -> None:
    assert [report.exists for report in describe_topics(settings)] == [False] * len(TOPICS)
    reports = ensure_topics(settings)
    assert [report.name for report in reports] == [topic_name(settings, topic.name) for topic in TOPICS]
    assert [report.partitions for report in reports] == [topic.partitions for topic in TOPICS]
    assert [dict(report.config) for report in reports] == [topic.config for topic in TOPICS]
    assert all(report.created and report.exists and not report.differences for report in reports)


def test_creating_topics_twice_changes_nothing(settings: KafkaSettings) -> None:
    ensure_topics(settings)
    _send(settings, [b"one"])
    again = ensure_topics(settings)
    assert not any(report.created for report in again)
    assert again == describe_topics(settings)
    assert [record.value for record in _read(settings, 1)] == [b"one"]


def test_a_topic_that_differs_is_left_alone_and_reported(settings: KafkaSettings) -> None:
    ensure_topics(settings.model_copy(update={"partitions": 2}))
    for report, topic in zip(ensure_topics(settings), TOPICS, strict=True):
        assert not report.created
        assert report.partitions == 2
        assert report.differences == (f"2 partitions, not {topic.partitions}",)


def test_a_large_message_arrives_whole_with_key_headers_and_time(settings: KafkaSettings) -> None:
    ensure_topics(settings)
    value = random.Random(7).randbytes(3 * _MEBIBYTE)
    headers = [
        ("content-type", b"application/x-ndjson"),
        ("tokenweir-schema", b"1"),
        ("again", b""),
        ("again", b"2"),
    ]
    with closing(_producer(settings)) as producer:
        sent = producer.send(
            topic_name(settings, USAGE.name),
            value,
            key=b"acme\x1fsearch",
            headers=headers,
            partition=3,
            timestamp_ms=1_700_000_000_123,
        ).get(timeout=_PATIENCE_SECONDS)
    assert (sent.partition, sent.offset) == (3, 0)
    (record,) = _read(settings, 1, partition=3)
    assert record.value == value
    assert record.key == b"acme\x1fsearch"
    assert record.headers == headers
    assert record.timestamp == 1_700_000_000_123
    assert record.timestamp_type == 0  # the sender's time, not the broker's


def test_messages_of_a_partition_keep_their_order(settings: KafkaSettings) -> None:
    ensure_topics(settings)
    values = [str(number).encode() for number in range(2_000)]
    _send(settings, values)
    records = _read(settings, len(values))
    assert [record.value for record in records] == values
    assert [record.offset for record in records] == list(range(len(values)))


def test_a_message_above_the_senders_limit_is_refused_and_its_neighbours_arrive(
    settings: KafkaSettings,
) -> None:
    ensure_topics(settings)
    name = topic_name(settings, USAGE.name)
    with closing(_producer(settings)) as producer:
        producer.send(name, b"before", partition=0)
        with pytest.raises(MessageSizeTooLargeError):
            producer.send(name, bytes(17 * _MEBIBYTE), partition=0).get(timeout=_PATIENCE_SECONDS)
        producer.send(name, b"after", partition=0).get(timeout=_PATIENCE_SECONDS)
    assert [record.value for record in _read(settings, 2)] == [b"before", b"after"]


def test_a_message_above_the_topics_limit(broker: Broker, settings: KafkaSettings) -> None:
    """Apache Kafka refuses it. The embedded broker takes it, which is why senders keep to the limit themselves."""
    ensure_topics(settings)
    incompressible = random.Random(8).randbytes(9 * _MEBIBYTE)
    if broker.durable:
        with pytest.raises(MessageSizeTooLargeError):
            _send(settings, [incompressible])
        _send(settings, [b"small"])
        assert [record.value for record in _read(settings, 1)] == [b"small"]
    else:
        _send(settings, [incompressible])
        assert [record.value for record in _read(settings, 1)] == [incompressible]


def test_a_group_goes_on_where_it_committed(settings: KafkaSettings, unique_prefix: str) -> None:
    ensure_topics(settings.model_copy(update={"partitions": 1}))
    name = topic_name(settings, USAGE.name)
    _send(settings, [b"0", b"1", b"2"])
    options = {"session_timeout_ms": 6_000, "max_poll_interval_ms": 6_000, "heartbeat_interval_ms": 1_000}
    read: list[bytes] = []
    for count in (1, 2):
        with closing(_group_member(settings, unique_prefix, name, **options)) as member:
            for record in list(_records(member, 3 - len(read)))[:count]:
                read.append(record.value)
                member.commit({TopicPartition(name, 0): OffsetAndMetadata(record.offset + 1, "", -1)})
    assert read == [b"0", b"1", b"2"]
    assert topic_lag(settings, unique_prefix, [name]) == {name: 0}


def _group_member(settings: KafkaSettings, group: str, name: str, **options: Any) -> KafkaConsumer:
    return KafkaConsumer(
        name,
        bootstrap_servers=settings.bootstrap_servers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **options,
    )


def test_lag_is_what_the_group_has_still_to_finish(settings: KafkaSettings, unique_prefix: str) -> None:
    ensure_topics(settings)
    usage, rejected = (topic_name(settings, name) for name in ("usage", "rejected"))
    missing = topic_name(settings, "missing")
    assert topic_lag(settings, unique_prefix, [usage, missing]) == {usage: 0, missing: 0}

    _send(settings, [b"a", b"b", b"c"], partition=0)
    _send(settings, [b"d"], partition=11)
    assert topic_lag(settings, unique_prefix, [usage, rejected]) == {usage: 4, rejected: 0}

    with closing(_consumer(settings, unique_prefix)) as consumer:
        places = [TopicPartition(usage, 0), TopicPartition(usage, 11)]
        consumer.assign(places)
        consumer.commit({places[0]: OffsetAndMetadata(2, "", -1)})
        assert topic_lag(settings, unique_prefix, [usage]) == {usage: 2}
        consumer.commit({places[0]: OffsetAndMetadata(3, "", -1), places[1]: OffsetAndMetadata(1, "", -1)})
    assert topic_lag(settings, unique_prefix, [usage]) == {usage: 0}
    assert topic_lag(settings, f"{unique_prefix}other", [usage]) == {usage: 4}


def test_who_is_in_a_group_is_known_where_the_broker_says_so(
    broker: Broker, settings: KafkaSettings, unique_prefix: str
) -> None:
    ensure_topics(settings, [USAGE])
    if not broker.durable:
        assert group_members(settings, unique_prefix) is None
        return
    assert group_members(settings, unique_prefix) == 0
    with closing(_consumer(settings, unique_prefix)) as consumer:
        consumer.subscribe([topic_name(settings, USAGE.name)])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not consumer.assignment() and time.monotonic() < deadline:
            consumer.poll(timeout_ms=1_000)
        assert group_members(settings, unique_prefix) == 1
    assert group_members(settings, unique_prefix) == 0


def test_a_killed_broker_comes_back_on_its_address(
    new_broker: Callable[[], Broker], unique_prefix: str
) -> None:
    """With its messages and positions where it is durable, and empty where it is not."""
    broker = new_broker()
    settings = broker.settings(unique_prefix)
    name = topic_name(settings, USAGE.name)
    ensure_topics(settings)
    values = [uuid.uuid4().bytes for _ in range(500)]
    _send(settings, values)
    with closing(_consumer(settings, unique_prefix)) as consumer:
        place = TopicPartition(name, 0)
        consumer.assign([place])
        consumer.commit({place: OffsetAndMetadata(200, "", -1)})

    pid = broker.server.pid
    assert pid is not None
    broker.server.kill()
    assert broker.server.exit_status() is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(BrokerUnavailable):
        topic_lag(settings, unique_prefix, [name], timeout_seconds=1)
    broker.server.start()

    assert broker.bootstrap_servers == settings.bootstrap_servers
    if broker.durable:
        assert not any(report.created for report in ensure_topics(settings))
        assert topic_lag(settings, unique_prefix, [name]) == {name: 300}
        assert [record.value for record in _read(settings, len(values))] == values
    else:
        assert all(report.created for report in ensure_topics(settings))
    _send(settings, [b"after"])
    assert topic_lag(settings, f"{unique_prefix}other", [name]) == {name: len(values) * broker.durable + 1}


def test_a_producer_and_a_restart(new_broker: Callable[[], Broker], unique_prefix: str) -> None:
    """On Apache Kafka what was accepted while the broker was away arrives when it is back, once and in order.

    The embedded broker has forgotten the producer by then, which is told, and another producer has to be made.
    """
    broker = new_broker()
    settings = broker.settings(unique_prefix)
    ensure_topics(settings)
    name = topic_name(settings, USAGE.name)
    values = [str(number).encode() for number in range(20)]
    with closing(_producer(settings, retry_backoff_ms=50, reconnect_backoff_max_ms=200)) as producer:
        producer.send(name, b"first", partition=0).get(timeout=_PATIENCE_SECONDS)
        broker.server.kill()
        sent = [producer.send(name, value, partition=0) for value in values]
        broker.server.start()
        ensure_topics(settings)
        if broker.durable:
            for future in sent:
                future.get(timeout=_PATIENCE_SECONDS)
            expected = [b"first", *values]
        else:
            with pytest.raises(UnknownProducerIdError):
                sent[0].get(timeout=_PATIENCE_SECONDS)
            _send(settings, values)
            expected = values
    assert [record.value for record in _read(settings, len(expected))] == expected


def test_the_end_of_a_partition_is_after_its_last_message(settings: KafkaSettings) -> None:
    ensure_topics(settings)
    usage, rejected = (topic_name(settings, name) for name in ("usage", "rejected"))
    _send(settings, [b"1"] * 5, partition=0)
    _send(settings, [b"1"] * 7, partition=0)
    _send(settings, [b"1"], partition=4)
    expected = {TopicPartition(usage, index): 0 for index in range(USAGE.partitions)}
    expected |= {TopicPartition(usage, 0): 12, TopicPartition(usage, 4): 1}
    expected |= {TopicPartition(rejected, index): 0 for index in range(3)}
    assert end_offsets(settings, [usage, rejected, topic_name(settings, "missing")]) == expected


def test_no_broker_is_told_in_bounded_time() -> None:
    settings = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    for ask in (ensure_topics, describe_topics):
        with pytest.raises(BrokerUnavailable, match=settings.bootstrap_servers) as raised:
            ask(settings, timeout_seconds=0.5)
        assert raised.value.hint


def test_a_refused_topic_names_itself(apache_kafka: Broker, unique_prefix: str) -> None:
    settings = apache_kafka.settings(unique_prefix).model_copy(update={"replication_factor": 3})
    if apache_kafka.durable:
        with pytest.raises(BrokerUnavailable, match=topic_name(settings, USAGE.name)) as raised:
            ensure_topics(settings)
        assert "kafka.replication_factor" in raised.value.hint
        assert not any(report.exists for report in describe_topics(settings))
    else:  # one node that keeps no replicas takes any number
        assert all(report.exists for report in ensure_topics(settings))
