"""The spool by itself: order, bounds, damage, owners."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from producers.delivery.batching import Message
from producers.emitter.spool import shelf as shelves
from producers.emitter.spool.segment import HEAD_BYTES, Segment, SpoolFull
from producers.emitter.spool.spool import Keep, Spool

TOPIC = "tokenweir.usage"


def message(number: int, *, size_bytes: int = 100, key: bytes | None = b"team") -> Message:
    value = f"{number:08}".encode() + os.urandom(size_bytes - 8)
    return Message(TOPIC, key, value, number % 7 + 1)


def number_of(found: Message) -> int:
    return int(found.value[:8])


def drain(spool: Spool) -> Iterator[Message]:
    """Gives out and settles everything, the adopted last."""
    for take in (spool.next_own, spool.next_adopted):
        while (found := take()) is not None:
            segment, given = found
            spool.settle(segment)
            yield given
    spool.tidy()


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.name != "lock"]


def test_messages_come_back_whole_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "deep" / "spool", TOPIC, max_bytes=1_000_000)
    assert not (tmp_path / "deep").exists()
    written = [message(number, key=None if number % 2 else b"k" * number) for number in range(100)]
    for one in written:
        spool.append(one, given_out=False)
    assert spool.unread_events == sum(one.events for one in written)
    assert list(drain(spool)) == written
    assert (spool.unread_events, spool.size_bytes) == (0, 0)
    spool.close()
    assert list((tmp_path / "deep" / "spool").iterdir()) == []


def test_what_is_settled_leaves_the_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path, TOPIC, max_bytes=80_000)
    segments = [spool.append(message(number, size_bytes=1_000), given_out=True) for number in range(60)]
    assert len(files(tmp_path)) > 4
    for segment in segments[:30]:
        spool.settle(segment)
    spool.tidy()
    assert spool.size_bytes < 45_000
    for segment in segments[30:]:
        spool.settle(segment)
    spool.tidy()
    assert spool.size_bytes == 0
    assert [path.stat().st_size for path in files(tmp_path)] == [0]
    spool.close()


@pytest.mark.parametrize("keep", ["oldest", "newest"])
def test_the_bound_holds_and_what_stays_is_chosen(tmp_path: Path, keep: Keep) -> None:
    spool = Spool(tmp_path, TOPIC, max_bytes=50_000, keep=keep)
    refused = 0
    for number in range(200):
        try:
            spool.append(message(number, size_bytes=1_000), given_out=False)
        except SpoolFull:
            refused += 1
        assert spool.size_bytes <= 50_000
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 50_000
    numbers = [number_of(found) for found in drain(spool)]
    assert numbers == sorted(numbers)
    if keep == "oldest":
        assert numbers == list(range(200 - refused))
        assert spool.dropped_events == 0
    else:
        assert refused == 0
        assert numbers == list(range(200 - len(numbers), 200))
        assert spool.dropped_events == sum(number % 7 + 1 for number in range(200 - len(numbers)))
    assert len(numbers) > 35
    spool.close()


def test_a_message_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path, TOPIC, max_bytes=500, keep="newest")
    with pytest.raises(SpoolFull):
        spool.append(message(1, size_bytes=1_000), given_out=False)
    spool.close()


def _written(path: Path, count: int) -> list[Message]:
    segment = Segment(path)
    written = [message(number) for number in range(count)]
    for one in written:
        segment.append(one, given_out=False)
    segment.close()
    return written


def _read(path: Path) -> list[Message]:
    segment = Segment.found(path)
    found = []
    while (one := segment.next(TOPIC)) is not None:
        found.append(one)
    segment.close()
    return found


@given(cut=st.integers(0, 1_200), junk=st.binary(max_size=300))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_torn_tail_costs_the_torn_message(tmp_path: Path, cut: int, junk: bytes) -> None:
    path = tmp_path / "torn.segment"
    path.unlink(missing_ok=True)
    written = _written(path, 10)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut] + junk)
    intact = max(len(whole) - cut, 0) // (len(whole) // 10)
    assert _read(path) == written[:intact]


@given(at=st.integers(0, 1_239), junk=st.binary(min_size=1, max_size=40))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damage_costs_what_it_hits_and_nothing_is_invented(tmp_path: Path, at: int, junk: bytes) -> None:
    path = tmp_path / "damaged.segment"
    path.unlink(missing_ok=True)
    written = _written(path, 10)
    content = bytearray(path.read_bytes())
    content[at : at + len(junk)] = junk[: len(content) - at]
    path.write_bytes(content)
    size = HEAD_BYTES + written[0].size_bytes
    hit = range(at // size, (at + len(junk) - 1) // size + 1)
    found = _read(path)
    assert [one for one in written if one in found] == found
    assert all(one in found for number, one in enumerate(written) if number not in hit)


def test_a_shelf_has_one_owner_and_an_orphan_gets_one(tmp_path: Path) -> None:
    first, second, third = (Spool(tmp_path, TOPIC, max_bytes=100_000) for _ in range(3))
    for number in range(10):
        first.append(message(number), given_out=False)
    for number in range(10, 12):
        second.append(message(number), given_out=False)
    assert second.adopt() == third.adopt() == 0
    first.close()
    assert second.adopt() == sum(number % 7 + 1 for number in range(10))
    assert third.adopt() == 0
    assert second.unread_events == sum(number % 7 + 1 for number in range(12))
    assert [number_of(found) for found in drain(second)] == [10, 11, *range(10)]
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    second.close()
    third.close()
    assert list(tmp_path.iterdir()) == []


def test_orphans_of_killed_processes_are_adopted_the_oldest_first(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from producers.delivery.batching import Message
from producers.emitter.spool.spool import Spool
spool = Spool(Path(sys.argv[1]), "t", max_bytes=10**6)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 5):
    spool.append(Message("t", None, b"%08d" % number, 1), given_out=number % 2 == 0 and not spool.has_unread)
os.kill(os.getpid(), signal.SIGKILL)
"""
    for first in (0, 5):
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(first)], check=False)
        assert done.returncode == -9
    spool = Spool(tmp_path, TOPIC, max_bytes=1_000)
    # What had been given out when the process was killed is given out again.
    assert spool.adopt() == 10
    assert [number_of(found) for found in drain(spool)] == list(range(10))
    spool.close()


def test_what_was_adopted_counts_against_the_bound(tmp_path: Path) -> None:
    left = Spool(tmp_path, TOPIC, max_bytes=100_000)
    for number in range(40):
        left.append(message(number, size_bytes=1_000), given_out=False)
    left.close()
    spool = Spool(tmp_path, TOPIC, max_bytes=50_000, keep="newest")
    spool.adopt()
    for number in range(40, 80):
        spool.append(message(number, size_bytes=1_000), given_out=False)
        assert spool.size_bytes <= 50_000
    numbers = sorted(number_of(found) for found in drain(spool))
    assert numbers[-40:] == list(range(40, 80))
    spool.close()


def test_a_directory_that_is_cleared_away_is_made_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", TOPIC, max_bytes=100_000)
    for number in range(30):
        spool.append(message(number, size_bytes=1_000), given_out=False)
    shutil.rmtree(tmp_path / "spool")
    for number in range(30, 35):
        spool.append(message(number, size_bytes=1_000), given_out=False)
    assert len(files(tmp_path)) == 1
    numbers = [number_of(found) for found in drain(spool)]
    assert numbers[-5:] == list(range(30, 35))
    assert spool.lost_records == 35 - len(numbers)
    assert (spool.unread_events, spool.size_bytes) == (0, 0)
    spool.close()


def test_what_never_became_a_shelf_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "new-1").mkdir()
    (tmp_path / "new-1" / "lock").touch()
    os.utime(tmp_path / "new-1", (0, 0))
    (tmp_path / "new-2").mkdir()
    (tmp_path / "somebody's file").touch()
    assert list(shelves.adopt_orphans(tmp_path)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new-2", "somebody's file"]
