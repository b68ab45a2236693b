"""Whatever a file holds, reading it gives pieces or a typed error."""

import gzip
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from producers.files import ColumnMap, ReadOptions, format_names, read_files
from tokenweir.errors import TokenweirError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MAP = ColumnMap.parse(("time=when", "input_tokens=in"), ("vendor=x", "model=y"))
SEEDS = st.sampled_from(
    [
        b"when,in\n",
        b"2024-01-01,1\n",
        b'"2024-01-01","1"\r\n',
        b'{"when":"2024-01-01","in":1}\n',
        b'{"model":"gpt-4o","usage":{"prompt_tokens":1,"completion_tokens":1}}\n',
        b'{"id":"a","source":"b","time":"2024-01-01T00:00:00Z","vendor":"c","model":"d"}\n',
        b'"',
        b",",
        b"\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
    ]
)


@given(
    content=st.lists(SEEDS | st.binary(max_size=20), max_size=12).map(b"".join),
    name=st.none() | st.sampled_from(format_names()),
    mapped=st.booleans(),
    damage=st.none() | st.integers(0, 60),
)
def test_any_content_gives_pieces_or_a_typed_error(
    content: bytes, name: str | None, mapped: bool, damage: int | None
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory, "a")
        path.write_bytes(content if damage is None else gzip.compress(content, mtime=0)[: damage + 10])
        options = ReadOptions(now=NOW, format=name, column_map=MAP if mapped else ColumnMap())
        with suppress(TokenweirError):
            first = [piece.id for piece in read_files([path], options)]
            again = [piece.id for piece in read_files([path], options)]
            assert first == again
            assert len(set(first)) == len(first) or b'"id"' in content
