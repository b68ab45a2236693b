"""Which file is which: the files that are there now, set against the checkpoints of those that were read.

In the order of certainty:

1. The same inode, born at the same time, not shrunk, with the same content at the checkpoint: among the files asked
   for and, as rotation usually puts a file where no pattern matches, beside its old path.
2. The same content, size and time of change at the same path: restored, or on another volume now. Then the same
   content under another inode and another name of the same log, at both places: a copy, a compressed copy.
3. The same content at the same path, where 1 and 2 find it nowhere: the file was written anew as it was.
4. Else it is a file that was not read yet. It is a further generation of its log where the file that had its path was
   seen to be rotated away, where that file is gone and the log has rotated before, or where the log has rotated since
   the last look and the file bears the name of a rotated one.

Invariants: no file is claimed for two checkpoints, and no checkpoint is moved against the direction of rotation, so
that a new log which begins as an old one did is not taken for it.
Limits: content decides in 2 and 3, so a log that was truncated in place and has grown past its old place with exactly
the same bytes, all between two looks, is taken for one that has only grown.
Pure but for reading the files' own bytes.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from producers.files.row_names import COMPRESSED_ENDINGS
from producers.following.checkpoint import Checkpoint, is_beginning_of
from producers.following.present import Look, Present
from producers.following.rotated_names import (
    goes_back,
    home_of,
    is_live_name,
    is_rotation,
    rotation_number,
)


class NewFile(NamedTuple):
    """A file without a checkpoint. before: of a further generation of a log, a checkpoint of that log. copy_of: the
    checkpoint of the file that it is a copy of, which is read itself. after: the checkpoint that had its path, where
    that one's file may be one that waits; whether it was rotated is then not known yet, and the file is not read."""

    file: Present
    before: Checkpoint | None = None
    copy_of: Checkpoint | None = None
    after: Checkpoint | None = None


@dataclass(slots=True)
class Matched:
    """What came of it. claimed: the checkpoints whose file is there, each with it. new: files without a checkpoint.
    lost: checkpoints whose file is nowhere. changed: those that have moved, lost their inode or left the state of
    being lost. replaced: checkpoints of copies whose file another checkpoint has claimed. waiting: paths that are not
    looked at yet. unreadable: by path, why it cannot be read."""

    claimed: list[tuple[Checkpoint, Present]] = field(default_factory=list)
    new: list[NewFile] = field(default_factory=list)
    lost: list[Checkpoint] = field(default_factory=list)
    changed: list[Checkpoint] = field(default_factory=list)
    replaced: list[Checkpoint] = field(default_factory=list)
    waiting: list[Path] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def match(
    files: Iterable[Present],
    known: Iterable[Checkpoint],
    *,
    now_seconds: float,
    is_searched: Callable[[Checkpoint], bool] = lambda _: True,
) -> Matched:
    """Sets files against checkpoints. Of one file under two names (links) the first is taken.

    is_searched: whether a lost checkpoint's file may still be found elsewhere. Moves nothing but the path, device and
    inode of checkpoints whose file has moved, and takes the inode from those that lost theirs to another file.
    """
    matching = _Matching(known, now_seconds)
    by_key: dict[tuple[int, int], Present] = {}
    for file in files:
        by_key.setdefault(file.key, file)
    unclaimed = [file for file in by_key.values() if not matching.claim_same(file)]
    searched = [checkpoint for checkpoint in matching.lost() if is_searched(checkpoint)]
    for checkpoint in searched:
        matching.adopt_same(checkpoint, asked_for=by_key)
    unclaimed = [file for file in unclaimed if not matching.claim_at_its_path(file, unchanged=True)]
    searched = [checkpoint for checkpoint in searched if not matching.is_claimed(checkpoint)]
    unclaimed = matching.claim_copies(unclaimed, searched)
    unclaimed = [file for file in unclaimed if not matching.claim_at_its_path(file)]
    for file in sorted(unclaimed, key=lambda file: not is_live_name(file.path)):
        matching.begin(file)
    matching.decide()
    matching.result.lost = list(matching.lost())
    return matching.result


class _Matching:
    def __init__(self, known: Iterable[Checkpoint], now_seconds: float) -> None:
        self.result = Matched()
        self._look = Look(now_seconds, self.result.waiting, self.result.unreadable)
        self._known = sorted(known, key=lambda one: one.id)
        self._claimed: set[int] = set()
        self._taken: set[tuple[int, int]] = set()
        # Of a copy that was claimed for its original before a crash, the original.
        self._by_key = {one.key: one for one in sorted(self._known, key=lambda one: not one.copy_of)}
        self._copied = {one.copy_of for one in self._known if one.copy_of}
        self._copies: dict[tuple[int, int], Checkpoint] = {}
        self._lost_by_path: dict[str, list[Checkpoint]] | None = None
        self._moved_by_path: dict[str, list[Checkpoint]] | None = None
        self._claimed_by_home: dict[tuple[str, str], list[tuple[Checkpoint, Present]]] | None = None
        self._rotated_now: dict[tuple[str, str], Checkpoint] = {}
        self._waiting: set[str] = set()
        self._undecided: dict[tuple[int, int], Checkpoint] = {}

    def lost(self) -> Iterator[Checkpoint]:
        return (one for one in self._known if id(one) not in self._claimed)

    def is_claimed(self, checkpoint: Checkpoint) -> bool:
        return id(checkpoint) in self._claimed

    def claim_same(self, file: Present) -> bool:
        """Whether the file is the one of its inode's checkpoint, or waits."""
        checkpoint = self._by_key.get(file.key)
        if checkpoint is None or self.is_claimed(checkpoint):
            return False
        held = self._is_still(checkpoint, file)
        if held is None:
            self._claimed.add(id(checkpoint))  # neither lost nor read now
        elif not held:
            self._take_inode(checkpoint)
        elif checkpoint.copy_of:
            self._copies[file.key] = checkpoint
            return False
        else:
            self._claim(checkpoint, file)
        return held is not False

    def adopt_same(self, checkpoint: Checkpoint, *, asked_for: Container[tuple[int, int]]) -> None:
        """Claims for a lost checkpoint the file of its inode that lies beside its old path."""
        old = Path(checkpoint.path)
        file = self._look.beside(old).get(checkpoint.key)
        if file is None or file.key in asked_for or file.key in self._taken:
            return
        if file.path == old:
            return  # It is only not asked for any more.
        held = self._is_still(checkpoint, file)
        if held:
            checkpoint.adopted = True
            self._claim(checkpoint, file)
        elif held is False:
            self._take_inode(checkpoint)

    def claim_copies(self, unclaimed: list[Present], lost: list[Checkpoint]) -> list[Present]:
        """The files that are no copies of what lost checkpoints were read from, and do not wait.

        The newest files and checkpoints first, as rotation keeps their order. Where one file of a log waits, all
        rotated ones do: which is whose can be said only when all can be read.
        """
        searched: dict[str, list[Checkpoint]] = {}
        for checkpoint in reversed(lost):
            if checkpoint.has_content and not checkpoint.copy_of:
                searched.setdefault(home_of(Path(checkpoint.path))[1], []).append(checkpoint)
        files = {file.key: (file, False) for file in unclaimed if not self._is_current_copy(file)}
        for folder in {Path(checkpoint.path).parent for checkpoint in lost}:
            for key, file in self._look.beside(folder / "_").items():
                if home_of(file.path)[1] in searched and key not in self._taken and key not in self._by_key:
                    files.setdefault(key, (file, True))
        self._waiting = {home_of(file.path)[1] for file, _ in files.values() if self._look.waits(file)}
        left = []
        for file, adopted in sorted(files.values(), key=lambda one: _newest_first(one[0])):
            name = home_of(file.path)[1]
            if self._look.waits(file):
                continue
            if name in self._waiting and is_live_name(file.path) and self._lost_at(file.path):
                self._undecided[file.key] = self._lost_at(file.path)[0]
                left.append(file)
                continue
            if name in self._waiting and name in searched and not is_live_name(file.path):
                continue
            found = self._first_held(searched.get(name, ()), file)
            if isinstance(found, Checkpoint):
                found.adopted = found.adopted or adopted
                self._claim(found, file)
            elif found is False and not adopted:
                left.append(file)
        return left

    def claim_at_its_path(self, file: Present, *, unchanged: bool = False) -> bool:
        """Whether the file is one that was written anew with the content that the lost file of its path had, or waits.
        unchanged: only where size and time of change are the same, too; a numbered name, which each rotation gives to
        another file, says nothing else."""
        if (
            file.key in self._copies
            or file.key in self._undecided
            or (rotation_number(file.path) and not unchanged)
        ):
            return False
        for checkpoint in self._lost_at(file.path):
            if checkpoint.id in self._copied or (unchanged and not _is_unchanged(checkpoint, file)):
                continue
            held = self._first_held([checkpoint], file, at_its_path=True)
            if held is not False:
                if held is not None:
                    self._claim(checkpoint, file)
                return True
        return False

    def begin(self, file: Present) -> None:
        """Takes the file as a new one."""
        if file.key in self._copies:
            self._claim(self._copies[file.key], file)
            return
        if file.key in self._undecided:
            self.result.new.append(NewFile(file, after=self._undecided[file.key]))
            return
        home = home_of(file.path)
        before = self._predecessor_of(file)
        if before is not None and is_live_name(file.path):
            self._rotated_now.setdefault(home, before)
        original = None if before is not None else self._original_of(file)
        if original is None and before is None:
            before = self._rotated_now.get(home)
        self.result.new.append(NewFile(file, before, original))

    def decide(self) -> None:
        """Says of claimed files whose predecessor was waited for whether they count behind it."""
        by_id = {one.id: one for one in self._known}
        for checkpoint, file in self.result.claimed:
            if not checkpoint.after:
                continue
            before = by_id.get(checkpoint.after)
            found = before is not None and self.is_claimed(before)
            if not found and home_of(file.path)[1] in self._waiting:
                continue
            path = checkpoint.came_from or checkpoint.path
            rotates = any(one is not checkpoint for one in self._moved()[path])
            checkpoint.behind = found or rotates or checkpoint.after in self._copied
            checkpoint.after = 0
            self.result.changed.append(checkpoint)

    def _predecessor_of(self, file: Present) -> Checkpoint | None:
        """The checkpoint whose file was rotated away from this path, the path of a log itself.

        A file whose old content is nowhere was not rotated but written anew, perhaps with the same rows, unless its
        log has rotated before.
        """
        if not is_live_name(file.path):
            return None
        moved = self._moved()[str(file.path)]
        last = max([*self._lost_at(file.path), *moved], key=lambda one: one.id, default=None)
        return last if last is not None and (moved or last.id in self._copied) else None

    def _original_of(self, file: Present) -> Checkpoint | None:
        """The checkpoint of the file that is there and that this one, under a rotated name, is a copy of."""
        if is_live_name(file.path):
            return None
        for checkpoint, other in self._claimed_of()[home_of(file.path)]:
            compressed = any(str(file.path) == f"{other.path}{ending}" for ending in COMPRESSED_ENDINGS)
            if not compressed and not is_live_name(other.path):
                continue
            look = partial(is_beginning_of, file.path, other.path)
            if self._look.reads(file, look):
                return checkpoint
        return None

    def _is_current_copy(self, file: Present) -> bool:
        """Whether it is known as a copy of a file that is still read itself."""
        copy = self._copies.get(file.key)
        if copy is None or not any(one.id == copy.copy_of for one, _ in self.result.claimed):
            return False
        self._claim(copy, file)
        return True

    def _lost_at(self, path: Path) -> list[Checkpoint]:
        """The lost checkpoints of this path of which content is known, the last first."""
        if self._lost_by_path is None:
            self._lost_by_path = defaultdict(list)
            for one in self.lost():
                if one.has_content and not one.copy_of:
                    self._lost_by_path[one.path].insert(0, one)
        return [one for one in self._lost_by_path.get(str(path), ()) if not self.is_claimed(one)]

    def _moved(self) -> Mapping[str, list[Checkpoint]]:
        """The checkpoints of files that were moved, by their first path. Asked when all that are there are claimed."""
        if self._moved_by_path is None:
            self._moved_by_path = defaultdict(list)
            for one in self._known:
                if one.came_from and one.came_from != one.path:
                    self._moved_by_path[one.came_from].append(one)
        return self._moved_by_path

    def _claimed_of(self) -> Mapping[tuple[str, str], list[tuple[Checkpoint, Present]]]:
        """What is claimed and read, by log. Asked when all that are there are claimed."""
        if self._claimed_by_home is None:
            self._claimed_by_home = defaultdict(list)
            for checkpoint, file in self.result.claimed:
                if not checkpoint.copy_of:
                    self._claimed_by_home[home_of(file.path)].append((checkpoint, file))
        return self._claimed_by_home

    def _is_still(self, checkpoint: Checkpoint, file: Present) -> bool | None:
        """Whether a file of the checkpoint's inode is its file; None where it cannot be read now."""
        unchanged = _is_unchanged(checkpoint, file)
        if checkpoint.born_ns and file.born_ns:
            if checkpoint.born_ns != file.born_ns:
                return False
        elif not unchanged and goes_back(Path(checkpoint.path), file.path):
            return False
        if unchanged:
            return True
        if checkpoint.has_content and file.size_bytes < checkpoint.size_bytes:
            return False  # A log does not shrink.
        return self._look.reads(file, partial(self._look.holds, checkpoint, file, whole=False))

    def _first_held(
        self, checkpoints: Iterable[Checkpoint], file: Present, *, at_its_path: bool = False
    ) -> Checkpoint | bool | None:
        """The first checkpoint whose content the file holds, False for none; None where it cannot be read now."""

        def look() -> Checkpoint | bool:
            for one in checkpoints:
                old = Path(one.path)
                if self.is_claimed(one) or (old == file.path) != at_its_path or goes_back(old, file.path):
                    continue
                if self._look.holds(one, file, whole=True):
                    return one
            return False

        return self._look.reads(file, look)

    def _take_inode(self, checkpoint: Checkpoint) -> None:
        self._by_key.pop(checkpoint.key, None)
        checkpoint.device = checkpoint.inode = checkpoint.born_ns = 0
        self.result.changed.append(checkpoint)

    def _claim(self, checkpoint: Checkpoint, file: Present) -> None:
        self._claimed.add(id(checkpoint))
        self._taken.add(file.key)
        copy = self._copies.get(file.key)
        if copy is not None and copy is not checkpoint:
            self._claimed.add(id(copy))
            self.result.replaced.append(copy)
        moved = checkpoint.path != str(file.path)
        if moved:
            if not checkpoint.copy_of and is_rotation(Path(checkpoint.path), file.path):
                self._rotated_now[home_of(Path(checkpoint.path))] = checkpoint
            checkpoint.came_from = checkpoint.came_from or checkpoint.path
            checkpoint.path = str(file.path)
            checkpoint.behind = not checkpoint.after
        if moved or checkpoint.key != file.key or checkpoint.lost_at or checkpoint.born_ns != file.born_ns:
            checkpoint.device, checkpoint.inode, checkpoint.born_ns = *file.key, file.born_ns
            checkpoint.lost_at = 0.0
            self.result.changed.append(checkpoint)
        self.result.claimed.append((checkpoint, file))


def _is_unchanged(checkpoint: Checkpoint, file: Present) -> bool:
    return (file.size_bytes, file.modified_ns) == (checkpoint.size_bytes, checkpoint.modified_ns)


def _newest_first(file: Present) -> tuple[bool, int]:
    number = rotation_number(file.path)
    return number is None, -file.modified_ns if number is None else number
