"""What is kept of a tenant's detection on the compacted topic `detection`, and how it is read again.

A state is written in pieces under names of their own, then a head that says which pieces belong together; two sets of
pieces take turns. So a state that was written halfway when the worker died is never read: the last head still points to
the set before. One more record says from which offset of the windows the partition has to be read again.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from tokenweir.usage.wire import MAX_MESSAGE_BYTES

_SEPARATOR: Final = b"\x1f"
_BEGIN_KEY: Final = _SEPARATOR
_NUMBER: Final = struct.Struct(">Q")
_LEVEL: Final = 1

Record = tuple[bytes, bytes | None]
"""Key and value; no value takes the key away."""


class Mark(msgspec.Struct, frozen=True):
    """A place in a partition of the windows, and the clock just before it."""

    offset: int
    clock_ms: int


class Checkpoint(NamedTuple):
    """A tenant's state, which holds everything before `mark`."""

    tenant: str
    mark: Mark
    number: int
    state: bytes


class Kept(NamedTuple):
    """All that is kept of a partition. begin: where reading has to begin; None where nothing is kept.

    is_of_another_log: what was known goes on with a log of which no message is in any state.
    """

    begin: Mark | None
    checkpoints: list[Checkpoint]
    is_of_another_log: bool = False

    def moved_to(self, offset: int) -> "Kept":
        """The same for a partition that was made anew and is read from `offset`: no message of it is in any state."""
        if self.begin is None:
            return self
        begin = Mark(offset, self.begin.clock_ms)
        return Kept(
            begin,
            [one._replace(mark=Mark(offset, one.mark.clock_ms)) for one in self.checkpoints],
            is_of_another_log=True,
        )

    @property
    def highest_offset(self) -> int:
        """The partition once held as much as that."""
        marks = [one.mark.offset for one in self.checkpoints]
        return max(marks, default=self.begin.offset if self.begin is not None else 0)


class _Head(msgspec.Struct, frozen=True):
    mark: Mark
    number: int
    pieces: int


def begin_record(begin: Mark) -> Record:
    """The record of where reading has to begin."""
    return _BEGIN_KEY, msgspec.msgpack.encode(begin)


def records_of(checkpoint: Checkpoint, piece_bytes: int = MAX_MESSAGE_BYTES) -> Iterator[Record]:
    """The records of a checkpoint, the head last."""
    packed = zlib.compress(checkpoint.state, _LEVEL)
    pieces = [packed[start : start + piece_bytes] for start in range(0, len(packed), piece_bytes)]
    for place, piece in enumerate(pieces):
        key = _piece_key(checkpoint.tenant, checkpoint.number, place)
        yield key, _NUMBER.pack(checkpoint.number) + piece
    head = _Head(checkpoint.mark, checkpoint.number, len(pieces))
    yield checkpoint.tenant.encode(), msgspec.msgpack.encode(head)


def forgotten_record(tenant: str) -> Record:
    """The record that takes a tenant's head away; its pieces are then of nobody."""
    return tenant.encode(), None


def read_kept(records: Iterable[Record]) -> Kept:
    """What records in the order of the topic say. A tenant whose pieces are not whole is left out."""
    latest: dict[bytes, bytes] = {}
    for key, value in records:
        if value is None:
            latest.pop(key, None)
        else:
            latest[key] = value
    begin = latest.get(_BEGIN_KEY)
    checkpoints = [
        checkpoint
        for key in sorted(latest)
        if _SEPARATOR not in key and (checkpoint := _checkpoint(key.decode(), latest)) is not None
    ]
    return Kept(msgspec.msgpack.decode(begin, type=Mark) if begin is not None else None, checkpoints)


def _checkpoint(tenant: str, latest: Mapping[bytes, bytes]) -> Checkpoint | None:
    head = msgspec.msgpack.decode(latest[tenant.encode()], type=_Head)
    packed: list[bytes] = []
    for place in range(head.pieces):
        piece = latest.get(_piece_key(tenant, head.number, place), b"")
        if piece[: _NUMBER.size] != _NUMBER.pack(head.number):
            return None
        packed.append(piece[_NUMBER.size :])
    return Checkpoint(tenant, head.mark, head.number, zlib.decompress(b"".join(packed)))


def _piece_key(tenant: str, number: int, place: int) -> bytes:
    return _SEPARATOR.join((tenant.encode(), str(number % 2).encode(), str(place).encode()))
