"""Messages to Kafka, in order, each kept until Kafka has confirmed it.

A thread of its own builds the KafkaProducer (which blocks and raises while the broker is away), hands messages to
it, and builds it anew after a failure, with a growing pause; then everything unconfirmed is sent again in order.

Invariants:
- a message leaves the pending count when Kafka confirmed it, when it can never be taken (counted, said in the
  log, told to its receipt), when its sender withdrew it before it was sent, or when the delivery is closed;
- at least once: a message whose confirmation was lost is sent again. (`tenant`, `id`) makes it count once;
- memory is bounded by `max_pending_bytes`: beyond it `try_send` raises, `send` blocks, and `submit` is for a
  caller who keeps a bound of its own;
- only the cluster's refusal (`connection.Failure`) fails a receipt. While Kafka is just away, a receipt waits; its
  owner decides how long, and cancels it to withdraw what has not been sent.

Limits: order holds within one topic and key while one connection lasts; after a failure an earlier message may
stand behind a later one that was already under way.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from kafka import errors as kafka_errors

from producers.delivery.batching import Message
from producers.delivery.bounded_log import BoundedLog
from producers.delivery.connection import (
    Failure,
    Producer,
    failure_of,
    forget_after_fork,
    let_go,
    open_producer,
)
from producers.delivery.pending import Entry
from producers.delivery.receipts import OnSettled, Receipt
from producers.delivery.statistics import DeliveryStatistics
from producers.delivery.waiting import Waiting
from tokenweir.errors import BrokerUnavailable, RejectedInput
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.usage import wire

log = logging.getLogger(__name__)

DEFAULT_PENDING_BYTES: Final = 64 * 1024 * 1024
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0
_HEADERS: Final = list(wire.HEADERS)


class Delivery:
    """One connection to Kafka and what waits for it. Every method may be called from any thread.

    connect: builds the producer; it may block and raise, and is called in the delivery's own thread only.
    on_connected: called in that thread each time a producer was built.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        max_pending_bytes: int = DEFAULT_PENDING_BYTES,
        connect: Callable[[KafkaSettings], Producer] = open_producer,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        self.max_pending_bytes = max_pending_bytes
        self._settings = settings
        self._connect = connect
        self._on_connected = on_connected
        self.waiting = Waiting(self._begin_pauses_anew)
        self._changed = self.waiting.changed
        self._said = BoundedLog(log)
        self._thread: threading.Thread | None = None
        self._producer: Producer | None = None
        self._eager = False
        self._session = 0
        self._session_error: BaseException | None = None
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._last_error = ""

    # What senders call.

    def topic(self, name: str) -> str:
        """The full name of a topic of `tokenweir.topics` in this installation."""
        return topic_name(self._settings, name)

    def start(self) -> None:
        """Connect now, before there is anything to send. Returns at once."""
        with self._changed:
            self._eager = True
            self._start_thread()
            self._changed.notify_all()

    def submit(
        self, message: Message, receipt: Receipt | None = None, *, on_settled: OnSettled | None = None
    ) -> None:
        """Take a message without looking at the bound. Never blocks. Raises BrokerUnavailable once closed."""
        with self._changed:
            self.waiting.refuse_when_closed()
            self._take(message, receipt, on_settled)

    def try_send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Take all of `messages` or none; a receipt for each. Never blocks.

        Raises BrokerUnavailable where there is no room for them, or once closed. Messages larger than the whole
        bound are taken when nothing else waits.
        """
        receipts: list[Receipt] = [Future() for _ in messages]
        with self._changed:
            self.waiting.refuse_when_closed()
            if not self._has_room(sum(message.size_bytes for message in messages)):
                raise BrokerUnavailable(
                    f"{self.pending_bytes} bytes wait for Kafka, as many as may{self._because()}",
                    hint="Send again later",
                )
            for message, receipt in zip(messages, receipts, strict=True):
                self._take(message, receipt)
        return receipts

    def send(self, message: Message, *, timeout_seconds: float) -> Receipt:
        """Take a message, waiting for room up to `timeout_seconds`; then raises BrokerUnavailable."""
        receipt: Receipt = Future()
        size_bytes = message.size_bytes
        waiting = self.waiting
        with self._changed:
            self._changed.wait_for(lambda: waiting.stopping or self._has_room(size_bytes), timeout_seconds)
            waiting.refuse_when_closed()
            if not self._has_room(size_bytes):
                raise self.unavailable(timeout_seconds)
            self._take(message, receipt)
        return receipt

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all that was taken before this call is settled; whether that came in time."""
        waiting = self.waiting
        with self._changed:
            target = (waiting.last_sequence + 1,)
            return self._changed.wait_for(lambda: waiting.pending.settled_before(target), timeout_seconds)

    def close(self, timeout_seconds: float) -> bool:
        """Send what waits, up to `timeout_seconds`, then give up the rest; whether nothing had to be given up.

        What is given up is counted as dropped ("closed") and its receipts fail. May be called again.
        """
        deadline = time.monotonic() + timeout_seconds
        waiting = self.waiting
        with self._changed:
            waiting.stopping = True
            self._changed.notify_all()
            in_time = self._changed.wait_for(lambda: not waiting.pending, timeout_seconds)
            left = list(waiting.pending)
            thread = self._thread
        error = BrokerUnavailable(f"closed before Kafka confirmed{self._because()}")
        for entry in left:
            waiting.settle(entry, "closed", error)
        if thread is not None and thread is not threading.current_thread():
            # It may sit in a connection attempt, which cannot be broken off; it ends by itself after that.
            thread.join(max(deadline - time.monotonic(), 0.5))
        return in_time

    @property
    def pending_bytes(self) -> int:
        """Read without the lock, for callers in a hurry."""
        return self.waiting.pending.size_bytes

    @property
    def pending_events(self) -> int:
        """Read without the lock, for callers in a hurry."""
        return self.waiting.pending.events

    @property
    def statistics(self) -> DeliveryStatistics:
        """The counts at this moment."""
        waiting = self.waiting
        with self._changed:
            return DeliveryStatistics(
                sent_events=waiting.sent_events,
                confirmed_events=waiting.confirmed_events,
                dropped_events=Counter(waiting.dropped),
                pending_events=waiting.pending.events,
                pending_bytes=waiting.pending.size_bytes,
                connections=self._session,
                connected=self._producer is not None and self._session_error is None,
                last_error=self._last_error,
            )

    def unavailable(self, waited_seconds: float) -> BrokerUnavailable:
        """The error of a sender who has waited long enough, with what is known of the cause."""
        return BrokerUnavailable(
            f"Kafka at {self._settings.bootstrap_servers} has not confirmed within "
            f"{waited_seconds:g} seconds{self._because()}",
            hint="Check that it runs, and see `weir doctor`",
        )

    def forget_after_fork(self) -> None:
        """In a child process: leave the parent's connection alone. The delivery is of no more use there."""
        if self._producer is not None:
            forget_after_fork(self._producer)

    # Under the lock.

    def _because(self) -> str:
        return f" ({self._last_error})" if self._last_error else ""

    def _has_room(self, size_bytes: int) -> bool:
        pending = self.waiting.pending
        return not pending or pending.size_bytes + size_bytes <= self.max_pending_bytes

    def _take(self, message: Message, receipt: Receipt | None, on_settled: OnSettled | None = None) -> None:
        self._start_thread()
        self.waiting.take(message, receipt, on_settled)

    def _start_thread(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="tokenweir-delivery", daemon=True)
            thread.start()
            self._thread = thread

    def _begin_pauses_anew(self) -> None:
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    # The thread.

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                producer = self._connect(self._settings)
                try:
                    self._serve(producer)
                finally:
                    with self._changed:
                        self._producer = None
                    let_go(producer)
            except Exception as error:  # noqa: BLE001 - the thread's boundary: a failure is said and tried again
                self._after_failure(error)

    def _wait_for_work(self) -> bool:
        waiting = self.waiting
        with self._changed:
            self._changed.wait_for(lambda: waiting.stopping or self._eager or bool(waiting.pending))
            return not waiting.stopping or bool(waiting.pending)

    def _serve(self, producer: Producer) -> None:
        """Hand over messages until closed (returns) or until the connection fails (raises)."""
        session = self._begin_session(producer)
        settle = self.waiting.settle
        while (entry := self._next_entry()) is not None:
            message = entry.message
            try:
                future = producer.send(message.topic, value=message.value, key=message.key, headers=_HEADERS)
            except kafka_errors.KafkaTimeoutError:
                self._topic_missing(entry)
            except kafka_errors.KafkaError as error:
                self._on_error(session, entry, error)
            else:
                future.add_callback(lambda _metadata, entry=entry: settle(entry))
                future.add_errback(lambda error, entry=entry: self._on_error(session, entry, error))

    def _begin_session(self, producer: Producer) -> int:
        with self._changed:
            self._session += 1
            self._session_error = None
            self._producer = producer
        self.waiting.send_all_again()
        if self._on_connected is not None:
            self._on_connected()
        return self._session

    def _next_entry(self) -> Entry | None:
        """The earliest message that can be sent now. Blocks until there is one; None to end."""
        waiting = self.waiting
        with self._changed:
            while True:
                if self._session_error is not None:
                    raise self._session_error
                if waiting.stopping and not waiting.pending:
                    return None
                entry, wait_seconds = waiting.next(time.monotonic())
                if entry is not None:
                    return entry
                self._changed.wait(wait_seconds)

    def _on_error(self, session: int, entry: Entry, error: BaseException) -> None:
        """A send failed; called in this thread or in the Kafka client's."""
        waiting = self.waiting
        failure = failure_of(error)
        if failure is Failure.TOO_LARGE:
            if not waiting.split(entry):
                sentence = f"Kafka takes no event of {entry.message.size_bytes} bytes: {_words(error)}"
                self._say("too_large", sentence)
                waiting.settle(entry, "too_large", RejectedInput("too_large", sentence))
        elif failure is Failure.MALFORMED:
            sentence = f"Kafka refused a message of {entry.message.events} events: {_words(error)}"
            self._say("malformed", sentence)
            waiting.settle(entry, "malformed", RejectedInput("store_refused", sentence))
        elif failure is Failure.TOPIC_REFUSED:
            self._say("refused", f"Kafka refuses the topic {entry.message.topic}: {_words(error)}")
            waiting.refuse([entry], self._refusal())
            self._park(entry)
        else:
            with self._changed:
                if session == self._session and self._producer is not None:
                    self._session_error = error
                    self._changed.notify_all()

    def _topic_missing(self, entry: Entry) -> None:
        self._say(
            "topic_missing",
            f"Kafka at {self._settings.bootstrap_servers} does not answer for the topic {entry.message.topic}; "
            "create it with `weir topics` if it is missing",
        )
        self._park(entry)

    def _park(self, entry: Entry) -> None:
        with self._changed:
            until = time.monotonic() + self._lengthened_pause()
        self.waiting.park(entry, until)

    def _refusal(self) -> BrokerUnavailable:
        return BrokerUnavailable(
            f"Kafka refused{self._because()}", hint="Check the user's rights and the topics"
        )

    def _after_failure(self, error: Exception) -> None:
        waiting = self.waiting
        refused = failure_of(error) is Failure.REFUSED
        self._say(
            "failed",
            f"Kafka at {self._settings.bootstrap_servers} {'refuses us' if refused else 'cannot be used'}, "
            f"{self.pending_events} events wait: {_words(error)}",
        )
        with self._changed:
            entries = list(waiting.pending) if refused else []
        waiting.refuse(entries, self._refusal())
        with self._changed:
            self._changed.wait_for(lambda: waiting.stopping and not waiting.pending, self._lengthened_pause())

    def _lengthened_pause(self) -> float:
        pause = self._pause_seconds
        self._pause_seconds = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads many senders, guards nothing

    def _say(self, kind: str, sentence: str) -> None:
        self._last_error = sentence
        self._said.warning(kind, sentence)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]
