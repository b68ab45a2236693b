"""Whatever is done to a log, in whatever order, and wherever the collector is killed: each line counts once."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.collectors.world import LATER, PACKING, World, line

CRASH_POINTS = st.one_of(st.integers(0, 6), st.just("flush"))
_STEPS = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class _Log(RuleBasedStateMachine):
    """Writes and rotates, looks and crashes. Lines are numbered, so that what is lost or doubled shows."""

    patterns: tuple[str, ...] = ("app.log*",)

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="weir-follow-"))
        self.world = World(self.folder, self.patterns)
        self.written: list[int] = []
        self.next_number = 0
        self.unfinished = ""
        self.seen_inode = 0

    def before_rotation(self) -> None:
        """What must be done first."""

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        self._finish()
        numbers = list(range(self.next_number, self.next_number + count))
        self.next_number += count
        self.world.append(*numbers)
        self.written += numbers

    @rule(length=st.integers(1, 30))
    def append_half_a_line(self, length: int) -> None:
        self._finish()
        whole = line(self.next_number)
        length = min(length, len(whole) - 1)
        with self.world.log.open("a") as log:
            log.write(whole[:length])
        self.unfinished = whole[length:]
        self.written.append(self.next_number)
        self.next_number += 1

    @rule(create=st.booleans())
    def rotate_by_rename(self, create: bool) -> None:
        self._finish()
        self.before_rotation()
        self.world.rotate_by_rename(create=create)

    @rule()
    def look(self) -> None:
        self.world.poll()
        self.seen_inode = self.world.log.stat().st_ino if self.world.log.exists() else 0

    @rule(before=CRASH_POINTS)
    def crash(self, before: int | str) -> None:
        self.world.crash(before)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @invariant()
    def nothing_is_refused(self) -> None:
        assert self.world.sink.rejections == []

    def teardown(self) -> None:
        try:
            self._finish()
            self.world.settle()
            assert self.world.inputs == sorted(self.written)
            names = self.world.ids
            self.world.lose_state()
            self.world.settle()
            assert self.world.ids == names  # Reading again what is there counts nothing twice.
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    def _finish(self) -> None:
        if self.unfinished:
            with self.world.log.open("a") as log:
                log.write(self.unfinished + "\n")
            self.unfinished = ""


class _AllRotations(_Log):
    """With copies, compression and the names of rotated files among those followed."""

    @rule()
    def rotate_by_copy(self) -> None:
        self._finish()
        self.world.rotate_by_copy()

    @rule(number=st.integers(1, 3), ending=st.sampled_from(sorted(PACKING)))
    def compress(self, number: int, ending: str) -> None:
        self.world.compress(number, ending)


class _EqualLines(_Log):
    """Many lines are equal, and each is a call. Only the log itself is followed, so that its file must have been seen
    before it is rotated away; what it holds then need not have been read."""

    patterns = ("app.log",)

    def before_rotation(self) -> None:
        if self.world.log.exists() and self.world.log.stat().st_ino != self.seen_inode:
            self.look()

    @rule(number=st.integers(1000, 1001), count=st.integers(1, 3))
    def append_equal(self, number: int, count: int) -> None:
        self._finish()
        self.world.append(*[number] * count)
        self.written += [number] * count


class _EqualLinesAllRotations(_AllRotations):
    """Many lines are equal, and old files are deleted. Of a file something must have been seen before it is rotated
    away, and that it was truncated before it grows again; what it holds then need not have been read."""

    something_is_seen = False

    @rule()
    def look(self) -> None:
        super().look()
        self.something_is_seen = bool(self.seen_inode and self.world.log.stat().st_size)

    def before_rotation(self) -> None:
        if self.world.log.exists() and self.world.log.stat().st_size and not self.something_is_seen:
            self.look()
        self.something_is_seen = False

    @rule(look_between=st.booleans())
    def rotate_by_copy(self, look_between: bool = False) -> None:
        self._finish()
        if self.world.log.exists():
            self.before_rotation()
            self.world.rotate_by_copy(before_truncating=self.look if look_between else lambda: None)
            self.look()

    @rule(number=st.integers(1000, 1001), count=st.integers(1, 3))
    def append_equal(self, number: int, count: int) -> None:
        self._finish()
        self.world.append(*[number] * count)
        self.written += [number] * count

    @rule(keep=st.integers(0, 3))
    def delete_old_files(self, keep: int) -> None:
        self._finish()
        self.world.settle()
        self.world.delete_beyond(keep)


class _EqualLinesOfOneFile(_EqualLinesAllRotations):
    """The same where only the log itself is followed. No compressed file waits while the log is rotated on."""

    patterns = ("app.log",)

    @rule()
    def look(self) -> None:
        self.world.poll(later=LATER)
        super().look()


_AllRotations.TestCase.settings = _STEPS
_EqualLines.TestCase.settings = _STEPS
_EqualLinesAllRotations.TestCase.settings = _STEPS
_EqualLinesOfOneFile.TestCase.settings = _STEPS


class TestAllRotations(_AllRotations.TestCase):
    pass


class TestEqualLines(_EqualLines.TestCase):
    pass


class TestEqualLinesAllRotations(_EqualLinesAllRotations.TestCase):
    pass


class TestEqualLinesOfOneFile(_EqualLinesOfOneFile.TestCase):
    pass


@pytest.mark.parametrize("count", [3000])
def test_several_thousand_files_are_followed_in_one_round(tmp_path: Path, count: int) -> None:
    for number in range(count):
        folder = tmp_path / "logs" / f"{number % 50}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jsonl").write_text(line(number) + "\n")
    world = World(tmp_path, ("logs",))
    try:
        assert (world.poll().files, world.inputs) == (count, list(range(count)))
        assert world.poll().read_files == 0
        with (tmp_path / "logs" / "7" / "7.jsonl").open("a") as log:
            log.write(json.dumps({"time": "2026-10-01", "in": 99_999}) + "\n")
        world.restart()
        assert world.poll().events == 1
    finally:
        world.close()
