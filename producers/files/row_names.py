"""Names for the rows of files, the same at every reading.

A row is named by its own bytes, within a source. So a file may be read again, may have grown, moved, been rotated
or compressed, or be read with a corrected column map: its rows keep their names and are counted once, and a
correction that fills as many fields replaces what it corrects. Equal rows of one file are numbered and count
as several calls.

Limits: a source is named after the file, not after its directory. Rows that are equal byte for byte in two files of
one name (two hosts' logs without a time or id in them) are taken for one call; `--set source=NAME` keeps them
apart. Numbering equal rows takes some 80 bytes of memory a row: about 0.8 GB for ten million.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tokenweir.usage.identity import row_event_id

COMPRESSED_ENDINGS: Final = (".gz", ".zst", ".zstd")
_ROTATION: Final = re.compile(
    r"(\.gz|\.zstd?|\.\d{1,3}|[-._]\d{8}(?:[-_T]?\d{2,6})?|[-._]\d{4}-\d{2}-\d{2}(?:[-_T]\d{2}(?:[-_:]?\d{2}){0,2})?)$"
)
"""What compressing or rotating adds to a log's name: .gz, .zst, .1, -20240131, .2024-01-31, .2024-01-31_13."""


def source_of(path: Path) -> str:
    """`file:<name>`, where the name is the file's without what rotation and compression have added to it."""
    name = path.name
    while True:
        shorter = _ROTATION.sub("", name)
        if shorter == name or not shorter:
            return f"file:{name}"[:256]
        name = shorter


class RowNames:
    """Names the rows of one file, in the order in which they stand."""

    def __init__(self, source: str) -> None:
        self.source = source
        # Hashes instead of contents, and counts only of those that came again: most rows are unlike all others.
        self._seen: set[int] = set()
        self._repeats: dict[int, int] = {}

    def of_row(self, content: bytes) -> Callable[[], str]:
        """Gives the name of the next row, the same each time it is asked; a row that is never asked for has none.

        content: its bytes without line end.
        """
        name = ""

        def named() -> str:
            nonlocal name
            if not name:
                name = row_event_id(self.source, content, self.occurrence_of(content))
            return name

        return named

    def occurrence_of(self, content: bytes) -> int:
        """How many equal rows were named before this one."""
        key = hash(content)
        if key not in self._seen:
            self._seen.add(key)
            return 0
        occurrence = self._repeats[key] = self._repeats.get(key, 0) + 1
        return occurrence
