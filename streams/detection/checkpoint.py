"""What is kept of a tenant's detection on the compacted topic `detection`, and how it is read again.

A state is written in pieces under names of their own, then a head that says which pieces belong together; two sets of
pieces take turns. So a state that was written halfway when the worker died is never read: the last head still points to
the set before. One more record says from which offset of the windows the partition has to be read again.

Who takes a partition up takes a higher `fence` than all before it, which is in every record. What a worker that was put
out without knowing (it was held up, or cut off from Kafka) writes after that bears a lower one, and is not read.
"""

import logging
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from tokenweir.usage.wire import MAX_MESSAGE_BYTES

log = logging.getLogger("tokenweir.streams.detect")

_SEPARATOR: Final = b"\x1f"
_BEGIN_KEY: Final = _SEPARATOR
_NUMBER: Final = struct.Struct(">Q")
_FENCE_BITS: Final = 32
"""A checkpoint's number is its writer's fence, and below these bits a count."""

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

    fence: of the last who took it up; 0 where nobody did. is_of_another_log: what was known goes on with a log of
    which no message is in any state.
    """

    begin: Mark | None
    checkpoints: list[Checkpoint]
    fence: int = 0
    is_of_another_log: bool = False

    def moved_to(self, offset: int) -> "Kept":
        """The same for a partition that was made anew and is read from `offset`: no message of it is in any state."""
        if self.begin is None:
            return self
        begin = Mark(offset, self.begin.clock_ms)
        return Kept(
            begin,
            [one._replace(mark=Mark(offset, one.mark.clock_ms)) for one in self.checkpoints],
            self.fence,
            is_of_another_log=True,
        )

    @property
    def highest_offset(self) -> int:
        """The partition once held as much as that."""
        marks = [one.mark.offset for one in self.checkpoints]
        return max(marks, default=self.begin.offset if self.begin is not None else 0)


class _Begin(msgspec.Struct, frozen=True):
    offset: int
    clock_ms: int
    fence: int = 0


class _Head(msgspec.Struct, frozen=True):
    mark: Mark
    number: int
    pieces: int


def begin_record(begin: Mark, fence: int = 0) -> Record:
    """The record of where reading has to begin."""
    return _BEGIN_KEY, msgspec.msgpack.encode(_Begin(begin.offset, begin.clock_ms, fence))


def next_number(number: int, fence: int) -> int:
    """The number of a tenant's next checkpoint: it goes into the other set of pieces than the last, `number`."""
    following = max(number + 1, fence << _FENCE_BITS)
    return following if (following - number) % 2 else following + 1


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
    """What records in the order in which they were kept say. A tenant whose pieces are not whole is left out."""
    latest: dict[bytes, bytes] = {}
    highest = 0
    for key, value in records:
        if value is None:
            latest.pop(key, None)
            continue
        fence = _fence_of(key, value)
        if fence is not None and fence >= highest:
            highest = fence
            latest[key] = value
    begin = latest.get(_BEGIN_KEY)
    checkpoints = [
        checkpoint
        for key in sorted(latest)
        if _SEPARATOR not in key and (checkpoint := _checkpoint(key.decode(), latest)) is not None
    ]
    return Kept(msgspec.msgpack.decode(begin, type=Mark) if begin is not None else None, checkpoints, highest)


def _fence_of(key: bytes, value: bytes) -> int | None:
    """Whose record it is; None for one that nobody of us has written."""
    try:
        if key == _BEGIN_KEY:
            return msgspec.msgpack.decode(value, type=_Begin).fence
        if _SEPARATOR in key:
            return int(_NUMBER.unpack_from(value)[0]) >> _FENCE_BITS
        return msgspec.msgpack.decode(value, type=_Head).number >> _FENCE_BITS
    except (msgspec.MsgspecError, struct.error) as error:
        log.warning("A record of what the detectors know cannot be read and is left out: %s", error)
        return None


def _checkpoint(tenant: str, latest: Mapping[bytes, bytes]) -> Checkpoint | None:
    head = msgspec.msgpack.decode(latest[tenant.encode()], type=_Head)
    packed: list[bytes] = []
    for place in range(head.pieces):
        piece = latest.get(_piece_key(tenant, head.number, place), b"")
        if piece[: _NUMBER.size] != _NUMBER.pack(head.number):
            return None
        packed.append(piece[_NUMBER.size :])
    try:
        return Checkpoint(tenant, head.mark, head.number, zlib.decompress(b"".join(packed)))
    except zlib.error:
        return None


def _piece_key(tenant: str, number: int, place: int) -> bytes:
    return _SEPARATOR.join((tenant.encode(), str(number % 2).encode(), str(place).encode()))
