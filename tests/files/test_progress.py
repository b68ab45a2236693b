"""How far a reading has come, and how it ends."""

import gzip
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from producers.files import ColumnMap, ReadOptions, read_files

HEADER = "when,in,out\n"


def options() -> ReadOptions:
    columns = ("time=when", "input_tokens=in", "output_tokens=out")
    return ReadOptions(
        now=datetime(2026, 3, 1, tzinfo=UTC),
        column_map=ColumnMap.parse(columns, ("vendor=openai", "model=gpt-4o")),
    )


def table(count: int) -> str:
    return "".join(f"2024-01-01T00:00:{number % 60:02d},{number},2\n" for number in range(count))


def test_bytes_and_counts_reach_their_totals(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv.gz"
    first.write_text(HEADER + table(2000))
    second.write_bytes(gzip.compress((HEADER + table(2000) + "never,1,2\n").encode()))
    reading = read_files([first, second], options())
    positions = []
    for _ in reading:
        positions.append(reading.read_bytes)
    assert positions == sorted(positions)
    assert reading.read_bytes == reading.total_bytes == first.stat().st_size + second.stat().st_size
    assert (reading.event_count, reading.rejection_count) == (4000, 1)


def test_a_reading_can_be_closed_early(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + table(2000))
    reading = read_files([path], options())
    next(reading)
    reading.close()
    assert list(reading) == []


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    reading = read_files([path], options())
    writer = subprocess.Popen(["sh", "-c", f"printf '{HEADER.strip()}\\n2024-01-01,1,2\\n' > '{path}'"])
    try:
        assert len(list(reading)) == 1
    finally:
        writer.wait(timeout=60)
