"""Where checkpoints are kept: one SQLite file in a directory of the collector's own.

Invariants: a checkpoint and the numbers of the equal rows before it are written in one transaction, which is on disk
before `commit` returns; a process that is killed at any point leaves the state of its last commit. One process at a
time has a directory; the kernel drops the lock however it ends.
"""

import errno
import fcntl
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from producers.following.checkpoint import Checkpoint
from producers.following.named_rows import SCHEMA, NamedRows
from tokenweir.errors import TokenweirError, WrongCall

_SCHEMA_VERSION: Final = 2
_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS checkpoints (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
{SCHEMA}
"""


class StateInUse(TokenweirError):
    """Another process follows files with this state directory."""


class CheckpointStore:
    """The checkpoints of one collector, and in `names` the numbers of its rows. A context manager."""

    names: NamedRows

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
        self.names.forget_unwritten()
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
            self.names.write()
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        self.names.forget_unwritten()

    def forget(self, checkpoints: Iterable[Checkpoint], logs: set[int]) -> None:
        """Drops checkpoints, and the numbers of the rows of these logs."""
        run = self._database.execute
        run("BEGIN IMMEDIATE")
        for checkpoint in checkpoints:
            run("DELETE FROM checkpoints WHERE id = ?", (checkpoint.id,))
        self.names.forget_logs(logs)
        run("COMMIT")

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
                hint="Move it away to begin anew: what is read again is not counted twice",
            )
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        self.names = NamedRows(self._database)
