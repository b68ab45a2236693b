"""The emitter's thread and all that it works on. The application's side is `producers.emitter.emitter`.

What was recorded is read, encoded, gathered into messages and put into the outbox. The thread ends when it was told to
stop and nothing is left, or when the time that it was given is over.

Invariants: the thread holds the worker and never the emitter, so that an emitter that nobody refers to any more can be
collected, which stops the worker; `accept` may be called from every thread, from a signal handler and from a
finalizer, and neither raises nor blocks.
"""

import contextlib
import logging
import threading
import time
from collections import Counter
from queue import Empty, SimpleQueue
from traceback import format_exc
from types import MappingProxyType
from typing import Final

from producers.delivery import Delivery
from producers.delivery.batching import Batcher, workload_of
from producers.delivery.bounded_log import BoundedLog
from producers.emitter import lifetime
from producers.emitter.attribution import NOTHING
from producers.emitter.drops import DropReports
from producers.emitter.options import MAX_UNREAD_ANSWERS, Options
from producers.emitter.outbox import ADOPT_EVERY_SECONDS, Outbox
from producers.emitter.reports import ChunksReport, EventReport, Report
from producers.emitter.statistics import EmitterStatistics
from tokenweir import topics
from tokenweir.errors import TokenweirError
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.usage import UsageEvent, wire

log = logging.getLogger(__name__)

_ASSUMED_EVENT_BYTES: Final = 512
_EVENTS_WITHOUT_YIELDING: Final = 64
_WAKE_AT_EVENTS: Final = 2_000
"""A queue of this length is worked off before its linger is over."""
_LOOK_SECONDS: Final = 0.05
"""How often the outbox is looked after while it has something to do."""
_WINDOW_BYTES: Final = 8 * 1024 * 1024
"""What the delivery holds at most, where the rest can wait on disk."""


Item = UsageEvent | Report | ChunksReport | threading.Event | None
"""What stands in the queue. An Event is set when all before it is in the outbox; None only wakes."""


class Worker:
    """One emitter's queue, thread and outbox, of one process."""

    def __init__(self, settings: KafkaSettings, options: Options) -> None:
        self.queue: SimpleQueue[Item] = SimpleQueue()
        self.wake_at = min(_WAKE_AT_EVENTS, max(1, options.max_pending_events // 4))
        self.woken = False
        self.thread: threading.Thread | None = None
        self.closed = False
        self.exit_timeout_seconds = options.exit_timeout_seconds
        self._options = options
        self._max_events = options.max_pending_events
        self._max_bytes = options.max_pending_bytes
        # In place of an Event, whose lock a signal handler that records could find held by its own thread.
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._said = BoundedLog(log)
        self._drops = DropReports(self._said, options.on_drop)
        topic = topic_name(settings, topics.USAGE.name)
        self._batcher = Batcher(topic, linger_seconds=options.linger_seconds)
        self._delivery = Delivery(settings, connect=options.connect, on_connected=lifetime.exit_before_kafka)
        self._outbox = Outbox(
            self._delivery,
            options.spool(topic),
            self._said,
            window_bytes=max(min(_WINDOW_BYTES, options.max_pending_bytes // 2), 1),
            spool_after_seconds=options.spool_after_seconds,
        )
        # A signal handler or a finalizer may record while its thread is in here.
        self._lock = threading.RLock()
        self._starting = False
        self._stop_at: float | None = None
        self._all_settled = True
        self._marks = 0  # in the queue, beside what is reported
        self._report_asked = False
        self._event_bytes = _ASSUMED_EVENT_BYTES
        self._taken = 0
        self._lost = 0
        self._dropped: Counter[str] = Counter()
        self._last_error = ""

    # In any thread.

    def accept(self, item: UsageEvent | Report) -> bool:
        """Take what is reported; whether it was taken."""
        try:
            if self.closed:
                return self.drop("closed")
            # Twice: an event that changes hands between two readings is seen in both places.
            if self.is_full() and self.is_full():
                return self.drop("full")
            if type(item) is not UsageEvent and self.queue.qsize() >= MAX_UNREAD_ANSWERS:
                return self.drop("full")
            self.queue.put(item)
            if self.queue.qsize() > self.wake_at and not self.woken:
                self.wake()
            if self.thread is None:
                self.start()
        except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
            return self.drop("internal_error")
        return True

    def accept_aside(self, report: ChunksReport) -> None:
        """Take what is no event and is to be read before what comes after it. Never raises."""
        try:
            if not self.closed and not self.is_full():
                with self._lock:
                    self._marks += 1
                    self.queue.put(report)
                if self.thread is None:
                    self.start()
        except Exception:  # noqa: BLE001 - the boundary to the application
            self.drop("internal_error")

    def is_full(self) -> bool:
        """Whether as much waits in memory as may. Read from the queue on, so that nothing that moves is missed."""
        queued = self.queue.qsize()
        outbox, waiting = self._outbox, self._delivery.waiting
        left = self._lost + outbox.outside_events + waiting.settled_events
        return (
            queued + self._taken - left >= self._max_events
            or queued * self._event_bytes
            + self._batcher.pending_bytes
            + outbox.waiting_bytes
            + waiting.pending.size_bytes
            >= self._max_bytes
        )

    def wake(self) -> None:
        """Have the queue worked off now."""
        self.woken = True
        self._wakes.put(None)

    def start(self) -> None:
        """Start the thread where it does not run."""
        with self._lock:
            if self.thread is not None or self._starting:
                return
            self._starting = True
            self._put_mark(None)  # so that its first turn comes at once
            thread = threading.Thread(target=self._run, name="tokenweir-emitter", daemon=True)
            try:
                thread.start()
            except (
                RuntimeError
            ) as error:  # no more threads, or the interpreter is ending; the next record tries
                self.say("thread", f"the emitter's thread cannot start: {error}")
            else:
                self.thread = thread
                lifetime.open_workers.add(self)
            finally:
                self._starting = False

    def drop(self, reason: str) -> bool:
        """Count what is not taken. Gives False, which `record` gives on."""
        with self._lock:
            self._dropped[reason] += 1
            if self._report_asked:
                return False
            self._report_asked = True
        if self.closed:
            self._report_drops()
        else:
            self._put_mark(None)
            self.start()
        return False

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all that was accepted before is settled; whether it came in time."""
        deadline = time.monotonic() + timeout_seconds
        thread = self.thread
        if thread is threading.current_thread():
            return False
        if thread is not None and thread.is_alive():
            mark = threading.Event()
            self._put_mark(mark)
            self.wake()
            if not mark.wait(timeout_seconds):
                return False
        elif not self.queue.empty():
            return False
        submitted = self._outbox.submitted
        while self._outbox.handed_over < submitted:  # on disk, behind what the delivery holds
            if time.monotonic() >= deadline or not (thread and thread.is_alive()):
                return False
            time.sleep(0.01)
        return self._delivery.flush(max(deadline - time.monotonic(), 0.0))

    def stop(self, timeout_seconds: float) -> None:
        """Take no more, and let the thread send what waits and end within about `timeout_seconds`. Returns at once."""
        self.closed = True
        if self._stop_at is None:
            self._stop_at = time.monotonic() + timeout_seconds
        self._put_mark(None)
        self.wake()

    def close(self, timeout_seconds: float) -> bool:
        """`stop`, and wait for it; whether everything was settled in time or is on disk."""
        self.stop(timeout_seconds)
        if self.thread is None and not self.queue.empty():
            self.start()
        thread = self.thread
        if thread is None:
            return self._finish()
        if thread is not threading.current_thread():
            thread.join(max(timeout_seconds, 0.0) + 2.0)
        return self._all_settled and not thread.is_alive()

    def forget_after_fork(self) -> None:
        """In a child process: leave the parent's connection and files alone."""
        self._outbox.forget_after_fork()

    def say(self, kind: str, sentence: str) -> None:
        """Say it in the log at a bounded rate, and as the last error."""
        self._last_error = sentence
        self._said.warning(kind, f"Tokenweir's emitter: {sentence}")

    @property
    def statistics(self) -> EmitterStatistics:
        """The counts at this moment."""
        outbox = self._outbox
        delivered = self._delivery.statistics
        with self._lock:
            queued = max(self.queue.qsize() - self._marks, 0)
            recorded = self._taken + queued
            known = recorded + outbox.adopted_events
            dropped = self._all_dropped(delivered.dropped_events)
            lost = self._lost + outbox.dropped.total() + delivered.dropped_events.total() - outbox.kept_events
            return EmitterStatistics(
                recorded=recorded,
                adopted=outbox.adopted_events,
                sent=delivered.sent_events,
                confirmed=delivered.confirmed_events,
                dropped=MappingProxyType(dict(dropped)),
                pending=max(known - delivered.confirmed_events - lost, 0),
                pending_bytes=self._batcher.pending_bytes
                + outbox.waiting_bytes
                + delivered.pending_bytes
                + queued * self._event_bytes,
                spooled_bytes=outbox.spooled_bytes,
                last_error=outbox.last_error or delivered.last_error or self._last_error,
            )

    def _all_dropped(self, delivery_dropped: Counter[str]) -> Counter[str]:
        total = self._dropped + Counter(self._outbox.dropped) + delivery_dropped
        total["closed"] -= self._outbox.kept_events
        return +total

    def _put_mark(self, mark: threading.Event | None) -> None:
        with self._lock:
            self._marks += 1
            self.queue.put(mark)

    # The thread.

    def _run(self) -> None:
        while self._stop_at is None or not self.queue.empty():
            try:
                self._wait()
                # Before anything new is submitted: what Kafka has confirmed meanwhile leaves the disk.
                self._outbox.work()
                self._work_off()
                self._submit_due()
                self._report_drops()
            except BaseException as error:  # noqa: BLE001 - the thread has to outlive a bug, also of foreign objects
                self.say("internal_error", f"failed at its work and goes on: {format_exc()}")
                self._last_error = f"{type(error).__name__}: {error}"
                time.sleep(_LOOK_SECONDS)
        try:
            self._finish()
        except Exception:
            log.exception("Tokenweir's emitter failed while it closed")
            self._all_settled = False

    def _finish(self) -> bool:
        """Send what is left until the time is over; whether nothing was given up."""
        for message in self._batcher.take_all():
            self._outbox.submit(message)
        stop_at = self._stop_at or 0.0
        outbox, delivery = self._outbox, self._delivery
        while outbox.is_at_work and time.monotonic() < stop_at:
            outbox.work()
            delivery.flush(min(_LOOK_SECONDS, max(stop_at - time.monotonic(), 0.0)))
        delivery.flush(max(stop_at - time.monotonic(), 0.0))
        outbox.write_all()
        delivery.close(0.0)
        outbox.close()
        given_up = delivery.statistics.dropped_events["closed"] + outbox.dropped["closed"]
        self._all_settled = given_up <= outbox.kept_events
        self._report_drops()
        lifetime.open_workers.discard(self)
        return self._all_settled

    def _wait(self) -> None:
        due_at = self._batcher.due_at
        if due_at is not None:
            # Not on the queue: a waiting reader would make every `record` wake a thread.
            with contextlib.suppress(Empty):
                self._wakes.get(timeout=max(due_at - time.monotonic(), 0.0))
            self.woken = False
            return
        try:
            item = self.queue.get(timeout=self._idle_seconds())
        except Empty:
            return
        self._handle(item)

    def _idle_seconds(self) -> float | None:
        if self._outbox.is_at_work:
            return _LOOK_SECONDS
        has_spool = self._options.spool_dir is not None
        if self._delivery.pending_events:
            # They leave the disk when they are confirmed, and some may yet be refused, which is to be reported.
            return _LOOK_SECONDS if has_spool else 1.0
        return ADOPT_EVERY_SECONDS if has_spool else None

    def _work_off(self) -> None:
        for number in range(self.queue.qsize()):
            try:
                item = self.queue.get_nowait()
            except Empty:
                return
            self._handle(item)
            if number % _EVENTS_WITHOUT_YIELDING == 0:
                # Lets the application's threads run; encoding would hold the interpreter for long.
                time.sleep(0)

    def _submit_due(self) -> None:
        for message in self._batcher.due(time.monotonic()):
            self._outbox.submit(message)

    def _handle(self, item: Item) -> None:
        if type(item) is UsageEvent and not self._options.reporter.attribution:
            self._encode(item)
        elif item is None or isinstance(item, threading.Event | ChunksReport):
            with self._lock:
                self._marks -= 1
            if isinstance(item, ChunksReport):
                item.keep()
            elif item is not None:
                for message in self._batcher.take_all():
                    self._outbox.submit(message)
                item.set()
        else:
            self._read(EventReport(item, NOTHING) if isinstance(item, UsageEvent) else item)

    def _read(self, report: Report) -> None:
        try:
            events = report.events(self._options.reporter)
        except TokenweirError as error:
            self._lose_unread("unreadable", str(error))
        except BaseException as error:  # noqa: BLE001 - what was handed over can fail in any way
            self._lose_unread("unencodable", type(error).__name__)
        else:
            for event in events:
                self._encode(event)

    def _lose_unread(self, reason: str, error: str) -> None:
        with self._lock:
            self._taken += 1
        self._lose(reason, error)

    def _encode(self, event: UsageEvent) -> None:
        with self._lock:
            self._taken += 1
        try:
            line = wire.encode_event(event)
        except BaseException as error:  # noqa: BLE001 - an event made past its own checks can fail in any way
            self._lose("unencodable", f"{type(error).__name__}")
            return
        if len(line) > wire.MAX_EVENT_BYTES:
            self._lose("too_large", f"an event of {len(line)} bytes")
            return
        self._event_bytes += (len(line) - self._event_bytes) >> 4
        for message in self._batcher.add(workload_of(event), line, time.monotonic()):
            self._outbox.submit(message)

    def _lose(self, reason: str, error: str) -> None:
        with self._lock:
            self._dropped[reason] += 1
            self._lost += 1
            self._last_error = f"{reason}: {error}"
            self._report_asked = True

    def _report_drops(self) -> None:
        with self._lock:
            self._report_asked = False
            news = self._drops.news(self._all_dropped(self._delivery.statistics.dropped_events))
        self._drops.report(news)
