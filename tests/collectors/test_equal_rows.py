"""Rows that are equal to the byte, and have neither an id nor a time of their own: each is a call, however its log is
rotated, and reading any of it again counts nothing twice."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from producers.files import ReadOptions, read_files
from producers.following import CheckpointStore
from producers.following.checkpoint import Checkpoint
from producers.following.named_rows import NamedRows
from producers.following.present import present_at
from tests.collectors.world import LATER, MAP, World, line
from tokenweir.usage import UsageEvent

PATTERNS = [("app.log",), ("app.log*",)]


def counted_by_reading_at_once(one: World, *names: str) -> set[str]:
    options = ReadOptions(now=one.sink.events[0].time, column_map=MAP)
    pieces = read_files([one.folder / name for name in names], options)
    return {piece.id for piece in pieces if isinstance(piece, UsageEvent)}


@pytest.mark.parametrize("patterns", PATTERNS)
class TestGenerations:
    def test_each_of_many_generations_counts(
        self, world: Callable[..., World], patterns: tuple[str, ...]
    ) -> None:
        one = world(*patterns)
        for _ in range(5):
            one.append(7, 7)
            one.poll()
            one.rotate_by_rename()
        one.settle()
        assert one.inputs == [7] * 10

    def test_an_empty_generation_between_makes_no_difference(
        self, world: Callable[..., World], patterns: tuple[str, ...]
    ) -> None:
        one = world(*patterns)
        for _ in range(3):
            one.append(7)
            one.poll()
            for _ in range(3):
                one.rotate_by_rename()
                one.poll()
        assert one.inputs == [7] * 3

    @pytest.mark.parametrize("before", [0, 1, "flush"])
    def test_killed_in_each_generation(
        self, world: Callable[..., World], patterns: tuple[str, ...], before: int | str
    ) -> None:
        one = world(*patterns)
        for _ in range(4):
            one.append(7, 7)
            one.crash(before)
            one.append(7)
            one.rotate_by_rename()
            one.crash(before)
        one.settle()
        assert one.inputs == [7] * 12

    def test_a_log_that_begins_as_a_deleted_one_did_is_new(
        self, world: Callable[..., World], patterns: tuple[str, ...]
    ) -> None:
        one = world(*patterns)
        for _ in range(3):
            one.append(7, 7)
            one.poll()
            one.rotate_by_rename(create=False)
            one.poll()
            (one.folder / "app.log.1").unlink()  # ext4 gives its inode to the next file
            one.restart()
        one.append(7, 7, 7)
        one.settle()
        assert one.inputs == [7] * 9

    def test_what_is_appended_to_a_rotated_file_counts_behind_the_new_one(
        self, world: Callable[..., World], patterns: tuple[str, ...]
    ) -> None:
        one = world(*patterns)
        one.append(7)
        one.poll()
        one.rotate_by_rename()
        one.append(7)
        one.poll()
        with (one.folder / "app.log.1").open("a") as old:
            old.write(line(7) + "\n")
        one.settle()
        assert one.inputs == [7] * 3

    @pytest.mark.parametrize("look_between", [True, False])
    def test_copied_and_truncated_again_and_again(
        self, world: Callable[..., World], patterns: tuple[str, ...], look_between: bool
    ) -> None:
        one = world(*patterns)
        for _ in range(3):
            one.append(7, 7)
            one.poll()
            one.append(7)
            shutil.copyfile(one.log, one.folder / "copy")
            for number in (2, 1):
                if (one.folder / f"app.log.{number}").exists():
                    (one.folder / f"app.log.{number}").rename(one.folder / f"app.log.{number + 1}")
            (one.folder / "copy").rename(one.folder / "app.log.1")
            if look_between:
                one.poll()
            with one.log.open("r+") as log:
                log.truncate(0)
            one.poll()
        one.settle()
        assert one.inputs == [7] * 9

    def test_compressed_while_a_new_log_begins_as_it_did(
        self, world: Callable[..., World], patterns: tuple[str, ...]
    ) -> None:
        one = world(*patterns)
        for _ in range(3):
            one.append(7, 7)
            one.poll()
            one.append(7)
            one.rotate_by_rename()
            one.compress(1)
            one.append(7, 7)
            one.settle()
        assert one.inputs == [7] * 15


def test_a_new_log_does_not_wait_for_what_is_compressed_of_older_ones(world: Callable[..., World]) -> None:
    one = world("app.log*")
    one.append(7)
    one.poll()
    one.rotate_by_copy()
    one.poll()
    (one.folder / "app.log.1").unlink()
    one.rotate_by_rename(create=False)
    one.compress(1)  # still waits
    one.append(7)
    one.poll()
    one.rotate_by_copy()
    one.poll()
    one.settle()
    assert one.inputs == [7] * 2


@pytest.mark.parametrize("before", [0, "flush", None])
def test_a_log_that_is_seen_while_the_one_before_it_is_being_compressed_may_be_rotated_itself(
    world: Callable[..., World], before: int | str | None
) -> None:
    one = world("app.log*")
    one.append(7, 7)
    one.poll()
    one.rotate_by_rename(create=False)
    one.append(7, 7, 7)
    one.compress(1)  # still waits
    one.poll() if before is None else one.crash(before)
    one.rotate_by_copy(before_truncating=one.poll)
    one.poll()
    one.append(7)
    one.settle()
    assert one.inputs == [7] * 6


def test_a_copy_is_not_taken_for_a_deleted_file_that_had_its_number(world: Callable[..., World]) -> None:
    one = world("app.log*")
    one.append(7)
    one.poll()
    one.rotate_by_copy()
    one.poll()
    (one.folder / "app.log.1").unlink()
    one.append(7, 7)
    one.poll()
    one.rotate_by_copy(before_truncating=one.poll)
    one.poll()
    one.append(7)
    one.settle()
    assert one.inputs == [7] * 4


class TestReadAgain:
    def test_names_nothing_new_by_ingest_or_when_the_state_is_lost(
        self, world: Callable[..., World], tmp_path: Path
    ) -> None:
        one = world("app.log*")
        for numbers in ((7, 7, 1), (7, 2), (7, 7, 7, 7)):
            one.append(*numbers)
            one.poll()
            one.rotate_by_rename()
        one.settle()
        assert len(one.ids) == 9
        assert counted_by_reading_at_once(one, "app.log.1", "app.log.2", "app.log.3") <= one.ids
        one.close()
        shutil.rmtree(tmp_path / "state")
        again = world("app.log*")
        again.settle()
        assert again.sink.events
        assert again.ids <= one.ids

    def test_overlapping_exports_of_one_name_count_their_rows_once(
        self, world: Callable[..., World], tmp_path: Path
    ) -> None:
        one = world("*.csv*")
        for day in range(1, 4):
            export = "".join(line(number) + "\n" for number in range(day, day + 3))
            (tmp_path / f"export.csv-2026100{day}").write_text(export)
            one.poll()
        assert one.inputs == [1, 2, 3, 4, 5]

    def test_a_restored_file_goes_on_where_it_was(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(7, 7)
        one.poll()
        kept = one.log.read_bytes()
        one.log.unlink()
        one.log.write_bytes(kept)
        one.append(7)
        one.settle()
        assert (one.inputs, len(one.sink.events)) == ([7] * 3, 3)

    def test_what_replaces_a_file_that_is_nowhere_counts_its_old_rows_once(
        self, world: Callable[..., World]
    ) -> None:
        one = world()
        one.append(1, 7)
        one.poll()
        one.log.write_text(line(7) + "\n")
        one.settle()
        assert one.inputs == [1, 7]

    def test_and_its_further_generations_count_behind_both(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(1, 7, 7)
        one.poll()
        one.log.write_text(line(7) + "\n")
        one.poll()
        one.rotate_by_rename()
        one.append(7, 7)
        one.settle()
        assert one.inputs == [1, 7, 7, 7, 7]

    def test_files_that_were_all_moved_to_another_volume_are_the_same(
        self, world: Callable[..., World]
    ) -> None:
        one = world("app.log*")
        for _ in range(3):
            one.append(7, 7)
            one.poll()
            one.rotate_by_rename()
        one.append(7)
        one.poll()
        for path in one.folder.glob("app.log*"):
            path.rename(one.folder / "state" / "moved")
            shutil.copy2(one.folder / "state" / "moved", path)
        one.restart()
        assert one.poll().events == 0
        one.append(7)
        one.settle()
        assert one.inputs == [7] * 8

    def test_a_log_that_has_rotated_before_and_is_emptied_counts_on(
        self, world: Callable[..., World]
    ) -> None:
        one = world()
        one.append(7, 7)
        one.poll()
        one.rotate_by_rename()
        one.append(7, 7)
        one.poll()
        one.log.write_text(line(7) + "\n")
        one.settle()
        assert one.inputs == [7] * 5

    def test_a_compressed_file_that_may_not_be_read_holds_nothing_up(
        self, world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = world()
        one.append(1)
        one.poll()
        one.rotate_by_rename(create=False)
        one.compress(1)
        opened = Path.open

        def forbidden(path: Path, *arguments: Any, **options: Any) -> Any:
            if path.name == "app.log.1.gz":
                raise PermissionError(13, "Permission denied")
            return opened(path, *arguments, **options)

        monkeypatch.setattr(Path, "open", forbidden)
        one.append(2)
        one.poll()
        assert one.inputs == [1, 2]

    def test_a_snapshot_of_a_log_is_not_read_beside_it(self, world: Callable[..., World]) -> None:
        one = world("app.log*")
        for _ in range(2):  # the second is a further generation
            one.append(1, 7)
            one.poll()
            one.append(2)
            shutil.copyfile(one.log, one.folder / "app.log-20261001")
            one.poll()
            one.append(3)
            one.settle()
            one.rotate_by_rename()
        assert one.inputs == sorted([1, 7, 2, 3] * 2)


class TestNumbers:
    @pytest.fixture
    def names(self, tmp_path: Path) -> Iterator[Callable[[int, bool, bytes], str]]:
        with CheckpointStore(tmp_path / "state") as store:
            named = NamedRows(store._database, most_rows=8)

            def name(file: int, behind: bool, content: bytes) -> str:
                checkpoint = Checkpoint("app.log", 1, 1, log=1, behind=behind, id=file)
                found = named.of_row("s", checkpoint, content)()
                named.write()
                named.forget_unwritten()
                return found.partition("-")[2]

            yield name

    def test_on_its_own_and_behind(self, names: Callable[[int, bool, bytes], str]) -> None:
        given = [
            names(file, behind, b"x") for file, behind in ((1, False), (2, False), (1, False), (3, True))
        ]
        assert given == ["", "", "1", "2"]
        assert [names(2, False, b"x"), names(3, True, b"x"), names(4, True, b"x")] == ["1", "3", "4"]

    def test_rows_that_are_met_again_and_again_are_never_forgotten(
        self, names: Callable[[int, bool, bytes], str]
    ) -> None:
        given = []
        for number in range(40):
            names(1, False, str(number).encode())
            given.append(names(1 + number, True, b"x") or "0")
        assert given == [str(number) for number in range(40)]

    def test_rows_that_were_not_met_for_long_are_forgotten(
        self, names: Callable[[int, bool, bytes], str], tmp_path: Path
    ) -> None:
        assert [names(1, False, b"x"), names(1, False, b"x")] == ["", "1"]
        for number in range(4):
            names(1, False, str(number).encode())
        assert names(1, False, b"x") == "2"
        for number in range(10, 30):
            names(1, False, str(number).encode())
        assert names(1, False, b"x") == ""


def test_a_later_file_with_the_inode_of_a_former_one_is_told_by_its_birth(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    first = present_at(path)
    assert first is not None
    if not first.born_ns:
        pytest.skip("this file system does not tell when a file was born")
    os.utime(path, (1, 1))
    path.write_text("xy")
    grown = present_at(path)
    path.unlink()
    path.write_text("x")
    later = present_at(path)
    assert grown is not None
    assert later is not None
    assert grown.born_ns == first.born_ns
    assert later.born_ns > first.born_ns or later.inode != first.inode


def test_a_settled_world_reads_nothing_more(world: Callable[..., World]) -> None:
    one = world("app.log*")
    one.append(7, 7)
    one.poll()
    one.rotate_by_copy()
    one.append(7)
    one.settle()
    assert one.poll(later=LATER).events == 0
