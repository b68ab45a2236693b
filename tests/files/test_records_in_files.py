"""Other tools' records as files: lines, tables, documents, envelopes, compression; what they hold stays inside."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from producers.files import ColumnMap, ReadOptions, read_files
from producers.files.lines import zstd
from tests.records.reading import CANARY, NOW
from tests.records.test_gateways import observation, spend_row
from tokenweir.usage import Rejection


def read(*paths: Path) -> list[Any]:
    return list(read_files(paths, ReadOptions(now=NOW, column_map=ColumnMap())))


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


TWO = (observation(), observation(id="obs-2"))


@pytest.mark.parametrize(
    "content",
    [
        lines(*TWO),
        gzip.compress(lines(*TWO)),
        zstd.compress(lines(*TWO)),
        json.dumps(list(TWO)).encode(),
        json.dumps(list(TWO), indent=2).encode(),
        json.dumps({"data": TWO, "meta": {"page": 1}}).encode(),
        json.dumps({"data": TWO, "meta": {"page": 1}}, indent=2).encode(),
    ],
)
def test_all_forms_of_an_export_are_told_and_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "export"
    path.write_bytes(content)
    assert [(piece.id, piece.input_tokens) for piece in read(path)] == [
        ("langfuse:obs-1", 170),
        ("langfuse:obs-2", 170),
    ]


def test_a_table_of_records_is_told_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "spend.csv"
    path.write_text(
        "request_id,call_type,api_key,spend,prompt_tokens,completion_tokens,startTime,endTime,model,"
        "custom_llm_provider,metadata,cache_hit\n"
        'chatcmpl-1,acompletion,h,0.5,10,4,2026-10-01 00:00:00,2026-10-01 00:00:01,gpt-5.4,openai,"{""a"": 1}",False\n'
        "chatcmpl-2,acompletion,h,0.5,10,4,2026-10-01 00:00:00,2026-10-01 00:00:01,gpt-5.4,openai,{},True\n"
    )
    (event,) = read(path)
    assert (event.id, event.input_tokens, str(event.reported_cost)) == ("openai:chatcmpl-1", 10, "0.5")


def test_a_refused_record_costs_itself_and_keeps_no_content(tmp_path: Path) -> None:
    path = tmp_path / "spend.jsonl"
    bad = spend_row(prompt_tokens=CANARY)
    path.write_bytes(lines(spend_row(), bad, spend_row(request_id="chatcmpl-B2")) + CANARY.encode())
    first, refused, last, no_json = read(path)
    assert (first.id, last.id) == ("openai:chatcmpl-A1", "openai:chatcmpl-B2")
    assert (refused.field, no_json.reason) == ("prompt_tokens", "invalid_json")
    assert isinstance(refused, Rejection)
    assert not any(CANARY in piece.model_dump_json() for piece in (first, refused, last, no_json))


def test_a_directory_is_read_whole_and_what_is_no_usage_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.jsonl").write_bytes(lines(observation()))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines(observation(id="obs-2"))))
    (folder / "README.md").write_text("# nothing\n")
    (folder / ".hidden.jsonl").write_bytes(lines(observation(id="obs-3")))
    reading = read_files([folder], ReadOptions(now=NOW, column_map=ColumnMap()))
    assert {piece.id for piece in reading} == {"langfuse:obs-1", "langfuse:obs-2"}
    assert (reading.file_count, len(reading.skipped)) == (2, 1)
    assert len(read(tmp_path / "logs" / "**" / "*.jsonl")) == 1
