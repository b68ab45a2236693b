"""What one emitter has on disk: the messages that it wrote, and those of dead processes that it has adopted.

Its own messages form one sequence: those that were given out to be sent, then those that were not. A segment is
deleted when every message of it was given out and has ended; the one that is written to is emptied when nothing
waits. So the disk holds what Kafka has not confirmed, and at most two segments more.

Invariants: what was appended is on disk, in order, until it is settled or dropped to make room; all segments
together, adopted ones too, take at most `max_bytes`; of what does not fit, the oldest or the newest is kept.
One thread at a time. Every method that touches the disk may raise OSError.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from producers.delivery.batching import Message
from producers.emitter.spool import shelf as shelves
from producers.emitter.spool.segment import HEAD_BYTES, Segment, SpoolFull
from producers.emitter.spool.shelf import Shelf

Keep = Literal["oldest", "newest"]
"""What stays where not everything fits."""

LARGEST_SEGMENT_BYTES: Final = 8 * 1024 * 1024
_SEGMENTS_AT_LEAST: Final = 8
"""So many fit into the bound, so that making room for the newest drops an eighth at most."""


class Spool:
    """Messages on disk under `directory`, for `topic`. Makes nothing there before the first message."""

    def __init__(self, directory: Path, topic: str, *, max_bytes: int, keep: Keep = "oldest") -> None:
        self._directory = directory
        self._topic = topic
        self._max_bytes = max_bytes
        self._keep = keep
        self._segment_bytes = max(min(LARGEST_SEGMENT_BYTES, max_bytes // _SEGMENTS_AT_LEAST), 1)
        self._shelf: Shelf | None = None
        self._number = 0
        self._segments: list[Segment] = []
        self._adopted: list[tuple[Shelf, list[Segment]]] = []
        self.dropped_events = 0
        """Given up to make room, without having been given out."""
        self.damaged_events = 0
        """Found damaged, as far as it is known how many there were."""
        self.lost_records = 0
        """How many messages of this emitter's own were given up or damaged."""

    @property
    def size_bytes(self) -> int:
        """What the segments take."""
        return sum(segment.size_bytes for segment in self._all())

    @property
    def unread_events(self) -> int:
        """What is on disk and was not given out."""
        return sum(segment.events - segment.read_events for segment in self._all())

    @property
    def has_unread(self) -> bool:
        """Whether a message of this emitter's own was not given out."""
        return any(segment.has_unread for segment in self._segments)

    def append(self, message: Message, *, given_out: bool) -> Segment:
        """Write a message behind the others, and say where it is. given_out: it is under way already.

        Raises SpoolFull, and OSError where the disk fails; then it is not there. A message can only be written as
        given out while nothing of this emitter's own is unread.
        """
        self._make_room(HEAD_BYTES + message.size_bytes)
        segment = self._segment_to_write()
        segment.append(message, given_out=given_out)
        return segment

    def next_own(self) -> tuple[Segment, Message] | None:
        """The next message that this emitter wrote and has not given out, and where it is."""
        for segment in list(self._segments):
            if segment.has_unread:
                message = segment.next(self._topic)
                self._count_damaged(segment, is_own=True)
                if message is not None:
                    return segment, message
        return None

    def next_adopted(self) -> tuple[Segment, Message] | None:
        """The next message of an adopted shelf."""
        for _, segments in self._adopted:
            for segment in segments:
                message = segment.next(self._topic)
                self._count_damaged(segment, is_own=False)
                if message is not None:
                    return segment, message
        return None

    def settle(self, segment: Segment) -> None:
        """A message of `segment` has ended."""
        segment.settled_records += 1

    def adopt(self) -> int:
        """Take over what dead processes left; how many events that is."""
        events = 0
        for shelf in shelves.adopt_orphans(self._directory):
            try:
                segments = [Segment.found(path) for path in shelf.segments()]
            except OSError:
                shelf.release()
                raise
            self._adopted.append((shelf, segments))
            events += sum(segment.events for segment in segments)
        return events

    def tidy(self) -> None:
        """Delete what is settled."""
        for segment in [one for one in self._segments if one.is_settled]:
            if segment.is_sealed:
                self._remove(self._segments, segment)
            elif segment.size_bytes:
                segment.clear()
        for shelf, segments in list(self._adopted):
            for segment in [one for one in segments if one.is_settled]:
                self._remove(segments, segment)
            if not segments:
                self._adopted = [pair for pair in self._adopted if pair[0] is not shelf]
                shelf.release()

    def close(self) -> None:
        """Let go of everything. What is not settled stays for who adopts it."""
        for segment in list(self._segments):
            if segment.is_settled:
                self._remove(self._segments, segment)
        for segment in self._all():
            segment.close()
        for shelf in self._shelves():
            shelf.release()
        self._adopted = []
        self._shelf = None

    def forget_after_fork(self) -> None:
        """In a child process: let go of the parent's files without touching what they hold."""
        for segment in self._all():
            segment.close()
        for shelf in self._shelves():
            shelf.forget()

    def _all(self) -> Iterator[Segment]:
        for _, segments in self._adopted:
            yield from segments
        yield from self._segments

    def _shelves(self) -> list[Shelf]:
        own = [] if self._shelf is None else [self._shelf]
        return [*own, *(shelf for shelf, _ in self._adopted)]

    def _segment_to_write(self) -> Segment:
        has_shelf = self._shelf is not None and self._shelf.path.is_dir()  # somebody may have cleared it away
        if self._segments and not self._segments[-1].is_sealed:
            if has_shelf and self._segments[-1].size_bytes < self._segment_bytes:
                return self._segments[-1]
            self._segments[-1].is_sealed = True
            if not self._segments[-1].has_unread:
                self._segments[-1].close()
        if self._shelf is None or not has_shelf:
            if self._shelf is not None:
                self._shelf.forget()
            self._shelf = shelves.make(self._directory)
        self._number += 1
        segment = Segment(self._shelf.segment_path(self._number))
        self._segments.append(segment)
        return segment

    def _make_room(self, size_bytes: int) -> None:
        while (taken := self.size_bytes) + size_bytes > self._max_bytes:
            if self._keep == "oldest" or not taken:
                raise SpoolFull(
                    f"the spool {self._directory} is full: {taken} bytes of {self._max_bytes} wait there"
                )
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        holder = next(
            (segments for _, segments in self._adopted if any(one.size_bytes for one in segments)),
            self._segments,
        )
        segment = holder[0]
        self.dropped_events += segment.events - segment.read_events
        if holder is self._segments:
            self.lost_records += segment.records - segment.read_records
        self._remove(holder, segment)

    def _count_damaged(self, segment: Segment, *, is_own: bool) -> None:
        self.damaged_events += segment.damaged_events
        self.lost_records += segment.damaged_records if is_own else 0
        segment.damaged_events = segment.damaged_records = 0

    def _remove(self, holder: list[Segment], segment: Segment) -> None:
        with contextlib.suppress(ValueError):
            holder.remove(segment)
        segment.remove()
