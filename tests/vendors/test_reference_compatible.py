"""Real answers of compatible hosts kept beside the repository, through `weir parse`'s own reading of lines.

Where a reading differs from what the collection expects, the document that proves it is named.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.files.answers import parse_answers
from tests.vendors.hosts import NOW
from tokenweir.usage.event import TOKEN_FIELDS

pytestmark = pytest.mark.shared_data

BODIES = {
    "cerebras": 5,
    "deepseek": 1,
    "groq": 34,
    "huggingface_novita": 5,
    "mistral": 20,
    "openrouter": 13,
    "zai": 3,
}
"""How many bodies are filed under each name that these tests read."""

OUR_NAMES = {"output_reasoning_tokens": "reasoning_tokens"}

CACHE_OF_MISTRAL = "num_cached_tokens"
"""Mistral's older spelling of the cached part of the prompt, which the collection's library does not read. vercel/ai's
`convert-mistral-usage` reads it as the same as `prompt_tokens_details.cached_tokens`, of which docs.mistral.ai (prompt
caching) says that it is inside the prompt and has a price of its own."""

SAMPLES: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "azure_foundry__deepseek": (
        "deepseek",
        "chat",
        [{"input_tokens": 19, "output_tokens": 1969}, {"input_tokens": 19, "output_tokens": 1720}],
    ),
    "deepseek__chat": (
        "deepseek",
        "chat",
        [
            {"input_tokens": 563, "cache_read_tokens": 512, "output_tokens": 116, "reasoning_tokens": 60},
            {"input_tokens": 875, "output_tokens": 79, "reasoning_tokens": 26},
            {"input_tokens": 976, "cache_read_tokens": 896, "output_tokens": 61, "reasoning_tokens": 25},
            {"input_tokens": 13, "output_tokens": 400},
        ],
    ),
    "deepseek__responses": (
        "deepseek",
        "responses",
        [{"input_tokens": 90, "output_tokens": 15, "reasoning_tokens": 7}],
    ),
    "fireworks__chat": (
        "fireworks",
        "chat",
        [{"input_tokens": 8000, "cache_read_tokens": 7500, "output_tokens": 600}],
    ),
    "groq__chat": (
        "groq",
        "chat",
        [
            {"input_tokens": 301, "output_tokens": 52, "reasoning_tokens": 22},
            {"input_tokens": 336, "cache_read_tokens": 256, "output_tokens": 96, "reasoning_tokens": 59},
            {"input_tokens": 17, "output_tokens": 649, "reasoning_tokens": 570},
        ],
    ),
    "groq__chat_stream": (
        "groq",
        "chat_stream",
        [{"input_tokens": 17, "output_tokens": 1107, "reasoning_tokens": 963}],
    ),
    "meta_llama__chat": ("meta", "chat", [{"input_tokens": 25, "output_tokens": 25}]),
    "mistral__chat": (
        "mistral",
        "chat",
        [
            {"input_tokens": 49, "output_tokens": 69},
            {"input_tokens": 171, "cache_read_tokens": 128, "output_tokens": 14},
            {"input_tokens": 1013, "cache_read_tokens": 1008, "output_tokens": 30},
        ],
    ),
    "mistral__ocr": ("mistral", "ocr", [{"document_pages": 3}]),
    "mistral__transcription": (
        "mistral",
        "transcription",
        [{"input_tokens": 13, "output_tokens": 151, "audio_seconds": 36}],
    ),
    "nvidia_nim__chat": ("nvidia", "chat", [{"input_tokens": 20, "output_tokens": 100}]),
    "ollama__native_chat": (
        "ollama",
        "native_chat",
        [{"input_tokens": 22, "output_tokens": 1186}, {"input_tokens": 26, "output_tokens": 282}],
    ),
    "ollama__openai_compat": ("ollama", "openai_compat", [{"input_tokens": 136, "output_tokens": 15}]),
    "openrouter__chat": (
        "openrouter",
        "chat",
        [
            {"input_tokens": 31, "output_tokens": 80, "reasoning_tokens": 64, "cost": "0.00216775"},
            {"input_tokens": 900, "output_tokens": 69, "server_tool_calls": 1, "cost": "0.0160614"},
            {"input_tokens": 3214, "cache_write_tokens": 3211, "output_tokens": 100, "cost": "0.01355025"},
        ],
    ),
    "openrouter__generation": (
        "openrouter",
        "generation",
        [
            {
                "input_tokens": 12,
                "cache_read_tokens": 3,
                "output_tokens": 25,
                "reasoning_tokens": 5,
                "web_search_results": 5,
                "cost": "0.0015",
            }
        ],
    ),
    "openrouter__responses": (
        "openrouter",
        "responses",
        [
            {"input_tokens": 4020, "cache_write_tokens": 4012, "output_tokens": 5, "cost": "0.025265"},
            {"input_tokens": 4020, "cache_read_tokens": 4012, "output_tokens": 5, "cost": "0.002196"},
        ],
    ),
    "perplexity__chat": (
        "perplexity",
        "chat",
        [
            {"input_tokens": 12, "output_tokens": 98, "cost": "0.00511"},
            {"input_tokens": 1233, "output_tokens": 709, "cost": "0.02033"},
            {"input_tokens": 10, "output_tokens": 336},
        ],
    ),
    "perplexity__deep_research": (
        "perplexity",
        "deep_research",
        [
            {
                "input_tokens": 10,
                "output_tokens": 100,
                "reasoning_tokens": 50,
                "citation_tokens": 30,
                "web_searches": 40,
            }
        ],
    ),
    "perplexity__responses": (
        "perplexity",
        "responses",
        [{"input_tokens": 100, "output_tokens": 50, "web_searches": 2, "cost": "0.0103"}],
    ),
    "together__chat": ("together", "chat", [{"input_tokens": 12, "output_tokens": 34}]),
    "together__rerank": ("together", "rerank", [{"input_tokens": 2966}]),
    "vllm__openai_compat": (
        "vllm",
        "openai_compat",
        [{"input_tokens": 36, "output_tokens": 8}, {"input_tokens": 31, "output_tokens": 13}],
    ),
    "xai__chat_completions": (
        "xai",
        "chat_completions",
        [
            {
                "input_tokens": 12,
                "cache_read_tokens": 11,
                "output_tokens": 342,
                "reasoning_tokens": 340,
                "cost": "0.000172125",
            },
            {
                "input_tokens": 12,
                "cache_read_tokens": 11,
                "output_tokens": 291,
                "reasoning_tokens": 290,
                "cost": "0.000146625",
            },
        ],
    ),
    "xai__native_grpc": (
        "xai",
        "native_grpc",
        [
            {
                "input_tokens": 2332,
                "cache_read_tokens": 1540,
                "output_tokens": 348,
                "reasoning_tokens": 310,
                "web_searches": 1,
            }
        ],
    ),
    "xai__realtime": (
        "xai",
        "realtime",
        [
            {"input_tokens": 7, "output_tokens": 113, "output_audio_tokens": 104, "audio_seconds": 1},
            {"output_tokens": 269, "output_audio_tokens": 250, "audio_seconds": 4},
        ],
    ),
    "xai__responses": (
        "xai",
        "responses",
        [
            {
                "input_tokens": 1606,
                "cache_read_tokens": 1235,
                "output_tokens": 292,
                "reasoning_tokens": 190,
                "code_interpreter_calls": 1,
            },
            {
                "input_tokens": 27236,
                "cache_read_tokens": 4585,
                "output_tokens": 3077,
                "reasoning_tokens": 1091,
                "social_searches": 1,
            },
        ],
    ),
}
"""By file: our vendor, the surface it is filed under, and what each sample is read as, by the formulas of its vendor's
section in the field guide. Of a stream the last event that states usage is taken."""


def parsed(vendor: str, bodies: list[Any], surface: str | None = None) -> list[dict[str, Any]]:
    lines = [json.dumps(body).encode() for body in bodies]
    return list(parse_answers(lines, vendor, surface, now=NOW))


def counted(row: Mapping[str, Any]) -> dict[str, Any]:
    """Counts, units and the cost that are not 0, by name."""
    assert "error" not in row, row
    assert "tags" not in row or "usage_total_mismatch" not in row["tags"], row
    found = {name: row[name] for name in TOKEN_FIELDS if row.get(name)} | dict(row.get("units", {}))
    if "reported_cost" in row:
        assert row["reported_currency"] == "USD"
        found["cost"] = row["reported_cost"]
    return found


def samples(path: Path) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    for sample in json.loads(path.read_text(encoding="utf-8"))["samples"]:
        raw = sample["raw"]
        yield raw["events_with_usage"][-1] if "events_with_usage" in raw else raw, sample.get("expected", {})


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_read_by_its_vendors_formula(shared_data: Path, name: str) -> None:
    vendor, surface, ours = SAMPLES[name]
    found = list(samples(shared_data / "samples" / f"{name}.json"))
    for asked in (None, surface):
        assert [counted(row) for row in parsed(vendor, [raw for raw, _ in found], asked)] == ours
    for read, (_, expected) in zip(ours, found, strict=True):
        stated = expected.get("usage", {})
        for theirs, value in stated.items():
            field = OUR_NAMES.get(theirs, theirs)
            if field in TOKEN_FIELDS:
                assert read.get(field, 0) == value
            elif field == "cost_usd":
                assert Decimal(read["cost"]) == Decimal(value)


@pytest.mark.parametrize(("vendor", "count"), BODIES.items())
def test_every_real_body_is_read_as_expected(shared_data: Path, vendor: str, count: int) -> None:
    text = (shared_data / "usage_bodies.jsonl").read_text(encoding="utf-8")
    filed = [body for body in map(json.loads, text.splitlines()) if body["vendor"] == vendor]
    tally: Counter[str] = Counter()
    for body, row in zip(filed, parsed(vendor, [body["body"] for body in filed]), strict=True):
        read = {name: value for name, value in counted(row).items() if name in TOKEN_FIELDS}
        stated = [
            {OUR_NAMES.get(name, name): value for name, value in expected.items()}
            for expected in body["expected"]
        ]
        usage = body["body"]["usage"]
        if read not in stated:
            assert usage[CACHE_OF_MISTRAL] == read.pop("cache_read_tokens")
            assert read in stated
            tally["cached, by another spelling"] += 1
        cost = usage.get("cost")
        assert Decimal(row.get("reported_cost", 0)) == Decimal(str(cost or 0))
        tally["read"] += 1
    assert tally["read"] == count
    assert (tally["cached, by another spelling"] > 0) is (vendor == "mistral")
