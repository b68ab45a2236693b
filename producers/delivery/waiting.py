"""The messages that wait for Kafka, shared by those who send and the thread that delivers, and how each one ends.

Invariants: a message is counted in `pending` from `take` until it ends, and ends once: confirmed, dropped with a
reason, withdrawn by its sender, or replaced by its halves. Receipts and `on_settled` are called when it has ended,
outside the lock.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from producers.delivery.batching import Message
from producers.delivery.pending import Entry, Pending
from producers.delivery.receipts import OnSettled, Receipt, both_settled, complete, halves_of
from tokenweir.errors import BrokerUnavailable, TokenweirError


class Waiting:
    """What waits, under one lock. Fields are read and changed with `changed` held, unless they say otherwise.

    on_confirmed: called under the lock when Kafka has confirmed a message.
    """

    def __init__(self, on_confirmed: Callable[[], None]) -> None:
        self.changed = threading.Condition()  # re-entrant: a receipt's callback may come back here
        self.pending = Pending()
        self.stopping = False
        self.last_sequence = 0
        self.settled_events = 0  # confirmed or dropped; read without the lock by callers in a hurry
        self.sent_events = 0
        self.confirmed_events = 0
        self.dropped: Counter[str] = Counter()
        self._on_confirmed = on_confirmed

    def refuse_when_closed(self) -> None:
        """Raises BrokerUnavailable once the delivery is closed. Under the lock."""
        if self.stopping:
            raise BrokerUnavailable("the delivery is closed")

    def take(self, message: Message, receipt: Receipt | None, on_settled: OnSettled | None) -> None:
        """Enter a message. Under the lock."""
        self.last_sequence += 1
        entry = Entry((self.last_sequence,), message, receipt, on_settled)
        self.pending.enter(entry)
        if receipt is not None:
            receipt.add_done_callback(lambda done: self.withdraw(entry) if done.cancelled() else None)
        self.changed.notify_all()

    def settle(self, entry: Entry, reason: str = "", error: TokenweirError | None = None) -> None:
        """A message has ended: confirmed, or dropped for `reason`."""
        with self.changed:
            if not self.pending.remove(entry):
                return  # settled before: withdrawn, or confirmed by an earlier connection after all
            self.settled_events += entry.message.events
            if reason:
                self.dropped[reason] += entry.message.events
            else:
                self.confirmed_events += entry.message.events
                self._on_confirmed()
            self.changed.notify_all()
        if entry.receipt is not None:
            complete(entry.receipt, error)
        if entry.on_settled is not None:
            entry.on_settled(reason)

    def withdraw(self, entry: Entry) -> None:
        """Its sender wants it no more: drop it, unless it is under way."""
        with self.changed:
            if entry.under_way or not self.pending.remove(entry):
                return
            self.settled_events += entry.message.events
            self.dropped["withdrawn"] += entry.message.events
            self.changed.notify_all()
        if entry.on_settled is not None:
            entry.on_settled("withdrawn")

    def split(self, entry: Entry) -> bool:
        """Put two halves in the place of a message; whether it could be divided."""
        halves = entry.message.halves()
        if halves is None:
            return False
        receipts = (None, None) if entry.receipt is None else halves_of(entry.receipt)
        on_settled = None if entry.on_settled is None else both_settled(entry.on_settled)
        with self.changed:
            if self.pending.remove(entry):
                for number, (half, receipt) in enumerate(zip(halves, receipts, strict=True)):
                    piece = Entry((*entry.sequence, number), half, receipt, on_settled)
                    piece.counted = True
                    self.pending.enter(piece)
                self.changed.notify_all()
        return True

    def park(self, entry: Entry, until: float) -> None:
        """Put a message back, and leave its topic alone until then."""
        with self.changed:
            if entry in self.pending:
                self.pending.park(entry, until)
                self.changed.notify_all()
        if entry.receipt is not None and entry.receipt.cancelled():
            self.withdraw(entry)

    def refuse(self, entries: Sequence[Entry], error: BrokerUnavailable) -> None:
        """Tell those who wait for a confirmation that the cluster refuses; what nobody waits for is kept."""
        for entry in entries:
            if entry.receipt is not None:
                self.settle(entry, "refused", error)

    def send_all_again(self) -> None:
        """A new connection: put everything back to be sent, in order."""
        with self.changed:
            withdrawn = self.pending.send_all_again()
        for entry in withdrawn:
            self.withdraw(entry)

    def next(self, now: float) -> tuple[Entry | None, float | None]:
        """As `Pending.next`, counting what is sent. Under the lock."""
        entry, wait_seconds = self.pending.next(now)
        if entry is not None and not entry.counted:
            entry.counted = True
            self.sent_events += entry.message.events
        return entry, wait_seconds
