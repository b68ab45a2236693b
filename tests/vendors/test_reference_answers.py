"""Real answers kept beside the repository, against the counts that their collectors state."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from producers.vendors import AnswerContext, read_answer
from tokenweir.usage import UsageEvent

pytestmark = pytest.mark.shared_data

CONTEXT = AnswerContext(source="test", now=datetime(2026, 11, 30, tzinfo=UTC))
OUR_NAMES = {"output_reasoning_tokens": "reasoning_tokens"}
"""Their names that are not ours. Their further splits (text, video, tool) have no field here."""

SAMPLE_VENDORS = {
    "openai": "openai",
    "azure_openai": "azure",
    "anthropic": "anthropic",
    "google_gemini": "google",
    "google_vertex": "google",
}
SAMPLE_FILES = (
    "openai__chat_completions",
    "openai__responses",
    "openai__embeddings",
    "openai__images",
    "openai__batch",
    "openai__realtime",
    "azure_openai__chat_completions",
    "anthropic__messages",
    "anthropic__via_bedrock_invoke_model",
    "google_gemini__generate_content",
    "google_vertex__generate_content",
)

MIXED_UP = {"anthropic": 2, "google": 3}
"""Bodies that are filed under one vendor and were sent by another (OpenAI, Anthropic, OpenRouter), for which the
expectation states the totals alone although the body states subsets. The same shapes filed under their own vendor
are expected with the subsets, which is what is read here."""


def differences(event: UsageEvent, expected: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Of the counts that `expected` states and we have a field for: what was read, what was expected."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, value in expected.items():
        ours = OUR_NAMES.get(name, name)
        if ours == "web_searches":
            read = int(event.units.get(ours, 0))
        elif ours in UsageEvent.model_fields:
            read = getattr(event, ours)
        else:
            continue
        if read != value:
            found[name] = (read, value)
    return found


def unexpected(event: UsageEvent, expected: Mapping[str, Any]) -> list[str]:
    """What was read and `expected` does not state."""
    stated = {OUR_NAMES.get(name, name) for name in expected}
    tokens = [name for name in UsageEvent.model_fields if name.endswith("_tokens") and getattr(event, name)]
    return [name for name in (*tokens, *event.units) if name not in stated]


@pytest.mark.parametrize(("vendor", "count"), [("openai", 131), ("anthropic", 97), ("google", 134)])
def test_every_real_body_is_read_as_expected(shared_data: Path, vendor: str, count: int) -> None:
    text = (shared_data / "usage_bodies.jsonl").read_text(encoding="utf-8")
    tally: Counter[str] = Counter()
    for body in map(json.loads, text.splitlines()):
        if body["vendor"] != vendor:
            continue
        event = read_answer(vendor, body["body"], context=CONTEXT)
        readings = [expected for expected in body["expected"] if not differences(event, expected)]
        assert readings, (body, event)
        tally["read"] += 1
        tally["stated totals alone"] += all(unexpected(event, expected) for expected in readings)
    assert tally["read"] == count
    assert tally["stated totals alone"] == MIXED_UP.get(vendor, 0)


def samples(path: Path) -> Iterator[dict[str, Any]]:
    for sample in json.loads(path.read_text(encoding="utf-8"))["samples"]:
        if "expected" in sample:
            yield sample


@pytest.mark.parametrize("name", SAMPLE_FILES)
def test_every_sample_is_read_as_expected(shared_data: Path, name: str) -> None:
    read = 0
    for sample in samples(shared_data / "samples" / f"{name}.json"):
        event = read_answer(SAMPLE_VENDORS[name.partition("__")[0]], sample["raw"], context=CONTEXT)
        assert not differences(event, sample["expected"]["usage"]), sample
        read += 1
    assert read
