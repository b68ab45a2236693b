"""Reading again what Kafka holds, beside the consumer group: a partition from one offset to another. Blocking.

For a worker that takes up a partition: what a former one kept, what it had sent, and what came since. Every call opens
a client of its own, waits a bounded time for an answer, and raises BrokerUnavailable where none comes.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.topic_admin import end_offsets
from tokenweir.errors import BrokerUnavailable
from tokenweir.settings import KafkaSettings, client_security

_ANSWER_SECONDS: Final = 60.0
_TIMEOUT_MS: Final = 20_000
_POLL_MS: Final = 200
_LATELY_SECONDS: Final = 15.0


class ReadMessage(NamedTuple):
    """A message as it stands in Kafka. time_ms: Kafka's."""

    offset: int
    time_ms: int
    headers: list[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None


def read_partition(
    settings: KafkaSettings,
    topic: str,
    partition: int,
    *,
    start: int = 0,
    since_ms: int | None = None,
    end: int | None = None,
) -> Iterator[ReadMessage]:
    """The messages of a partition from `start`, or from what is as late as `since_ms`, up to `end`.

    topic: its full name. end: None for what is there at the call. Raises BrokerUnavailable.
    """
    place = TopicPartition(topic, partition)
    end = end if end is not None else end_offsets(settings, [topic]).get(place, 0)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers.split(","),
            client_id="tokenweir-read-back",
            request_timeout_ms=_TIMEOUT_MS,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **client_security(settings),
        )
        with closing(consumer):
            consumer.assign([place])
            first = _first(consumer, place, start, since_ms)
            if first is None or first >= end:
                return
            consumer.seek(place, first)
            yield from _up_to(consumer, place, end)
    except KafkaError as error:
        raise BrokerUnavailable(
            f"{topic}/{partition} cannot be read again: {error!r}",
            hint="Is Kafka well? The worker tries again when it is started anew",
        ) from error


def _first(consumer: Any, place: TopicPartition, start: int, since_ms: int | None) -> int | None:
    begins: int = consumer.beginning_offsets([place])[place]
    if since_ms is None:
        return max(start, begins)
    found = consumer.offsets_for_times({place: max(0, since_ms)})[place]
    return None if found is None else max(start, begins, found.offset)


def _up_to(consumer: Any, place: TopicPartition, end: int) -> Iterator[ReadMessage]:
    heard_at = time.monotonic()
    while consumer.position(place) < end:
        records = consumer.poll(timeout_ms=_POLL_MS).get(place, [])
        if records:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > _ANSWER_SECONDS:
            raise BrokerUnavailable(
                f"{place.topic}/{place.partition} gives nothing at offset {consumer.position(place)} of {end}",
                hint="Is Kafka well? The worker tries again when it is started anew",
            )
        for record in records:
            if record.offset < end:
                yield ReadMessage(
                    record.offset, record.timestamp, list(record.headers), record.key, record.value
                )


class GroupWatch:
    """Whether a consumer group is up to date with a topic. Blocking; for one thread. `close` it."""

    def __init__(self, settings: KafkaSettings, group: str, topic: str) -> None:
        self._settings = settings
        self._group = group
        self._topic = topic
        self._clients: tuple[Any, Any] | None = None
        self._ends: dict[TopicPartition, int] | None = None
        self._asked_at = 0.0

    def is_up_to_date(self) -> bool:
        """Whether the group has finished all that the topic held at the last call, a moment ago.

        False where there was none lately, and where Kafka does not tell.
        """
        try:
            admin, consumer = self._connected()
            now = time.monotonic()
            before = self._ends if now - self._asked_at < _LATELY_SECONDS else None
            self._asked_at = now
            places = [
                TopicPartition(self._topic, number)
                for number in sorted(consumer.partitions_for_topic(self._topic) or ())
            ]
            if not places:
                return False
            self._ends = dict(consumer.end_offsets(places))
            if before is None:
                return False
            committed = admin.list_group_offsets({self._group: places})[self._group]
        except KafkaError:
            self.close()
            return False
        return all(
            end <= (committed[place].offset if place in committed else 0) or end == 0
            for place, end in before.items()
        )

    def _connected(self) -> tuple[Any, Any]:
        if self._clients is None:
            options: dict[str, Any] = {
                "bootstrap_servers": self._settings.bootstrap_servers.split(","),
                "client_id": "tokenweir-watch",
                "request_timeout_ms": _TIMEOUT_MS,
                **client_security(self._settings),
            }
            consumer = KafkaConsumer(enable_auto_commit=False, **options)
            self._clients = KafkaAdminClient(**options), consumer
        return self._clients

    def close(self) -> None:
        """Let go of the connections; the next call makes new ones."""
        clients, self._clients = self._clients, None
        self._ends = None
        for client in clients or ():
            client.close()
