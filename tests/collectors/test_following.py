"""Following one log: growth, rotation as logrotate does it, replacement, restarts."""

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from producers.files import ColumnMap, ReadOptions, read_files
from producers.following import CheckpointStore, StateInUse
from tests.collectors.world import LATER, MAP, PACKING, World, line
from tokenweir.usage import UsageEvent


class TestGrowth:
    def test_only_what_is_new_is_read(self, world: Callable[..., World]) -> None:
        one = world()
        assert one.poll().files == 0
        one.append(1, 2)
        assert one.poll().events == 2
        assert one.poll().events == 0
        one.append(3)
        assert one.poll().events == 1
        assert one.inputs == [1, 2, 3]

    def test_a_file_that_takes_several_turns_is_confirmed_to_its_end(
        self, world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("producers.following.turn.TURN_BYTES", 500)
        one = world()
        one.append(*range(40))
        assert one.poll().events == 40
        one.restart()
        assert one.poll().events == 0

    def test_a_line_that_has_not_ended_waits(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(1)
        whole = line(2)
        for piece in (whole[:10], whole[10:-1]):
            with one.log.open("a") as log:
                log.write(piece)
            assert one.poll(later=LATER).rejections == 0
        with one.log.open("a") as log:
            log.write(whole[-1])
        one.poll()
        assert one.inputs == [1, 2]
        one.append(3, end="")
        with one.log.open("a") as log:
            log.write("\n")
        one.poll()
        assert (one.inputs, one.sink.rejections) == ([1, 2, 3], [])

    def test_a_record_of_csv_that_has_not_ended_waits(
        self, world: Callable[..., World], tmp_path: Path
    ) -> None:
        one = world(
            "app.csv", column_map=ColumnMap.parse(("time=when", "input_tokens=in"), ("vendor=x", "model=y"))
        )
        path = tmp_path / "app.csv"
        pieces = [
            "when,i",
            "n,note\n",
            '2026-10-01,1,"a\nb',
            '\nc"\n2026-10-',
            "01,2,d\n2026-10-01,3",
            ",e\n",
            "2026-10-01,4,f",
        ]
        found = []
        for piece in pieces:
            with path.open("a") as log:
                log.write(piece)
            one.poll()
            found.append(one.inputs)
        assert found == [[], [], [], [1], [1, 2], [1, 2, 3], [1, 2, 3]]
        one.poll(later=LATER)
        assert (one.inputs, one.sink.rejections) == ([1, 2, 3, 4], [])

    def test_names_are_those_of_reading_the_file_at_once(
        self, world: Callable[..., World], tmp_path: Path
    ) -> None:
        one = world()
        for numbers in ((1, 1, 2), (1,), (2, 3)):
            one.append(*numbers)
            one.poll()
            one.restart()
        at_once = read_files([one.log], ReadOptions(now=one.sink.events[0].time, column_map=MAP))
        assert [event.id for event in one.sink.events] == [
            piece.id for piece in at_once if isinstance(piece, UsageEvent)
        ]
        assert one.inputs == [1, 1, 1, 2, 2, 3]

    def test_from_the_end_on_passes_over_what_is_there_and_reads_later_files_whole(
        self, world: Callable[..., World], tmp_path: Path
    ) -> None:
        (tmp_path / "app.log").write_text(line(1) + "\n")
        one = world("*.log", from_end=True)
        one.poll()
        one.append(2)
        (tmp_path / "new.log").write_text(line(3) + "\n")
        one.poll()
        one.restart()
        one.append(4)
        one.poll()
        assert one.inputs == [2, 3, 4]

    def test_compressed_files_and_documents_are_read_when_they_are_whole(
        self, world: Callable[..., World], tmp_path: Path
    ) -> None:
        one = world("*")
        packed = gzip.compress("".join(line(number) + "\n" for number in range(5000)).encode())
        (tmp_path / "old.gz").write_bytes(packed[: len(packed) // 2])
        (tmp_path / "a.json").write_text(f"[{line(5001)},\n{line(5002)}")
        one.poll(later=LATER)
        before = len(one.sink.events)
        (tmp_path / "old.gz").write_bytes(packed)
        (tmp_path / "a.json").write_text(f"[{line(5001)},\n{line(5002)},{line(5003)}]")
        one.poll(later=LATER)
        one.poll(later=LATER)
        assert 0 < before < 5003
        assert one.inputs == [*range(5000), 5001, 5002, 5003]
        assert len(one.sink.events) == 5003


class TestRotation:
    @pytest.mark.parametrize("patterns", [("app.log",), ("app.log*",)])
    @pytest.mark.parametrize("polls_between", [True, False])
    def test_renamed_and_created_anew(
        self, world: Callable[..., World], patterns: tuple[str, ...], polls_between: bool
    ) -> None:
        one = world(*patterns)
        one.append(1, 2)
        one.poll()
        one.append(3)  # not read yet
        one.rotate_by_rename()
        if polls_between:
            one.poll()
        one.append(4)
        with (one.folder / "app.log.1").open("a") as old:
            old.write(line(5) + "\n")  # the writer has not noticed yet
        one.settle()
        one.compress(1)
        one.rotate_by_rename()
        one.append(6)
        one.settle()
        assert one.inputs == [1, 2, 3, 4, 5, 6]
        assert len(one.sink.events) == 6

    @pytest.mark.parametrize("patterns", [("app.log",), ("app.log*",)])
    def test_copied_and_truncated(self, world: Callable[..., World], patterns: tuple[str, ...]) -> None:
        one = world(*patterns)
        one.append(1, 2)
        one.poll()
        one.append(3)
        one.rotate_by_copy()
        one.append(4)
        one.settle()
        assert one.inputs == [1, 2, 3, 4]

    def test_truncated_and_grown_past_the_old_place_between_two_looks(
        self, world: Callable[..., World]
    ) -> None:
        one = world()
        one.append(1)
        one.poll()
        one.rotate_by_copy()
        one.append(*range(100, 140))
        one.poll()
        assert one.inputs == [1, *range(100, 140)]

    @pytest.mark.parametrize("ending", PACKING)
    def test_compressed_before_it_was_read_to_its_end(self, world: Callable[..., World], ending: str) -> None:
        one = world()
        one.append(1, 2)
        one.poll()
        one.append(3)
        one.rotate_by_rename()
        one.compress(1, ending)
        one.append(4)
        one.settle()
        assert one.inputs == [1, 2, 3, 4]

    def test_rotated_while_the_collector_was_down(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(1)
        one.poll()
        one.append(2)
        one.rotate_by_rename()
        one.append(3)
        one.rotate_by_rename()
        one.append(4)
        one.restart()
        one.settle()
        assert one.inputs == [1, 2, 4]  # what no pattern ever matched is not looked for
        wide = World(one.folder, ("app.log*",), column_map=MAP) if one.close() is None else None
        assert wide is not None
        wide.settle()
        wide.close()
        assert set(wide.inputs) | set(one.inputs) == {1, 2, 3, 4}

    def test_equal_rows_on_both_sides_of_a_rotation_are_several_calls(
        self, world: Callable[..., World]
    ) -> None:
        one = world()
        one.append(7, 7)
        one.poll()
        one.append(7)
        one.rotate_by_rename()
        one.append(7, 7)
        one.settle()
        assert one.inputs == [7] * 5

    def test_a_copy_that_is_not_yet_known_as_one_counts_nothing_twice(
        self, world: Callable[..., World]
    ) -> None:
        one = world("app.log*")
        one.append(7, 7, 8)
        one.poll()
        shutil.copyfile(one.log, one.folder / "app.log.1")
        one.poll()
        with one.log.open("r+") as log:
            log.truncate(0)
        one.append(9)
        one.settle()
        assert one.inputs == [7, 7, 8, 9]

    def test_an_export_that_is_written_anew_counts_its_old_rows_once(
        self, world: Callable[..., World]
    ) -> None:
        one = world()
        one.append(1, 2)
        one.poll()
        one.log.unlink()
        one.append(2, 1, 3)
        one.settle()
        assert one.inputs == [1, 2, 3]

    def test_another_file_with_the_same_inode_is_read_from_its_start(
        self, world: Callable[..., World]
    ) -> None:
        one = world("*.log")
        one.append(*range(20))
        one.poll()
        inode = one.log.stat().st_ino
        with one.log.open("w") as log:
            log.write("".join(line(number) + "\n" for number in range(50, 90)))
        one.log.rename(one.folder / "other.log")
        assert (one.folder / "other.log").stat().st_ino == inode
        one.settle()
        assert one.inputs == [*range(20), *range(50, 90)]

    def test_a_link_and_its_file_are_one(self, world: Callable[..., World]) -> None:
        one = world("*")
        one.append(1, 1)
        (one.folder / "current").symlink_to(one.log)
        one.poll()
        assert len(one.sink.events) == 2


class TestFaults:
    @pytest.mark.parametrize("before", [0, 1, 3, "flush"])
    def test_a_crash_at_any_point_loses_and_doubles_nothing(
        self, world: Callable[..., World], before: int | str
    ) -> None:
        one = world()
        one.append(1, 1, 2, 3)
        one.crash(before)
        one.append(1, 4)
        one.poll()
        assert one.inputs == [1, 1, 1, 2, 3, 4]

    def test_rotated_after_a_crash_before_the_first_confirmation(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(1, 2)
        one.crash("flush")
        one.append(3)
        one.rotate_by_rename()
        one.append(4)
        one.poll()
        assert one.inputs == [1, 2, 3, 4]

    def test_a_log_that_moved_on_twice_keeps_its_equal_rows_apart(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(7)
        one.poll()
        one.rotate_by_rename(create=False)
        one.poll()
        one.rotate_by_rename(create=False)
        one.append(7)
        one.settle()
        assert one.inputs == [7, 7]

    def test_what_was_confirmed_is_not_sent_again(self, world: Callable[..., World]) -> None:
        one = world()
        one.append(1, 2)
        one.poll()
        one.restart()
        assert one.poll().events == 0

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_a_forbidden_file_is_said_once_and_read_when_it_may_be(self, world: Callable[..., World]) -> None:
        one = world("*.log")
        one.append(1)
        one.log.chmod(0)
        (one.folder / "b.log").write_text(line(2) + "\n")
        for _ in range(3):
            one.poll()
        assert (one.inputs, len(one.said)) == ([2], 1)
        one.log.chmod(0o600)
        one.poll()
        assert one.inputs == [1, 2]

    def test_what_cannot_be_told_is_said_once_and_tried_again_when_it_has_grown(
        self, world: Callable[..., World]
    ) -> None:
        one = world("*.log", column_map=ColumnMap.parse((), ()))
        one.log.write_text('{"hello": 1}\n')
        for _ in range(3):
            assert one.poll().unreadable == 1
        assert len(one.said) == 1
        with one.log.open("a") as log:
            log.write('{"id":"r","model":"gpt-4o","usage":{"prompt_tokens":5,"completion_tokens":1}}\n')
        one.poll()
        assert one.ids == {"openai:r"}
        assert [rejection.line for rejection in one.sink.rejections] == [0]

    def test_a_wholly_refused_file_is_left_alone(self, world: Callable[..., World]) -> None:
        one = world(read={"refused_rows_limit": 100})
        for _ in range(3):
            with one.log.open("a") as log:
                log.write('{"time":"never","in":1}\n' * 40)
            one.poll()
        assert len(one.sink.rejections) == 80
        assert "all refused" in one.said[0]
        assert one.poll().unreadable == 1

    def test_a_state_directory_has_one_collector(self, world: Callable[..., World]) -> None:
        one = world()
        with pytest.raises(StateInUse):
            CheckpointStore(one.folder / "state")
