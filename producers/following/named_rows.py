"""The numbers of equal rows: which calls a log has named, so that each further equal row is a further call.

A row without an id of its own is named by its bytes and a number. A file that is numbered on its own counts from 0,
as `weir ingest` counts it, so that the same rows read again have the same names; a file that is known to be a further
generation of its log counts behind all that the log has ever named.
Invariants: the numbers that a log has given to equal rows are 0 to n without a gap, and n is never less than the count
of any one file of it; so whatever file of it is read anew, here or by `weir ingest`, names nothing that is not there.
Nothing is on disk before `write`, which runs in the caller's transaction.
Limits: a row takes 20 to 30 bytes on disk, once for the log and once for each file of it that counts on its own. Of
more than MOST_ROWS those go that were not met for the longest, never one of the last MOST_ROWS / 2.
"""

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Final

from producers.following.checkpoint import Checkpoint
from tokenweir.usage.identity import row_event_id

MOST_ROWS: Final = 20_000_000
_TABLE: Final = """(
    log INTEGER NOT NULL, row INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (log, row, series)
) WITHOUT ROWID"""
SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS named_rows {_TABLE};
CREATE TABLE IF NOT EXISTS named_rows_before {_TABLE};
"""
"""Rows that were met are in the first table. When it is half full it becomes the second, and the second goes."""

_AGE: Final = (
    "DROP TABLE named_rows_before",
    "ALTER TABLE named_rows RENAME TO named_rows_before",
    f"CREATE TABLE named_rows {_TABLE}",
)
_OF_LOG: Final = (
    "SELECT max(count) FROM named_rows WHERE log = ? AND row = ?",
    "SELECT max(count) FROM named_rows_before WHERE log = ? AND row = ?",
)
_OF_SERIES: Final = (
    "SELECT max(count) FROM named_rows WHERE log = ? AND row = ? AND series = ?",
    "SELECT max(count) FROM named_rows_before WHERE log = ? AND row = ? AND series = ?",
)
_ROWS_OF_A_PAGE: Final = 256
"""More than a page can hold; counting them takes a second for ten million."""

_BEHIND: Final = 0
"""The series of all files that count behind the others; a file that counts on its own has its checkpoint's id."""

_Key = tuple[int, int, int]
"""Log, row, series."""


class NamedRows:
    """Numbers the rows of all logs. most_rows: to keep."""

    def __init__(self, database: sqlite3.Connection, *, most_rows: int = MOST_ROWS) -> None:
        self._database = database
        self._most_rows = most_rows
        self._unwritten: dict[_Key, int] = {}
        self._series_of: dict[int, set[int]] = {}
        self._this_turn: dict[_Key, int | None] = {}
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        self._rows_at_most = pages * _ROWS_OF_A_PAGE
        self._has_before = database.execute("SELECT 1 FROM named_rows_before LIMIT 1").fetchone() is not None

    def of_row(
        self, source: str, checkpoint: Checkpoint, content: bytes, *, may_be_forgotten: bool = False
    ) -> Callable[[], str]:
        """Gives the name of the next row of a file, the same each time it is asked; a row that is never asked for has
        none. may_be_forgotten: whether `forget_turn` is to take it back."""
        name = ""

        def named() -> str:
            nonlocal name
            if not name:
                number = self._number(checkpoint, content, may_be_forgotten=may_be_forgotten)
                name = row_event_id(source, content, number)
            return name

        return named

    def begin_turn(self) -> None:
        """From here on `forget_turn` takes back."""
        self._this_turn.clear()

    def forget_turn(self) -> None:
        """Takes back the numbers of this turn that may be forgotten."""
        for key, before in self._this_turn.items():
            if before is None:
                del self._unwritten[key]
            else:
                self._unwritten[key] = before
        self._this_turn.clear()

    def forget_unwritten(self) -> None:
        """Takes back all since `write`."""
        self._unwritten.clear()
        self._series_of.clear()
        self._this_turn.clear()

    def forget_logs(self, logs: set[int]) -> None:
        """Drops all numbers of these logs."""
        for log in logs:
            self._database.execute("DELETE FROM named_rows WHERE log = ?", (log,))
            self._database.execute("DELETE FROM named_rows_before WHERE log = ?", (log,))

    def write(self) -> None:
        """Writes what was named since `forget_unwritten`, which the caller calls when that is certain."""
        if not self._unwritten:
            return
        self._database.executemany(
            "INSERT OR REPLACE INTO named_rows VALUES (?, ?, ?, ?)",
            ((*key, count) for key, count in self._unwritten.items()),
        )
        self._rows_at_most += len(self._unwritten)
        if self._rows_at_most < self._most_rows // 2:
            return
        self._rows_at_most = self._count_rows()
        if self._rows_at_most >= self._most_rows // 2:
            for statement in _AGE:
                self._database.execute(statement)
            self._rows_at_most, self._has_before = 0, True

    def _number(self, checkpoint: Checkpoint, content: bytes, *, may_be_forgotten: bool) -> int:
        row = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)
        log = checkpoint.log
        key = (log, row, _BEHIND if checkpoint.behind else checkpoint.id)
        before = self._unwritten.get(key)
        number = self._written(key) if before is None else before
        all_series = self._series_of.setdefault(log, set())
        all_series.add(key[2])
        if checkpoint.behind and len(all_series) > 1:
            number = max(number, *(self._unwritten.get((log, row, series), 0) for series in all_series))
        if may_be_forgotten:
            self._this_turn.setdefault(key, before)
        self._unwritten[key] = number + 1
        return number

    def _written(self, key: _Key) -> int:
        """The number that the next row has by what is written."""
        tables = 2 if self._has_before else 1
        if key[2] == _BEHIND:
            return max(self._highest(query, key[:2]) for query in _OF_LOG[:tables])
        # What was met last is in the first table.
        return next((found for query in _OF_SERIES[:tables] if (found := self._highest(query, key))), 0)

    def _highest(self, query: str, key: tuple[int, ...]) -> int:
        (found,) = self._database.execute(query, key).fetchone()
        return int(found or 0)

    def _count_rows(self) -> int:
        (found,) = self._database.execute("SELECT count(*) FROM named_rows").fetchone()
        return int(found)
