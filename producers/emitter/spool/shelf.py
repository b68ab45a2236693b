"""Directories of segments, one a running emitter, under one spool directory that many processes may share.

An emitter makes a shelf of its own and holds an exclusive lock on the file `lock` in it for as long as it lives. The
kernel drops that lock however the process ends, so a shelf that is not locked is an orphan, and who gets its lock has
adopted it.

Invariants: a shelf has one owner at a time; it shows under its name only once it is locked, and its lock file is the
last of it to go.
Limits: `flock` on a local file system. A forked child shares its parent's lock until it has called `forget`.
"""

import contextlib
import fcntl
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LOCK: Final = "lock"
_NAME: Final = re.compile(r"emitter-[0-9a-f-]{36}")
_NEW: Final = "new-"
_SEGMENT: Final = re.compile(r"(\d{12})\.segment")
_FORGOTTEN_SECONDS: Final = 60.0
"""A shelf that was never finished being made for so long has no maker any more."""


class Shelf:
    """One emitter's directory, locked. From `make` or `adopt_orphans`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    def segment_path(self, number: int) -> Path:
        """Where segment `number` stands."""
        return self.path / f"{number:012}.segment"

    def segments(self) -> list[Path]:
        """The segments that are there, the oldest first. Raises OSError."""
        return sorted(path for path in self.path.iterdir() if _SEGMENT.fullmatch(path.name))

    def release(self) -> None:
        """Leave it to whoever adopts it; where nothing is left in it, remove it."""
        if self._lock is None:
            return
        with contextlib.suppress(OSError):
            if not self.segments():
                (self.path / _LOCK).unlink(missing_ok=True)
                self.path.rmdir()
        self.forget()

    def forget(self) -> None:
        """Let go of the lock's file alone. In a forked child that leaves the parent's lock as it is."""
        if self._lock is not None:
            lock, self._lock = self._lock, None
            with contextlib.suppress(OSError):
                os.close(lock)


def make(directory: Path) -> Shelf:
    """A new shelf under `directory`, which is made where it is missing. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    # In the order in which they are made, so that the oldest orphan is adopted first.
    name = f"{time.time_ns():032x}"
    identity = f"{name[-16:-8]}-{name[-8:-4]}-{name[-4:]}-{uuid.uuid4().hex[:4]}-{uuid.uuid4().hex[:12]}"
    new = directory / f"{_NEW}{identity}"
    new.mkdir(mode=0o700)
    lock = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path = directory / f"emitter-{identity}"
        new.rename(path)
    except OSError:
        os.close(lock)
        raise
    return Shelf(path, lock)


def adopt_orphans(directory: Path) -> Iterator[Shelf]:
    """The shelves under `directory` that nobody owns, the oldest first, each locked. Raises OSError."""
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return
    for name in names:
        path = directory / name
        if _NAME.fullmatch(name):
            lock = _try_lock(path)
            if lock is not None:
                yield Shelf(path, lock)
        elif name.startswith(_NEW):
            _remove_forgotten(path)


def _try_lock(path: Path) -> int | None:
    try:
        lock = os.open(path / _LOCK, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between listing and locking another one may have emptied and removed it.
        if os.fstat(lock).st_ino == (path / _LOCK).stat().st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _remove_forgotten(path: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
            (path / _LOCK).unlink(missing_ok=True)
            path.rmdir()
