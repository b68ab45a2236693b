"""The files that are there, and looking into them."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from producers.files.lines import DAMAGE
from producers.following.births import born_ns
from producers.following.checkpoint import Checkpoint, is_compressed_file, open_content, resume

COMPRESSING_SECONDS: Final = 2.0
"""A compressed file that changed within this time may still be written, and waits."""

Found = TypeVar("Found")


class Present(NamedTuple):
    """A file that is there. born_ns: 0 where the system does not tell."""

    path: Path
    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    born_ns: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode


def present_at(path: Path) -> Present | None:
    """The regular file at `path`; None where there is none that can be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Present(
        path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, born_ns(path, status)
    )


class Look:
    """Looks into files at one moment. waiting, unreadable: filled with what cannot be read now."""

    def __init__(self, now_seconds: float, waiting: list[Path], unreadable: dict[str, str]) -> None:
        self._now_seconds = now_seconds
        self._waiting = waiting
        self._unreadable = unreadable
        self._beside: dict[Path, dict[tuple[int, int], Present]] = {}
        self._waits: dict[tuple[int, int], bool] = {}

    def beside(self, path: Path) -> Mapping[tuple[int, int], Present]:
        """The files of a path's directory by device and inode."""
        if path.parent not in self._beside:
            self._beside[path.parent] = {file.key: file for file in _files_in(path.parent)}
        return self._beside[path.parent]

    def holds(self, checkpoint: Checkpoint, file: Present, *, whole: bool) -> bool:
        """Whether the file holds what was read up to the checkpoint. Raises DAMAGE."""
        with open_content(file.path) as content:
            status = os.fstat(content.fileno())
            if (status.st_dev, status.st_ino) != file.key:
                raise FileNotFoundError  # It was rotated since it was seen; the next look finds it.
            return resume(checkpoint, content, whole=whole) is not None

    def waits(self, file: Present) -> bool:
        """Whether the file may still be written, which is told."""
        if file.key not in self._waits:
            self._waits[file.key] = self.reads(file, lambda: False) is None and file.path in self._waiting
        return self._waits[file.key]

    def reads(self, file: Present, look: Callable[[], Found]) -> Found | bool | None:
        """What `look` finds; None where the file cannot be read now, which is told."""
        try:
            if is_compressed_file(file.path):
                unchanged_seconds = self._now_seconds - file.modified_ns / 1e9
                if unchanged_seconds < COMPRESSING_SECONDS:
                    self._waiting.append(file.path)
                    return None
            return look()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._unreadable[str(file.path)] = error.strerror or str(error)
            return None
        except DAMAGE:
            return False


def _files_in(directory: Path) -> Iterator[Present]:
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        file = present_at(directory / name)
        if file is not None:
            yield file
