"""A data directory: the ledger of an embedded run, and the note by which other processes find that run.

Invariants: at most one process has the ledger open (the engine allows no more), which an exclusive lock on
`lock` holds; the kernel drops it however the process ends, so a crash leaves nothing to clean up. `running.json`
is only believed while that lock is held.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from tokenweir.errors import StoreUnavailable, WrongCall

_STARTING_SECONDS = 30.0
_POLL_SECONDS = 0.1


class DataDirInUse(StoreUnavailable):
    """Another process has this data directory's ledger open."""


@dataclass(frozen=True, slots=True)
class RunningPipeline:
    """Where an embedded run of another process can be reached. All addresses are on loopback."""

    pid: int
    started_at: str
    host: str
    port: int
    clickhouse_port: int
    kafka_bootstrap_servers: str

    @property
    def page_url(self) -> str:
        """The local page."""
        return f"http://{self.host}:{self.port}/"


class DataDir:
    """One data directory, made when it is first locked."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.ledger = self.path / "ledger"
        self.story = self.path / "story.json"
        self.broker_log = self.path / "broker.log"
        self.worker_state = self.path / "worker"
        self.kept_states = self.path / "detection.sqlite"
        self._lock_file = self.path / "lock"
        self._note = self.path / "running.json"

    @contextmanager
    def locked(self, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Holds the directory for this process alone.

        Raises DataDirInUse where another process still holds it after `wait_seconds`, WrongCall where the
        directory cannot be made or written.
        """
        self._make()
        with self._open_lock() as handle:
            self._wait_for_lock(handle, wait_seconds)
            self._note.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._note.unlink(missing_ok=True)

    def announce(self, running: RunningPipeline) -> None:
        """Tells other processes where this run is. Only the holder of the lock may call it."""
        written = self._note.with_suffix(".new")
        written.write_text(json.dumps(asdict(running), indent=2) + "\n", encoding="utf-8")
        written.replace(self._note)

    def running(self, *, wait_seconds: float = _STARTING_SECONDS) -> RunningPipeline | None:
        """The run that has this directory open and takes visitors, or None where nobody has it open.

        Waits for a run that is just starting. Raises DataDirInUse where the holder takes no visitors (a command
        that reads the ledger by itself, a run that does not come up).
        """
        deadline = time.monotonic() + wait_seconds
        while self._is_held():
            found = self._read_note()
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                raise self._in_use()
            time.sleep(_POLL_SECONDS)
        return None

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongCall(
                f"the data directory {self.path} cannot be made: {error.strerror}",
                hint="Name another with --data-dir",
            ) from error

    def _open_lock(self) -> IO[str]:
        try:
            return self._lock_file.open("a+", encoding="utf-8")
        except OSError as error:
            raise WrongCall(
                f"the data directory {self.path} cannot be written: {error.strerror}",
                hint="Name another with --data-dir",
            ) from error

    def _wait_for_lock(self, handle: IO[str], wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
                if time.monotonic() >= deadline:
                    raise self._in_use() from error
                time.sleep(_POLL_SECONDS)
            else:
                handle.seek(0)
                handle.truncate()
                handle.write(f"{os.getpid()}\n")
                handle.flush()
                return

    def _is_held(self) -> bool:
        if not self._lock_file.exists():
            return False
        with self._open_lock() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
            return False

    def _read_note(self) -> RunningPipeline | None:
        try:
            return RunningPipeline(**json.loads(self._note.read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None

    def _in_use(self) -> DataDirInUse:
        holder = ""
        if self._lock_file.exists():
            holder = self._lock_file.read_text(encoding="utf-8").strip()
        by = f" by process {holder}" if holder else ""
        return DataDirInUse(
            f"the data directory {self.path} is in use{by}",
            hint="Wait for it to end, stop it, or name another directory with --data-dir",
            retry_after_seconds=5.0,
        )
