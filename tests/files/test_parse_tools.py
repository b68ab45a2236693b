"""Records of other tools, asked for by the tool's name."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from producers.files import parse_answers
from producers.files.tools import TOOLS as READ_TOOLS
from tokenweir.cli.convert import parse
from tokenweir.errors import WrongCall

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CANARY = "the quick brown canary sings"
TOOLS = {
    "claude_code": ("session_jsonl", "otlp_logs", "otlp_metrics"),
    "codex_cli": ("session_jsonl", "otlp_logs"),
    "gemini_cli": ("chat_json", "otlp"),
    "litellm": ("spend_log_row", "standard_logging_payload"),
    "helicone": ("export",),
    "portkey": ("logs_export",),
    "langfuse": ("observation",),
    "otel": ("genai_span_otlp_json",),
    "azure_apim": ("gateway_llm_log",),
    "aws_bedrock": ("invocation_log",),
}
SURFACES = [(tool, surface) for tool, surfaces in TOOLS.items() for surface in surfaces]
TOTALS = {"claude_code/session_jsonl": (405, 125), "claude_code/otlp_metrics": (2000, 350)}


def parsed(record: Any, tool: str, surface: str | None = None) -> list[dict[str, Any]]:
    return list(parse_answers([json.dumps(record).encode()], tool, surface, now=NOW))


def codex_event(**more: Any) -> dict[str, Any]:
    said = {"event.name": "codex.sse_event", "event.kind": "response.completed", "model": "gpt-5"}
    return {**said, "input_token_count": "23", "output_token_count": 7, "prompt": CANARY, **more}


def session_line(message_id: str, output: int) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": output}
    message = {"id": message_id, "model": "claude-x", "usage": usage, "content": CANARY}
    return {"type": "assistant", "uuid": "u", "sessionId": "s", "message": message}


@pytest.mark.parametrize("surface", ["otlp_logs", None])
@pytest.mark.parametrize("wrapped", ["attributes", "log", ""])
def test_a_flattened_log_record_is_read(wrapped: str, surface: str | None) -> None:
    record = {wrapped: codex_event()} if wrapped else codex_event()
    (event,) = parsed(record, "codex_cli", surface)
    assert (event["vendor"], event["input_tokens"], event["output_tokens"]) == ("openai", 23, 7)
    assert CANARY not in json.dumps(event)


def test_a_record_names_its_own_vendor() -> None:
    record = {"request_id": "r", "request_created_at": "2026-10-01T00:00:00Z", "provider": "ANTHROPIC"}
    record |= {"response_status": 200, "request_model": "claude-x", "request_body": CANARY}
    (event,) = parsed({**record, "prompt_tokens": 3, "completion_tokens": 4}, "helicone")
    assert (event["vendor"], event["output_tokens"]) == ("anthropic", 4)
    assert CANARY not in json.dumps(event)


def test_an_array_gives_a_line_for_each_call_and_passes_over_what_is_none() -> None:
    heartbeat = {"type": "user", "uuid": "u", "sessionId": "s", "message": {"content": CANARY}}
    lines = [session_line("m1", 1), heartbeat, session_line("m1", 9), 5, session_line("m2", 2)]
    first, again, broken, last = parsed(lines, "claude_code")
    assert first["id"] == again["id"] != last["id"]
    assert (again["output_tokens"], last["output_tokens"]) == (9, 2)
    assert (broken["reason"], broken["line"]) == ("wrong_type", 0)
    (alone,) = parsed(heartbeat, "claude_code")
    assert alone["field"] == "usage"
    assert CANARY not in json.dumps([first, again, broken, last, alone])


def test_metrics_are_counted_only_when_they_are_asked_for() -> None:
    points = [{"attributes": {"type": "input", "model": "claude-x"}, "asInt": "12"}]
    total = {"dataPoints": points, "aggregationTemporality": 1}
    record = {"metrics": [{"name": "claude_code.token.usage", "sum": total}]}
    (event,) = parsed(record, "claude_code", "otlp_metrics")
    assert (event["vendor"], event["input_tokens"]) == ("anthropic", 12)
    assert event["id"] != parsed(record, "claude_code", "otlp_metrics")[0]["id"]
    assert "error" in parsed(record, "claude_code", "otlp_logs")[0]


def test_an_unknown_surface_and_a_report_of_sums_are_wrong_calls() -> None:
    with pytest.raises(WrongCall) as unknown:
        parse_answers([], "litellm", "export", now=NOW)
    assert "spend_log_row" in str(unknown.value.hint)
    for vendor, surface in (("openai", "org_costs"), ("anthropic", "usage_report_messages")):
        with pytest.raises(WrongCall) as sums:
            parse_answers([], vendor, surface, now=NOW)
        assert "weir bills import" in str(sums.value.hint)


@pytest.mark.shared_data
@pytest.mark.parametrize(("tool", "surface"), SURFACES)
def test_a_sample_reads_as_its_source_says(tool: str, surface: str, shared_data: Path) -> None:
    content = json.loads((shared_data / "samples" / f"{tool}__{surface}.json").read_text())
    for sample in content["samples"]:
        events = parsed(sample["raw"], tool, surface)
        assert events
        assert not [event for event in events if "error" in event or event["vendor"] == tool]
        found = (sum(e["input_tokens"] for e in events), sum(e["output_tokens"] for e in events))
        assert found == TOTALS.get(f"{tool}/{surface}", found)
        expected = sample.get("expected", {}).get("usage")
        if isinstance(expected, dict):
            total = expected.get("input_tokens", expected.get("input_tokens_total"))
            assert found == (total, expected.get("output_tokens", 0))
            if "cost_usd" in expected:
                assert Decimal(events[0]["reported_cost"]) == Decimal(expected["cost_usd"])
            cached = expected.get("cached", expected.get("cache_read", 0))
            assert events[0].get("cache_read_tokens", 0) == cached
            assert events[0].get("reasoning_tokens", 0) == expected.get("reasoning", 0)


def test_the_help_of_the_command_names_every_tool() -> None:
    help_text = " ".join(CliRunner().invoke(parse, ["--help"]).output.split())
    assert [tool for tool in READ_TOOLS if not re.search(rf"\b{tool}\b", help_text)] == []
