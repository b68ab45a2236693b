"""What waits for Kafka: which message is next, which is the oldest, how much it is. Pure: no thread, no clock.

Invariant: a message is entered once and removed once; between the two it is counted in `events` and `size_bytes`,
whether or not it is under way.
"""

import heapq
from collections.abc import Iterator

from producers.delivery.batching import Message
from producers.delivery.receipts import OnSettled, Receipt

Sequence = tuple[int, ...]
"""The place of a message; a half of message (7,) is (7, 0) or (7, 1), so that it keeps its place."""


class Entry:
    """One message that waits."""

    __slots__ = ("counted", "message", "on_settled", "receipt", "sequence", "under_way")

    def __init__(
        self,
        sequence: Sequence,
        message: Message,
        receipt: Receipt | None,
        on_settled: OnSettled | None = None,
    ) -> None:
        self.sequence = sequence
        self.message = message
        self.receipt = receipt
        self.on_settled = on_settled
        self.under_way = False  # handed to the present connection
        self.counted = False  # among the sent

    def __lt__(self, other: "Entry") -> bool:
        return self.sequence < other.sequence


class Pending:
    """The messages that Kafka has not confirmed, in order."""

    def __init__(self) -> None:
        self.events = 0
        self.size_bytes = 0
        self._entries: dict[Sequence, Entry] = {}
        self._order: list[Sequence] = []  # a heap of the entries' places and of some that are gone
        self._unsent: dict[str, list[Entry]] = {}  # by topic, heaps, with some that are gone
        self._parked: dict[str, float] = {}  # by topic: not to be tried before

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __contains__(self, entry: Entry) -> bool:
        return entry.sequence in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries.values()))

    def enter(self, entry: Entry) -> None:
        """Take a new message, to be sent at its place."""
        self._entries[entry.sequence] = entry
        heapq.heappush(self._order, entry.sequence)
        heapq.heappush(self._unsent.setdefault(entry.message.topic, []), entry)
        self.events += entry.message.events
        self.size_bytes += entry.message.size_bytes

    def remove(self, entry: Entry) -> bool:
        """Whether it was there."""
        if self._entries.pop(entry.sequence, None) is None:
            return False
        self.events -= entry.message.events
        self.size_bytes -= entry.message.size_bytes
        return True

    def settled_before(self, sequence: Sequence) -> bool:
        """Whether nothing is left of what stands before `sequence`."""
        while self._order and self._order[0] not in self._entries:
            heapq.heappop(self._order)
        return not self._order or self._order[0] >= sequence

    def send_all_again(self) -> list[Entry]:
        """Put everything back to be sent, in order; gives what was withdrawn meanwhile, which is not put back."""
        self._parked.clear()
        self._unsent.clear()
        withdrawn: list[Entry] = []
        for entry in self:
            entry.under_way = False
            if entry.receipt is not None and entry.receipt.cancelled():
                withdrawn.append(entry)
            else:
                self._unsent.setdefault(entry.message.topic, []).append(entry)  # sorted, thus a heap
        return withdrawn

    def park(self, entry: Entry, until: float) -> None:
        """Put one message back and leave its topic alone until then."""
        entry.under_way = False
        self._parked[entry.message.topic] = until
        heapq.heappush(self._unsent.setdefault(entry.message.topic, []), entry)

    def next(self, now: float) -> tuple[Entry | None, float | None]:
        """The earliest message that can be sent now, under way from here on; else how many seconds to wait.

        None and None: nothing is left to send.
        """
        earliest: list[Entry] | None = None
        wait_seconds: float | None = None
        for topic, heap in self._unsent.items():
            while heap and heap[0].sequence not in self._entries:
                heapq.heappop(heap)
            if not heap:
                continue
            parked_seconds = self._parked.get(topic, now) - now
            if parked_seconds > 0:
                wait_seconds = min(parked_seconds, wait_seconds or parked_seconds)
            elif earliest is None or heap[0] < earliest[0]:
                earliest = heap
        if earliest is None:
            return None, wait_seconds
        entry = heapq.heappop(earliest)
        entry.under_way = True
        return entry, None
