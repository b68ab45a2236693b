"""Where checkpoints are kept: one SQLite file in a directory of the collector's own.

Invariants: a checkpoint and the numbers of the equal rows before it are written in one transaction, which is on disk
before `commit` returns; a process that is killed at any point leaves the state of its last commit. One process at a
time has a directory; the kernel drops the lock however it ends.
Limits: numbering equal rows takes about 40 bytes on disk for each row without an id of its own, of the present and of
the last generation of a log.
"""

import errno
import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from producers.following.checkpoint import Checkpoint
from tokenweir.errors import TokenweirError, WrongCall
from tokenweir.usage.identity import row_event_id

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS checkpoints (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS named_rows (
    lineage INTEGER NOT NULL, row INTEGER NOT NULL, count INTEGER NOT NULL, generation INTEGER NOT NULL,
    PRIMARY KEY (lineage, row)
) WITHOUT ROWID;
"""


class StateInUse(TokenweirError):
    """Another process follows files with this state directory."""


class CheckpointStore:
    """The checkpoints of one collector. A context manager."""

    def __init__(self, directory: Path) -> None:
        """Raises StateInUse where another process has it, WrongCall where it cannot be made or read."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = (directory / "lock").open("a")
        except OSError as error:
            raise WrongCall(
                f"the state directory {directory} cannot be written: {error.strerror}",
                hint="Name another with --state-dir",
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise StateInUse(
                f"another collector uses the state directory {directory}",
                hint="Stop it, or give this one a --state-dir of its own",
            ) from None
        self._named: dict[tuple[int, int], tuple[int, int]] = {}
        self._database = sqlite3.connect(directory / "checkpoints.sqlite", isolation_level=None)
        try:
            self._prepare(directory)
        except sqlite3.DatabaseError as error:
            self.close()
            raise WrongCall(
                f"the state in {directory} cannot be read: {error}",
                hint="Move it away to begin anew: what is read again is not counted twice",
            ) from None

    def __enter__(self) -> "CheckpointStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> list[Checkpoint]:
        """All checkpoints as last committed; forgets what was named since."""
        self._named.clear()
        rows = self._database.execute("SELECT id, body FROM checkpoints").fetchall()
        return [Checkpoint(**json.loads(body), id=number) for number, body in rows]

    def commit(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Keeps these checkpoints and what was named since the last commit; on disk when it returns."""
        run = self._database.execute
        run("BEGIN IMMEDIATE")
        try:
            for checkpoint in checkpoints:
                body = json.dumps(checkpoint.as_row())
                if checkpoint.id:
                    run("UPDATE checkpoints SET body = ? WHERE id = ?", (body, checkpoint.id))
                else:
                    checkpoint.id = run("INSERT INTO checkpoints (body) VALUES (?)", (body,)).lastrowid or 0
            self._database.executemany(
                "INSERT OR REPLACE INTO named_rows VALUES (?, ?, ?, ?)",
                ((lineage, row, *counted) for (lineage, row), counted in self._named.items()),
            )
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        self._named.clear()

    def forget(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Drops checkpoints, and the numbers of logs of which none is left."""
        run = self._database.execute
        run("BEGIN IMMEDIATE")
        for checkpoint in checkpoints:
            run("DELETE FROM checkpoints WHERE id = ?", (checkpoint.id,))
        run(
            "DELETE FROM named_rows WHERE lineage NOT IN "
            "(SELECT json_extract(body, '$.lineage') FROM checkpoints)"
        )
        run("COMMIT")

    def drop_generations(self, lineage: int, before: int) -> None:
        """Forgets the numbers of rows that were last met in a generation before this one."""
        self._database.execute(
            "DELETE FROM named_rows WHERE lineage = ? AND generation < ?", (lineage, before)
        )

    def name_of(self, source: str, checkpoint: Checkpoint, content: bytes) -> Callable[[], str]:
        """Gives the name of the next row of a file, the same each time it is asked."""
        name = ""

        def named() -> str:
            nonlocal name
            if not name:
                name = row_event_id(source, content, self._occurrence_of(checkpoint, content))
            return name

        return named

    def forget_names(self, lineage: int) -> None:
        """Forgets what was named of a log since the last commit."""
        for key in [key for key in self._named if key[0] == lineage]:
            del self._named[key]

    def close(self) -> None:
        """Closes the file and gives the directory free."""
        self._database.close()
        self._lock.close()

    def _prepare(self, directory: Path) -> None:
        # In WAL mode a commit is on disk only with FULL.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _SCHEMA_VERSION):
            raise WrongCall(
                f"the state in {directory} was written by another version",
                hint="Name another with --state-dir",
            )
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def _occurrence_of(self, checkpoint: Checkpoint, content: bytes) -> int:
        row = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)
        key = (checkpoint.lineage, row)
        counted = self._named.get(key)
        if counted is None:
            counted = self._database.execute(
                "SELECT count, generation FROM named_rows WHERE lineage = ? AND row = ?", key
            ).fetchone()
        before = counted[0] if counted is not None else 0
        self._named[key] = (before + 1, checkpoint.generation)
        return before
