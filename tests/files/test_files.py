"""Files as they come: formats, names of rows, compression, damage, hostile content."""

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from producers.files import (
    ColumnMap,
    ReadOptions,
    UnreadableFile,
    read_files,
    source_of,
)
from producers.files.lines import zstd
from tokenweir.errors import TokenweirError, WrongCall
from tokenweir.usage import Rejection, UsageEvent
from tokenweir.usage.wire import encode_event

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TABLE = ColumnMap.parse(
    ("time=when", "input_tokens=in", "output_tokens=out"), ("vendor=openai", "model=gpt-4o")
)
HEADER = "when,in,out\n"
CANARY = "the quick brown canary"


def options(**changes: Any) -> ReadOptions:
    return ReadOptions(**{"now": NOW, "column_map": TABLE, **changes})


def read(*paths: Path, **changes: Any) -> list[Any]:
    return list(read_files(paths, options(**changes)))


def events_of(pieces: list[Any]) -> list[UsageEvent]:
    return [piece for piece in pieces if isinstance(piece, UsageEvent)]


def ids(pieces: list[Any]) -> list[str]:
    return [piece.id for piece in pieces]


def table(count: int, start: int = 0) -> str:
    return "".join(
        f"2024-01-01T00:00:{number % 60:02d},{number},2\n" for number in range(start, start + count)
    )


class TestNamesOfRows:
    def test_reading_again_gives_the_same_names(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv"
        path.write_text(HEADER + table(50))
        assert ids(read(path)) == ids(read(path))

    def test_a_file_that_grew_keeps_its_names(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv"
        path.write_text(HEADER + table(50))
        before = ids(read(path))
        path.write_text(HEADER + table(80))
        after = ids(read(path))
        assert after[:50] == before
        assert len(set(after)) == 80

    @pytest.mark.parametrize(
        "name",
        [
            "use.csv.1",
            "use.csv-20240131",
            "use.csv.2024-01-31",
            "use.csv.1.gz",
            "use.csv.gz",
            "use.csv.2.zst",
        ],
    )
    def test_moved_rotated_and_compressed_copies_keep_their_names(self, tmp_path: Path, name: str) -> None:
        path, copy = tmp_path / "use.csv", tmp_path / "old" / name
        copy.parent.mkdir()
        content = (HEADER + table(5)).encode()
        path.write_bytes(content)
        packing = {".gz": gzip.compress, ".zst": zstd.compress}.get(copy.suffix, bytes)
        copy.write_bytes(packing(content))
        assert ids(read(path)) == ids(read(copy))

    def test_line_ends_do_not_matter(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv"
        path.write_bytes((HEADER + table(5)).encode())
        before = ids(read(path))
        path.write_bytes((HEADER + table(5)).replace("\n", "\r\n").encode())
        assert ids(read(path)) == before

    def test_equal_rows_are_several_calls(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv"
        path.write_text(HEADER + table(1) * 3)
        first, second, third = ids(read(path))
        assert (second, third) == (f"{first}-1", f"{first}-2")

    def test_a_corrected_map_gives_the_same_names(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv"
        path.write_text(HEADER + table(3))
        swapped = ColumnMap.parse(
            ("time=when", "input_tokens=out", "output_tokens=in"), ("vendor=x", "model=y")
        )
        assert ids(read(path)) == ids(read(path, column_map=swapped))

    def test_a_named_source_keeps_files_apart(self, tmp_path: Path) -> None:
        path = tmp_path / "use.csv"
        path.write_text(HEADER + table(3))
        sets = ("vendor=openai", "model=gpt-4o", "source=host-a")
        named = ColumnMap.parse(("time=when", "input_tokens=in"), sets)
        pieces = read(path, column_map=named)
        assert {event.source for event in events_of(pieces)} == {"host-a"}
        assert not set(ids(pieces)) & set(ids(read(path)))

    @pytest.mark.parametrize(
        ("name", "source"),
        [
            ("app.log", "file:app.log"),
            ("app.log.12", "file:app.log"),
            ("app.log-2024013112.gz", "file:app.log"),
            ("app.log.2024-01-31_13-05.gz", "file:app.log"),
            ("azure_2023_code.csv", "file:azure_2023_code.csv"),
            ("usage-20240131.csv", "file:usage-20240131.csv"),
            ("app.log.3.zst", "file:app.log"),
            ("app.log-20240131.zstd", "file:app.log"),
            (".gz", "file:.gz"),
            (".zst", "file:.zst"),
        ],
    )
    def test_a_source_is_the_name_without_rotation(self, name: str, source: str) -> None:
        assert source_of(Path("/some/place") / name) == source


class TestFormats:
    def test_events_are_found_and_taken_as_they_are(self, tmp_path: Path) -> None:
        event = UsageEvent(
            id="openai:1", source="sdk", time=NOW, vendor="openai", model="gpt-4o", input_tokens=5
        )
        path = tmp_path / "events.ndjson"
        path.write_bytes(
            encode_event(event) + b"\n{bad\n\n" + encode_event(event.model_copy(update={"id": "openai:2"}))
        )
        first, bad, second = read(path, column_map=ColumnMap())
        assert (first, second.id, bad.reason, bad.line) == (event, "openai:2", "invalid_json", 1)
        (shifted, *_) = read(path, column_map=ColumnMap.parse((), ("team=search", "tags.env=prod")))
        assert (shifted.team, shifted.tags, shifted.source) == ("search", {"env": "prod"}, "sdk")

    def test_raw_answers_are_found_by_vendor(self, tmp_path: Path) -> None:
        answers = {
            "openai": {
                "model": "gpt-4o",
                "id": "chatcmpl-1",
                "usage": {"prompt_tokens": 5, "completion_tokens": 6},
            },
            "anthropic": {
                "model": "claude-x",
                "id": "msg_1",
                "usage": {"input_tokens": 5, "output_tokens": 6},
            },
            "google": {
                "modelVersion": "gemini-3",
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 6},
            },
        }
        for vendor, answer in answers.items():
            path = tmp_path / f"{vendor}.jsonl"
            path.write_text(json.dumps({"error": {"message": CANARY}}) + "\n" + json.dumps(answer) + "\n")
            os.utime(path, (1_750_000_000, 1_750_000_000))
            refused, event = read(path, column_map=ColumnMap.parse((), ("team=search",)))
            assert (event.vendor, event.input_tokens, event.output_tokens, event.team) == (
                vendor,
                5,
                6,
                "search",
            )
            assert event.time == datetime.fromtimestamp(1_750_000_000, UTC)
            assert refused.reason == "missing_field"
            assert CANARY not in refused.model_dump_json()
            assert ids(read(path, column_map=ColumnMap())) == [refused.id, event.id]

    def test_an_answer_billed_as_several_calls_is_several_events(self, tmp_path: Path) -> None:
        step = {"type": "advisor_message", "model": "claude-y", "input_tokens": 7, "output_tokens": 1}
        usage = {"input_tokens": 5, "output_tokens": 6, "iterations": [step]}
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"model": "claude-x", "id": "msg_1", "usage": usage}))
        assert ids(read(path, column_map=ColumnMap())) == ["anthropic:msg_1", "anthropic:msg_1/1"]

    @pytest.mark.parametrize(
        ("content", "changes", "says"),
        [
            (
                '{"model":"deepseek-chat","usage":{"prompt_tokens":1}}',
                {"column_map": ColumnMap()},
                "--format",
            ),
            ('[{"a":1}]', {}, "no column 'when'"),
            ("[2026-01-01 12:00:00] started", {"column_map": ColumnMap()}, "of its JSON array"),
            (HEADER, {"format": "xlsx"}, "Formats are events, csv, jsonl, "),
            (HEADER, {"format": "cvs"}, "Did you mean csv?"),
            ('{"model":"gpt-4o","usage":{"prompt_tokens":1}}', {"format": "openai"}, "--map does not apply"),
            (
                '{"a":1}',
                {"format": "openai", "column_map": ColumnMap(), "surface": "prose"},
                "no surface 'prose'",
            ),
            ("a\x00b\x01", {}, "is no text"),
        ],
    )
    def test_what_cannot_be_told_is_a_wrong_call(
        self, tmp_path: Path, content: str, changes: dict[str, Any], says: str
    ) -> None:
        path = tmp_path / "a"
        path.write_text(content)
        with pytest.raises(WrongCall) as caught:
            read(path, **changes)
        assert says in str(caught.value)

    @pytest.mark.parametrize(
        ("magic", "kind"),
        [
            (b"PAR1", "Parquet"),
            (b"PK\x03\x04", "zip"),
            (b"BZh9", "bzip2"),
            (b"\xff\xfea\x00", "UTF-16"),
        ],
    )
    def test_foreign_files_are_named(self, tmp_path: Path, magic: bytes, kind: str) -> None:
        path = tmp_path / "a"
        path.write_bytes(magic + bytes(100))
        with pytest.raises(WrongCall, match=kind):
            read(path)

    def test_paths_are_checked_before_anything_is_read(self, tmp_path: Path) -> None:
        good = tmp_path / "good.csv"
        good.write_text(HEADER + table(1))
        (tmp_path / "empty").mkdir()
        for wrong in ("missing.csv", "empty", "*.jsonl"):
            with pytest.raises(WrongCall):
                read_files([good, tmp_path / wrong], options())
        with pytest.raises(WrongCall):
            read_files([], options())

    def test_empty_files_and_headers_alone_hold_nothing(self, tmp_path: Path) -> None:
        for content in ("", "\n\n", HEADER):
            path = tmp_path / "a.csv"
            path.write_text(content)
            assert read(path) == []


class TestCsv:
    def test_quotes_line_breaks_and_a_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        text = '"when","in","out","note"\r\n2024-01-01,1,2,"said ""hi"",\r\nand left"\r\n2024-01-01,3,4,\r\n'
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert [event.input_tokens for event in events_of(read(path))] == [1, 3]

    @pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
    def test_delimiters_are_found(self, tmp_path: Path, delimiter: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text((HEADER + table(3)).replace(",", delimiter))
        assert len(events_of(read(path))) == 3

    def test_ragged_rows_are_refused_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(HEADER + table(1) + "2024-01-01,1\n2024-01-01,1,2,3\n\n" + table(1, 5))
        pieces = read(path)
        assert [getattr(piece, "reason", "") for piece in pieces] == [
            "",
            "missing_field",
            "unknown_field",
            "",
        ]

    def test_a_quote_that_is_never_closed_costs_one_line(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("when,in,out\n" + table(3) + '"2024-01-01,9,9\n' + table(300, 10))
        pieces = read(path)
        assert len(events_of(pieces)) == 303
        (refused,) = [piece for piece in pieces if isinstance(piece, Rejection)]
        assert (refused.reason, refused.line) == ("wrong_type", 4)

    def test_a_huge_field_that_is_not_mapped_does_no_harm(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("when,in,out,prompt\n2024-01-01,1,2," + "x" * 1_000_000 + "\n2024-01-01,3,4,y\n")
        assert [event.input_tokens for event in events_of(read(path))] == [1, 3]

    def test_bytes_that_are_no_utf8_are_refused_where_they_are_mapped(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(
            b"when,in,team,note\n2024-01-01,1,a,\xff\n2024-01-01,2,\xff\xfe,b\n2024-01-01,3,c,d\n"
        )
        column_map = ColumnMap.parse(("time=when", "input_tokens=in", "team=team"), ("vendor=x", "model=y"))
        pieces = read(path, column_map=column_map)
        assert [getattr(piece, "input_tokens", None) for piece in pieces] == [1, None, 3]

    def test_refused_rows_keep_no_prompt(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(
            f"when,in,out,prompt\n2024-01-01,1,2,x\nnever,1,2,{CANARY}\n2024-01-01,1,{CANARY}\n{CANARY},1,2,3\n"
        )
        refused = [piece for piece in read(path) if isinstance(piece, Rejection)]
        assert len(refused) == 3
        assert not any("canary" in piece.model_dump_json() for piece in refused)


class TestHostileInput:
    def test_bad_rows_among_good_ones(self, tmp_path: Path) -> None:
        good = '{"when":"2024-01-01","in":1,"out":2}'
        bad = [
            "{", "[]", "7", "null", "nonsense", '{"when":"2024-01-01","in":NaN,"out":2}', "[" * 100_000,
            '{"when":"2024-01-01","in":' + "9" * 5000 + ',"out":2}', '{"when":"2024-01-01","in":{},"out":2}',
            '{"when":"2024-01-01","in":true,"out":2}', '{"when":1e400,"in":1}', "\x00\x00", "\ud800",
        ]  # fmt: skip
        path = tmp_path / "a.jsonl"
        content = "\n".join([good, *(line for row in bad for line in (row, good))])
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        pieces = read(path)
        assert len(events_of(pieces)) == len(bad) + 1
        assert len(pieces) == 2 * len(bad) + 1

    def test_a_line_of_twenty_megabytes_costs_itself(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        good = b'{"when":"2024-01-01","in":1,"out":2}\n'
        path.write_bytes(good + b'{"when":"' + b"x" * 20_000_000 + b'"}\n' + good)
        first, refused, last = read(path)
        assert (refused.reason, refused.size_bytes, refused.line) == ("too_large", 20_000_012, 1)
        assert (first.input_tokens, last.input_tokens) == (1, 1)
        assert len(refused.payload) <= 64 * 1024

    def test_the_same_in_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(HEADER + table(1) + "x" * 20_000_000 + "\n" + table(1, 7))
        assert [getattr(piece, "reason", "") for piece in read(path)] == ["", "too_large", ""]

    def test_a_truncated_gzip_gives_what_it_holds_and_then_an_error(self, tmp_path: Path) -> None:
        path, whole = tmp_path / "a.csv.gz", tmp_path / "b.csv"
        random_looking = "".join(f"2024-01-01,{number * 7919 % 100_003},2\n" for number in range(20_000))
        content = gzip.compress((HEADER + random_looking).encode())
        path.write_bytes(content[: len(content) // 2])
        whole.write_text(HEADER + table(3))
        reading = read_files([path, whole], options())
        pieces: list[Any] = []
        with pytest.raises(UnreadableFile, match="in the middle"):
            pieces.extend(reading)
        assert len([piece for piece in pieces if piece.source == "file:b.csv"]) == 3
        assert len(pieces) > 1000

    def test_a_damaged_gzip_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv.gz"
        content = bytearray(gzip.compress((HEADER + table(5)).encode()))
        content[-6] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(UnreadableFile):
            read(path)

    def test_a_gzip_bomb_is_read_in_constant_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl.gz"
        good = b'{"when":"2024-01-01","in":1,"out":2}\n'
        with gzip.open(path, "wb", compresslevel=9) as bomb:
            bomb.write(good)
            for _ in range(20):
                bomb.write(bytes(16 * 1024 * 1024))
            bomb.write(b"\n" + good)
        program = dedent(
            """
            import resource, sys
            from datetime import datetime, UTC
            from producers.files import ColumnMap, ReadOptions, read_files
            table = ColumnMap.parse(("time=when", "input_tokens=in"), ("vendor=x", "model=y"))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            pieces = list(read_files([sys.argv[1]], ReadOptions(now=datetime.now(UTC), column_map=table)))
            print([getattr(piece, "reason", "event") for piece in pieces])
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            """
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
        )
        kinds, growth_kib = done.stdout.splitlines()
        assert kinds == "['event', 'too_large', 'event']"
        assert int(growth_kib) < 200 * 1024

    def test_a_wholly_refused_file_is_given_up(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(HEADER + "never,1,2\n" * 5000)
        reading = read_files([path], options(refused_rows_limit=100))
        pieces: list[Any] = []
        with pytest.raises(TokenweirError, match="the first 100 rows are all refused") as caught:
            pieces.extend(reading)
        assert (pieces, caught.value.exit_status) == ([], 1)

    def test_a_few_refused_rows_before_the_first_good_one_are_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(HEADER + "never,1,2\n" * 50 + table(1))
        pieces = read(path, refused_rows_limit=100)
        assert (len(pieces), len(events_of(pieces))) == (51, 1)
        assert len(set(ids(pieces))) == 51
        path.write_text(HEADER + "never,1,2\n" * 50)
        assert len(read(path, refused_rows_limit=100)) == 50
