"""Where the states of a partition's tenants are kept, and taken up again."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

from streams.detection.checkpoint import Record
from streams.read_back import read_partition
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import DETECTION

Send = Callable[[str, bytes | None, bytes | None, int], Awaitable[Awaitable[Any]]]
"""Sends (topic, key, value, partition); what it gives is awaited for Kafka's acknowledgement."""


class Keeper(Protocol):
    """Keeps records by partition and key."""

    def read(self, partition: int) -> Iterable[Record]:
        """What is kept, in the order in which it was, of each key the latest at least. Blocks."""
        ...

    def is_of_this_log(self, partition: int) -> bool:
        """Whether what is kept was made of the log that is read now, and not of one that is gone."""
        ...

    async def keep(self, partition: int, records: Sequence[Record], send: Send) -> None:
        """Keep records in this order; returns when they are kept for good."""
        ...


class TopicKeeper:
    """On the compacted topic `detection`, in the partition of the same number."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topic = topic_name(settings, DETECTION.name)

    def read(self, partition: int) -> Iterable[Record]:
        """See Keeper. Raises BrokerUnavailable."""
        for record in read_partition(self._settings, self._topic, partition):
            yield record.key or b"", record.value

    def is_of_this_log(self, partition: int) -> bool:
        """Both are in Kafka."""
        return True

    async def keep(self, partition: int, records: Sequence[Record], send: Send) -> None:
        """See Keeper."""
        sent = [await send(self._topic, key, value, partition) for key, value in records]
        for one in sent:
            await one
