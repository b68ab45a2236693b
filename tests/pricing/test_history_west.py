"""What vendors outside China asked at given times, drawn from the sources that the data files name.

Each point is a call: vendor, model, time, counts and what it costs in USD; None where there is no price. Points come
in pairs around a change, one second before and at it.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pricing_events import event

from tokenweir.money import picos_from_decimal
from tokenweir.pricing import PriceBook

# A million tokens in and a million out, so that the cost is the sum of the two prices.
MILLION = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
SHORT = {"input_tokens": 100_000, "output_tokens": 10_000}
CACHED = {"input_tokens": 100_000, "cache_read_tokens": 50_000, "output_tokens": 10_000}

Point = tuple[str, str, str, dict[str, Any], str | None]
OPENAI: list[Point] = [
    ("openai", "gpt-3.5-turbo", "2023-02-28T23:59:59", MILLION, None),
    ("openai", "gpt-3.5-turbo", "2023-03-01T00:00:00", MILLION, "4"),
    ("openai", "gpt-3.5-turbo", "2023-06-12T23:59:59", MILLION, "4"),
    ("openai", "gpt-3.5-turbo", "2023-06-13T00:00:00", MILLION, "3.5"),
    ("openai", "gpt-3.5-turbo", "2024-02-15T23:59:59", MILLION, "3.5"),
    ("openai", "gpt-3.5-turbo", "2024-02-16T00:00:00", MILLION, "2"),
    ("openai", "gpt-3.5-turbo-16k", "2023-10-01T00:00:00", MILLION, "7"),
    ("openai", "gpt-3.5-turbo-1106", "2023-11-06T00:00:00", MILLION, "3"),
    ("openai", "gpt-3.5-turbo-0613", "2024-09-13T00:00:00", MILLION, None),
    ("openai", "gpt-4", "2023-05-01T00:00:00", MILLION, "90"),
    ("openai", "gpt-4", "2024-06-01T00:00:00", {**MILLION, "service_tier": "batch"}, "45"),
    ("openai", "gpt-4-32k", "2025-06-05T23:59:59", MILLION, "180"),
    ("openai", "gpt-4-1106-preview", "2023-11-05T23:59:59", MILLION, None),
    ("openai", "gpt-4-1106-preview", "2023-11-06T00:00:00", MILLION, "40"),
    ("openai", "gpt-4-turbo", "2024-04-09T00:00:00", MILLION, "40"),
    ("openai", "gpt-4o", "2024-05-12T23:59:59", MILLION, None),
    ("openai", "gpt-4o", "2024-05-13T00:00:00", MILLION, "20"),
    ("openai", "gpt-4o", "2024-06-01T00:00:00", {**MILLION, "service_tier": "batch"}, "10"),
    ("openai", "gpt-4o", "2024-10-01T23:59:59", MILLION, "20"),
    ("openai", "gpt-4o", "2024-10-02T00:00:00", CACHED, "0.2875"),
    ("openai", "gpt-4o-2024-08-06", "2024-08-06T00:00:00", MILLION, "12.5"),
    ("openai", "gpt-4o-2024-05-13", "2025-03-01T00:00:00", MILLION, "20"),
    ("openai", "gpt-4o", "2025-10-01T00:00:00", {**CACHED, "service_tier": "priority"}, "0.48875"),
    ("openai", "o1-mini", "2025-01-30T23:59:59", CACHED, "0.345"),
    ("openai", "o1-mini", "2025-01-31T00:00:00", CACHED, "0.1265"),
    ("openai", "o3", "2025-06-09T23:59:59", CACHED, "1.025"),
    ("openai", "o3", "2025-06-10T00:00:00", CACHED, "0.205"),
    ("openai", "o3", "2025-05-01T00:00:00", {**MILLION, "service_tier": "flex"}, "25"),
    ("openai", "o4-mini", "2025-05-01T00:00:00", {**MILLION, "service_tier": "flex"}, "2.75"),
    ("openai", "gpt-5", "2025-08-06T23:59:59", MILLION, None),
    ("openai", "gpt-5", "2025-08-07T00:00:00", CACHED, "0.16875"),
    ("openai", "gpt-5", "2025-12-01T00:00:00", {**CACHED, "service_tier": "flex"}, "0.084375"),
    ("openai", "gpt-5.4", "2026-04-01T00:00:00", {**MILLION, "service_tier": "batch"}, "13.75"),
    ("openai", "text-embedding-ada-002", "2023-06-12T23:59:59", {"input_tokens": 1_000_000}, "0.4"),
    ("openai", "text-embedding-ada-002", "2023-06-13T00:00:00", {"input_tokens": 1_000_000}, "0.1"),
    ("openai", "text-embedding-3-small", "2024-01-24T23:59:59", {"input_tokens": 1_000_000}, None),
    (
        "openai",
        "text-embedding-3-large",
        "2024-07-01T00:00:00",
        {"input_tokens": 1_000_000, "service_tier": "batch"},
        "0.065",
    ),
    ("openai", "dall-e-3", "2024-03-01T00:00:00", {"units": {"images_hd_1024x1792": Decimal(2)}}, "0.24"),
    ("openai", "dall-e-3", "2024-03-01T00:00:00", {"units": {"images": Decimal(1)}}, None),
    ("openai", "whisper-1", "2023-05-01T00:00:00", {"units": {"audio_seconds": Decimal(60)}}, "0.006"),
    ("openai", "ft:gpt-4o-mini-2024-07-18:acme::a1", "2024-11-01T00:00:00", CACHED, "0.0345"),
    (
        "openai",
        "gpt-4o-audio-preview-2024-10-01",
        "2024-11-01T00:00:00",
        {"input_tokens": 1000, "input_audio_tokens": 500, "output_tokens": 100, "output_audio_tokens": 100},
        "0.07125",
    ),
]
ANTHROPIC: list[Point] = [
    ("anthropic", "claude-2", "2023-07-10T23:59:59", MILLION, None),
    ("anthropic", "claude-2", "2023-11-20T23:59:59", MILLION, "43.70"),
    ("anthropic", "claude-2", "2023-11-21T00:00:00", MILLION, "32"),
    ("anthropic", "claude-2.1", "2023-11-20T23:59:59", MILLION, None),
    ("anthropic", "claude-2.1", "2024-01-15T00:00:00", MILLION, "32"),
    ("anthropic", "claude-instant-1.2", "2023-10-01T00:00:00", MILLION, "7.14"),
    ("anthropic", "claude-instant-1.2", "2024-01-10T00:00:00", MILLION, None),
    ("anthropic", "claude-instant-1.2", "2024-03-01T00:00:00", MILLION, "3.2"),
    ("anthropic", "claude-3-opus-20240229", "2024-03-10T00:00:00", MILLION, "90"),
    ("anthropic", "claude-3-5-haiku-20241022", "2024-12-02T23:59:59", CACHED, "0.105"),
    ("anthropic", "claude-3-5-haiku-20241022", "2024-12-03T00:00:00", CACHED, "0.084"),
    ("anthropic", "claude-3-5-sonnet-20241022", "2024-10-08T00:00:00", MILLION, None),
    (
        "anthropic",
        "claude-3-5-sonnet-20241022",
        "2024-11-01T00:00:00",
        {**MILLION, "service_tier": "batch"},
        "9",
    ),
    ("anthropic", "claude-sonnet-4-20250514", "2025-09-01T00:00:00", {"input_tokens": 200_000}, "0.6"),
    ("anthropic", "claude-sonnet-4-20250514", "2025-09-01T00:00:00", {"input_tokens": 200_001}, "1.200006"),
]
GOOGLE: list[Point] = [
    ("google", "gemini-1.5-flash", "2024-08-11T23:59:59", SHORT, "0.0455"),
    ("google", "gemini-1.5-flash", "2024-08-12T00:00:00", SHORT, "0.0105"),
    ("google", "gemini-1.5-flash", "2024-07-01T00:00:00", {"input_tokens": 128_001}, "0.0896007"),
    ("google", "gemini-1.5-flash-8b", "2024-11-01T00:00:00", SHORT, "0.00525"),
    ("google", "gemini-1.5-pro", "2024-05-29T23:59:59", SHORT, None),
    ("google", "gemini-1.5-pro", "2024-09-30T23:59:59", SHORT, "0.455"),
    ("google", "gemini-1.5-pro", "2024-10-01T00:00:00", SHORT, "0.175"),
    ("google", "gemini-1.5-pro", "2024-11-01T00:00:00", {"input_tokens": 128_001}, "0.3200025"),
    ("google", "gemini-2.5-flash-preview-04-17", "2025-05-01T00:00:00", SHORT, "0.021"),
    (
        "google",
        "gemini-2.5-flash-preview-04-17",
        "2025-05-01T00:00:00",
        {**SHORT, "reasoning_tokens": 5_000},
        "0.05",
    ),
    ("google", "gemini-2.5-flash", "2025-06-16T23:59:59", SHORT, None),
    ("google", "gemini-2.5-flash", "2025-06-17T00:00:00", SHORT, "0.055"),
    ("google", "gemini-2.5-flash", "2025-08-01T00:00:00", {**SHORT, "service_tier": "batch"}, "0.0275"),
    ("google", "gemini-2.5-pro-exp-03-25", "2025-04-01T00:00:00", SHORT, "0"),
]
OTHERS: list[Point] = [
    ("mistral", "mistral-large-latest", "2024-03-01T00:00:00", MILLION, "32"),
    ("mistral", "mistral-large-latest", "2024-07-23T23:59:59", MILLION, "16"),
    ("mistral", "mistral-large-latest", "2024-07-24T00:00:00", MILLION, "12"),
    ("mistral", "mistral-large-latest", "2024-09-17T00:00:00", MILLION, "8"),
    ("mistral", "mistral-small-latest", "2024-09-16T23:59:59", MILLION, "4"),
    ("mistral", "mistral-small-latest", "2024-09-17T00:00:00", MILLION, "0.8"),
    ("mistral", "mistral-small-latest", "2025-03-01T00:00:00", MILLION, "0.4"),
    ("mistral", "mistral-small-2506", "2026-01-01T00:00:00", {**MILLION, "service_tier": "batch"}, "0.2"),
    ("mistral", "codestral-latest", "2024-06-15T00:00:00", MILLION, "4"),
    ("cohere", "command-r-plus", "2024-08-29T23:59:59", MILLION, "18"),
    ("cohere", "command-r-plus", "2024-08-30T00:00:00", MILLION, "12.5"),
    ("cohere", "command-r", "2024-06-15T00:00:00", MILLION, "2"),
    ("cohere", "rerank-v3.5", "2025-02-01T00:00:00", {"units": {"search_units": Decimal(3)}}, "0.006"),
    ("xai", "grok-beta", "2024-11-27T00:00:00", MILLION, "20"),
    ("xai", "grok-4", "2025-09-15T00:00:00", {"input_tokens": 128_000}, "0.384"),
    ("xai", "grok-4", "2025-09-15T00:00:00", {"input_tokens": 128_001}, "0.768006"),
    ("xai", "grok-4-fast", "2026-05-15T18:59:59", SHORT, "0.025"),
    ("xai", "grok-4-fast", "2026-05-15T19:00:00", SHORT, "0.15"),
    ("groq", "openai/gpt-oss-120b", "2025-10-01T00:00:00", MILLION, "0.9"),
    ("groq", "mixtral-8x7b-32768", "2024-06-15T00:00:00", MILLION, "0.54"),
    ("perplexity", "sonar", "2025-10-01T00:00:00", MILLION, "2.005"),
    ("perplexity", "sonar-pro", "2025-04-17T23:59:59", MILLION, "18.005"),
    ("perplexity", "sonar-pro", "2025-04-18T00:00:00", MILLION, "18.006"),
    (
        "perplexity",
        "sonar-pro",
        "2025-06-01T00:00:00",
        {**MILLION, "units": {"high_context_requests": Decimal(1)}},
        "18.014",
    ),
    ("aws", "anthropic.claude-v2", "2023-11-20T23:59:59", MILLION, "43.70"),
    ("aws", "anthropic.claude-v2:1", "2024-01-15T00:00:00", MILLION, "32"),
    ("aws", "us.anthropic.claude-3-5-haiku-20241022-v1:0", "2024-12-02T23:59:59", MILLION, "6"),
    ("aws", "us.anthropic.claude-3-5-haiku-20241022-v1:0", "2024-12-03T00:00:00", MILLION, "4.8"),
    ("aws", "meta.llama3-1-405b-instruct-v1:0", "2024-10-17T00:00:00", MILLION, "21.32"),
    ("aws", "meta.llama3-1-405b-instruct-v1:0", "2024-12-16T23:59:59", MILLION, None),
    ("aws", "meta.llama3-1-405b-instruct-v1:0", "2024-12-17T00:00:00", MILLION, "4.8"),
    ("aws", "meta.llama3-1-70b-instruct-v1:0", "2024-10-17T00:00:00", MILLION, "1.98"),
    (
        "aws",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "2025-10-26T00:00:00",
        {"input_tokens": 200_001},
        "1.3200066",
    ),
    (
        "aws",
        "us.meta.llama4-scout-17b-instruct-v1:0",
        "2025-08-01T00:00:00",
        {**MILLION, "service_tier": "batch"},
        "0.415",
    ),
    ("azure", "gpt-4o", "2024-06-15T00:00:00", MILLION, "20"),
    ("azure", "gpt-35-turbo", "2024-02-06T00:00:00", MILLION, "3.5"),
    ("azure", "o3", "2025-05-05T00:00:00", MILLION, "50"),
    ("azure", "gpt-4.1", "2025-05-05T00:00:00", {**MILLION, "service_tier": "batch"}, "5"),
]


@pytest.mark.parametrize(
    ("vendor", "model", "time", "counts", "usd"), [*OPENAI, *ANTHROPIC, *GOOGLE, *OTHERS], ids=str
)
def test_what_a_call_cost_at_its_time(
    book: PriceBook, vendor: str, model: str, time: str, counts: dict[str, Any], usd: str | None
) -> None:
    priced = book.price(event(vendor, model, datetime.fromisoformat(time).replace(tzinfo=UTC), **counts))
    if usd is None:
        assert priced.cost_picos is None
        assert priced.unpriced_reason
    else:
        assert priced.cost_picos == picos_from_decimal(Decimal(usd)), priced
        assert sum(picos for _, picos in priced.parts) == priced.cost_picos


def test_the_first_list_of_mistral_is_in_euro(book: PriceBook) -> None:
    priced = book.price(event("mistral", "mistral-small", datetime(2024, 1, 15, tzinfo=UTC), **MILLION))
    assert priced.currency == "EUR"
    assert priced.native_cost_picos == picos_from_decimal(Decimal("2.4"))
    assert priced.cost_picos is not None
    assert priced.cost_picos > priced.native_cost_picos


@pytest.mark.parametrize(
    "vendor", ["openai", "anthropic", "google", "mistral", "xai", "cohere", "groq", "aws"]
)
def test_a_western_vendors_rows_tell_what_was_opened(book: PriceBook, vendor: str) -> None:
    own = [
        price for price in book.rows() if price.vendor == vendor and price.price_id.startswith("tokenweir:")
    ]
    assert own
    for price in own:
        assert price.source_at is not None
        assert price.confidence in ("high", "medium", "low")
        assert price.starts_at < price.ends_at


MEDIA = {
    "dall-e-3 hd": ("openai", "dall-e-3", {"images": 2}, {"size": "1024x1792", "quality": "hd"}, "0.24"),
    "dall-e-3 standard": ("openai", "dall-e-3", {"images": 1}, {"size": "1024x1024"}, "0.04"),
    "dall-e-3 of unknown size": ("openai", "dall-e-3", {"images": 1}, {}, None),
    "dall-e-2": ("openai", "dall-e-2", {"images": 10}, {"size": "512x512"}, "0.18"),
    "sora-2-pro": ("openai", "sora-2-pro", {"video_seconds": 8}, {"size": "1792x1024"}, "4"),
    "veo in 4k": ("google", "veo-3.1-generate-preview", {"video_seconds": 8}, {"resolution": "4k"}, "4.8"),
    "file searches": ("openai", "gpt-5", {"file_searches": 4}, {}, "0.01"),
    "xai's tools": (
        "xai",
        "grok-4",
        {"web_searches": 2, "social_searches": 1, "file_searches": 4},
        {},
        "0.025",
    ),
    "xai's other tools": ("xai", "grok-4", {"mcp_calls": 1}, {}, None),
    "sonar, high": ("perplexity", "sonar", {}, {"search_context_size": "high"}, "0.012"),
    "sonar": ("perplexity", "sonar", {}, {}, "0.005"),
}


@pytest.mark.parametrize("case", MEDIA.values(), ids=MEDIA)
def test_units_cost_by_what_the_tags_say(
    book: PriceBook, case: tuple[str, str, dict[str, int], dict[str, str], str | None]
) -> None:
    vendor, model, units, tags, cost = case
    call = event(
        vendor,
        model,
        datetime(2026, 6, 1, tzinfo=UTC),
        units={name: Decimal(count) for name, count in units.items()},
        tags=tags,
    )
    expected = None if cost is None else int(Decimal(cost).scaleb(12))
    assert book.price(call).cost_picos == expected


def test_xais_tools_were_free_for_two_weeks(book: PriceBook) -> None:
    for day, cost in ((25, 0), (33, None), (34, 5_000_000_000)):
        time = datetime(2025, 11, 1, tzinfo=UTC) + timedelta(days=day - 1)
        call = event("xai", "grok-4-1-fast-reasoning", time, units={"web_searches": Decimal(1)})
        assert book.price(call).cost_picos == cost
