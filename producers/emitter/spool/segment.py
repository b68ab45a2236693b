"""One file of messages, appended to and read from the front.

A record is a head (magic, checksum of all that follows, sizes of key and value, number of events), the key, the
value. A record that is torn or damaged is passed over: reading goes on at the next magic whose checksum is right.

Invariants: a write that fails leaves the file as it was; nothing that was damaged is ever given out as a message.
Limits: what was written is in the hands of the operating system, which keeps it when the process dies, not when the
machine does: there is no fsync.
"""

import errno
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from producers.delivery.batching import Message
from tokenweir.errors import TokenweirError
from tokenweir.usage import wire

_MAGIC: Final = b"TWS1"
_HEAD: Final = struct.Struct(">4sIiII")  # magic, checksum, key bytes (-1: none), value bytes, events
HEAD_BYTES: Final = _HEAD.size
_CHECKED_FROM: Final = 8
_LARGEST_KEY: Final = 64 * 1024
_GONE: Final = frozenset({errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.ESTALE})
"""What cannot be read for these reasons will not be read later."""

_SEARCH_BYTES: Final = 1024 * 1024


class SpoolFull(TokenweirError):
    """There is no room for a message within the spool's bound, and what is there stays."""


class Segment:
    """A file of records. The counts are of this process: what it wrote, or what it has read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.is_sealed = False
        self.events = 0
        self.records = 0
        self.read_events = 0
        self.read_records = 0
        self.settled_records = 0
        self.damaged_events = 0  # that were passed over, as far as it is known how many there were
        self.damaged_records = 0
        self._read_at = 0
        self._file: int | None = None

    @classmethod
    def found(cls, path: Path) -> Self:
        """A file of a dead process, to be read. Its events are told from the records' heads. Raises OSError."""
        segment = cls(path)
        segment.size_bytes = path.stat().st_size
        segment.is_sealed = True
        segment._count()
        segment.close()
        return segment

    @property
    def has_unread(self) -> bool:
        """Whether there may be a message that was not given out."""
        return self._read_at < self.size_bytes

    @property
    def is_settled(self) -> bool:
        """Whether every message was given out and has ended."""
        return not self.has_unread and self.settled_records >= self.read_records

    def append(self, message: Message, *, given_out: bool) -> None:
        """Write a message behind the others. given_out: it is under way already, and not to be read.

        Raises OSError; then nothing is written.
        """
        key = message.key
        rest = (key or b"") + message.value
        sizes = struct.pack(">iII", -1 if key is None else len(key), len(message.value), message.events)
        record = _MAGIC + struct.pack(">I", zlib.crc32(rest, zlib.crc32(sizes))) + sizes + rest
        file = self._open()
        try:
            written = 0
            while written < len(record):
                written += os.pwrite(file, record[written:], self.size_bytes + written)
        except OSError:
            with suppress(OSError):  # the next record is written over it, and a torn one is passed over
                os.ftruncate(file, self.size_bytes)
            raise
        self.size_bytes += len(record)
        self.events += message.events
        self.records += 1
        if given_out:
            self._note_read(len(record), message.events)

    def next(self, topic: str) -> Message | None:
        """The next message, for `topic`; None at the end. Raises OSError where it is worth trying again."""
        while self.has_unread:
            try:
                file = self._open()
                head = os.pread(file, _HEAD.size, self._read_at)
                message = self._message(file, head, topic) if len(head) == _HEAD.size else None
                if message is not None:
                    self._note_read(_HEAD.size + message.size_bytes, message.events)
                    return message
                self._read_at = self._next_magic(file, self._read_at + 1)
            except OSError as error:
                if error.errno not in _GONE:
                    raise
                self._read_at = self.size_bytes
        self.damaged_events += self.events - self.read_events
        self.damaged_records += self.records - self.read_records
        self.events, self.records = self.read_events, self.read_records
        return None

    def clear(self) -> None:
        """Begin the file anew; for one of which every message has ended. Raises OSError."""
        os.ftruncate(self._open(), 0)
        self.size_bytes = self._read_at = 0
        self.events = self.read_events = 0
        self.records = self.read_records = self.settled_records = 0

    def close(self) -> None:
        """Let go of the file, which stays; it is opened again when it is needed."""
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                os.close(file)

    def remove(self) -> None:
        """Delete the file."""
        self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        return self._file

    def _count(self) -> None:
        file, at = self._open(), 0
        while len(head := os.pread(file, _HEAD.size, at)) == _HEAD.size:
            magic, _, key_bytes, value_bytes, events = _HEAD.unpack(head)
            at += _HEAD.size + max(key_bytes, 0) + value_bytes
            if magic != _MAGIC or at > self.size_bytes:
                break
            self.events += events
            self.records += 1

    def _note_read(self, size_bytes: int, events: int) -> None:
        self._read_at += size_bytes
        self.read_events += events
        self.read_records += 1

    def _message(self, file: int, head: bytes, topic: str) -> Message | None:
        magic, checksum, key_bytes, value_bytes, events = _HEAD.unpack(head)
        size_bytes = max(key_bytes, 0) + value_bytes
        if (
            magic != _MAGIC
            or not -1 <= key_bytes <= _LARGEST_KEY
            or value_bytes > wire.MAX_MESSAGE_BYTES
            or self._read_at + _HEAD.size + size_bytes > self.size_bytes
        ):
            return None
        rest = os.pread(file, size_bytes, self._read_at + _HEAD.size)
        if len(rest) < size_bytes or zlib.crc32(rest, zlib.crc32(head[_CHECKED_FROM:])) != checksum:
            return None
        key = None if key_bytes < 0 else rest[:key_bytes]
        return Message(topic, key, rest[max(key_bytes, 0) :], events)

    def _next_magic(self, file: int, at: int) -> int:
        while at < self.size_bytes:
            piece = os.pread(file, _SEARCH_BYTES, at)
            found = piece.find(_MAGIC)
            if found >= 0:
                return at + found
            if len(piece) < len(_MAGIC):
                break
            at += len(piece) - len(_MAGIC) + 1
        return self.size_bytes
