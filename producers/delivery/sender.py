"""Events to Kafka for a collector that may wait: it blocks where the emitter drops, and raises where that hides.

Invariant: after `flush` has returned, Kafka has confirmed every event that was recorded before it.
"""

import time
from collections import deque
from types import TracebackType
from typing import Final, Self

from producers.delivery.batching import Batcher, Message, workload_of
from producers.delivery.delivery import Delivery
from producers.delivery.receipts import Receipt
from tokenweir import topics
from tokenweir.usage import UsageEvent, wire

DEFAULT_PATIENCE_SECONDS: Final = 120.0

_LINGER_SECONDS: Final = 1.0
"""A file is in no hurry: fuller messages cost everyone downstream less."""


class BlockingSender:
    """Records events in one thread; not to be shared among threads.

    delivery: stays the caller's, who closes it. patience_seconds: how long Kafka may stand still, with events
    waiting, before BrokerUnavailable is raised.
    """

    def __init__(self, delivery: Delivery, *, patience_seconds: float = DEFAULT_PATIENCE_SECONDS) -> None:
        self._delivery = delivery
        self._patience_seconds = patience_seconds
        self._batcher = Batcher(delivery.topic(topics.USAGE.name), linger_seconds=_LINGER_SECONDS)
        self._receipts: deque[Receipt] = deque()
        self.confirmed_events = 0
        self._events: deque[int] = deque()

    def record_blocking(self, event: UsageEvent) -> None:
        """Send one event, waiting for room. Raises as `flush` does, for this event or an earlier one."""
        now = time.monotonic()
        for message in self._batcher.add(workload_of(event), wire.encode_event(event), now):
            self._send(message)
        for message in self._batcher.due(now):
            self._send(message)
        self._reap()

    def flush(self) -> None:
        """Send what is left and wait until Kafka has confirmed everything.

        Raises BrokerUnavailable when Kafka refuses, or confirms nothing for `patience_seconds`, and RejectedInput
        for an event that Kafka can never take.
        """
        for message in self._batcher.take_all():
            self._send(message)
        while self._receipts:
            try:
                self._receipts[0].result(self._patience_seconds)
            except TimeoutError:
                raise self._delivery.unavailable(self._patience_seconds) from None
            self._reap()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exception_type is None:
            self.flush()

    def _send(self, message: Message) -> None:
        self._receipts.append(self._delivery.send(message, timeout_seconds=self._patience_seconds))
        self._events.append(message.events)

    def _reap(self) -> None:
        while self._receipts and self._receipts[0].done():
            self._receipts[0].result()
            self._receipts.popleft()
            self.confirmed_events += self._events.popleft()
