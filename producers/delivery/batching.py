"""Events gathered into Kafka messages, one workload a message. Pure: the clock comes in as an argument.

Invariant: a workload's events leave in the order in which they came.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tokenweir.usage import UsageEvent, wire

MAX_BATCH_BYTES: Final = 1024 * 1024
"""One message's lines. Below the least that a Kafka cluster usually takes once compressed."""

Workload = tuple[str, str, str, str]
"""tenant, team, project, service"""


@dataclass(frozen=True, slots=True)
class Message:
    """One Kafka message: a full topic name, a key, a value of `events` lines."""

    topic: str
    key: bytes | None
    value: bytes
    events: int

    @property
    def size_bytes(self) -> int:
        """What it takes in memory and on the wire before compression, headers aside."""
        return len(self.value) + len(self.key or b"")

    def halves(self) -> tuple["Message", "Message"] | None:
        """The message as two of half the events; None for a single event."""
        lines = self.value.split(b"\n")
        if len(lines) < 2:
            return None
        middle = len(lines) // 2
        first, second = lines[:middle], lines[middle:]
        return (
            Message(self.topic, self.key, b"\n".join(first), len(first)),
            Message(self.topic, self.key, b"\n".join(second), len(second)),
        )


@dataclass(slots=True)
class _Open:
    opened_at: float
    lines: list[bytes] = field(default_factory=list)
    size_bytes: int = 0


class Batcher:
    """Open batches by workload. A batch leaves when it is full or when its first event is `linger_seconds` old."""

    def __init__(
        self,
        topic: str,
        *,
        max_events: int = wire.MAX_BATCH_EVENTS,
        max_bytes: int = MAX_BATCH_BYTES,
        linger_seconds: float = 0.1,
    ) -> None:
        self._topic = topic
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._linger_seconds = linger_seconds
        self._open: OrderedDict[Workload, _Open] = OrderedDict()  # by age; cheap to take from the front
        self.pending_events = 0
        self.pending_bytes = 0

    @property
    def due_at(self) -> float | None:
        """When the oldest open batch is to leave, by the clock of `add`; None where none is open."""
        for batch in self._open.values():
            return batch.opened_at + self._linger_seconds
        return None

    def add(self, workload: Workload, line: bytes, now: float) -> list[Message]:
        """Take one event's line; gives the messages that are full by it (none, one, or two)."""
        full: list[Message] = []
        batch = self._open.get(workload)
        if batch is not None and batch.size_bytes + len(line) > self._max_bytes:
            full.append(self._close(workload))
            batch = None
        if batch is None:
            batch = self._open[workload] = _Open(now)
        batch.lines.append(line)
        batch.size_bytes += len(line) + 1
        self.pending_events += 1
        self.pending_bytes += len(line) + 1
        if len(batch.lines) >= self._max_events or batch.size_bytes >= self._max_bytes:
            full.append(self._close(workload))
        return full

    def due(self, now: float) -> list[Message]:
        """The messages whose time has come."""
        ready: list[Message] = []
        while self._open:
            workload, batch = next(iter(self._open.items()))
            if batch.opened_at + self._linger_seconds > now:
                break
            ready.append(self._close(workload))
        return ready

    def take_all(self) -> list[Message]:
        """Every open batch, the oldest first."""
        return [self._close(workload) for workload in list(self._open)]

    def _close(self, workload: Workload) -> Message:
        batch = self._open.pop(workload)
        self.pending_events -= len(batch.lines)
        self.pending_bytes -= batch.size_bytes
        return Message(self._topic, wire.workload_key(*workload), b"\n".join(batch.lines), len(batch.lines))


def workload_of(event: UsageEvent) -> Workload:
    """Whose events share a message and keep their order."""
    return event.tenant, event.team, event.project, event.service


def messages_of(topic: str, events: Iterable[UsageEvent]) -> list[Message]:
    """All of `events` as messages, at once."""
    batcher = Batcher(topic)
    full: list[Message] = []
    for event in events:
        full.extend(batcher.add(workload_of(event), wire.encode_event(event), 0.0))
    return full + batcher.take_all()
