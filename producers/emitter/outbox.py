"""The way of an emitter's messages to the delivery: straight, or by way of the disk.

Without a spool a message is handed to the delivery as it comes, and memory is all there is. With one:
- a message is on disk within `spool_after_seconds` of its coming unless Kafka has confirmed it by then; with 0 it is
  written before it is sent;
- the delivery holds at most `window_bytes`. What comes while it is full is on disk alone, and is read from there,
  in order, as the delivery has room. What dead processes left is read when nothing of this emitter's own waits;
- where the disk takes nothing (full, at its bound, broken) messages wait in memory, in order, and the disk is tried
  again with each of them. Kafka is never kept waiting by the disk.

Invariants: messages are handed over in the order in which they came. One thread, apart from the counts that say
otherwise and from `_ended`, which is told by the delivery's threads.
"""

import time
from collections import Counter, deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from producers.delivery import Delivery
from producers.delivery.batching import Message
from producers.delivery.bounded_log import BoundedLog
from producers.emitter.spool.segment import Segment, SpoolFull
from tokenweir.errors import BrokerUnavailable

if TYPE_CHECKING:  # it needs `fcntl`, which Windows has not, and an emitter without a spool does not need
    from producers.emitter.spool.spool import Spool

ADOPT_EVERY_SECONDS: Final = 10.0
_WORDS: Final = "waits in memory alone"


class _Sent:
    """A message that the delivery holds."""

    __slots__ = ("arrived_at", "has_ended", "is_adopted", "message", "segment")

    def __init__(
        self, message: Message, segment: Segment | None, arrived_at: float, is_adopted: bool
    ) -> None:
        self.message = message
        self.segment = segment
        self.arrived_at = arrived_at
        self.is_adopted = is_adopted
        self.has_ended = False


class Outbox:
    """What an emitter has to send, from the batcher to the delivery's confirmation."""

    def __init__(
        self,
        delivery: Delivery,
        spool: "Spool | None",
        said: BoundedLog,
        *,
        window_bytes: int,
        spool_after_seconds: float = 0.0,
    ) -> None:
        self._delivery = delivery
        self._spool = spool
        self._said = said
        self._window_bytes = window_bytes
        self._spool_after_seconds = spool_after_seconds
        self._waiting: deque[Message] = deque()  # neither on disk nor in the delivery
        self._recent: deque[_Sent] = deque()  # in the delivery and not on disk
        self._ended: SimpleQueue[tuple[_Sent, str]] = SimpleQueue()
        self._adopt_at = 0.0
        self.outside_events = 0
        """Events that came and are not in memory, less those from disk that are. Read from other threads, as are all
        that follow."""
        self.waiting_bytes = 0
        """In memory, on the way to the disk or the delivery."""
        self.submitted = 0
        """Messages that came."""
        self._handed_over = 0
        self._lost_records = 0
        self.adopted_events = 0
        """Found on disk, left by dead processes."""
        self.kept_events = 0
        """Given up by the delivery when it was closed, and on disk."""
        self.spooled_events = 0
        self.spooled_bytes = 0
        self.dropped: Counter[str] = Counter()
        """Events that were taken and are lost."""
        self.last_error = ""

    @property
    def handed_over(self) -> int:
        """Of the messages that came, those that the delivery was given, or that were lost on the way."""
        return self._handed_over + self._lost_records

    @property
    def is_at_work(self) -> bool:
        """Whether there is something to be done before the next message comes."""
        return bool(self._waiting or self._recent or self.spooled_events or not self._ended.empty())

    def submit(self, message: Message) -> None:
        """Take a message."""
        self.submitted += 1
        if self._spool is None:
            self._hand_over(message, None, time.monotonic())
            return
        self._waiting.append(message)
        self.waiting_bytes += message.size_bytes
        try:
            self._move(self._spool, time.monotonic())
        except OSError as error:
            self._complain_of(error)

    def work(self) -> None:
        """Do what has become due: write, read, adopt, delete."""
        if self._spool is None:
            return
        spool, now = self._spool, time.monotonic()
        try:
            if now >= self._adopt_at:
                self._adopt_at = now + ADOPT_EVERY_SECONDS
                self.adopted_events += spool.adopt()
            self._note_ended(spool)
            self._write_recent(spool, now - self._spool_after_seconds)
            self._move(spool, now)
            self._hand_over_adopted(spool, now)
            self._note_ended(spool)
            spool.tidy()
        except OSError as error:
            self._complain_of(error)
        self._count(spool)

    def write_all(self) -> None:
        """Bring what is in memory to disk, as far as it takes it: the last act before the delivery's close."""
        if self._spool is None:
            return
        self._note_ended(self._spool)
        if self._write_recent(self._spool, float("inf")):
            while self._waiting and self._write(self._spool, self._waiting[0], given_out=False):
                self.outside_events += self._leave().events
        self._count(self._spool)

    def close(self) -> None:
        """After the delivery's close: give up what is in memory alone, leave on disk what is there."""
        while self._waiting:
            message = self._leave()
            self.outside_events += message.events
            self.dropped["closed"] += message.events
        if self._spool is None:
            return
        self._note_ended(self._spool)
        self._count(self._spool)
        try:
            self._spool.close()
        except OSError as error:
            self._complain_of(error)

    def forget_after_fork(self) -> None:
        """In a child process: leave the parent's connection and files alone."""
        self._delivery.forget_after_fork()
        if self._spool is not None:
            self._spool.forget_after_fork()

    def _move(self, spool: "Spool", now: float) -> None:
        """Hand over or write what waits, and hand over what is on disk, as far as both go."""
        self._hand_over_own(spool, now)
        while self._waiting:
            message = self._waiting[0]
            if self._has_room(1.0) and not spool.has_unread:
                segment = None
                if self._spool_after_seconds <= 0:
                    segment = self._write(spool, message, given_out=True)
                self._leave()
                self._hand_over(message, segment, now)
            elif self._write_recent(spool, float("inf")) and self._write(spool, message, given_out=False):
                self.outside_events += self._leave().events
            else:
                return

    def _leave(self) -> Message:
        message = self._waiting.popleft()
        self.waiting_bytes -= message.size_bytes
        return message

    def _hand_over_own(self, spool: "Spool", now: float) -> None:
        while spool.has_unread and self._has_room(1.0):
            found = spool.next_own()
            if found is None:
                return
            segment, message = found
            self.outside_events -= message.events
            self._hand_over(message, segment, now)

    def _hand_over_adopted(self, spool: "Spool", now: float) -> None:
        # Half the window, so that an old backlog never keeps new calls from being seen.
        while not self._waiting and not spool.has_unread and self._has_room(0.5):
            found = spool.next_adopted()
            if found is None:
                return
            segment, message = found
            self.outside_events -= message.events
            self._hand_over(message, segment, now, is_adopted=True)

    def _has_room(self, share: float) -> bool:
        return self._delivery.pending_bytes < self._window_bytes * share

    def _hand_over(
        self, message: Message, segment: Segment | None, now: float, *, is_adopted: bool = False
    ) -> None:
        if not is_adopted:
            self._handed_over += 1
        sent = _Sent(message, segment, now, is_adopted)
        ended = self._ended
        try:
            self._delivery.submit(
                message,
                on_settled=None if self._spool is None else lambda reason: ended.put((sent, reason)),
            )
        except BrokerUnavailable:
            self.outside_events += message.events
            if segment is None:
                self.dropped["closed"] += message.events
            return
        if self._spool is not None and segment is None:
            self._recent.append(sent)

    def _write(self, spool: "Spool", message: Message, *, given_out: bool) -> Segment | None:
        try:
            return spool.append(message, given_out=given_out)
        except SpoolFull as error:
            self._complain("spool_full", f"{error.message}; what comes {_WORDS}")
        except OSError as error:
            problem = error.strerror or type(error).__name__
            self._complain("spool", f"the spool cannot be written ({problem}); what comes {_WORDS}")
        return None

    def _write_recent(self, spool: "Spool", arrived_before: float) -> bool:
        """Write what the delivery has held for long; whether all of it is on disk or has ended."""
        while self._recent:
            sent = self._recent[0]
            if not sent.has_ended:
                if sent.arrived_at > arrived_before:
                    return True
                sent.segment = self._write(spool, sent.message, given_out=True)
                if sent.segment is None:
                    return False
            self._recent.popleft()
        return True

    def _note_ended(self, spool: "Spool") -> None:
        while True:
            try:
                sent, reason = self._ended.get_nowait()
            except Empty:
                return
            sent.has_ended = True
            if sent.segment is None:
                continue
            if reason == "closed":
                self.kept_events += sent.message.events
            else:
                spool.settle(sent.segment)

    def _count(self, spool: "Spool") -> None:
        for reason, events in (("spool_full", spool.dropped_events), ("damaged", spool.damaged_events)):
            if events > self.dropped[reason]:
                self.dropped[reason] = events
        self._lost_records = spool.lost_records
        self.spooled_events = spool.unread_events
        self.spooled_bytes = spool.size_bytes

    def _complain_of(self, error: OSError) -> None:
        self._complain("spool", f"the spool cannot be used: {error.strerror or type(error).__name__}")

    def _complain(self, kind: str, sentence: str) -> None:
        self.last_error = sentence
        self._said.warning(kind, f"Tokenweir's emitter: {sentence}")
