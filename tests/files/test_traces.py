"""Real traces through the column maps that the documentation gives, to their exact figures."""

import shlex
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from producers.files import ColumnMap, ReadOptions, read_files
from tokenweir.usage import UsageEvent

DOCUMENTED = Path(__file__).parents[2] / "docs" / "traces.md"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def documented_call(name: str) -> tuple[list[str], list[str]]:
    """The maps and sets of the command in the documentation that reads the file `name`."""
    text = DOCUMENTED.read_text(encoding="utf-8").replace("\\\n", " ")
    (command,) = [line for line in text.splitlines() if line.startswith("weir ingest") and name in line]
    words = shlex.split(command)
    maps = [after for word, after in pairwise(words) if word == "--map"]
    sets = [after for word, after in pairwise(words) if word == "--set"]
    return maps, sets


def read_trace(path: Path) -> list[UsageEvent]:
    column_map = ColumnMap.parse(*documented_call(path.name))
    pieces = list(read_files([path], ReadOptions(now=NOW, column_map=column_map)))
    events = [piece for piece in pieces if isinstance(piece, UsageEvent)]
    assert len(events) == len(pieces)
    return events


@pytest.mark.parametrize("name", ["azure_2023_code.csv", "azure_2023_conv.csv", "kimi_conversation.jsonl"])
def test_the_documented_maps_are_whole(name: str) -> None:
    ColumnMap.parse(*documented_call(name)).require_whole()


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "count", "input_tokens", "cache_read_tokens", "output_tokens"),
    [
        ("azure_2023_code.csv", 8_819, 18_059_974, 0, 245_896),
        ("azure_2023_conv.csv", 19_366, 22_361_870, 0, 4_088_665),
        ("kimi_conversation.jsonl", 12_031, 144_793_823, 54_098_411, 4_122_048),
    ],
)
def test_traces_hold_exactly_what_they_state(
    shared_data: Path, name: str, count: int, input_tokens: int, cache_read_tokens: int, output_tokens: int
) -> None:
    path = shared_data / "traces" / name
    events = read_trace(path)
    assert len(events) == count
    assert sum(event.input_tokens for event in events) == input_tokens
    assert sum(event.cache_read_tokens for event in events) == cache_read_tokens
    assert sum(event.output_tokens for event in events) == output_tokens
    assert len({event.id for event in events}) == count
    assert [event.id for event in read_trace(path)] == [event.id for event in events]
