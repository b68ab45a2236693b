"""A cluster that refuses. The brokers at hand ask for no rights, so a producer of our own plays the refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from kafka import errors as kafka_errors

from producers.delivery import Delivery
from producers.delivery.batching import Message
from producers.delivery.connection import Failure, failure_of, open_producer
from tokenweir.errors import BrokerUnavailable, RejectedInput
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings

_SETTINGS = KafkaSettings(bootstrap_servers="127.0.0.1:1")


class _Future:
    """As kafka-python's: done from the beginning."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def add_callback(self, function: Callable[[Any], None]) -> "_Future":
        if self._error is None:
            function(None)
        return self

    def add_errback(self, function: Callable[[Exception], None]) -> "_Future":
        if self._error is not None:
            function(self._error)
        return self


class _Refusing:
    """Answers the first sends with the given errors and takes what comes after."""

    def __init__(self, errors: list[Exception], taken: list[bytes]) -> None:
        self._errors = errors
        self._taken = taken

    def send(
        self, topic: str, *, value: bytes, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> _Future:
        if self._errors:
            return _Future(self._errors.pop(0))
        self._taken.append(value)
        return _Future(None)

    def close(self, timeout: float) -> None:
        pass


def _delivery(errors: list[Exception], taken: list[bytes]) -> Delivery:
    return Delivery(_SETTINGS, connect=lambda _: _Refusing(errors, taken))


def _message(value: bytes) -> Message:
    return Message("tokenweir.usage", b"key", value, value.count(b"\n") + 1)


@pytest.mark.parametrize(
    "error",
    [
        kafka_errors.TopicAuthorizationFailedError("tokenweir.usage"),
        kafka_errors.ClusterAuthorizationFailedError("idempotent write"),
        kafka_errors.SaslAuthenticationFailedError("who are you"),
    ],
)
def test_a_refusal_fails_the_receipt_and_keeps_what_nobody_waits_for(error: Exception) -> None:
    taken: list[bytes] = []
    delivery = _delivery([error, error], taken)
    with pytest.raises(BrokerUnavailable, match=type(error).__name__):
        delivery.send(_message(b"waited for"), timeout_seconds=1).result(60)
    delivery.submit(_message(b"kept"))
    assert delivery.flush(60)
    assert delivery.close(60)
    assert taken == [b"kept"]
    found = delivery.statistics
    assert found.dropped_events == {"refused": 1}
    assert found.confirmed_events == 1
    assert type(error).__name__ in found.last_error


def test_after_a_failed_connection_everything_unconfirmed_is_sent_again_in_order() -> None:
    taken: list[bytes] = []
    delivery = _delivery([kafka_errors.UnknownProducerIdError("lost")], taken)
    for number in range(20):
        delivery.submit(_message(b"%d" % number))
    assert delivery.flush(60)
    assert delivery.close(60)
    assert sorted(set(taken), key=int) == [b"%d" % number for number in range(20)]
    assert taken[-1] == b"19"
    assert delivery.statistics.connections == 2
    assert delivery.statistics.sent_events == 20


def test_a_message_that_no_broker_takes_is_dropped_alone() -> None:
    taken: list[bytes] = []
    delivery = _delivery([kafka_errors.InvalidRecordError("no")], taken)
    with pytest.raises(RejectedInput, match="InvalidRecordError"):
        delivery.send(_message(b"bad"), timeout_seconds=1).result(60)
    delivery.send(_message(b"good"), timeout_seconds=1).result(60)
    assert delivery.close(60)
    assert taken == [b"good"]
    assert delivery.statistics.dropped_events == {"malformed": 1}


def test_one_half_too_large_fails_the_whole_receipt_and_delivers_the_other() -> None:
    taken: list[bytes] = []
    large = kafka_errors.MessageSizeTooLargeError("large")
    delivery = _delivery([large, large], taken)
    with pytest.raises(RejectedInput):
        delivery.send(_message(b"1\n2"), timeout_seconds=1).result(60)
    assert delivery.flush(60)
    assert delivery.close(60)
    assert taken == [b"2"]
    assert delivery.statistics.pending_events == 0


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (kafka_errors.RecordListTooLargeError(), Failure.TOO_LARGE),
        (kafka_errors.InvalidTimestampError(), Failure.MALFORMED),
        (kafka_errors.InvalidTopicError(), Failure.TOPIC_REFUSED),
        (kafka_errors.UnsupportedSaslMechanismError(), Failure.REFUSED),
        (kafka_errors.NotEnoughReplicasError(), Failure.AWAY),
        (OSError("network"), Failure.AWAY),
    ],
)
def test_what_an_error_means(error: Exception, failure: Failure) -> None:
    assert failure_of(error) is failure


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "PLAINTEXT://127.0.0.1:{}", "127.0.0.1:{},127.0.0.1:{}"])
def test_a_broker_that_is_away_is_found_out_without_kafka_python(form: str) -> None:
    settings = KafkaSettings(bootstrap_servers=form.format(free_port(), free_port()))
    with pytest.raises(ConnectionRefusedError):
        open_producer(settings)
