"""The files that the pages mention, as a reader would have them: small, and made up."""

import gzip
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.docs.pages import ROOT, blocks

_ALLOWANCES: Final = ROOT / "docs" / "allowances.md"

TRACES: Final = ("azure_2023_code.csv", "azure_2023_conv.csv", "kimi_conversation.jsonl")

_TABLE = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 18:17:03.9799600,4808,10\n"
    "2023-11-16 18:17:04.0319600,3180,8\n"
    "2023-11-16 18:17:04.0781490,110,27\n"
)

_NOVEMBER: Final[tuple[tuple[str, int, dict[str, Any]], ...]] = (
    ("support", 600, {"input_tokens": 24_000, "cache_read_tokens": 18_000, "output_tokens": 700}),
    ("catalogue", 300, {"input_tokens": 9_000, "output_tokens": 1_100, "service_tier": "batch"}),
    ("contracts", 20, {"input_tokens": 420_000, "output_tokens": 3_000}),
    ("legal", 40, {"input_tokens": 60_000, "input_image_tokens": 12_000, "output_tokens": 2_000}),
)
"""A week of one model: teams, calls of each sort, and what each call counts."""


def write_samples(folder: Path, mentioned: str, traces: Path | None) -> None:
    """Makes, in `folder`, each sample that the text `mentioned` names. traces: where the real traces lie."""
    for name, content in _contents().items():
        if name in mentioned:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if traces is not None:
        for name in TRACES:
            if name in mentioned:
                shutil.copyfile(traces / name, folder / name)


def _contents() -> dict[str, bytes]:
    now = datetime.now(UTC)
    events = _lines(
        {
            "id": f"openai:chatcmpl-{number}",
            "source": "shop",
            "time": (now - timedelta(minutes=number)).isoformat(),
            "vendor": "openai",
            "model": "gpt-4o",
            "team": "shop",
            "input_tokens": 1200 + number,
            "output_tokens": 300,
        }
        for number in range(1, 6)
    )
    rows = _lines(
        {
            "time": f"2026-11-23T12:00:0{number}Z",
            "vendor": "openai",
            "model": "gpt-4o",
            "input_tokens": 1200,
            "output_tokens": 300,
        }
        for number in range(3)
    )
    november = _lines(
        {
            "id": f"openai:chatcmpl-november-{team}-{number}",
            "source": "november",
            "time": (
                datetime(2026, 11, 2, tzinfo=UTC) + timedelta(minutes=10_000 * number // calls)
            ).isoformat(),
            "vendor": "openai",
            "model": "gpt-4.1",
            "team": team,
            **counts,
        }
        for team, calls, counts in _NOVEMBER
        for number in range(calls)
    )
    answer = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 900, "output_tokens": 120},
    }
    exported = {
        "service": {"description": "Vertex AI"},
        "sku": {"description": "Gemini input"},
        "usage_start_time": "2026-11-01T00:00:00Z",
        "usage_end_time": "2026-11-02T00:00:00Z",
        "cost": 1.25,
        "currency": "USD",
        "credits": [{"name": "Free trial", "amount": -0.25}],
    }
    glm = _lines(
        {
            "id": f"zhipu:{hour}",
            "source": "shop",
            "time": f"2025-10-01T{hour:02}:00:00Z",
            "vendor": "zhipu",
            "model": "glm-4.5",
            "input_tokens": 600,
            "output_tokens": 100,
        }
        for hour in (9, 7, 8)
    )
    contracts = """\
recorded_at = 2026-11-01

[[discount]]
vendor = "openai"
percent = 10
source = "order form"
"""
    return {
        "contracts.toml": contracts.encode(),
        "older.json": _feed("2.5"),
        "newer.json": _feed("2.25"),
        "packs.toml": next(block.text for block in blocks(_ALLOWANCES) if block.language == "toml").encode(),
        "glm.jsonl": glm,
        "requests.csv": _TABLE.encode(),
        "calls.csv": _TABLE.encode(),
        "spend.csv": b"day,cost\n2026-11-01,12.5\n2026-11-02,13.1\n2026-11-03,12.9\n",
        "events.ndjson": events,
        "november.ndjson": november,
        "events.ndjson.gz": gzip.compress(events),
        "billing_export.jsonl": _lines([exported]),
        "answers.jsonl": _lines([answer]),
        "host-a/calls.jsonl": rows,
        "host-b/calls.jsonl": rows,
    }


def _feed(gpt_4o_input: str) -> bytes:
    """A data.json of genai-prices with one model."""
    prices = f'{{"input_mtok": {gpt_4o_input}, "cache_read_mtok": 1.25, "output_mtok": 10}}'
    return (
        '[{"id": "openai", "name": "OpenAI", "api_pattern": "https://api.openai.com", "models": '
        f'[{{"id": "gpt-4o", "match": {{"equals": "gpt-4o"}}, "prices": {prices}}}]}}]'
    ).encode()


def _lines(objects: Any) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in objects).encode()
