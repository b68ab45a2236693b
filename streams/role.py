"""What both roles share: taking messages from Faust, sending through it, committing what is done, failing loudly.

A role takes each message from its agent (`take`), says when it is finished, and can be asked to finish what it
has (`drain`). The offset bookkeeping is `streams.progress`; commits go straight to the Kafka consumer under Faust.

Invariant: an offset is committed only after `finish` for it and all before it in its partition.
"""

import abc
import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.exceptions import ProducerSendError

from streams.observe import StreamMetrics
from streams.progress import Partition, Progress, Ticket
from tokenweir.errors import BrokerUnavailable

log = logging.getLogger("tokenweir.streams")

_SEND_ATTEMPTS: Final = 5
_SEND_PAUSE_SECONDS: Final = 0.5
_ASK_AGAIN_SECONDS: Final = 0.2

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time that it is."""
    return datetime.now(UTC)


class Message(Protocol):
    """A Kafka message as Faust delivers it; `timestamp` is in seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    headers: Any
    key: bytes | None
    value: bytes | None
    generation_id: int


def reported_at_ms(message: Message) -> int:
    """Kafka's own time of the message in Unix milliseconds; 0 where it has none."""
    return max(0, round(message.timestamp * 1000)) if message.timestamp else 0


def header_pairs(headers: Any) -> list[tuple[str, bytes | None]]:
    """A message's headers as pairs; Faust gives a mapping or pairs."""
    if not headers:
        return []
    return list(headers.items()) if hasattr(headers, "items") else list(headers)


class Role(abc.ABC):
    """One worker's work in one role."""

    def __init__(self, app: Any, metrics: StreamMetrics, clock: Clock) -> None:
        self.app = app
        self.metrics = metrics
        self.clock = clock
        self.progress = Progress()
        self.failure: BaseException | None = None
        self.failed = asyncio.Event()
        self.changed = asyncio.Event()
        """Set whenever a message is finished."""

    @abc.abstractmethod
    async def take(self, message: Message) -> None:
        """Begin a message. Returns when there is room for the next; not when this one is finished."""

    @abc.abstractmethod
    async def drain(self, timeout_seconds: float) -> bool:
        """Finish what has been taken. True when all is; False when the time was not enough."""

    @abc.abstractmethod
    def start(self) -> None:
        """Called in the event loop once the Faust app runs."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """Called after the last `drain`; what is unfinished is given up, its offsets uncommitted."""

    def revoked(self, partitions: Iterable[Partition]) -> None:
        """Partitions went to another worker, or will be assigned anew: give up what is unfinished in them."""
        self.progress.revoke(partitions)

    def begin(self, message: Message) -> Ticket:
        """Note that `message` is being worked on."""
        self.metrics.received_messages.inc()
        partition = Partition(message.topic, message.partition)
        return self.progress.begin(partition, message.offset, message.generation_id)

    def finish(self, ticket: Ticket) -> None:
        """Note that a message is done: everything that follows from it is kept by Kafka or the store."""
        self.progress.finish(ticket)
        self.changed.set()

    def fail(self, error: BaseException) -> None:
        """Give up: the worker has to be stopped, and what is uncommitted will be read again by another."""
        if self.failure is None:
            self.failure = error
            log.critical("The worker cannot go on: %s", error, exc_info=error)
        self.failed.set()
        self.changed.set()

    async def wait_until(self, reached: Callable[[], bool], timeout_seconds: float) -> bool:
        """Whether `reached` became true in time; looked at whenever a message finishes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while not reached():
            remaining = deadline - loop.time()
            if remaining <= 0 or self.failed.is_set():
                return reached()
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), remaining)
            except TimeoutError:
                return reached()
        return True

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
        *,
        partition: int | None = None,
    ) -> Awaitable[Any]:
        """Hand one message to the producer, in order; the result is awaited for Kafka's acknowledgement.

        partition: None for that of the key.

        Raises BrokerUnavailable when the producer refuses it several times over.
        """
        for attempt in range(1, _SEND_ATTEMPTS + 1):
            try:
                acknowledged: Awaitable[Any] = await self.app.producer.send(
                    topic, key, value, partition, None, headers
                )
            except (ProducerSendError, KafkaError) as error:
                self.metrics.errors.labels(stage="send").inc()
                if attempt == _SEND_ATTEMPTS:
                    raise BrokerUnavailable(
                        f"Kafka's producer refused a message of {len(value or b'')} bytes for {topic} "
                        f"{_SEND_ATTEMPTS} times: {error}",
                        hint="Does the topic exist, and does it take messages of this size?",
                    ) from error
                await asyncio.sleep(_SEND_PAUSE_SECONDS * attempt)
            else:
                return acknowledged
        raise AssertionError("unreachable")

    async def commit(self) -> None:
        """Commit how far each partition is done. A commit that Kafka does not take is tried again later."""
        await self._commit(self.progress.committable())

    async def has_still(self, ticket: Ticket) -> bool:
        """Whether the partition of a message is still ours: Kafka takes no commit of a worker that it has put out.

        For a role that finishes a partition's messages one after the other; commits all before this one. Waits while
        Kafka does not answer. False once the partition is gone, or the role has failed.
        """
        while self.progress.is_current(ticket) and not self.failed.is_set():
            if await self._commit({ticket.partition: ticket.offset}):
                return self.progress.is_current(ticket)
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
        return False

    async def _commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Whether Kafka has taken any of it."""
        consumer = self.app.consumer._thread._consumer if offsets else None
        if consumer is None:
            return False
        assigned = {Partition(tp.topic, tp.partition) for tp in consumer.assignment()}
        offsets = {partition: offset for partition, offset in offsets.items() if partition in assigned}
        if not offsets:
            return False
        wanted = {
            TopicPartition(partition.topic, partition.number): OffsetAndMetadata(offset, "")
            for partition, offset in offsets.items()
        }
        try:
            await self.app.consumer._thread.call_thread(consumer.commit, wanted)
        except (CommitFailedError, IllegalStateError) as error:
            log.info("Kafka did not take a commit during a rebalance; it will be read again: %s", error)
            self.metrics.errors.labels(stage="commit").inc()
        except KafkaError as error:
            log.warning("Kafka did not take a commit, which is tried again: %r", error)
            self.metrics.errors.labels(stage="commit").inc()
        else:
            self.progress.committed(offsets)
            self.metrics.last_progress_at.set(self.clock().timestamp())
            return True
        return False
