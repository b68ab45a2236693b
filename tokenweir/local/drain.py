"""Knowing when everything that was sent is stored: wait until the consumers have committed past it.

Works the same on the embedded broker and on a cluster. The sink commits an offset only after the ledger has the
block and it is settled, so a committed end means a queryable end.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from streams.app import consumer_group
from streams.topic_admin import end_offsets
from tokenweir.errors import BrokerUnavailable
from tokenweir.settings import KafkaSettings, client_security, topic_name
from tokenweir.topics import BILLS, METERED, REJECTED, SIGNALS, USAGE, Topic

_POLL_SECONDS = 0.2
_REQUEST_TIMEOUT_MS = 20_000

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Undrained:
    """What was not stored: messages still waiting, by topic."""

    usage_messages: int = 0
    metered_messages: int = 0
    rejected_messages: int = 0
    bills_messages: int = 0
    signals_messages: int = 0

    @property
    def total(self) -> int:
        """All messages that wait."""
        return sum(astuple(self))


class _Committed:
    """Asks Kafka how far consumer groups have committed. For one thread."""

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

    def close(self) -> None:
        """Lets go of the connection."""
        self._admin.close()

    def behind(self, role: str, ends: Offsets) -> int:
        """How many messages before `ends` the role's consumer group has not committed. Raises BrokerUnavailable."""
        if not ends:
            return 0
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
    stall_seconds: float = math.inf,
    given_up: threading.Event | None = None,
    on_progress: Callable[[Undrained], None] | None = None,
) -> Undrained:
    """Waits until all that Kafka holds at the call has gone through the meter and the sink. Blocks.

    Returns what still waits when `timeout_seconds` have passed, when nothing has moved for `stall_seconds`, or when
    `given_up` is set (all zero where everything is stored). What others send meanwhile is not waited for. Raises
    BrokerUnavailable where Kafka cannot be asked.
    """
    deadline = time.monotonic() + timeout_seconds
    tell = on_progress or (lambda _: None)
    stopped = given_up or threading.Event()

    def wait(watch: _Committed, role: str, ends: Offsets, report: Callable[[int], Undrained]) -> int:
        fewest, moved_at = math.inf, time.monotonic()
        while True:
            waiting = watch.behind(role, ends)
            tell(report(waiting))
            now = time.monotonic()
            if waiting < fewest:
                fewest, moved_at = waiting, now
            if waiting == 0 or now >= min(deadline, moved_at + stall_seconds) or stopped.wait(_POLL_SECONDS):
                return waiting

    def ends(topic: Topic) -> Offsets:
        return end_offsets(settings, [topic_name(settings, topic.name)])

    with closing(_Committed(settings)) as watch:
        usage = wait(watch, "meter", ends(USAGE), Undrained)
        metered = wait(watch, "sink", ends(METERED), lambda count: Undrained(usage, count))
        rejected = wait(watch, "sink", ends(REJECTED), lambda count: Undrained(usage, metered, count))
        bills = wait(watch, "sink", ends(BILLS), lambda count: Undrained(usage, metered, rejected, count))
        signals = wait(watch, "sink", ends(SIGNALS), lambda n: Undrained(usage, metered, rejected, bills, n))
    return Undrained(usage, metered, rejected, bills, signals)
