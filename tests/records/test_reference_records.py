"""The reference samples of other tools' records: each is told by its look and reads as its source says."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers import records
from tests.records.reading import read

FORMATS = {
    "litellm__spend_log_row": "litellm_spend_log",
    "litellm__standard_logging_payload": "litellm",
    "helicone__export": "helicone",
    "portkey__logs_export": "portkey",
    "langfuse__observation": "langfuse",
    "aws_bedrock__invocation_log": "bedrock_invocation_log",
    "azure_apim__gateway_llm_log": "azure_apim",
    "claude_code__session_jsonl": "claude_code",
    "codex_cli__session_jsonl": "codex",
    "gemini_cli__chat_json": "gemini_cli",
    "claude_code__otlp_logs": "otlp",
    "codex_cli__otlp_logs": "otlp",
    "gemini_cli__otlp": "otlp",
    "otel__genai_span_otlp_json": "otlp",
}
TOTALS = {"codex": (3500, 425), "claude_code": (405, 125), "gemini_cli": (105, 30), "langfuse": (140, 70)}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FORMATS)
def test_a_sample_reads_as_its_source_says(name: str, shared_data: Path) -> None:
    content = json.loads((shared_data / "samples" / f"{name}.json").read_text(), parse_float=Decimal)
    for sample in content["samples"]:
        rows: list[dict[str, Any]] = sample["raw"] if isinstance(sample["raw"], list) else [sample["raw"]]
        assert {records.detect(row) for row in rows} == {FORMATS[name]}
        events = read(*rows)
        assert events
        found = (sum(event.input_tokens for event in events), sum(event.output_tokens for event in events))
        assert found == TOTALS.get(FORMATS[name], found)
        expected = sample.get("expected", {}).get("usage")
        if isinstance(expected, dict) and "input_tokens" in expected:
            assert found == (expected["input_tokens"], expected.get("output_tokens", 0))
        if isinstance(expected, dict) and "cost_usd" in expected:
            assert events[0].reported_cost == Decimal(expected["cost_usd"])


@pytest.mark.shared_data
def test_no_other_sample_is_taken_for_a_record(shared_data: Path) -> None:
    for path in sorted((shared_data / "samples").glob("*.json")):
        if path.stem in FORMATS:
            continue
        for sample in json.loads(path.read_text(), parse_float=Decimal)["samples"]:
            rows = sample["raw"] if isinstance(sample["raw"], list) else [sample["raw"]]
            taken = {records.detect(row) for row in rows if isinstance(row, dict)}
            assert taken <= {""}, path.stem
