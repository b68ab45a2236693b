"""How far a file was read, and by what it is known again. Pure but for the reading of the file's own bytes.

A file is known by its inode together with the time at which it was born, as long as what was read of it still stands
there; elsewhere, in a copy or a compressed copy, by all of its content before the place where reading stopped.
Invariants: content is compared whole (its length, a checksum of all of it, its first and last bytes) wherever the
inode does not speak for it; where it does, its first and last bytes are enough.
"""

import hashlib
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from producers.files.documents import is_document
from producers.files.lines import DAMAGE, is_compressed, open_compressed

HEAD_BYTES: Final = 1024
TAIL_BYTES: Final = 1024
_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class Checkpoint:
    """One file.

    born_ns: when the file was made, 0 where the system does not tell. log: the log that it belongs to, of whose rows
    equal ones are numbered. behind: whether its equal rows are numbered behind all others of the log, as those of a
    further generation are, and not on their own, from the file's first row on. copy_of: of a copy of a file that is
    read itself, the id of that file's checkpoint; it is not read. after: while it is not known whether the file that
    had its path was rotated, the id of that file's checkpoint; it is not read before that is known. came_from: of a
    file that was moved, the path at which it was first seen. offset: bytes of its content, decompressed, that were
    read and confirmed. line: the number of the next line. head: fingerprint of the first head_bytes that were seen;
    content_checksum, tail: of all before offset, and of the last tail_bytes of it. reader_state: of formats with state.
    only_refused: rows refused before the first good one; -1 after it. size_bytes, modified_ns: as last seen, to see at
    a glance that nothing changed. adopted: found beside its old path, and read to its end there. finished: that nothing
    is left to read until it changes. document: of a file that is one JSON document, the fingerprint of what was read.
    lost_at: since when its file is nowhere, 0 while it is there. id: 0 until it is kept; a later file has a larger one.
    """

    path: str
    device: int
    inode: int
    born_ns: int = 0
    log: int = 0
    behind: bool = False
    copy_of: int = 0
    after: int = 0
    came_from: str = ""
    offset: int = 0
    line: int = 0
    head: str = ""
    head_bytes: int = 0
    content_checksum: int = 0
    tail: str = ""
    tail_bytes: int = 0
    reader_state: dict[str, Any] | None = None
    only_refused: int = 0
    size_bytes: int = -1
    modified_ns: int = -1
    adopted: bool = False
    finished: bool = False
    document: str = ""
    seen_at: float = 0.0
    lost_at: float = 0.0
    id: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode

    @property
    def has_content(self) -> bool:
        """Whether anything is known of the file's content."""
        return bool(self.offset or self.head_bytes)

    def as_row(self) -> dict[str, Any]:
        """All of it but the id, ready for JSON."""
        row = asdict(self)
        del row["id"]
        return row


def fingerprint(data: bytes) -> str:
    """By which a piece of content is known again."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def open_content(path: Path) -> IO[bytes]:
    """The file's content, decompressed. Raises OSError."""
    raw = path.open("rb")
    start = raw.read(4)
    if not is_compressed(start):
        raw.seek(0)
        return raw
    raw.close()
    return open_compressed(path, start)


def is_compressed_file(path: Path) -> bool:
    """Whether the file is gzip or zstd. Raises OSError."""
    with path.open("rb") as raw:
        return is_compressed(raw.read(4))


def first_bytes(path: Path) -> bytes:
    """What a file begins with and is known by before any of it is confirmed; of what is rewritten whole, nothing."""
    try:
        with open_content(path) as content:
            start = content.read(HEAD_BYTES)
    except DAMAGE:
        return b""
    return b"" if is_document(start) else start


def resume(checkpoint: Checkpoint, content: IO[bytes], *, whole: bool = False) -> bytes | None:
    """Goes to the checkpoint's offset, and gives the bytes before it that it is known by.

    None where the content is another. content: at its start. whole: compare all that was read and not only its ends.
    Raises OSError, EOFError where it is compressed and breaks off before.
    """
    head = _read_exactly(content, checkpoint.head_bytes)
    if checkpoint.head and fingerprint(head) != checkpoint.head:
        return None
    # What is compressed is decompressed up to there; going back would do that twice.
    start = checkpoint.offset - checkpoint.tail_bytes
    checksum = zlib.crc32(head[:start])
    if not whole or start < len(head):
        content.seek(start)
    else:
        checksum = _checksum(content, start - len(head), checksum)
    tail = _read_exactly(content, checkpoint.tail_bytes)
    if checkpoint.offset and fingerprint(tail) != checkpoint.tail:
        return None
    return tail if not whole or zlib.crc32(tail, checksum) == checkpoint.content_checksum else None


def is_beginning_of(path: Path, other: Path) -> bool:
    """Whether all that a file holds, and it holds something, is what another begins with. Raises DAMAGE."""
    with open_content(path) as content, open_content(other) as longer:
        held = False
        while piece := content.read(_CHUNK_BYTES):
            held = True
            if _read_exactly(longer, len(piece)) != piece:
                return False
        return held


def _checksum(content: IO[bytes], count: int, before: int) -> int:
    """Of what stood before and the next `count` bytes, or as many as there are."""
    while count > 0 and (piece := content.read(min(count, _CHUNK_BYTES))):
        before = zlib.crc32(piece, before)
        count -= len(piece)
    return before


def _read_exactly(content: IO[bytes], count: int) -> bytes:
    pieces: list[bytes] = []
    left = count
    while left > 0 and (piece := content.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
