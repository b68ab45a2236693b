"""The Kafka producer's options, and what a failure of it means for the message at hand.

A failure is one of three: the message is at fault (it is dropped, its neighbours go on), the cluster refuses us
(an administrator has to act: whoever waits for a confirmation is told at once), or Kafka is away (nobody has to
do anything: it is tried again).
"""

import socket
from enum import Enum
from typing import Any, Final, Protocol, cast

from kafka import KafkaProducer
from kafka import errors as kafka_errors
from kafka.net.compat import KafkaNetClient

from tokenweir.settings import KafkaSettings, client_security
from tokenweir.usage import wire

CONNECT_TIMEOUT_SECONDS: Final = 10
METADATA_TIMEOUT_SECONDS: Final = 5
"""So long a send may wait to learn of a topic; a topic that is missing is tried again later."""

REQUEST_TIMEOUT_SECONDS: Final = 20
DELIVERY_TIMEOUT_SECONDS: Final = 60
"""After so long without an answer the client gives a message up; it is sent again over a new connection."""

BATCH_BYTES: Final = 1024 * 1024
LINGER_MS: Final = 5
"""Messages are batches of events already, so Kafka's own lingering only gathers neighbours."""

_KNOCK_TIMEOUT_SECONDS: Final = 3
_DEFAULT_PORT: Final = 9092
_REQUEST_BYTES: Final = 2 * wire.MAX_MESSAGE_BYTES


class Failure(Enum):
    """What a failed send means."""

    TOO_LARGE = "too_large"
    """The message is larger than the cluster takes; smaller pieces may pass."""
    MALFORMED = "malformed"
    """The cluster will never take this message."""
    TOPIC_REFUSED = "topic_refused"
    """This topic is closed to us; other topics may be open."""
    REFUSED = "refused"
    """The cluster does not let us in."""
    AWAY = "away"
    """Kafka cannot be reached or cannot answer now."""


_TOO_LARGE = (kafka_errors.MessageSizeTooLargeError, kafka_errors.RecordListTooLargeError)
_MALFORMED = (
    kafka_errors.InvalidRecordError,
    kafka_errors.InvalidTimestampError,
    kafka_errors.UnsupportedForMessageFormatError,
)
_TOPIC_REFUSED = (
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.InvalidTopicError,
    kafka_errors.PolicyViolationError,
)
_REFUSED = (
    kafka_errors.AuthorizationError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.SecurityDisabledError,
    kafka_errors.KafkaConfigurationError,
)


def failure_of(error: BaseException) -> Failure:
    """What `error`, raised by kafka-python or given to a send's future, means. What is unknown may pass: AWAY."""
    if isinstance(error, _TOO_LARGE):
        return Failure.TOO_LARGE
    if isinstance(error, _MALFORMED):
        return Failure.MALFORMED
    if isinstance(error, _TOPIC_REFUSED):
        return Failure.TOPIC_REFUSED
    if isinstance(error, _REFUSED):
        return Failure.REFUSED
    return Failure.AWAY


def producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments of KafkaProducer: idempotent, confirmed by all replicas, compressed, large batches."""
    return {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "client_id": "tokenweir-producer",
        "enable_idempotence": True,
        "acks": "all",
        "compression_type": None if settings.compression == "none" else settings.compression,
        "linger_ms": LINGER_MS,
        "batch_size": BATCH_BYTES,
        "max_request_size": _REQUEST_BYTES,
        "max_block_ms": METADATA_TIMEOUT_SECONDS * 1000,
        "request_timeout_ms": REQUEST_TIMEOUT_SECONDS * 1000,
        "delivery_timeout_ms": DELIVERY_TIMEOUT_SECONDS * 1000,
        "bootstrap_timeout_ms": CONNECT_TIMEOUT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 2_000,
        # A topic made by accident would have the cluster's defaults in place of ours.
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
        **client_security(settings),
    }


class Producer(Protocol):
    """What is used of kafka-python's KafkaProducer, which has no types of its own."""

    def send(self, topic: str, *, value: bytes, key: bytes | None, headers: list[tuple[str, bytes]]) -> Any:
        """A future with `add_callback` and `add_errback`. Blocks up to METADATA_TIMEOUT_SECONDS."""

    def close(self, timeout: float) -> None:
        """Send what is left, then stop."""


def open_producer(settings: KafkaSettings) -> Producer:
    """A connected producer. Blocks for seconds, then raises OSError or an error of kafka-python.

    Knocks first: kafka-python tries for CONNECT_TIMEOUT_SECONDS, says so many times in the log, and leaves the
    socket of every refused attempt to the garbage collector.
    """
    _knock(settings.bootstrap_servers)
    clients: list[Any] = []

    def make_client(**options: Any) -> Any:
        clients.append(KafkaNetClient(**options))
        return clients[-1]

    try:
        return cast("Producer", KafkaProducer(**producer_options(settings), kafka_client=make_client))
    except BaseException:
        for client in clients:  # a producer that fails while it is made leaves its sockets open
            client.close()
        raise


def _knock(bootstrap_servers: str) -> None:
    refusal: OSError | None = None
    for server in bootstrap_servers.split(","):
        # The forms that kafka-python takes: host, host:port, [v6]:port, any with a protocol before it.
        address = server.strip().rpartition("://")[2]
        host, colon, port = address.rpartition(":")
        if not colon or not port.isdigit():
            host, port = address, str(_DEFAULT_PORT)
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_TIMEOUT_SECONDS).close()
        except OSError as error:
            refusal = error
        else:
            return
    raise refusal or ValueError("no bootstrap server is named")


def let_go(producer: Any) -> None:
    """Stop a producer whatever state it is in. What it still holds fails; its callbacks are called."""
    try:
        producer.close(timeout=0.2)
    except kafka_errors.KafkaError:
        # kafka-python's close gives up where its flush does, and leaves its thread running.
        producer._sender.force_close()
        producer._sender.join(2.0)
        producer._unregister_cleanup()
        producer._closed = True


def forget_after_fork(producer: Any) -> None:
    """In a child process: leave the parent's connection alone.

    The producer's own clean-up at exit would wait for a thread that only the parent has.
    """
    producer._closed = True
