"""Real answers kept beside the repository, through what `weir parse` does, against the counts that their collectors
state."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from producers.files import parse_answers
from tokenweir.usage import UsageEvent

pytestmark = pytest.mark.shared_data

NOW = datetime(2026, 11, 30, tzinfo=UTC)
OUR_NAMES = {
    "output_reasoning_tokens": "reasoning_tokens",
    "cache_read": "cache_read_tokens",
    "cache_audio_read_tokens": "cache_read_audio_tokens",
    "cache_image_read_tokens": "cache_read_image_tokens",
    "cache_video_read_tokens": "cache_read_video_tokens",
}
"""Their names that are not ours. Their further splits (text, tool, five-minute writes) have no field here: each is what
the others leave of its total."""

UNITS = (
    "web_searches",
    "input_video_tokens",
    "cache_read_audio_tokens",
    "cache_read_image_tokens",
    "cache_read_video_tokens",
)

BODIES = {"openai": 131, "anthropic": 97, "google": 134, "aws": 83, "cohere": 7}

MIXED_UP = {"anthropic": 2, "google": 3, "aws": 1}
"""Bodies that are filed under one vendor and were sent by another (OpenAI, Anthropic, OpenRouter), for which the
expectation states the totals alone although the body states subsets. The same shapes filed under their own vendor
are expected with the subsets, which is what is read here."""

NO_ANSWERS = {
    "anthropic__cost_report": None,
    "anthropic__usage_report_claude_code": None,
    "anthropic__usage_report_messages": None,
    "openai__org_costs": None,
    "openai__org_usage_completions": None,
}
"""Reports, which are the bills' matter."""

REFUSED = {
    ("anthropic__errors", 0): "usage",
    ("openai__errors", 0): "usage",
    ("openai__batch", 1): "object",
    ("openai__chat_completions_stream", 0): "usage",
    ("google_gemini__generate_content", 0): "name",
}
"""Samples that are no billed call by themselves, and the field that says so: errors, a whole batch beside its lines, a
chunk without usage, a stored cache."""

VENDORS = ("openai", "azure_openai", "azure_foundry", "anthropic", "google", "aws_bedrock", "cohere")

COUNTED_BY_FORMULA = {
    ("anthropic__iterations_advisor", 0): {
        "input_tokens": 2390,
        "output_tokens": 121,
        "reasoning_tokens": 28,
    },
    ("anthropic__iterations_compaction", 0): {"input_tokens": 229, "output_tokens": 5},
    ("anthropic__iterations_fallback", 0): {"input_tokens": 412, "output_tokens": 264},
    ("anthropic__messages_stream", 0): {
        "input_tokens": 9632,
        "cache_read_tokens": 6289,
        "cache_write_tokens": 3337,
        "output_tokens": 198,
    },
    ("aws_bedrock__converse_stream", 0): {"input_tokens": 51, "output_tokens": 94},
    ("aws_bedrock__invoke_model_headers", 0): {"input_tokens": 4},
    ("aws_bedrock__invoke_model_headers", 1): {
        "input_tokens": 9514,
        "cache_read_tokens": 9511,
        "output_tokens": 1944,
    },
    ("aws_bedrock__mantle_openai_responses", 0): {"input_tokens": 88, "output_tokens": 14},
    ("azure_foundry__deepseek", 0): {"input_tokens": 19, "output_tokens": 1969},
    ("azure_foundry__deepseek", 1): {"input_tokens": 19, "output_tokens": 1720},
    ("azure_openai__responses", 0): {
        "input_tokens": 2143,
        "cache_read_tokens": 1280,
        "output_tokens": 919,
        "reasoning_tokens": 576,
    },
    ("cohere__chat_stream", 0): {"input_tokens": 12, "output_tokens": 7},
    ("cohere__embed", 0): {"input_tokens": 10},
    ("google_gemini__interactions", 0): {
        "input_tokens": 220,
        "output_tokens": 1763,
        "reasoning_tokens": 1173,
    },
    ("google_gemini__live", 0): {
        "input_tokens": 25,
        "input_audio_tokens": 25,
        "output_tokens": 25,
        "output_audio_tokens": 25,
    },
    ("google_vertex__generate_content", 0): {
        "input_tokens": 249,
        "output_tokens": 241,
        "reasoning_tokens": 183,
    },
    ("openai__realtime", 1): {
        "input_tokens": 41,
        "input_audio_tokens": 27,
        "output_tokens": 164,
        "output_audio_tokens": 136,
    },
}
"""Samples without an expectation of their own: their vendor's formula over their figures, all counts that are not 0."""


def tokens_and_units(event: Mapping[str, Any]) -> dict[str, Any]:
    """What was read that is not 0, by our names."""
    tokens = {
        name: event[name] for name in UsageEvent.model_fields if name.endswith("_tokens") and event.get(name)
    }
    return tokens | event.get("units", {})


def differences(event: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Of the counts that `expected` states and we have a place for: what was read, what was expected."""
    read = tokens_and_units(event)
    known = {name for name in UsageEvent.model_fields if name.endswith("_tokens")} | set(UNITS)
    wanted = {OUR_NAMES.get(name, name): value for name, value in expected.items()}
    return {
        name: (read.get(name, 0), value)
        for name, value in wanted.items()
        if name in known and read.get(name, 0) != value
    }


def unexpected(event: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """What was read and `expected` does not state."""
    stated = {OUR_NAMES.get(name, name) for name in expected}
    return [name for name in tokens_and_units(event) if name not in stated]


def parsed(body: Any, vendor: str, surface: str | None = None) -> list[dict[str, Any]]:
    return list(parse_answers([json.dumps(body).encode()], vendor, surface, now=NOW, inner_calls=True))


@pytest.mark.parametrize("vendor", BODIES)
def test_every_real_body_is_read_as_expected(shared_data: Path, vendor: str) -> None:
    text = (shared_data / "usage_bodies.jsonl").read_text(encoding="utf-8")
    tally: Counter[str] = Counter()
    for body in map(json.loads, text.splitlines()):
        if body["vendor"] != vendor:
            continue
        event = parsed(body["body"], vendor)[0]
        readings = [expected for expected in body["expected"] if not differences(event, expected)]
        assert readings, (body, event)
        assert "usage_total_mismatch" not in event.get("tags", {}), body
        tally["read"] += 1
        tally["stated totals alone"] += all(unexpected(event, expected) for expected in readings)
    assert tally["read"] == BODIES[vendor]
    assert tally["stated totals alone"] == MIXED_UP.get(vendor, 0)


def test_every_sample_is_read_as_expected_with_and_without_its_surface(shared_data: Path) -> None:
    tally: Counter[str] = Counter()
    for path in sorted((shared_data / "samples").glob("*.json")):
        vendor, _, surface = path.stem.partition("__")
        if not vendor.startswith(VENDORS) or path.stem in NO_ANSWERS:
            continue
        for number, sample in enumerate(json.loads(path.read_text(encoding="utf-8"))["samples"]):
            at = (path.stem, number)
            for named in (None, surface):
                event = parsed(sample["raw"], vendor, named)[0]
                if at in REFUSED:
                    assert event["field"] == REFUSED[at], (at, event)
                    continue
                assert "error" not in event, (at, event)
                stated = sample.get("expected", {}).get("usage", {})
                assert not differences(event, stated), (at, event, stated)
                if at in COUNTED_BY_FORMULA:
                    tokens = {
                        name: value
                        for name, value in tokens_and_units(event).items()
                        if name.endswith("_tokens")
                    }
                    assert tokens == COUNTED_BY_FORMULA[at], at
                tally["expected"] += bool(stated) or at in COUNTED_BY_FORMULA
                tally["read"] += 1
    assert tally["read"] > 100
    assert tally["expected"] > 80


def test_calls_within_a_sample_are_billed_at_their_own_models(shared_data: Path) -> None:
    found = {}
    for name in ("advisor", "compaction", "fallback"):
        path = shared_data / "samples" / f"anthropic__iterations_{name}.json"
        raw = json.loads(path.read_text(encoding="utf-8"))["samples"][0]["raw"]
        found[name] = [
            (event["model"], event["input_tokens"], event["output_tokens"])
            for event in parsed(raw, "anthropic")
        ]
    assert found == {
        "advisor": [("claude-sonnet-5", 2390, 121), ("claude-opus-4-8", 2518, 22)],
        "compaction": [("claude-sonnet-4-6", 229, 5), ("claude-sonnet-4-6", 55196, 131)],
        "fallback": [("claude-opus-4-8", 412, 264), ("claude-fable-5", 408, 0)],
    }


def test_the_only_sample_whose_stated_total_is_another_one_is_tagged(shared_data: Path) -> None:
    """Its figures are of a test of genai-prices', not of a recorded answer; the total does not change what is read."""
    path = shared_data / "samples" / "google_vertex__generate_content.json"
    raw = json.loads(path.read_text(encoding="utf-8"))["samples"][1]["raw"]
    (event,) = parsed(raw, "google_vertex")
    assert (event["tags"], event["output_tokens"]) == ({"usage_total_mismatch": "-10"}, 129)
