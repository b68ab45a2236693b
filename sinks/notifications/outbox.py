"""What waits to be told on each channel, and what was told: one SQLite file, so that a restart repeats nothing.

Invariants:
- a signal that `put` has returned for is on disk: it waits until it was sent;
- a signal is put once for a channel, however often Kafka delivers it;
- what was sent is noted after it was sent: a crash in between repeats that one message and no other;
- nothing is sent that could not be noted: where the disk is full, nobody is told the same with each start anew.

Limits: one process has the file at a time. What was told is remembered for as long as Kafka keeps signals, and more.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from sinks.notifications.schedule import CAP_PERIOD
from tokenweir.errors import StoreUnavailable, WrongCall
from tokenweir.signals import Signal

_REMEMBERED: Final = timedelta(days=90)
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY, channel TEXT, id TEXT, incident TEXT, put_at REAL, signal TEXT, UNIQUE (channel, id));
CREATE TABLE IF NOT EXISTS told (channel TEXT, id TEXT, incident TEXT, at REAL, PRIMARY KEY (channel, id));
CREATE INDEX IF NOT EXISTS told_incidents ON told (channel, incident);
CREATE TABLE IF NOT EXISTS messages (channel TEXT, at REAL);
CREATE TABLE IF NOT EXISTS sending (channel TEXT PRIMARY KEY, at REAL);
CREATE TABLE IF NOT EXISTS troubles (channel TEXT PRIMARY KEY, failures INTEGER, retry_at REAL, signal TEXT);
CREATE TABLE IF NOT EXISTS to_say (id TEXT PRIMARY KEY, signal TEXT);
"""


class Waiting(NamedTuple):
    """A signal that waits for a channel; `number` rises with the order in which they came."""

    number: int
    put_at: datetime
    signal: Signal


class Trouble(NamedTuple):
    """A channel that failed so often in a row. signal: what said so, once it did."""

    failures: int
    retry_at: datetime
    signal: Signal | None


class Outbox:
    """May be used by several threads. Raises WrongCall where another process has the folder.

    It, and every method, raises StoreUnavailable where the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = (folder / "lock").open("w")
        except OSError as error:
            raise self._problem(error) from error
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock_file.close()
            raise WrongCall(
                f"another process sends notifications from {folder}",
                hint="Run one, or give each its own notifications.state_dir",
            ) from error
        try:
            self._database = sqlite3.connect(
                folder / "outbox.sqlite", check_same_thread=False, isolation_level=None
            )
            self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES}")
        except sqlite3.Error as error:
            self._lock_file.close()
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"what is to be told cannot be kept in {self._folder}: {error}",
            hint="Make room, or mend the folder's rights, and start again: what is not kept yet stays in Kafka",
        )

    def close(self) -> None:
        """Give the folder back."""
        with self._lock:
            self._database.close()
            self._lock_file.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield self._database
                self._database.execute("COMMIT")
            except BaseException as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._problem(error) from error
                raise

    def _read(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._database.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise self._problem(error) from error

    def has(self, channel: str, signal_id: str) -> bool:
        """Whether this signal waits for the channel, or was told."""
        return bool(
            self._read(
                "SELECT 1 FROM told WHERE channel = ?1 AND id = ?2 "
                "UNION ALL SELECT 1 FROM waiting WHERE channel = ?1 AND id = ?2 LIMIT 1",
                (channel, signal_id),
            )
        )

    def knows(self, channel: str, incident: str) -> bool:
        """Whether anything of this incident waits for the channel, or was told."""
        return bool(
            self._read(
                "SELECT 1 FROM told WHERE channel = ?1 AND incident = ?2 "
                "UNION ALL SELECT 1 FROM waiting WHERE channel = ?1 AND incident = ?2 LIMIT 1",
                (channel, incident),
            )
        )

    def put(self, channels: Iterable[str], signal: Signal, now: datetime) -> None:
        """Let a signal wait for these channels."""
        line = signal.model_dump_json()
        with self._writing() as database:
            database.executemany(
                "INSERT OR IGNORE INTO waiting (channel, id, incident, put_at, signal) VALUES (?, ?, ?, ?, ?)",
                [(one, signal.id, signal.incident, now.timestamp(), line) for one in channels],
            )

    def take_back(self, channel: str, incident: str) -> None:
        """Let nothing of an incident wait any more: nobody is to be told."""
        with self._writing() as database:
            database.execute("DELETE FROM waiting WHERE channel = ? AND incident = ?", (channel, incident))

    def waiting(self, channel: str) -> list[Waiting]:
        """What waits for a channel, in the order in which it came."""
        rows = self._read(
            "SELECT number, put_at, signal FROM waiting WHERE channel = ? ORDER BY number", (channel,)
        )
        return [
            Waiting(int(str(number)), _time(at), Signal.model_validate_json(str(line)))
            for number, at, line in rows
        ]

    def note_sending(self, channel: str, now: datetime) -> None:
        """A message is about to be sent: if that can be noted, so can be that it was."""
        with self._writing() as database:
            database.execute("INSERT OR REPLACE INTO sending VALUES (?, ?)", (channel, now.timestamp()))

    def note_sent(self, channel: str, sent: Sequence[Waiting], now: datetime) -> None:
        """A message with these signals was taken by the channel, though one may have been taken back meanwhile."""
        at = now.timestamp()
        with self._writing() as database:
            for number, _, signal in sent:
                database.execute(
                    "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)",
                    (channel, signal.id, signal.incident, at),
                )
                database.execute("DELETE FROM waiting WHERE number = ?", (number,))
            database.execute("INSERT INTO messages VALUES (?, ?)", (channel, at))
            database.execute("DELETE FROM messages WHERE at < ?", ((now - 2 * CAP_PERIOD).timestamp(),))
            database.execute("DELETE FROM told WHERE at < ?", ((now - _REMEMBERED).timestamp(),))

    def sent_at(self, channel: str) -> list[datetime]:
        """When messages were sent lately."""
        return [_time(at) for (at,) in self._read("SELECT at FROM messages WHERE channel = ?", (channel,))]

    def trouble(self, channel: str) -> Trouble | None:
        """How a channel fails; None while it works."""
        rows = self._read("SELECT failures, retry_at, signal FROM troubles WHERE channel = ?", (channel,))
        for failures, retry_at, line in rows:
            signal = Signal.model_validate_json(str(line)) if line else None
            return Trouble(int(str(failures)), _time(retry_at), signal)
        return None

    def set_trouble(self, channel: str, trouble: Trouble | None, *, say: Signal | None = None) -> None:
        """Note how a channel fails, or that it works, and what has to be said of that."""
        with self._writing() as database:
            database.execute("DELETE FROM troubles WHERE channel = ?", (channel,))
            if trouble is not None:
                line = trouble.signal.model_dump_json() if trouble.signal else None
                database.execute(
                    "INSERT INTO troubles VALUES (?, ?, ?, ?)",
                    (channel, trouble.failures, trouble.retry_at.timestamp(), line),
                )
            if say is not None:
                database.execute(
                    "INSERT OR REPLACE INTO to_say VALUES (?, ?)", (say.id, say.model_dump_json())
                )

    def to_say(self) -> list[Signal]:
        """Signals about channels that Kafka does not have yet."""
        rows = self._read("SELECT signal FROM to_say ORDER BY rowid")
        return [Signal.model_validate_json(str(line)) for (line,) in rows]

    def said(self, signal: Signal) -> None:
        """Kafka has it."""
        with self._writing() as database:
            database.execute("DELETE FROM to_say WHERE id = ?", (signal.id,))

    def forget_others(self, channels: Iterable[str]) -> int:
        """Drop what waits for channels that are no more. Returns how many signals that were."""
        names = list(channels)
        marks = ", ".join("?" * len(names))
        with self._writing() as database:
            database.execute(f"DELETE FROM troubles WHERE channel NOT IN ({marks})", names)  # noqa: S608 - marks only
            found = database.execute(f"DELETE FROM waiting WHERE channel NOT IN ({marks})", names)  # noqa: S608
            return found.rowcount


def _time(value: object) -> datetime:
    return datetime.fromtimestamp(float(str(value)), UTC)
