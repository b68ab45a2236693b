"""The delivery on both brokers: order, confirmation, outages, bounds, refusals."""

import asyncio
import os
import threading
from collections.abc import Callable

import pytest

from producers.delivery import Delivery
from producers.delivery.batching import Message
from producers.delivery.receipts import confirmed
from producers.delivery.sender import BlockingSender
from tests.emitter.topic_contents import event, make_topics, read_ids, read_topic
from tests.kafka.fixtures import APACHE, Broker
from tokenweir.errors import BrokerUnavailable, RejectedInput
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings
from tokenweir.usage import wire

_PATIENCE_SECONDS = 120.0


def _message(delivery: Delivery, value: bytes, topic: str = "usage") -> Message:
    return Message(delivery.topic(topic), b"key", value, value.count(b"\n") + 1)


def test_messages_arrive_once_in_order_with_headers(settings: KafkaSettings) -> None:
    delivery = Delivery(settings)
    receipts = [
        delivery.send(_message(delivery, b"%d" % number), timeout_seconds=60) for number in range(500)
    ]
    for receipt in receipts:
        receipt.result(_PATIENCE_SECONDS)
    assert delivery.close(_PATIENCE_SECONDS)
    messages = read_topic(settings)
    assert [message.value for message in messages] == [b"%d" % number for number in range(500)]
    assert {message.key for message in messages} == {b"key"}
    assert {message.headers for message in messages} == {wire.HEADERS}
    found = delivery.statistics
    assert (found.sent_events, found.confirmed_events, found.pending_events, found.pending_bytes) == (
        500,
        500,
        0,
        0,
    )
    assert not found.dropped_events


def test_what_was_sent_before_the_broker_came_arrives_once(
    new_broker: Callable[[], Broker], unique_prefix: str
) -> None:
    broker = new_broker()
    settings = broker.settings(unique_prefix)
    if broker.durable:
        make_topics(settings)
    broker.server.stop()
    delivery = Delivery(settings)
    for number in range(50):
        delivery.submit(_message(delivery, b"%d" % number))
    assert not delivery.flush(1.0)
    assert delivery.statistics.pending_events == 50
    assert delivery.statistics.last_error
    broker.server.start()
    make_topics(settings)
    assert delivery.flush(_PATIENCE_SECONDS)
    assert delivery.close(_PATIENCE_SECONDS)
    assert [message.value for message in read_topic(settings)] == [b"%d" % number for number in range(50)]


def test_a_broker_killed_under_load_loses_nothing(
    new_broker: Callable[[], Broker], unique_prefix: str
) -> None:
    broker = new_broker()
    settings = broker.settings(unique_prefix)
    make_topics(settings)
    delivery = Delivery(settings)
    confirmed_before = set()
    numbers = iter(range(100_000))
    stop = threading.Event()
    sent: list[int] = []

    def load() -> None:
        while not stop.wait(0.002):
            number = next(numbers)
            delivery.submit(_message(delivery, b"%d" % number))
            sent.append(number)

    sender = threading.Thread(target=load)
    sender.start()
    try:
        while delivery.statistics.confirmed_events < 200:
            stop.wait(0.05)
        broker.server.kill()
        if not broker.durable:
            confirmed_before = set(sent)
        kept = len(sent)
        while len(sent) < kept + 200:
            stop.wait(0.05)
        broker.server.start()
        make_topics(settings)
        restarted = len(sent)
        while len(sent) < restarted + 200:
            stop.wait(0.05)
    finally:
        stop.set()
        sender.join()
    assert delivery.flush(_PATIENCE_SECONDS), delivery.statistics
    assert delivery.close(_PATIENCE_SECONDS)
    arrived = {int(message.value) for message in read_topic(settings)}
    assert arrived | confirmed_before == set(sent)
    assert delivery.statistics.confirmed_events == len(sent)


def test_a_missing_topic_holds_up_only_itself(broker: Broker, settings: KafkaSettings) -> None:
    delivery = Delivery(settings)
    lost = delivery.send(_message(delivery, b"1", "nowhere"), timeout_seconds=1)
    found = delivery.send(_message(delivery, b"2"), timeout_seconds=1)
    found.result(_PATIENCE_SECONDS)
    if broker.kind != APACHE:  # the embedded broker makes a topic at the first question for it
        lost.result(_PATIENCE_SECONDS)
        assert delivery.close(_PATIENCE_SECONDS)
        return
    assert not lost.done()
    assert "nowhere" in delivery.statistics.last_error
    assert "weir topics" in str(delivery.unavailable(1.0))
    assert not delivery.close(0.0)
    with pytest.raises(BrokerUnavailable, match="nowhere"):
        lost.result(0)
    assert delivery.statistics.dropped_events == {"closed": 1}


def test_a_message_too_large_is_split_and_an_event_too_large_refused(settings: KafkaSettings) -> None:
    delivery = Delivery(settings)
    mebibyte = 1024 * 1024
    lines = [os.urandom(3 * mebibyte // 2).hex().encode() for _ in range(4)]
    whole = delivery.send(_message(delivery, b"\n".join(lines)), timeout_seconds=60)
    single = delivery.send(_message(delivery, os.urandom(5 * mebibyte).hex().encode()), timeout_seconds=60)
    neighbour = delivery.send(_message(delivery, b"1"), timeout_seconds=60)
    whole.result(_PATIENCE_SECONDS)
    neighbour.result(_PATIENCE_SECONDS)
    with pytest.raises(RejectedInput) as refusal:
        single.result(_PATIENCE_SECONDS)
    assert refusal.value.reason == "too_large"
    assert delivery.close(_PATIENCE_SECONDS)
    arrived = [line for message in read_topic(settings) for line in message.value.split(b"\n")]
    assert sorted(arrived) == sorted([*lines, b"1"])
    assert delivery.statistics.dropped_events == {"too_large": 1}
    assert delivery.statistics.confirmed_events == 5


def _away() -> Delivery:
    return Delivery(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}"), max_pending_bytes=1_000)


def test_room_is_bounded_while_the_broker_is_away() -> None:
    delivery = _away()
    receipts = delivery.try_send([_message(delivery, b"x" * 400), _message(delivery, b"x" * 400)])
    with pytest.raises(BrokerUnavailable, match="bytes wait for Kafka"):
        delivery.try_send([_message(delivery, b"x" * 400)])
    with pytest.raises(BrokerUnavailable, match="has not confirmed within"):
        delivery.send(_message(delivery, b"x" * 400), timeout_seconds=0.05)
    assert delivery.pending_events == 2
    assert receipts[0].cancel()
    assert delivery.pending_events == 1
    delivery.try_send([_message(delivery, b"x" * 400)])
    assert not delivery.close(0.0)
    assert delivery.statistics.dropped_events == {"withdrawn": 1, "closed": 2}
    with pytest.raises(BrokerUnavailable, match="closed"):
        delivery.submit(_message(delivery, b"x"))
    with pytest.raises(BrokerUnavailable):
        receipts[1].result(0)


def test_send_goes_on_when_there_is_room_again() -> None:
    delivery = _away()
    first = delivery.send(_message(delivery, b"x" * 900), timeout_seconds=1)
    threading.Timer(0.1, first.cancel).start()
    second = delivery.send(_message(delivery, b"y" * 900), timeout_seconds=_PATIENCE_SECONDS)
    assert not second.done()
    delivery.close(0.0)


async def test_an_event_loop_waits_for_confirmation(settings: KafkaSettings) -> None:
    delivery = Delivery(settings)
    delivery.start()
    receipts = delivery.try_send([_message(delivery, b"%d" % number) for number in range(10)])
    await confirmed(receipts, _PATIENCE_SECONDS)
    await confirmed([], 0.0)
    assert await asyncio.to_thread(delivery.close, _PATIENCE_SECONDS)
    assert delivery.statistics.confirmed_events == 10


async def test_an_event_loop_that_waits_too_long_withdraws() -> None:
    delivery = _away()
    receipts = delivery.try_send([_message(delivery, b"1"), _message(delivery, b"2")])
    with pytest.raises(TimeoutError):
        await confirmed(receipts, 0.05)
    assert delivery.pending_events == 0
    assert delivery.statistics.dropped_events == {"withdrawn": 2}
    assert await asyncio.to_thread(delivery.close, 1.0)


@pytest.mark.parametrize("broker", [APACHE], indirect=True)
def test_the_blocking_sender_confirms_every_event(settings: KafkaSettings) -> None:
    delivery = Delivery(settings, max_pending_bytes=200_000)
    with BlockingSender(delivery) as sender:
        for number in range(5_000):
            sender.record_blocking(event(number, team=f"team-{number % 5}"))
    assert sender.confirmed_events == 5_000
    assert delivery.close(_PATIENCE_SECONDS)
    assert sorted(read_ids(settings)) == sorted(f"openai:call-{number}" for number in range(5_000))


def test_the_blocking_sender_says_that_kafka_is_away() -> None:
    delivery = _away()
    sender = BlockingSender(delivery, patience_seconds=0.1)
    sender.record_blocking(event(1))
    with pytest.raises(BrokerUnavailable, match="has not confirmed within"):
        sender.flush()
    delivery.close(0.0)
