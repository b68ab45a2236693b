"""The lines of a file that still grows, from an offset on, each with the place behind it.

Invariants: a line that has not ended yet is not given out, so that reading goes on in front of it; of a line at most
MAX_LINE_BYTES are held. The iterator ends with EndForNow instead of StopIteration where more may come: what reads a
record of several lines then breaks off instead of taking the half for the whole.
An unfinished last line is taken as it stands where the file is closed (compressed), where it is a whole JSON object,
which no beginning of one is, and, unless it begins one, where the file has not changed for SETTLED_SECONDS.
"""

import zlib
from collections import deque
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from producers.files.lines import MAX_LINE_BYTES, Line
from producers.files.rows import json_object
from producers.following.checkpoint import TAIL_BYTES
from tokenweir.errors import RejectedInput

SETTLED_SECONDS: Final = 60.0
_BUFFER_BYTES: Final = 1024 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class EndForNow(Exception):
    """There is no further whole line yet, or enough was read for this turn."""


class Place(NamedTuple):
    """Behind a line: its number, the offset behind it, the last bytes before that, the checksum of all before it."""

    number: int
    offset: int
    tail: bytes
    checksum: int


class GrowingLines(Iterator[Line]):
    """Whole lines from where `content` stands.

    offset, number, tail, checksum: of the place where it stands. is_closed: whether the content cannot grow.
    settled: whether it has not grown for long. most_bytes: after so many the iterator ends for this turn, with `more`
    true. Raises DAMAGE where reading breaks off, after all that was whole was given out.
    """

    def __init__(
        self,
        content: IO[bytes],
        *,
        offset: int,
        number: int,
        tail: bytes,
        checksum: int,
        is_closed: bool,
        settled: bool,
        most_bytes: int,
    ) -> None:
        self._content = content
        self._place = Place(number - 1, offset, tail, checksum)
        self._is_closed = is_closed
        self._settled = settled
        self._left_bytes = most_bytes
        self._places: deque[Place] = deque()
        self.more = False

    def __next__(self) -> Line:
        if self._left_bytes <= 0:
            self.more = True
            raise EndForNow
        data = self._content.readline(MAX_LINE_BYTES + 1)
        if not data:
            self._end()
        size = len(data)
        tail = (self._place.tail + data)[-TAIL_BYTES:]
        checksum = zlib.crc32(data, self._place.checksum)
        if not data.endswith(b"\n"):
            if size > MAX_LINE_BYTES:
                data = data[:MAX_LINE_BYTES]
                ended, size, tail, checksum = self._skip_rest(size, tail, checksum)
            else:
                ended = _is_whole_object(data) or (self._settled and not data.lstrip().startswith(b"{"))
            if not ended and not self._is_closed:
                raise EndForNow
        if self._place.offset == 0:
            data = data.removeprefix(_BYTE_ORDER_MARK)
        self._left_bytes -= size
        self._place = Place(self._place.number + 1, self._place.offset + size, tail, checksum)
        self._places.append(self._place)
        return Line(self._place.number, data.rstrip(b"\r\n"), size)

    @property
    def last_place(self) -> Place:
        """Behind the last line that was given out."""
        return self._place

    def place_behind(self, number: int) -> Place:
        """Behind a line that was given out. Earlier ones are forgotten."""
        while self._places[0].number < number:
            self._places.popleft()
        return self._places[0]

    def _end(self) -> None:
        if self._is_closed or self._settled:
            raise StopIteration
        raise EndForNow

    def _skip_rest(self, size: int, tail: bytes, checksum: int) -> tuple[bool, int, bytes, int]:
        """Whether the line ended, its size, its last bytes, the checksum behind it."""
        while rest := self._content.readline(_BUFFER_BYTES):
            size += len(rest)
            tail = (tail + rest)[-TAIL_BYTES:]
            checksum = zlib.crc32(rest, checksum)
            if rest.endswith(b"\n"):
                return True, size, tail, checksum
        return False, size, tail, checksum


def _is_whole_object(data: bytes) -> bool:
    if not data.lstrip(_BYTE_ORDER_MARK).lstrip().startswith(b"{") or not data.rstrip().endswith(b"}"):
        return False
    try:
        json_object(data.removeprefix(_BYTE_ORDER_MARK))
    except RejectedInput:
        return False
    return True
