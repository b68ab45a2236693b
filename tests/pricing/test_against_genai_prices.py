"""Our compiled feed beside genai-prices' own calculation, on every model that it finds under its own name.

Where the two must differ, the test says so: a tier that genai-prices does not list then is unpriced here and standard
there; a count for which the price has no rate is unpriced here and left out there; a daily window listed after a start
date holds from that date here and for ever there.
"""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.types import StartDateConstraint, TimeOfDateConstraint
from pricing_events import event

from tokenweir.money import decimal_from_picos
from tokenweir.pricing import PriceBook
from tokenweir.pricing.genai_feed import VENDOR_NAMES, GenaiFeed

MOMENTS = [
    datetime(2025, 6, 9, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 13, 2, tzinfo=UTC),
    datetime(2026, 10, 14, 17, tzinfo=UTC),
    datetime(2026, 11, 20, 0, 15, tzinfo=UTC),
    datetime(2027, 2, 1, 7, 30, tzinfo=UTC),
]
USAGES: list[dict[str, int]] = [
    {"input_tokens": 1_234, "output_tokens": 567},
    {"input_tokens": 200_001, "cache_read_tokens": 150_003, "output_tokens": 7},
    {"input_tokens": 300_000, "cache_read_tokens": 1, "cache_write_tokens": 200_000, "output_tokens": 3_333},
    {"input_tokens": 9_999, "cache_write_tokens": 9_000, "cache_write_1h_tokens": 4_001, "output_tokens": 1},
]
CONTEXTS: dict[str, dict[str, str]] = {
    "standard": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}


def _listed(model: Any, context: dict[str, str], moment: datetime) -> bool:
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(moment))
        for variant in model.price_variants or ()
    )


def _has_dated_windows(model: Any) -> bool:
    constraints = [type(entry.constraint) for entry in model.prices] if isinstance(model.prices, list) else []
    return StartDateConstraint in constraints and TimeOfDateConstraint in constraints


def test_the_sum_is_theirs_to_the_last_digit() -> None:
    feed = GenaiFeed()
    book = PriceBook([feed])
    compared = unpriced = 0
    for provider in providers:
        vendor = VENDOR_NAMES.get(provider.id, provider.id)
        for model in provider.models:
            if provider.find_model(model.id, all_providers=providers) is not model or _has_dated_windows(
                model
            ):
                continue
            dated = isinstance(model.prices, list) or model.price_variants
            for moment, usage, (tier, context) in product(
                MOMENTS[: 5 if dated else 1], USAGES, CONTEXTS.items()
            ):
                if context and not model.price_variants:
                    continue
                priced = book.price(event(vendor, model.id, moment, service_tier=tier, **usage))
                where = (provider.id, model.id, moment, usage, tier, priced)
                if context and not _listed(model, context, moment):
                    assert priced.price_status == "unpriced", where
                    unpriced += 1
                    continue
                prices = model.get_prices(moment, context)
                if prices.input_mtok is None or prices.output_mtok is None:
                    assert priced.price_status == "unpriced", where
                    unpriced += 1
                    continue
                try:
                    theirs = calc_price(
                        Usage(**usage),
                        model.id,
                        provider_id=provider.id,
                        genai_request_timestamp=moment,
                        price_context=context or None,
                    ).total_price
                except ValueError:
                    continue
                assert priced.cost_picos is not None, where
                difference = abs(decimal_from_picos(priced.cost_picos) - theirs)
                exact = theirs == theirs.quantize(Decimal("1e-12"))
                # A rate finer than a pico a token is rounded once a component; then each is within half a pico.
                assert difference == 0 if exact else difference <= Decimal("2.5e-12"), where
                compared += 1
    print(f"compared {compared} costs, {unpriced} unpriced on purpose")
    assert compared > 10_000
    assert not feed.skipped


@pytest.mark.parametrize(
    ("provider", "vendor", "model"),
    [
        ("azure", "azure", "gpt-4o"),
        ("google", "google", "claude-sonnet-4-5@20250929"),
        ("aws", "aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("openai", "openai", "gpt-5.2-20251211"),
        ("openai", "openai", "GPT-4o"),
        ("huggingface_groq", "huggingface", "meta-llama/Llama-3.3-70B-Instruct:groq"),
    ],
)
def test_names_are_found_as_genai_prices_finds_them(provider: str, vendor: str, model: str) -> None:
    book = PriceBook([GenaiFeed()])
    usage = {"input_tokens": 1_000, "output_tokens": 1_000}
    theirs = calc_price(
        Usage(**usage), model.removesuffix(":groq"), provider_id=provider, genai_request_timestamp=MOMENTS[3]
    )
    priced = book.price(event(vendor, model, MOMENTS[3], **usage))
    assert priced.cost_picos is not None
    assert decimal_from_picos(priced.cost_picos) == theirs.total_price


def test_a_window_listed_after_a_start_date_holds_from_that_date() -> None:
    book = PriceBook([GenaiFeed()])
    before = book.lookup("deepseek", "deepseek-v4-flash", datetime(2026, 5, 1, 2, tzinfo=UTC))
    after = book.lookup("deepseek", "deepseek-v4-flash", datetime(2026, 11, 3, 2, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert before.schedule is None
    assert after.schedule is not None
