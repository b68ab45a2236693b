"""Knowing when everything that was sent is stored: wait until the consumers have committed past it.

Works the same on the embedded broker and on a cluster. The sink commits an offset only after the ledger has the
block and it is settled, so a committed end means a queryable end.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError
from streams.app import consumer_group

from tokenweir.errors import BrokerUnavailable
from tokenweir.settings import KafkaSettings, client_security, topic_name
from tokenweir.topics import METERED, REJECTED, USAGE, Topic

_POLL_SECONDS = 0.2
_REQUEST_TIMEOUT_MS = 20_000

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Undrained:
    """What was not stored: messages still waiting, by topic."""

    usage_messages: int = 0
    metered_messages: int = 0
    rejected_messages: int = 0

    @property
    def total(self) -> int:
        """All messages that wait."""
        return self.usage_messages + self.metered_messages + self.rejected_messages


class OffsetWatch:
    """Asks Kafka how far topics reach and how far consumer groups have committed. One thread at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        try:
            self._admin = KafkaAdminClient(
                bootstrap_servers=settings.bootstrap_servers.split(","),
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
                **client_security(settings),
            )
        except KafkaError as error:
            raise BrokerUnavailable(
                f"Kafka at {settings.bootstrap_servers} does not answer: {error}",
                hint="Is it running, and is kafka.bootstrap_servers right?",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.close()

    def end_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """The offset after the last message, by partition. Raises BrokerUnavailable."""
        name = topic_name(self._settings, topic.name)
        try:
            described = self._admin.describe_topics([name])
            partitions = [
                TopicPartition(name, entry["partition_index"]) for entry in described[0]["partitions"]
            ]
            found = self._admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        except (KafkaError, LookupError) as error:
            raise BrokerUnavailable(f"Kafka does not tell how far {name} reaches: {error!r}") from error
        return {partition: found[partition].offset for partition in partitions}

    def behind(self, role: str, ends: Offsets) -> int:
        """How many messages before `ends` the role's consumer group has not committed. Raises BrokerUnavailable."""
        group = consumer_group(self._settings, role)
        try:
            committed = self._admin.list_group_offsets({group: list(ends)})[group]
        except KafkaError as error:
            raise BrokerUnavailable(f"Kafka does not tell how far {group} has come: {error!r}") from error
        waiting = 0
        for partition, end in ends.items():
            position = committed.get(partition)
            waiting += max(0, end - max(0, position.offset if position is not None else 0))
        return waiting


def wait_until_stored(
    settings: KafkaSettings,
    *,
    timeout_seconds: float,
    on_progress: Callable[[Undrained], None] | None = None,
) -> Undrained:
    """Waits until all that Kafka holds at the call has gone through the meter and the sink. Blocks.

    Returns what still waits when `timeout_seconds` have passed (all zero where everything is stored). What others
    send meanwhile is not waited for. Raises BrokerUnavailable where Kafka cannot be asked.
    """
    deadline = time.monotonic() + timeout_seconds
    tell = on_progress or (lambda _: None)

    def wait(watch: OffsetWatch, role: str, ends: Offsets, report: Callable[[int], Undrained]) -> int:
        while True:
            waiting = watch.behind(role, ends)
            tell(report(waiting))
            if waiting == 0 or time.monotonic() >= deadline:
                return waiting
            time.sleep(_POLL_SECONDS)

    with OffsetWatch(settings) as watch:
        usage = wait(watch, "meter", watch.end_offsets(USAGE), Undrained)
        metered = wait(watch, "sink", watch.end_offsets(METERED), lambda count: Undrained(usage, count))
        rejected = wait(
            watch, "sink", watch.end_offsets(REJECTED), lambda count: Undrained(usage, metered, count)
        )
    return Undrained(usage, metered, rejected)
