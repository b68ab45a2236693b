"""What to do about calls without a price: the kind of each reason, names that may have been meant, a table to paste."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pricing_events import event, per_million, row

from tokenweir.pricing import PriceBook
from tokenweir.pricing.advice import Adviser
from tokenweir.pricing.known_names import KnownNames
from tokenweir.pricing.price import RateCard
from tokenweir.pricing.reasons import KINDS, kind_of
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = RowSource(
    [
        row("chat-large", valid_from=datetime(2026, 1, 1, tzinfo=UTC), regions=("eu", "us")),
        row("chat-large", valid_from=datetime(2026, 1, 1, tzinfo=UTC), service_tier="batch", regions=("eu",)),
        row("chat-small", card=RateCard(per_million(input="1", web_searches="10"))),
        row("chat-old", valid_to=datetime(2026, 1, 1, tzinfo=UTC)),
        row("in-yen", currency="JPY", cards=(RateCard(per_million(input="100")),)),
        row("withdrawn", cards=(), no_price="sold by the hour"),
        row("late", cards=(), no_price="not offered before 5 August 2025"),
        row("heard", card=RateCard(per_million(input="1", output="2", cache_read="0.1", input_audio="3"))),
    ]
)
BOOK = PriceBook([ROWS])

CASES = {
    "unknown model": (event("v", "chat-lrage", MARCH, input_tokens=1), "unknown_model", ""),
    "unknown vendor": (event("w", "chat-large", MARCH, input_tokens=1), "unknown_model", ""),
    "region": (event("v", "chat-large", MARCH, input_tokens=1, region="asia"), "unknown_region", "asia"),
    "tier": (
        event("v", "chat-large", MARCH, input_tokens=1, region="eu", service_tier="flex"),
        "unknown_tier",
        "flex",
    ),
    "too early": (
        event("v", "chat-large", datetime(2025, 6, 1, tzinfo=UTC), input_tokens=1, region="eu"),
        "before_first_price",
        "2026-01-01 00:00",
    ),
    "too late": (event("v", "chat-old", MARCH, input_tokens=1), "no_price_then", ""),
    "stated": (event("v", "withdrawn", MARCH, input_tokens=1), "stated", ""),
    "stated to be too early": (
        event("v", "late", MARCH, input_tokens=1),
        "before_first_price",
        "5 August 2025",
    ),
    "unit": (
        event("v", "chat-small", MARCH, units={"web_search": Decimal(2)}),
        "unknown_unit",
        "web_search",
    ),
    "tokens": (event("v", "chat-small", MARCH, output_tokens=1), "unknown_unit", "output_tokens"),
    "exchange rate": (event("v", "in-yen", MARCH, input_tokens=1), "no_exchange_rate", "JPY"),
    "overlap": (
        event(
            "v", "heard", MARCH, input_tokens=10, cache_read_tokens=5, input_audio_tokens=5, output_tokens=1
        ),
        "unclear_counts",
        "",
    ),
    "broken tokens": (
        event("v", "heard", MARCH, units={"input_video_tokens": Decimal("0.5")}),
        "unclear_counts",
        "",
    ),
    "too fine": (
        event("v", "chat-small", MARCH, units={"web_searches": Decimal("1e-19")}),
        "unclear_counts",
        "",
    ),
    "stated twice": (
        event(
            "v", "chat-small", MARCH, units={"web_searches": Decimal(1), "web_search_requests": Decimal(1)}
        ),
        "unclear_counts",
        "",
    ),
    "reported in an unknown currency": (
        event("v", "nothing-like-it", MARCH, reported_cost=Decimal(1), reported_currency="XXX"),
        "unknown_model",
        "",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_reason_is_told_by_its_kind(case: tuple[UsageEvent, str, str]) -> None:
    call, kind, named = case
    reason = BOOK.price(call).unpriced_reason
    assert kind_of(reason) == (kind, named), reason
    assert Adviser(BOOK).advise(call, reason).kind == kind


def test_the_cases_are_of_every_kind_that_a_price_book_gives() -> None:
    assert {kind for _, kind, _ in CASES.values()} == set(KINDS) - {"other"}
    assert kind_of("the meter was asleep") == ("other", "")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("region", "known for the regions eu, us"),
        ("tier", "known for batch, standard"),
        ("too early", "it ends on 2026-01-01 00:00"),
        ("tokens", "states output, too"),
        ("exchange rate", '[[exchange_rate]] with currency = "JPY"'),
    ],
)
def test_the_next_step_says_what_is_known(case: str, said: str) -> None:
    call, _, _ = CASES[case]
    assert said in Adviser(BOOK).advise(call, BOOK.price(call).unpriced_reason).next_step


def test_a_unit_is_compared_with_those_that_have_a_rate() -> None:
    call, _, _ = CASES["unit"]
    advice = Adviser(BOOK).advise(call, BOOK.price(call).unpriced_reason)
    assert advice.nearest_units == ("web_searches",)
    assert "charged by web_searches" in advice.next_step
    assert "every_model = true" in advice.next_step


def test_a_name_is_only_offered_where_it_has_a_price_then() -> None:
    adviser = Adviser(BOOK, lambda *_: [("v", "withdrawn"), ("v", "chat-small")])
    call = event("v", "chat-larg", MARCH, input_tokens=1)
    advice = adviser.advise(call, BOOK.price(call).unpriced_reason)
    assert advice.nearest[0] == ("v", "chat-small")
    # chat-large is nearer, but not for a call that names no region; chat-old ended.
    assert {model for _, model in advice.nearest}.isdisjoint({"chat-large", "chat-old", "withdrawn"})


def test_a_price_that_has_come_since_is_said_first() -> None:
    advice = Adviser(BOOK).advise(event("v", "chat-small", MARCH, input_tokens=1), "no price of v/chat-small")
    assert advice.priced_now
    assert "`weir reprice --unpriced --where vendor=v --where model=chat-small`" in advice.next_step
    assert advice.nearest == ()


@pytest.mark.parametrize(
    ("vendor", "model", "meant"),
    [
        ("openai", "gpt5-mini", ("openai", "gpt-5-mini")),
        ("openai", "models/GPT-4o-20240806", ("openai", "gpt-4o")),
        ("open-ai", "gpt-4o", ("openai", "gpt-4o")),
        ("acme", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("anthropic", "anthropic.claude-sonnet-4-5-20250929-v1:0", ("anthropic", "claude-sonnet-4-5")),
    ],
)
def test_names_are_near_without_what_surrounds_them(vendor: str, model: str, meant: tuple[str, str]) -> None:
    names = KnownNames(PriceBook.default().sources)
    assert meant in names.nearest(vendor, model)[:3]


def test_the_alias_that_is_offered_prices_the_calls(tmp_path: Path) -> None:
    call = event("acme", 'prod "4o"', MARCH, input_tokens=1_000_000)
    adviser = Adviser(PriceBook.default(), lambda *_: [("openai", "gpt-4o")])
    advice = adviser.advise(call, PriceBook.default().price(call).unpriced_reason)
    assert advice.nearest[0] == ("openai", "gpt-4o")
    path = tmp_path / "acme.toml"
    path.write_text(f"recorded_at = {date(2026, 3, 1)}\n{advice.alias}", encoding="utf-8")
    assert PriceBook.default(path).price(call).cost_picos == 2_500_000_000_000
    again = Adviser(PriceBook.default(path)).advise(call, "no price of acme")
    assert again.priced_now
