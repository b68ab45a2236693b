from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pricing_events import NOVEMBER, event, per_million, row

from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import PriceBook, priced_fields
from tokenweir.pricing.exchange import ExchangeRates
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.pricing.schedule import Schedule
from tokenweir.pricing.sources import RowSource


def test_a_plain_call(book: PriceBook) -> None:
    priced = book.price(event("openai", "gpt-4o", input_tokens=1000, output_tokens=100))
    assert priced_fields(priced) == {
        "cost": "0.0035",
        "list_cost": "0.0035",
        "native_cost": "0.0035",
        "currency": "USD",
        "fx_rate": "1",
        "cost_parts": {"input": "0.0025", "output": "0.001"},
        "price_id": "genai:openai/gpt-4o",
        "price_status": "list",
        "unpriced_reason": "",
    }


def test_cached_tokens_are_part_of_the_input(book: PriceBook) -> None:
    priced = book.price(
        event(
            "anthropic",
            "claude-sonnet-4-20250514",
            input_tokens=31_000,
            cache_read_tokens=20_000,
            cache_write_tokens=10_000,
            cache_write_1h_tokens=6_000,
            output_tokens=500,
        )
    )
    assert priced_fields(priced)["cost_parts"] == {
        "cache_read": "0.006",
        "cache_write_1h": "0.036",
        "cache_write": "0.015",
        "input": "0.003",
        "output": "0.0075",
    }
    assert priced_fields(priced)["cost"] == "0.0675"


def test_a_yuan_price_stays_a_yuan_price(book: PriceBook) -> None:
    october = datetime(2026, 10, 5, tzinfo=UTC)
    priced = book.price(event("volcengine", "doubao-1-5-pro-32k-250115", october, input_tokens=1_000_000))
    assert priced.currency == "CNY"
    assert priced.native_cost_picos == 800_000_000_000
    assert priced.fx_rate_picos == 149_152_765_007
    assert priced.cost_picos == 119_322_212_006
    assert sum(picos for _, picos in priced.parts) == priced.cost_picos


@pytest.mark.parametrize(
    ("vendor", "model", "fields", "reason"),
    [
        ("openai", "no-such-model", {}, "no price of openai/no-such-model"),
        ("nobody", "gpt-4o", {}, "no price of nobody/gpt-4o"),
        ("openai", "gpt-4o", {"service_tier": "overnight"}, "for the service tier overnight"),
        ("openai", "gpt-4o", {"units": {"moon_phases": Decimal(1)}}, "no rate for moon_phases"),
        ("openai", "text-embedding-3-small", {"output_tokens": 5}, "no rate for output_tokens"),
        ("openai", "gpt-4o", {"units": {"web_searches": Decimal("1e-999999999")}}, "more than 18 decimals"),
        ("openai", "gpt-4o", {"units": {"input_video_tokens": Decimal("0.5")}}, "is not a whole number"),
        ("baidu", "ernie-5.1", {}, "is known before 2026-05-08 16:00 UTC"),
        ("alibaba", "qwen-plus", {"region": "us-west-1"}, "for the region 'us-west-1'"),
        ("deepseek", "deepseek-chat", {"time": datetime(2026, 8, 1, tzinfo=UTC)}, "retired on 24 July 2026"),
    ],
)
def test_what_is_not_known_is_unpriced_with_a_reason(
    book: PriceBook, vendor: str, model: str, fields: dict[str, object], reason: str
) -> None:
    priced = book.price(event(vendor, model, **{"input_tokens": 10} | fields))
    assert (priced.cost_picos, priced.list_cost_picos, priced.price_status) == (None, None, "unpriced")
    assert reason in priced.unpriced_reason
    assert priced.parts == ()


def test_a_missing_rate_leaves_the_native_cost(book: PriceBook) -> None:
    priced = book.price(
        event("volcengine", "doubao-seed-1.8", datetime(2035, 1, 1, tzinfo=UTC), input_tokens=1_000)
    )
    assert (priced.cost_picos, priced.native_cost_picos, priced.price_status) == (
        None,
        800_000_000,
        "unpriced",
    )
    assert priced.unpriced_reason == "no exchange rate from CNY to USD from 2026-12-01 00:00 UTC on"


def test_free_is_a_price_and_needs_no_exchange_rate() -> None:
    free = row(card=RateCard(per_million(input="0", output="0")), currency="CNY")
    priced = PriceBook([RowSource([free])]).price(event("v", "m", input_tokens=10, output_tokens=10))
    assert (priced.cost_picos, priced.price_status, priced.currency) == (0, "free", "CNY")


def test_a_reported_cost_stands_in_for_a_price(book: PriceBook) -> None:
    reported = event("nobody", "x", reported_cost=Decimal("0.25"), reported_currency="USD")
    priced = book.price(reported)
    assert (priced.cost_picos, priced.price_status) == (PICOS_PER_UNIT // 4, "reported")
    assert priced.parts == (("reported", PICOS_PER_UNIT // 4),)
    without_currency = book.price(event("nobody", "x", reported_cost=Decimal("0.25")))
    assert without_currency.price_status == "unpriced"


def test_a_price_goes_before_a_reported_cost(book: PriceBook) -> None:
    priced = book.price(event("openai", "gpt-4o", input_tokens=1_000_000, reported_cost=Decimal(9)))
    assert priced.cost_picos == 2_500_000_000_000


def test_a_failed_call_without_usage_costs_nothing_at_its_price() -> None:
    card = RateCard((*per_million(input="1", output="2"), ("requests", Rate(5_000_000_000, 1000))))
    book = PriceBook([RowSource([row(card=card)])])
    assert book.price(event("v", "m", status="timeout")).cost_picos == 0
    assert book.price(event("v", "m")).cost_picos == 5_000_000


def test_tiers_by_input_are_for_the_whole_call_and_begin_above_their_bound(book: PriceBook) -> None:
    early = datetime(2026, 3, 1, tzinfo=UTC)
    at = book.price(event("anthropic", "claude-opus-4-6", early, input_tokens=200_000))
    above = book.price(event("anthropic", "claude-opus-4-6", early, input_tokens=200_001))
    assert at.cost_picos == 200_000 * 5_000_000
    assert above.cost_picos == 200_001 * 10_000_000


def test_tiers_by_output_and_by_thinking(book: PriceBook) -> None:
    spring = datetime(2026, 3, 1, tzinfo=UTC)
    short = book.price(event("volcengine", "doubao-seed-1.8", spring, output_tokens=200))
    longer = book.price(event("volcengine", "doubao-seed-1.8", spring, output_tokens=201))
    assert (short.native_cost_picos, longer.native_cost_picos) == (200 * 2_000_000, 201 * 8_000_000)
    thinking = event("alibaba", "qwen-plus", spring, input_tokens=1, output_tokens=10, reasoning_tokens=4)
    assert book.price(thinking).native_cost_picos == 800_000 + 10 * 8_000_000


def test_the_part_above_can_cost_otherwise() -> None:
    card = RateCard((("input", Rate(1_000_000_000_000, 1_000_000, steps=((1000, 500_000_000_000),))),))
    priced = PriceBook([RowSource([row(card=card)])]).price(event("v", "m", input_tokens=1500))
    assert priced.cost_picos == 1000 * 1_000_000 + 500 * 500_000


def test_a_minimum_is_billed_only_where_there_is_use(book: PriceBook) -> None:
    def cost(seconds: int) -> int | None:
        units = {"audio_seconds": Decimal(seconds)} if seconds else {}
        return book.price(event("groq", "whisper-large-v3", units=units)).cost_picos

    assert cost(3) == cost(10)
    assert cost(10) != cost(11)


def test_audio_is_priced_apart_where_the_price_has_a_rate(book: PriceBook) -> None:
    card = RateCard(
        per_million(input="1", output="2", input_audio="10", cache_read="0.5", cache_read_audio="5")
    )
    audio_book = PriceBook([RowSource([row(card=card)])])
    spoken = event("v", "m", input_tokens=100, input_audio_tokens=40)
    spoken_parts = dict(audio_book.price(spoken).parts)
    assert spoken_parts == {
        "input_audio": 40_000_000 * 10,
        "input": 60_000_000,
        "output": 0,
    }
    text_only = PriceBook([RowSource([row()])])
    assert text_only.price(spoken).cost_picos == 100_000_000


def test_how_much_cached_audio_there_is_must_follow_or_be_stated() -> None:
    card = RateCard(
        per_million(input="1", output="2", input_audio="10", cache_read="0.5", cache_read_audio="4")
    )
    audio_book = PriceBook([RowSource([row(card=card)])])
    unclear = {"input_tokens": 100, "input_audio_tokens": 40, "cache_read_tokens": 30}
    assert audio_book.price(event("v", "m", **unclear)).price_status == "unpriced"
    stated = audio_book.price(event("v", "m", **unclear, units={"cache_read_audio_tokens": Decimal(10)}))
    assert dict(stated.parts) == {
        "cache_read_audio": 40_000_000,
        "input_audio": 300_000_000,
        "cache_read": 10_000_000,
        "input": 40_000_000,
        "output": 0,
    }
    none = audio_book.price(event("v", "m", **unclear, units={"cache_read_audio_tokens": Decimal(0)}))
    assert dict(none.parts) == {
        "input_audio": 400_000_000,
        "cache_read": 15_000_000,
        "input": 30_000_000,
        "output": 0,
    }
    all_cached = audio_book.price(event("v", "m", **unclear | {"cache_read_tokens": 100}))
    assert all_cached.cost_picos == 40 * 4_000_000 + 60 * 500_000


def test_cached_audio_without_a_rate_has_no_price_and_is_not_charged_as_both() -> None:
    card = RateCard(per_million(input="1", output="2", input_audio="10", cache_read="0.5"))
    audio_book = PriceBook([RowSource([row(card=card)])])
    counts = {"input_tokens": 100, "input_audio_tokens": 40, "cache_read_tokens": 30}
    priced = audio_book.price(event("v", "m", **counts, units={"cache_read_audio_tokens": Decimal(10)}))
    assert (priced.cost_picos, priced.price_status) == (None, "unpriced")
    assert "cache_read_audio_tokens" in priced.unpriced_reason


def test_a_schedule_holds_at_its_hours_days_and_not_on_holidays(book: PriceBook) -> None:
    def cost(month: int, day: int, hour: int) -> int | None:
        moment = datetime(2026, month, day, hour, tzinfo=UTC)
        return book.price(event("deepseek", "deepseek-flash", moment, input_tokens=1_000_000)).cost_picos

    off_peak, peak = 150_000_000_000, 300_000_000_000
    assert cost(10, 14, 2) == peak
    assert cost(10, 14, 4) == off_peak
    assert cost(10, 14, 6) == peak
    assert cost(10, 14, 10) == off_peak
    assert cost(10, 17, 2) == off_peak  # a Saturday
    assert cost(10, 1, 2) == off_peak  # National Day


def test_a_night_window_in_its_own_zone() -> None:
    night = row(
        card=RateCard(per_million(input="0.5", output="1")),
        schedule=Schedule(utc_offset_minutes=480, windows=((0, 8 * 3600),)),
        price_id="night",
    )
    night_book = PriceBook([RowSource([row(), night])])
    midnight_in_beijing = datetime(2025, 11, 1, 16, tzinfo=UTC)
    assert night_book.lookup("v", "m", midnight_in_beijing) == night
    assert night_book.lookup("v", "m", midnight_in_beijing - timedelta(microseconds=1)) == row()
    assert night_book.lookup("v", "m", midnight_in_beijing + timedelta(hours=8)) == row()


def test_as_billed_as_known_now_and_at_other_prices() -> None:
    march, june = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    cut = row(
        card=RateCard(per_million(input="0.5", output="1")),
        valid_from=march,
        recorded_at=june,
        price_id="cut",
    )
    two_times = PriceBook([RowSource([row(), cut])])
    april = event("v", "m", datetime(2025, 4, 1, tzinfo=UTC), input_tokens=1_000_000)
    assert two_times.price(april, known_at=datetime(2025, 4, 2, tzinfo=UTC)).cost_picos == PICOS_PER_UNIT
    assert two_times.price(april).cost_picos == PICOS_PER_UNIT // 2
    assert two_times.price(april, at=datetime(2025, 2, 1, tzinfo=UTC)).cost_picos == PICOS_PER_UNIT
    before_anything = two_times.price(april, known_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert before_anything.unpriced_reason == "no price of v/m"


def test_batch_before_the_feed_lists_it(book: PriceBook) -> None:
    september = datetime(2025, 9, 1, tzinfo=UTC)
    claude = event(
        "anthropic", "claude-sonnet-4-20250514", september, service_tier="batch", input_tokens=200_000
    )
    assert book.price(claude).cost_picos == 300_000_000_000
    gpt = event("openai", "gpt-4o", september, service_tier="batch", input_tokens=10, cache_read_tokens=10)
    assert book.price(gpt).cost_picos == 10 * 1_250_000


def test_mistral_large_latest_moved(book: PriceBook) -> None:
    before = book.lookup("mistral", "mistral-large-latest", NOVEMBER)
    after = book.lookup("mistral", "mistral-large-latest", datetime(2026, 1, 1, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert dict(before.cards[0].rates)["input"].picos == 2_000_000_000_000
    assert dict(after.cards[0].rates)["input"].picos == 500_000_000_000


def test_a_company_row_goes_before_the_list_price_within_its_time() -> None:
    company = row(card=RateCard(per_million(input="0.9", output="1.8")), valid_from=NOVEMBER, price_id="acme")
    both = PriceBook([RowSource([row()]), RowSource([company])])
    assert both.lookup("v", "m", NOVEMBER) == company
    assert both.lookup("v", "m", NOVEMBER - timedelta(seconds=1)) == row()


def test_the_order_of_lookups_does_not_matter(book: PriceBook) -> None:
    days = [(month, day) for month in (7, 8, 9) for day in (1, 16, 23)]
    moments = [datetime(2026, month, day, hour, tzinfo=UTC) for month, day in days for hour in (2, 5)]
    fresh = PriceBook.default()
    forwards = [book.lookup("deepseek", "deepseek-v4-flash", moment) for moment in moments]
    backwards = [fresh.lookup("deepseek", "deepseek-v4-flash", moment) for moment in reversed(moments)]
    assert forwards == backwards[::-1]


def test_a_time_without_zone_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall, match="has no zone"):
        PriceBook([RowSource([row()])]).lookup("v", "m", datetime(2025, 1, 1))  # noqa: DTZ001


def test_a_flood_of_names_does_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenweir.pricing.book._MAX_KEYS", 10)
    small = PriceBook([RowSource([row()])], ExchangeRates())
    for number in range(100):
        assert small.lookup("v", f"made-up-{number}", NOVEMBER) is None
    assert len(small._current) <= 10
    assert len(small._spans) <= 11


def test_reasons_fit_the_ledger(book: PriceBook) -> None:
    assert len(book.price(event("v" * 256, "m" * 256)).unpriced_reason) <= 256


def test_every_row_has_a_name_of_its_own_and_a_source(book: PriceBook) -> None:
    rows = list(book.rows())
    assert len(rows) > 2_800
    assert len({price.price_id for price in rows}) == len(rows)
    assert all(price.source and price.recorded_at for price in rows)


def test_every_own_row_says_how_sure_it_is_and_only_a_vendors_page_makes_it_sure(book: PriceBook) -> None:
    own = [price for price in book.rows() if not price.price_id.startswith("genai:")]
    assert len(own) > 100
    assert {price.confidence for price in own} == {"high", "medium", "low"}
    assert all(price.source_at for price in own)
    vendor_pages = (
        "api-docs.deepseek.com",
        "developers.googleblog.com",
        "docs.anthropic.com",
        "docs.x.ai",
        "openai.com",
        "openrouter.ai",
        "platform.kimi.com",
        "www.alibabacloud.com",
        "www.claude.com",
    )
    sure = [price for price in own if price.confidence == "high"]
    assert all(price.source.startswith(tuple(f"https://{page}/" for page in vendor_pages)) for price in sure)


def test_flash_keeps_its_old_price_until_the_hour_of_the_change(book: PriceBook) -> None:
    change = datetime(2026, 9, 10, 4, tzinfo=UTC)
    before, after = (
        book.price(event("deepseek", "deepseek-v4-flash", moment, input_tokens=1_000_000)).cost_picos
        for moment in (change - timedelta(seconds=1), change)
    )
    # A Thursday; the change falls on the end of a peak window.
    assert (before, after) == (440_000_000_000, 150_000_000_000)
