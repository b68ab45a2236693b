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
from pathlib import Path
from typing import Final

from tokenweir.usage.identity import row_event_id

_ROTATION: Final = re.compile(
    r"(\.gz|\.\d{1,3}|[-._]\d{8}(?:[-_T]?\d{2,6})?|[-._]\d{4}-\d{2}-\d{2}(?:[-_T]\d{2}(?:[-_:]?\d{2}){0,2})?)$"
)
"""What compressing or rotating adds to a log's name: .gz, .1, -20240131, .2024-01-31, .2024-01-31_13."""


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
        self._last_number = -1
        self._last_name = ""

    def name(self, number: int, content: bytes) -> str:
        """The name of the row at `number`, the same when asked again before the next one.

        content: its bytes without line end.
        """
        if number == self._last_number:
            return self._last_name
        key = hash(content)
        occurrence = 0
        if key in self._seen:
            occurrence = self._repeats[key] = self._repeats.get(key, 0) + 1
        else:
            self._seen.add(key)
        self._last_number = number
        self._last_name = row_event_id(self.source, content, occurrence)
        return self._last_name
