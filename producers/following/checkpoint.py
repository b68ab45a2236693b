"""How far a file was read, and by what it is known again. Pure but for the reading of the file's own bytes.

A file is known by its content: by the first bytes that were read of it and by the last ones before the place where
reading stopped. Path, device and inode only say where to look first; an inode is soon used again, and a copy or a
compressed copy of a rotated log has another. Of two files with the same first and last bytes at the same offset one
is taken for a copy of the other.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from producers.files.lines import is_compressed, open_compressed

HEAD_BYTES: Final = 1024
TAIL_BYTES: Final = 1024


@dataclass(slots=True)
class Checkpoint:
    """One file.

    offset: bytes of its content, decompressed, that were read and confirmed. line: the number of the next line. head,
    tail: fingerprints of the first head_bytes and of the last tail_bytes before offset. lineage: the log that it is a
    generation of, within which equal rows are numbered. came_from: of a file that was moved, the path at which it was
    first seen. reader_state: of formats with state. only_refused: rows refused before the first good one; -1 after
    it. size_bytes, modified_ns: as last seen, to see at a glance that nothing changed. adopted: found beside its old
    path, and read to its end there. finished: that nothing is left to read until it changes. document: of a file that
    is one JSON document, the fingerprint of what was read.
    """

    path: str
    device: int
    inode: int
    lineage: int = 0
    generation: int = 0
    came_from: str = ""
    offset: int = 0
    line: int = 0
    head: str = ""
    head_bytes: int = 0
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
    id: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode

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


def resume(checkpoint: Checkpoint, content: IO[bytes]) -> bytes | None:
    """Goes to the checkpoint's offset, and gives the bytes before it that it is known by.

    None where the content is another. content: at its start. Raises OSError, EOFError where it is compressed and
    breaks off before.
    """
    if checkpoint.offset == 0:
        return b""
    if fingerprint(_read_exactly(content, checkpoint.head_bytes)) != checkpoint.head:
        return None
    # Of compressed content this decompresses all that is before.
    content.seek(checkpoint.offset - checkpoint.tail_bytes)
    tail = _read_exactly(content, checkpoint.tail_bytes)
    return tail if fingerprint(tail) == checkpoint.tail else None


def first_held(checkpoints: Iterable[Checkpoint], path: Path) -> Checkpoint | None:
    """The checkpoint whose content `path` holds, the farthest first. Raises OSError, EOFError, zlib.error."""
    for checkpoint in sorted(checkpoints, key=lambda one: -one.offset):
        with open_content(path) as content:
            if checkpoint.offset and resume(checkpoint, content) is not None:
                return checkpoint
    return None


def _read_exactly(content: IO[bytes], count: int) -> bytes:
    pieces: list[bytes] = []
    left = count
    while left > 0 and (piece := content.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
