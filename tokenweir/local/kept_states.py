"""What the detectors of an embedded run know, kept in a file of the data directory.

The embedded broker keeps its topics in memory, every message until it ends: states would fill it up, and be gone with
it. A run that follows goes on with what is here, in a log that begins anew.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from streams.detection.checkpoint import Record
from streams.detection.keeping import Send
from tokenweir.errors import StoreUnavailable

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS kept (partition INTEGER, key BLOB, value BLOB, PRIMARY KEY (partition, key))"
)


class FileKeeper:
    """A Keeper in an SQLite file. Raises StoreUnavailable where the file cannot be used."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._of_this_run: set[int] = set()

    def read(self, partition: int) -> Iterable[Record]:
        """See Keeper."""
        try:
            with closing(self._opened()) as database:
                return database.execute(
                    "SELECT key, value FROM kept WHERE partition = ? ORDER BY rowid", (partition,)
                ).fetchall()
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def is_of_this_log(self, partition: int) -> bool:
        """Whether this run has kept anything of the partition."""
        return partition in self._of_this_run

    async def keep(self, partition: int, records: Sequence[Record], send: Send) -> None:
        """See Keeper; nothing is sent."""
        await asyncio.to_thread(self._write, partition, records)
        self._of_this_run.add(partition)

    def _write(self, partition: int, records: Sequence[Record]) -> None:
        try:
            with closing(self._opened()) as database, database:
                for key, value in records:
                    if value is None:
                        database.execute("DELETE FROM kept WHERE partition = ? AND key = ?", (partition, key))
                    else:
                        database.execute(
                            "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (partition, key, value)
                        )
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file)
        database.execute(_SCHEMA)
        return database

    def _problem(self, error: sqlite3.Error) -> StoreUnavailable:
        return StoreUnavailable(
            f"what the detectors know cannot be kept in {self._file}: {error}",
            hint="Make room, or move the file away: the detectors then learn anew",
        )
