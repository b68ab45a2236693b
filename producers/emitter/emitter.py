"""The emitter: an application's way to report usage without ever noticing it.

`record` puts the event into a queue and returns; a thread encodes and batches it, and a `Delivery` brings it to
Kafka. Invariants:
- nothing raises into the caller and nothing blocks it, whatever is handed in, wherever Kafka is;
- memory is bounded by events and by bytes. What exceeds the bound is dropped: the newest, counted by reason, told
  to `on_drop`, and said in the log at a bounded rate;
- what was recorded is delivered at least once while the process lives, across any outage that fits the bound.

Limits: what waits is in memory and is lost with the process (`kill -9`); at a normal exit `close` is given
`exit_timeout_seconds`. A forked child starts with an emitter of its own, empty; what waited stays the parent's.
"""

import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from types import MappingProxyType, TracebackType
from typing import Final, Self, Unpack

from producers.delivery import Delivery
from producers.delivery.batching import Batcher, Message, workload_of
from producers.delivery.bounded_log import BoundedLog
from producers.delivery.connection import Producer, open_producer
from producers.delivery.statistics import EmitterStatistics
from producers.emitter.attribution import NOTHING
from producers.emitter.call import Call
from producers.emitter.reports import CallFields, CallReport, ChunksReport, Report, Reporter
from tokenweir import topics
from tokenweir.errors import BrokerUnavailable, TokenweirError
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.usage import UsageEvent, wire

log = logging.getLogger(__name__)

DEFAULT_PENDING_EVENTS: Final = 100_000
DEFAULT_PENDING_BYTES: Final = 64 * 1024 * 1024
_ASSUMED_EVENT_BYTES: Final = 512
_EVENTS_WITHOUT_YIELDING: Final = 64
_WAKE_AT_EVENTS: Final = 2_000
"""A queue of this length is worked off before its linger is over."""

_MEANINGS: Final = {
    "wrong_type": "what was recorded is no UsageEvent (wrong_type)",
    "full": "as many wait for Kafka as may (full)",
    "closed": "the emitter is closed (closed)",
    "internal_error": "an error of the emitter's own (internal_error)",
    "unreadable": "their answers state no usage that is known here (unreadable)",
    "unanswered": "calls ended without an answer (unanswered)",
    "unencodable": "they were made past the checks of UsageEvent (unencodable)",
    "too_large": f"larger than {wire.MAX_EVENT_BYTES} bytes or than Kafka takes (too_large)",
    "malformed": "Kafka takes no such message (malformed)",
}

OnDrop = Callable[[str, int], None]


class Emitter:
    """Reports usage events to Kafka from inside an application. Safe to share among threads.

    max_pending_events: what may wait; may be exceeded by one event a calling thread. max_pending_bytes: the same
    by size as encoded, estimated for what is not encoded yet.
    on_drop: called as `on_drop(reason, events)` in the emitter's thread; what it raises is logged.
    linger_seconds: how long an event may wait for others of its workload.
    Makes no connection and starts no thread before the first `record`.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        max_pending_events: int = DEFAULT_PENDING_EVENTS,
        max_pending_bytes: int = DEFAULT_PENDING_BYTES,
        on_drop: OnDrop | None = None,
        linger_seconds: float = 0.1,
        exit_timeout_seconds: float = 5.0,
        source: str = "emitter",
        record_failures: bool = False,
        connect: Callable[[KafkaSettings], Producer] = open_producer,
    ) -> None:
        self._reporter = Reporter(source, NOTHING)
        self._record_failures = record_failures
        self._settings = settings
        self._max_pending_events = max_pending_events
        self._max_pending_bytes = max_pending_bytes
        self._on_drop = on_drop
        self._linger_seconds = linger_seconds
        self._exit_timeout_seconds = exit_timeout_seconds
        self._connect = connect
        self._wake_at = min(_WAKE_AT_EVENTS, max(1, max_pending_events // 4))
        self._closed = False
        self._start_anew()
        os.register_at_fork(after_in_child=partial(_call, weakref.WeakMethod(self._after_fork)))
        self._at_exit = partial(_call, weakref.WeakMethod(self._close_at_exit))
        atexit.register(self._at_exit)

    def record(self, event: UsageEvent) -> bool:
        """Report one event; whether it was taken. Never raises, never blocks.

        Only a UsageEvent itself is taken; what a subclass adds would be refused further down.
        """
        try:
            if type(event) is not UsageEvent:
                return self._drop("wrong_type")
            if self._closed:
                return self._drop("closed")
            # Twice: an event that changes hands between two readings is seen in both places.
            if self._is_full() and self._is_full():
                return self._drop("full")
            self._queue.put(event)
            if self._queue.qsize() > self._wake_at and not self._woken:
                self._wake()
            if self._thread is None:
                self._start_thread()
        except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
            return self._drop("internal_error")
        return True

    def call(
        self,
        *,
        vendor: str,
        model: str = "",
        surface: str | None = None,
        record_failures: bool | None = None,
        **fields: Unpack[CallFields],
    ) -> Call:
        """A call to `vendor` that is about to be made, to be measured and reported: `with emitter.call(…) as call`.

        model: the one that is asked for. surface: of `producers.vendors`; found out where it is None.
        record_failures: whether a call that failed and was not billed has an event, too; the emitter's own setting
        where it is None. fields: of the event; they hold whatever the answer says.
        """
        return Call(
            self,
            vendor=vendor,
            model=model,
            surface=surface,
            record_failures=self._record_failures if record_failures is None else record_failures,
            fields=dict(fields),
        )

    def take_call(self, report: CallReport) -> bool:
        """For `Call`."""
        return self._take(report)

    def take_chunks(self, report: ChunksReport) -> None:
        """For `Call`."""
        self._take(report)

    def note_unanswered(self) -> None:
        """For `Call`."""
        self._drop("unanswered")

    def _take(self, report: Report) -> bool:
        try:
            if self._closed:
                return self._drop("closed")
            if self._is_full() and self._is_full():
                return self._drop("full")
            self._queue.put(report)
            if self._thread is None:
                self._start_thread()
        except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
            return self._drop("internal_error")
        return True

    def flush(self, timeout_seconds: float) -> bool:
        """Send what was recorded before this call; whether all of it was settled in time. Never raises."""
        try:
            return self._flush(timeout_seconds)
        except Exception as error:  # noqa: BLE001 - the boundary to the application
            self._say("flush", f"flush failed: {type(error).__name__}: {error}")
            return False

    def close(self, timeout_seconds: float = 5.0) -> bool:
        """Take no more, send what waits, and stop; whether all of it was settled in time. Never raises.

        What is still unconfirmed after `timeout_seconds` is dropped ("closed"). May be called again.
        """
        self._closed = True
        try:
            return self._close(timeout_seconds)
        except Exception as error:  # noqa: BLE001 - the boundary to the application
            self._say("close", f"close failed: {type(error).__name__}: {error}")
            return False

    @property
    def statistics(self) -> EmitterStatistics:
        """The counts at this moment; `recorded` is exact to the few events that change hands meanwhile."""
        delivered = self._delivery.statistics
        with self._lock:
            queued = self._queue.qsize() - self._marks
            recorded = self._taken + queued
            lost = self._lost + delivered.dropped_events.total()
            return EmitterStatistics(
                recorded=recorded,
                sent=delivered.sent_events,
                confirmed=delivered.confirmed_events,
                dropped=MappingProxyType(dict(self._dropped + delivered.dropped_events)),
                pending=max(recorded - delivered.confirmed_events - lost, 0),
                pending_bytes=self._batcher.pending_bytes
                + delivered.pending_bytes
                + queued * self._event_bytes,
                last_error=delivered.last_error or self._last_error,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # In the caller's thread.

    def _is_full(self) -> bool:
        queued = self._queue.qsize()
        delivery = self._delivery
        return (
            queued + self._taken - self._lost - delivery.settled_events >= self._max_pending_events
            or queued * self._event_bytes + self._batcher.pending_bytes + delivery.pending_bytes
            >= self._max_pending_bytes
        )

    def _start_anew(self) -> None:
        self._queue: SimpleQueue[UsageEvent | Report | threading.Event | None] = SimpleQueue()
        # In place of an Event, whose lock a signal handler that records could find held by its own thread.
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._woken = False
        self._batcher = Batcher(
            topic_name(self._settings, topics.USAGE.name), linger_seconds=self._linger_seconds
        )
        self._delivery = Delivery(self._settings, connect=self._connect, on_connected=self._exit_before_kafka)
        self._lock = (
            threading.RLock()
        )  # a signal handler or a finalizer may record while its thread is in here
        self._said = BoundedLog(log)
        self._thread: threading.Thread | None = None
        self._starting = False
        self._stopping = False
        self._marks = 0  # in the queue, beside the events
        self._report_asked = False
        self._event_bytes = _ASSUMED_EVENT_BYTES
        self._taken = 0
        self._lost = 0
        self._dropped: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._last_error = ""

    def _wake(self) -> None:
        self._woken = True
        self._wakes.put(None)

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is not None or self._starting:
                return
            self._starting = True
            thread = threading.Thread(target=self._run, name="tokenweir-emitter", daemon=True)
            try:
                thread.start()
            except (
                RuntimeError
            ) as error:  # no more threads, or the interpreter is ending; the next record tries
                self._say("thread", f"the emitter's thread cannot start: {error}")
            else:
                self._thread = thread
            finally:
                self._starting = False

    def _drop(self, reason: str) -> bool:
        with self._lock:
            self._dropped[reason] += 1
            if self._report_asked:
                return False
            self._report_asked = True
        if self._closed:
            self._report_drops()
        else:
            self._put_mark(None)
            self._start_thread()
        return False

    def _put_mark(self, mark: threading.Event | None) -> None:
        with self._lock:
            self._marks += 1
            self._queue.put(mark)

    def _flush(self, timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        thread = self._thread
        if thread is threading.current_thread():
            return False
        if thread is not None and thread.is_alive():
            mark = threading.Event()
            self._put_mark(mark)
            self._wake()
            if not mark.wait(timeout_seconds):
                return False
        elif not self._queue.empty():
            return False
        return self._delivery.flush(max(deadline - time.monotonic(), 0.0))

    def _close(self, timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        atexit.unregister(self._at_exit)
        flushed = self._flush(timeout_seconds)
        self._stopping = True
        self._wake()
        self._put_mark(None)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(deadline - time.monotonic(), 1.0))
        closed = self._delivery.close(max(deadline - time.monotonic(), 0.0))
        self._report_drops()
        return flushed and closed

    def _after_fork(self) -> None:
        # Kept, so that nothing of the parent's connection is torn down in the child.
        self._parents_delivery = self._delivery
        self._delivery.forget_after_fork()
        self._start_anew()

    def _exit_before_kafka(self) -> None:
        # The producer has just registered a hasty close of its own; handlers run in reverse order.
        if not self._closed:
            atexit.unregister(self._at_exit)
            atexit.register(self._at_exit)

    def _close_at_exit(self) -> None:
        self.close(self._exit_timeout_seconds)

    # The thread.

    def _run(self) -> None:
        while not (self._stopping and self._queue.empty()):
            try:
                self._wait()
                self._work_off()
                self._submit(self._batcher.due(time.monotonic()))
                self._report_drops()
            except Exception as error:
                # The thread's boundary: it has to outlive a bug of its own.
                log.exception("Tokenweir's emitter failed at its work and goes on")
                self._last_error = f"{type(error).__name__}: {error}"
        self._submit(self._batcher.take_all())

    def _wait(self) -> None:
        due_at = self._batcher.due_at
        if due_at is not None:
            # Not on the queue: a waiting reader would make every `record` wake a thread.
            with contextlib.suppress(Empty):
                self._wakes.get(timeout=max(due_at - time.monotonic(), 0.0))
            self._woken = False
            return
        try:
            # While messages are under way some may yet be refused, which is to be reported.
            item = self._queue.get(timeout=1.0 if self._delivery.pending_events else None)
        except Empty:
            return
        self._handle(item)

    def _work_off(self) -> None:
        for number in range(self._queue.qsize()):
            try:
                item = self._queue.get_nowait()
            except Empty:
                return
            self._handle(item)
            if number % _EVENTS_WITHOUT_YIELDING == 0:
                time.sleep(
                    0
                )  # lets the application's threads run; encoding would hold the interpreter for long

    def _handle(self, item: UsageEvent | Report | threading.Event | None) -> None:
        if isinstance(item, UsageEvent):
            self._encode(item)
            return
        if item is not None and not isinstance(item, threading.Event):
            try:
                events = item.events(self._reporter)
            except TokenweirError as error:
                with self._lock:
                    self._taken += 1
                self._lose("unreadable", str(error))
                return
            for event in events:
                self._encode(event)
            return
        with self._lock:
            self._marks -= 1
        if item is not None:
            self._submit(self._batcher.take_all())
            item.set()

    def _encode(self, event: UsageEvent) -> None:
        with self._lock:
            self._taken += 1
        try:
            line = wire.encode_event(event)
        except Exception as error:  # noqa: BLE001 - an event made past its own checks can fail in any way
            self._lose("unencodable", f"{type(error).__name__}")
            return
        if len(line) > wire.MAX_EVENT_BYTES:
            self._lose("too_large", f"an event of {len(line)} bytes")
            return
        self._event_bytes += (len(line) - self._event_bytes) >> 4
        self._submit(self._batcher.add(workload_of(event), line, time.monotonic()))

    def _lose(self, reason: str, error: str) -> None:
        with self._lock:
            self._dropped[reason] += 1
            self._lost += 1
            self._last_error = f"{reason}: {error}"

    def _submit(self, messages: list[Message]) -> None:
        for message in messages:
            try:
                self._delivery.submit(message)
            except BrokerUnavailable:
                with self._lock:
                    self._dropped["closed"] += message.events
                    self._lost += message.events

    def _report_drops(self) -> None:
        with self._lock:
            self._report_asked = False
            totals = self._dropped + self._delivery.statistics.dropped_events
            news = totals - self._reported
            self._reported = totals
        for reason, events in news.items():
            self._said.warning(
                reason, f"Tokenweir's emitter dropped {events} events: {_MEANINGS.get(reason, reason)}"
            )
            if self._on_drop is not None:
                try:
                    self._on_drop(reason, events)
                except Exception:
                    log.exception("on_drop failed for %d events (%s)", events, reason)

    def _say(self, kind: str, sentence: str) -> None:
        self._last_error = sentence
        self._said.warning(kind, f"Tokenweir's emitter: {sentence}")


def _call(method: "weakref.WeakMethod[Callable[[], None]]") -> None:
    """Call a method if its object still lives: what Python keeps until exit must not keep the emitter."""
    function = method()
    if function is not None:
        function()
