"""Names with a path before them, as SDKs and gateways write them: they cost what the model costs."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pricing_events import event

from tokenweir.money import picos_from_decimal
from tokenweir.pricing import PriceBook
from tokenweir.pricing.aliases import Meaning
from tokenweir.pricing.spellings import model_behind

TIME = datetime(2025, 11, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("vendor", "model", "cost"),
    [
        ("openai", "openai/gpt-4o", "1.25"),
        ("anthropic", "anthropic/claude-sonnet-4.5", "1.8"),
        ("anthropic", "Anthropic/Claude-Sonnet-4-5-20250929", "1.8"),
        ("google", "models/gemini-2.5-flash", "0.28"),
        ("google", "gemini/gemini-2.5-flash", "0.28"),
        ("google", "vertex_ai/gemini-2.5-flash", "0.28"),
        ("google", "publishers/google/models/gemini-2.5-flash", "0.28"),
        ("google", "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash", "0.28"),
        ("azure", "azure/gpt-4o", "1.25"),
        ("aws", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "1.98"),
        ("aws", "bedrock/converse/us.amazon.nova-pro-v1:0", "0.4"),
        ("xai", "x-ai/grok-3", "1.8"),
        ("mistral", "mistral/codestral-2508", "0.12"),
    ],
)
def test_a_path_before_the_name_leaves_the_price_as_it_is(
    book: PriceBook, vendor: str, model: str, cost: str
) -> None:
    priced = book.price(event(vendor, model, TIME, input_tokens=100_000, output_tokens=100_000))
    assert (priced.cost_picos, priced.price_status) == (picos_from_decimal(Decimal(cost)), "list"), priced


def test_the_price_says_by_which_spelling_it_was_found(book: PriceBook) -> None:
    priced = book.price(event("google", "models/gemini-2.5-flash", TIME, input_tokens=1))
    assert priced.price_id.startswith("models/*=")


def test_a_path_that_names_somebody_else_stays_part_of_the_name(book: PriceBook) -> None:
    assert model_behind("anthropic", "openai/gpt-4o") is None
    assert model_behind("openai", "openai/") is None
    assert model_behind("openrouter", "openai/gpt-4o") is None
    assert book.price(event("anthropic", "openai/gpt-4o", TIME, input_tokens=1)).cost_picos is None


def test_a_name_that_has_a_price_as_it_stands_keeps_it(book: PriceBook) -> None:
    priced = book.price(event("openrouter", "openai/gpt-4o", TIME, input_tokens=1))
    assert priced.price_id.startswith("genai:openrouter/")


def test_one_spelling_may_hold_another() -> None:
    assert model_behind("aws", "bedrock/us.amazon.nova-pro-v1:0") == Meaning(
        "aws", "us.amazon.nova-pro-v1:0", "bedrock/*"
    )
    assert model_behind("aws", "us.amazon.nova-pro-v1:0") == Meaning(
        "aws", "amazon.nova-pro-v1:0", "bedrock:us.*"
    )
