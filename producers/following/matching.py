"""Which file is which: the files that are there now, set against the checkpoints of those that were read.

In the order of certainty: the same inode with the same content at the checkpoint, among the files asked for and, as
rotation usually puts a file where no pattern matches, beside its old path; then the same content under another inode
(a copy, a compressed copy) with a name of the same log, at both places; else it is a file that was not read yet, and
the next generation of the log that was rotated away from its path.
Pure but for reading the files' own bytes.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from producers.files.lines import DAMAGE
from producers.files.row_names import source_of
from producers.following.checkpoint import Checkpoint, first_held, is_compressed_file, open_content, resume

COMPRESSING_SECONDS: Final = 2.0
"""A compressed file that changed within this time may still be written, and waits."""


class Present(NamedTuple):
    """A file that is there."""

    path: Path
    device: int
    inode: int
    size_bytes: int
    modified_ns: int

    @property
    def key(self) -> tuple[int, int]:
        """Device and inode."""
        return self.device, self.inode


@dataclass(slots=True)
class Matched:
    """What came of it. claimed: the checkpoints whose file is there, each with it. new: files without a checkpoint,
    each with the checkpoint that had its path before, if any. lost: checkpoints whose file is nowhere. waiting: paths
    that are not looked at yet. unreadable: by path, why it cannot be read."""

    claimed: list[tuple[Checkpoint, Present]] = field(default_factory=list)
    new: list[tuple[Present, Checkpoint | None]] = field(default_factory=list)
    lost: list[Checkpoint] = field(default_factory=list)
    waiting: list[Path] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def present_at(path: Path) -> Present | None:
    """The regular file at `path`; None where there is none that can be seen."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Present(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def match(
    files: Iterable[Present],
    known: Iterable[Checkpoint],
    *,
    now_seconds: float,
    is_searched: Callable[[Checkpoint], bool] = lambda _: True,
) -> Matched:
    """Sets files against checkpoints. Of one file under two names (links) the first is taken.

    is_searched: whether to look for a lost checkpoint's file beside its old path. Moves nothing but the path, device
    and inode of checkpoints whose file has moved, and takes the inode from those that lost theirs to another file.
    """
    matching = _Matching(known, now_seconds)
    by_key: dict[tuple[int, int], Present] = {}
    for file in files:
        by_key.setdefault(file.key, file)
    unclaimed = [file for file in by_key.values() if not matching.claim_same(file)]
    searched = [checkpoint for checkpoint in matching.lost() if is_searched(checkpoint)]
    for checkpoint in searched:
        matching.adopt(checkpoint, taken=by_key, same_inode=True)
    unclaimed = [file for file in unclaimed if not matching.claim_copy(file)]
    for checkpoint in searched:
        matching.adopt(checkpoint, taken=by_key, same_inode=False)
    for file in unclaimed:
        if matching.may_be_successor(file):
            matching.result.waiting.append(file.path)
        else:
            matching.result.new.append((file, matching.predecessor_of(file)))
    matching.result.lost = list(matching.lost())
    return matching.result


class _Matching:
    def __init__(self, known: Iterable[Checkpoint], now_seconds: float) -> None:
        self.result = Matched()
        self._known = list(known)
        self._claimed: set[int] = set()
        self._now_seconds = now_seconds
        self._by_key = {one.key: one for one in sorted(self._known, key=lambda one: one.seen_at)}
        self._lost_by_name: dict[str, list[Checkpoint]] | None = None
        self._beside: dict[Path, list[Present]] = {}

    def lost(self) -> Iterator[Checkpoint]:
        return (one for one in self._known if id(one) not in self._claimed)

    def claim_same(self, file: Present) -> bool:
        """Whether the file is the one of its inode's checkpoint, or waits."""
        checkpoint = self._by_key.get(file.key)
        if checkpoint is None or id(checkpoint) in self._claimed:
            return False
        if (file.size_bytes, file.modified_ns) != (checkpoint.size_bytes, checkpoint.modified_ns):
            held = self._reads(file, lambda: self._holds(checkpoint, file))
            if held is None:
                self._claimed.add(id(checkpoint))  # neither lost nor read now
                return True
            if not held:
                checkpoint.device = checkpoint.inode = 0  # the inode is another file's now
                return False
        self._claim(checkpoint, file)
        return True

    def claim_copy(self, file: Present) -> bool:
        """Whether the file is a copy of what a lost checkpoint was read from, or waits."""
        named_alike = self._named_alike().get(source_of(file.path), ())
        candidates = [one for one in named_alike if id(one) not in self._claimed]
        if not candidates and not self._waits(file):
            return False
        found = self._reads(file, lambda: first_held(candidates, file.path) if candidates else False)
        if found is None:
            return True
        if not isinstance(found, Checkpoint):
            return False
        found.device, found.inode = file.key
        self._claim(found, file)
        return True

    def adopt(
        self, checkpoint: Checkpoint, *, taken: Mapping[tuple[int, int], Present], same_inode: bool
    ) -> None:
        """Claims for a lost checkpoint what lies beside its old path and is its file, or is a copy of it."""
        old = Path(checkpoint.path)
        if id(checkpoint) in self._claimed or (not same_inode and not checkpoint.offset):
            return
        if old.parent not in self._beside:
            self._beside[old.parent] = list(_files_in(old.parent))
        name = source_of(old)
        for file in self._beside[old.parent]:
            if file.key in taken or (file.key == checkpoint.key) != same_inode:
                continue
            if file.path == old:
                return  # It is only not asked for any more.
            if not same_inode and source_of(file.path) != name:
                continue
            if self._reads(file, lambda file=file: self._holds(checkpoint, file)):  # type: ignore[misc]
                checkpoint.device, checkpoint.inode = file.key
                checkpoint.adopted = True
                self._claim(checkpoint, file)
                return

    def may_be_successor(self, file: Present) -> bool:
        """Whether the log that had this path may be in a file that waits; what came after it waits, too."""
        path, name = str(file.path), source_of(file.path)
        waits = any(source_of(waiting) == name for waiting in self.result.waiting)
        return waits and any(one.path == path and one.offset for one in self.lost())

    def predecessor_of(self, file: Present) -> Checkpoint | None:
        """The checkpoint whose file was rotated away from this path; of several the last.

        A file whose old content is nowhere was not rotated but written anew, perhaps with the same rows.
        """
        path = str(file.path)
        moved = [one for one in self._known if one.came_from == path and id(one) in self._claimed]
        return max(moved, key=lambda one: one.generation, default=None)

    def _claim(self, checkpoint: Checkpoint, file: Present) -> None:
        self._claimed.add(id(checkpoint))
        if checkpoint.path != str(file.path):
            checkpoint.came_from = checkpoint.came_from or checkpoint.path
            checkpoint.path = str(file.path)
        self.result.claimed.append((checkpoint, file))

    def _named_alike(self) -> Mapping[str, list[Checkpoint]]:
        """The checkpoints that no file was found for by its inode, by the name of their log."""
        if self._lost_by_name is None:
            self._lost_by_name = {}
            for checkpoint in self.lost():
                if checkpoint.offset:
                    self._lost_by_name.setdefault(source_of(Path(checkpoint.path)), []).append(checkpoint)
        return self._lost_by_name

    def _holds(self, checkpoint: Checkpoint, file: Present) -> bool:
        with open_content(file.path) as content:
            status = os.fstat(content.fileno())
            if (status.st_dev, status.st_ino) != file.key:
                raise FileNotFoundError  # It was rotated since it was seen; the next look finds it.
            return resume(checkpoint, content) is not None

    def _waits(self, file: Present) -> bool:
        return self._reads(file, lambda: False) is None

    def _reads(self, file: Present, look: Callable[[], Checkpoint | bool | None]) -> Checkpoint | bool | None:
        """What `look` finds; None where the file cannot be read now, which is told in the result."""
        try:
            if is_compressed_file(file.path):
                unchanged_seconds = self._now_seconds - file.modified_ns / 1e9
                if unchanged_seconds < COMPRESSING_SECONDS:
                    self.result.waiting.append(file.path)
                    return None
            return look() or False
        except FileNotFoundError:
            return None
        except OSError as error:
            self.result.unreadable[str(file.path)] = error.strerror or str(error)
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
