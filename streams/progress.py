"""How far each partition is done: which offset may be committed so that nothing is lost.

Messages of a partition are begun in order and may finish in any order; what may be committed is the offset after
the longest run of finished messages from the start.

Faust keeps such a list of its own, which is not used here: it commits past a gap where nothing was committed before
or where the gap is one message wide (`Consumer._new_offset`), and it acknowledges messages that it skips during a
rebalance (`Stream._py_aiter`). Either loses messages when the worker is killed at that moment.

Invariants:
- an offset is committable only when it and all offsets begun before it in the same assignment are finished;
- what was begun in an earlier assignment of the partition (another generation) never counts.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Partition(NamedTuple):
    """A topic's partition."""

    topic: str
    number: int


class _Lane:
    """One partition in one assignment."""

    __slots__ = ("committed", "generation", "position", "tickets")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.tickets: deque[Ticket] = deque()
        self.position: int | None = None
        self.committed: int | None = None


class Ticket:
    """A message begun and not yet finished."""

    __slots__ = ("_lane", "finished", "offset", "partition")

    def __init__(self, partition: Partition, offset: int, lane: _Lane) -> None:
        self.partition = partition
        self.offset = offset
        self.finished = False
        self._lane = lane

    @property
    def lane(self) -> _Lane:
        """The assignment it belongs to."""
        return self._lane


class Progress:
    """Positions of the partitions that are assigned now."""

    def __init__(self) -> None:
        self._lanes: dict[Partition, _Lane] = {}
        self.gaps = 0
        """Offsets that Kafka did not deliver between two that it did: compaction, transaction markers."""

    def begin(self, partition: Partition, offset: int, generation: int) -> Ticket:
        """Note that a message is being worked on. Messages of a partition are begun in order."""
        lane = self._lanes.get(partition)
        if lane is None or lane.generation != generation:
            lane = self._lanes[partition] = _Lane(generation)
        if lane.tickets and offset > lane.tickets[-1].offset + 1:
            self.gaps += 1
        ticket = Ticket(partition, offset, lane)
        lane.tickets.append(ticket)
        return ticket

    def finish(self, ticket: Ticket) -> None:
        """Note that a message is done for good. Twice is as once."""
        ticket.finished = True
        lane = ticket.lane
        tickets = lane.tickets
        while tickets and tickets[0].finished:
            done = tickets.popleft()
            if lane.position is None or done.offset >= lane.position:
                lane.position = done.offset + 1

    def is_current(self, ticket: Ticket) -> bool:
        """Whether the partition is still assigned as it was when the message was begun."""
        return self._lanes.get(ticket.partition) is ticket.lane

    def committable(self) -> dict[Partition, int]:
        """Offsets to commit: the next to read, for each partition that has come further since the last commit."""
        return {
            partition: lane.position
            for partition, lane in self._lanes.items()
            if lane.position is not None and lane.position != lane.committed
        }

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note what Kafka has taken."""
        for partition, offset in offsets.items():
            lane = self._lanes.get(partition)
            if lane is not None and lane.position is not None and offset <= lane.position:
                lane.committed = offset

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forget partitions that are no longer ours; their tickets no longer count."""
        for partition in partitions:
            self._lanes.pop(partition, None)

    @property
    def in_flight(self) -> int:
        """Messages begun and not finished, over the partitions assigned now."""
        return sum(1 for lane in self._lanes.values() for ticket in lane.tickets if not ticket.finished)

    def positions(self) -> dict[Partition, int]:
        """The next offset to commit, for partitions where one is known."""
        return {
            partition: lane.position for partition, lane in self._lanes.items() if lane.position is not None
        }
