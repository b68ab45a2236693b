"""What clouds, hosts and regions asked, and moves that genai-prices holds for all time, as known points in USD.

Each point is a call: vendor, model, region, time, counts and its cost; None where there is no price. Each stands in the
source that the row names (tokenweir/pricing/data). Where a price changed, a point stands on either side of the change.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from pricing_events import event

from tokenweir.money import picos_from_decimal
from tokenweir.pricing import PriceBook

CALL: Final = {"input_tokens": 100_000, "output_tokens": 10_000}
CACHED: Final = {"input_tokens": 100_000, "cache_read_tokens": 50_000, "output_tokens": 10_000}
THINKING: Final = {**CALL, "reasoning_tokens": 8_000}
BATCH: Final = {**CALL, "service_tier": "batch"}
FLEX: Final = {**CACHED, "service_tier": "flex"}
PRIORITY: Final = {**CACHED, "service_tier": "priority"}

Point = tuple[str, str, str, str, dict[str, Any], str | None]

HOSTS: Final[list[Point]] = [
    # Azure: zones, models of others, tiers.
    ("azure", "eu/gpt-4o-2024-08-06", "", "2025-06-01T00:00:00", CACHED, "0.31625"),
    ("azure", "azure/us/gpt-4.1", "", "2026-11-01T00:00:00", CALL, "0.308"),
    ("azure", "DeepSeek-R1", "", "2025-09-01T18:00:00", CALL, "0.189"),
    ("azure", "deepseek-v3.2", "", "2026-06-01T00:00:00", CALL, "0.0748"),
    ("azure", "gpt-oss-120b", "", "2026-06-01T00:00:00", CALL, "0.021"),
    ("azure", "gpt-5", "", "2026-11-01T00:00:00", BATCH, "0.1125"),
    ("azure", "gpt-5.4", "", "2026-06-01T00:00:00", PRIORITY, "0.575"),
    # Bedrock: regions, GovCloud, models and tiers that genai-prices lacks.
    ("aws", "meta.llama3-70b-instruct-v1:0", "ap-south-1", "2025-06-01T00:00:00", CALL, "0.36"),
    ("aws", "meta.llama3-70b-instruct-v1:0", "us-east-1", "2025-06-01T00:00:00", CALL, "0.3"),
    ("aws", "us-gov.anthropic.claude-opus-5", "", "2026-10-01T00:00:00", CACHED, "0.63"),
    ("aws", "us-gov.anthropic.claude-sonnet-5", "", "2026-10-15T00:00:00", CALL, "0.36"),
    ("aws", "deepseek.v3-v1:0", "", "2025-10-18T00:00:00", CALL, "0.0748"),
    ("aws", "qwen.qwen3-235b-a22b-2507-v1:0", "", "2025-11-01T00:00:00", CALL, "0.0308"),
    ("aws", "openai.gpt-oss-120b-1:0", "", "2026-11-01T00:00:00", BATCH, "0.0105"),
    (
        "aws",
        "openai.gpt-oss-120b-1:0",
        "",
        "2026-11-01T00:00:00",
        {**CALL, "service_tier": "priority"},
        "0.03675",
    ),
    # Together, Fireworks, Vertex AI's models of others.
    ("together", "deepseek-ai/DeepSeek-V3", "", "2025-09-01T00:00:00", CALL, "0.1375"),
    ("together", "moonshotai/Kimi-K2-Instruct", "", "2025-10-01T00:00:00", CALL, "0.13"),
    ("fireworks", "accounts/fireworks/models/deepseek-v3", "", "2025-05-01T00:00:00", CALL, "0.099"),
    ("google", "qwen/qwen3-next-80b-a3b-instruct-maas", "", "2026-01-01T00:00:00", CALL, "0.027"),
    ("google", "claude-haiku-4-5@20251001", "", "2026-11-01T00:00:00", BATCH, "0.075"),
    ("google", "gemini-3.1-pro-preview", "", "2026-06-01T00:00:00", PRIORITY, "0.414"),
    ("google", "gemini-3.8-flash", "", "2026-11-01T00:00:00", FLEX, "0.039375"),
    ("google", "gemini-2.0-flash", "", "2025-11-01T00:00:00", BATCH, "0.007"),
]
MOVES: Final[list[Point]] = [
    ("google", "gemini-3.6-flash", "", "2026-08-13T18:11:23", CACHED, "0.1575"),
    ("google", "gemini-3.6-flash", "", "2026-08-13T18:11:24", CACHED, "0.07875"),
    ("google", "gemini-2.5-flash", "", "2025-10-17T23:59:59", CACHED, "0.04375"),
    ("google", "gemini-2.5-flash", "", "2025-10-18T00:00:00", CACHED, "0.0415"),
    (
        "google",
        "gemini-2.5-pro",
        "",
        "2025-08-01T00:00:00",
        {"input_tokens": 200_001, "cache_read_tokens": 100_000},
        "0.3125025",
    ),
    ("google", "gemini-flash-latest", "", "2025-12-01T00:00:00", CALL, "0.055"),
    ("google", "gemini-flash-latest", "", "2026-03-01T00:00:00", CALL, None),
    ("google", "gemini-flash-latest", "", "2026-08-01T00:00:00", CALL, "0.24"),
    ("google", "gemini-flash-latest", "", "2026-11-01T00:00:00", CALL, "0.1125"),
    ("anthropic", "claude-sonnet-5-5", "", "2026-10-06T23:59:59", CACHED, "0.21"),
    ("anthropic", "claude-sonnet-5-5", "", "2026-10-07T00:00:00", CACHED, "0.205"),
    ("mistral", "devstral-2512", "", "2026-01-29T16:41:57", CALL, "0"),
    ("mistral", "devstral-2512", "", "2026-01-29T16:41:58", CALL, "0.06"),
    ("moonshot", "kimi-k2-turbo-preview", "", "2025-11-06T15:59:59", CACHED, "0.25"),
    ("moonshot", "kimi-k2-turbo-preview", "", "2025-11-06T16:00:00", CACHED, "0.145"),
    ("xai", "grok-4.5", "", "2026-07-19T04:20:55", CACHED, "0.185"),
    ("xai", "grok-4.5", "", "2026-07-19T04:20:56", CACHED, "0.175"),
    ("xai", "grok-code-fast-1", "", "2026-08-21T23:59:59", CALL, "0.035"),
    ("xai", "grok-code-fast-1", "", "2026-08-22T00:00:00", CALL, "0.12"),
    ("openai", "gpt-5.4", "", "2026-06-01T00:00:00", FLEX, "0.144"),
    ("openai", "o4-mini", "", "2025-06-01T00:00:00", FLEX, "0.0564"),
]
FREE: Final[list[Point]] = [
    ("openrouter", "deepseek/deepseek-r1:free", "", "2025-06-01T00:00:00", CACHED, "0"),
    ("openai", "omni-moderation-latest", "", "2025-06-01T00:00:00", {"input_tokens": 100}, "0"),
    ("google", "gemma-3-27b-it", "", "2025-06-01T00:00:00", CALL, "0"),
    ("openrouter", "deepseek/nothing-of-the-kind", "", "2025-06-01T00:00:00", CALL, None),
]
SINGAPORE: Final[list[Point]] = [
    ("alibaba", "qwen-plus", "ap-southeast-1", "2025-11-01T00:00:00", CALL, "0.052"),
    ("alibaba", "qwen-plus", "ap-southeast-1", "2025-11-01T00:00:00", THINKING, "0.08"),
    (
        "alibaba",
        "qwen-plus",
        "ap-southeast-1",
        "2025-11-01T00:00:00",
        {"input_tokens": 256_001, "output_tokens": 1_000, "reasoning_tokens": 500},
        "0.3192012",
    ),
    ("alibaba", "qwen3-14b", "ap-southeast-1", "2026-01-15T00:00:00", THINKING, "0.077"),
    ("alibaba", "qwen-vl-max", "ap-southeast-1", "2026-01-15T00:00:00", CALL, "0.112"),
]


@pytest.mark.parametrize(
    ("vendor", "model", "region", "time", "fields", "cost"),
    [*HOSTS, *MOVES, *FREE, *SINGAPORE],
    ids=[f"{vendor}/{model} {time}" for vendor, model, _, time, _, _ in (*HOSTS, *MOVES, *FREE, *SINGAPORE)],
)
def test_a_call_costs_what_the_list_of_that_day_said(
    book: PriceBook, vendor: str, model: str, region: str, time: str, fields: dict[str, Any], cost: str | None
) -> None:
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    priced = book.price(event(vendor, model, moment, region=region, **fields))
    expected = None if cost is None else picos_from_decimal(Decimal(cost))
    assert (priced.cost_picos, priced.currency) == (expected, "USD"), priced
