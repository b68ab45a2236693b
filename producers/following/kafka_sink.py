"""What was read of files, to Kafka: events by way of a BlockingSender, rejections to their topic."""

from collections import deque

from producers.delivery import Delivery
from producers.delivery.batching import Message
from producers.delivery.receipts import Receipt
from producers.delivery.sender import DEFAULT_PATIENCE_SECONDS, BlockingSender
from tokenweir import topics
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.rejection import Rejection


class KafkaSink:
    """A sink of one thread. delivery: stays the caller's. patience_seconds: how long Kafka may confirm nothing."""

    def __init__(self, delivery: Delivery, *, patience_seconds: float = DEFAULT_PATIENCE_SECONDS) -> None:
        self._delivery = delivery
        self._patience_seconds = patience_seconds
        self._sender = BlockingSender(delivery, patience_seconds=patience_seconds)
        self._topic = delivery.topic(topics.REJECTED.name)
        self._receipts: deque[Receipt] = deque()

    def event(self, event: UsageEvent) -> None:
        """Takes an event; waits for room. Raises BrokerUnavailable."""
        self._sender.record_blocking(event)

    def rejection(self, rejection: Rejection) -> None:
        """Takes a rejection; waits for room. Raises BrokerUnavailable."""
        message = Message(self._topic, None, rejection.model_dump_json().encode(), 1)
        self._receipts.append(self._delivery.send(message, timeout_seconds=self._patience_seconds))
        while self._receipts and self._receipts[0].done():
            self._receipts.popleft().result()

    def flush(self) -> None:
        """Waits until Kafka has confirmed all. Raises BrokerUnavailable where it does not."""
        self._sender.flush()
        while self._receipts:
            try:
                self._receipts[0].result(self._patience_seconds)
            except TimeoutError:
                raise self._delivery.unavailable(self._patience_seconds) from None
            self._receipts.popleft()
