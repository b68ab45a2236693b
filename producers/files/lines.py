"""The lines of a file, plain, gzip or zstd, in constant memory.

Invariants: of a line at most MAX_LINE_BYTES are held, however long it is, and whatever it was compressed to; what
was read before a file breaks off has been given out before the error is raised.
Limits: other compressions and UTF-16 are named in an error, not read.
"""

import gzip
import sys
import zlib
from collections.abc import Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from tokenweir.errors import TokenweirError, WrongCall

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""Longer lines are refused. An answer with a batch of embeddings takes some megabytes."""

_BUFFER_BYTES: Final = 1024 * 1024
_PEEK_BYTES: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"

DAMAGE: Final = (OSError, EOFError, zlib.error, zstd.ZstdError)
"""What reading raises where a file, or what it is compressed with, is damaged or breaks off."""

_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


class UnreadableFile(TokenweirError):
    """A file that broke off or is damaged. What stood before the damage was read."""


class Line(NamedTuple):
    """number: from 0, within the file. data: without line end, cut at MAX_LINE_BYTES. size_bytes: as it came."""

    number: int
    data: bytes
    size_bytes: int


class FileLines:
    """An open file as an iterator of its lines; also a context manager that closes it.

    Raises WrongCall where the file cannot be opened or is of a kind that is not read here, UnreadableFile from
    the iterator where it breaks off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._raw: IO[bytes] = BufferedReader(FileIO(path), _BUFFER_BYTES)
        except OSError as error:
            raise WrongCall(
                f"cannot open {path}: {error.strerror}", hint="Give the path of a readable file"
            ) from None
        start = cast("BufferedReader", self._raw).peek(16)[:16]
        try:
            refuse_foreign(path, start)
        except WrongCall:
            self._raw.close()
            raise
        self._content: IO[bytes] = decompressed(self._raw, start)
        self._ahead: list[Line] = []
        self._broken: UnreadableFile | None = None
        self._lines = self._read()

    def __enter__(self) -> "FileLines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        if self._ahead:
            return self._ahead.pop(0)
        if self._broken is not None:  # met while looking ahead; the lines before it have been given out
            raise self._broken
        return next(self._lines)

    @property
    def position_bytes(self) -> int:
        """How far the file itself, compressed or not, was read; counts to its size."""
        return self._raw.tell() if self._raw.seekable() else 0

    def head(self, count: int, most_bytes: int) -> list[Line]:
        """The first lines, at most `count` of them and stopping at `most_bytes`; they will still be iterated."""
        taken = 0
        while len(self._ahead) < count and taken < most_bytes:
            try:
                line = next(self._lines, None)
            except UnreadableFile as error:
                self._broken = error
                break
            if line is None:
                break
            self._ahead.append(line)
            taken += len(line.data)
        return list(self._ahead)

    def peek(self) -> bytes:
        """The first bytes of the content, decompressed; some KiB of them, and none of a file that is damaged there."""
        try:
            return bytes(cast("BufferedReader", self._content).peek(_PEEK_BYTES))
        except DAMAGE:
            return b""

    def chunks(self) -> Iterator[bytes]:
        """The content in pieces of any size, in place of its lines. Raises UnreadableFile where it breaks off."""
        read_bytes = 0
        try:
            while data := self._content.read(_BUFFER_BYTES):
                read_bytes += len(data)
                yield data
        except DAMAGE as error:
            raise UnreadableFile(
                f"{self.path} cannot be read past byte {read_bytes} of its content: {error}",
                hint="Read it again when it is whole: its rows keep their names and are not counted twice",
            ) from None

    def close(self) -> None:
        """Closes the file."""
        if self._content is not self._raw:
            self._content.close()
        self._raw.close()

    def _read(self) -> Iterator[Line]:
        number = 0
        readline = self._content.readline
        try:
            while data := readline(MAX_LINE_BYTES + 1):
                size = len(data)
                if size > MAX_LINE_BYTES and not data.endswith(b"\n"):
                    data, size = data[:MAX_LINE_BYTES], size + self._skip_rest()
                elif number == 0:
                    data = data.removeprefix(b"\xef\xbb\xbf")
                yield Line(number, data.rstrip(b"\r\n"), size)
                number += 1
        except EOFError:
            raise UnreadableFile(
                f"{self.path} ends in the middle of its compressed stream, after line {number}",
                hint="Read it again when it is whole: its rows keep their names and are not counted twice",
            ) from None
        except DAMAGE as error:
            raise UnreadableFile(
                f"{self.path} cannot be read past line {number}: {error}",
                hint="Read it again when it is mended: its rows keep their names and are not counted twice",
            ) from None

    def _skip_rest(self) -> int:
        skipped = 0
        while rest := self._content.readline(_BUFFER_BYTES):
            skipped += len(rest)
            if rest.endswith(b"\n"):
                break
        return skipped


def refuse_foreign(path: Path, start: bytes) -> None:
    """Raises WrongCall where a file that begins with `start` is of a kind that is not read here."""
    for magic, kind in _FOREIGN:
        if start.startswith(magic):
            raise WrongCall(
                f"{path} is {kind}", hint="Convert it to CSV or JSON Lines in UTF-8, plain, gzip or zstd"
            )


def decompressed(raw: IO[bytes], start: bytes) -> IO[bytes]:
    """The content of an open file that begins with `start`: itself, or what its gzip or zstd holds."""
    if start.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw, mode="rb"))
    if start.startswith(_ZSTD):
        return cast("IO[bytes]", zstd.ZstdFile(raw, mode="rb"))
    return raw


def open_compressed(path: Path, start: bytes) -> IO[bytes]:
    """The content of a file that begins with `start` and is gzip or zstd, opened on its own. Raises OSError."""
    opened = gzip.GzipFile(path, mode="rb") if start.startswith(_GZIP) else zstd.ZstdFile(path, mode="rb")
    return cast("IO[bytes]", opened)


def is_compressed(start: bytes) -> bool:
    """Whether a file that begins so is gzip or zstd."""
    return start.startswith((_GZIP, _ZSTD))
