"""What the Chinese vendors charged, as known points: a call, its time and what it costs in the vendor's currency.

A million tokens in and out unless said otherwise, so that a cost reads as the price list does. Times are Beijing's.
Each point stands in the source that the row names (tokenweir/pricing/data); what is told here is which row is found.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from pricing_events import event

from tokenweir.money import PICOS_PER_UNIT, picos_from_decimal
from tokenweir.pricing import PriceBook
from tokenweir.pricing.own_data import own_data

MILLION: Final = 1_000_000
CALL: Final = {"input_tokens": MILLION, "output_tokens": MILLION}
IN: Final = {"input_tokens": MILLION}


def counts(
    input_tokens: int = 0, output_tokens: int = 0, cache_read_tokens: int = 0, **more: Any
) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_read_tokens": cache_read_tokens,
        **more,
    }


THINKING: Final = counts(100_000, 10_000, reasoning_tokens=8_000)

# vendor, model, region, Beijing time, counts, cost in CNY
CNY_POINTS: Final = [
    # ByteDance opens at a fraction of what others charge.
    ("volcengine", "doubao-pro-32k", "", "2024-05-15 00:00:00", CALL, "2.8"),
    ("volcengine", "doubao-lite-32k-240515", "", "2024-05-15 12:00:00", CALL, "0.9"),
    ("volcengine", "Doubao-pro-128k", "", "2024-06-18 12:00:00", IN, "5"),
    ("volcengine", "doubao-vision-pro-32k-241028", "", "2024-12-18 00:00:00", CALL, "12"),
    ("volcengine", "doubao-1-5-pro-32k-250115", "", "2025-02-01 12:00:00", CALL, "2.8"),
    ("volcengine", "doubao-seed-1-6-251015", "", "2025-11-01 12:00:00", counts(32_000, 200), "0.026"),
    ("volcengine", "doubao-seed-1-6-251015", "", "2025-11-01 12:00:00", counts(32_000, 201), "0.027208"),
    ("volcengine", "doubao-seed-1-6-251015", "", "2025-11-01 12:00:00", counts(32_001, 200), "0.0416012"),
    (
        "volcengine",
        "doubao-seed-1-6-flash-250828",
        "",
        "2025-11-01 12:00:00",
        counts(200_000, 1_000),
        "0.126",
    ),
    ("volcengine", "doubao-seed-1-6-lite-251015", "", "2025-11-01 12:00:00", counts(10_000, 200), "0.00312"),
    ("volcengine", "doubao-seed-2-0-mini-260215", "", "2026-06-01 12:00:00", counts(40_000, 1_000), "0.02"),
    (
        "volcengine",
        "doubao-seed-2-0-lite-260215",
        "",
        "2026-06-01 12:00:00",
        counts(20_000, 0, 10_000),
        "0.0072",
    ),
    (
        "volcengine",
        "doubao-seed-2-1-pro-260628",
        "",
        "2026-07-15 12:00:00",
        counts(40_000, 1_000, 10_000),
        "0.222",
    ),
    # Alibaba, on 21 May 2024, in September and at the beginning of 2025.
    ("alibaba", "qwen-plus", "cn-beijing", "2024-05-20 23:59:59", CALL, "40"),
    ("alibaba", "qwen-plus", "cn-beijing", "2024-05-21 00:00:00", CALL, "16"),
    ("alibaba", "qwen-max", "", "2024-05-20 23:59:59", CALL, "240"),
    ("alibaba", "qwen-max", "", "2024-05-21 00:00:00", CALL, "160"),
    ("alibaba", "qwen-turbo", "", "2024-05-21 00:00:00", CALL, "8"),
    ("alibaba", "qwen-long", "", "2024-05-21 00:00:00", CALL, "2.5"),
    ("alibaba", "qwen-turbo", "", "2024-09-18 23:59:59", CALL, "8"),
    ("alibaba", "qwen-turbo", "", "2024-09-19 00:00:00", CALL, "0.9"),
    ("alibaba", "qwen-plus", "", "2024-09-19 00:00:00", CALL, "2.8"),
    ("alibaba", "qwen-max", "", "2025-01-24 23:59:59", CALL, "80"),
    ("alibaba", "qwen-max", "", "2025-01-25 00:00:00", CALL, "12"),
    ("alibaba", "qwen-plus", "", "2025-12-01 12:00:00", {**THINKING, "service_tier": "batch"}, "0.08"),
    ("alibaba", "qwen3-14b", "", "2025-12-01 12:00:00", counts(100_000, 10_000), "0.14"),
    ("alibaba", "qwen3-14b", "", "2025-12-01 12:00:00", THINKING, "0.2"),
    ("alibaba", "qwen3-max", "", "2026-01-15 12:00:00", counts(32_001, 1_000), "0.2304064"),
    ("alibaba", "qwen3-max", "", "2026-09-10 23:59:59", counts(130_000, 1_000), "0.938"),
    ("alibaba", "qwen3-max", "", "2026-09-11 00:00:00", counts(130_000, 1_000), "2.04"),
    ("alibaba", "qwen3-coder-plus", "cn-beijing", "2026-06-01 12:00:00", counts(300_000, 1_000), "6.2"),
    ("alibaba", "qwen-image", "", "2025-09-01 12:00:00", {"units": {"images": Decimal(3)}}, "0.75"),
    ("alibaba", "text-embedding-v2", "", "2024-06-01 12:00:00", IN, "0.7"),
    # Baidu's flagships, and what came after them.
    ("baidu", "ERNIE-4.0-8K", "", "2024-05-22 12:00:00", CALL, "240"),
    ("baidu", "ernie-3.5-8k", "", "2024-05-22 12:00:00", CALL, "24"),
    ("baidu", "ernie-3.5-8k", "", "2025-02-01 12:00:00", CALL, "2.8"),
    ("baidu", "ERNIE-4.0-8K", "", "2025-02-01 12:00:00", CALL, "120"),
    ("baidu", "ernie-x1-turbo-32k", "", "2025-05-01 12:00:00", CALL, "5"),
    # Tencent's cut of 22 May 2024.
    ("tencent", "hunyuan-pro", "", "2024-05-21 23:59:59", CALL, "200"),
    ("tencent", "hunyuan-pro", "", "2024-05-22 00:00:00", CALL, "130"),
    ("tencent", "hunyuan-standard", "", "2024-05-21 23:59:59", CALL, "20"),
    ("tencent", "hunyuan-standard", "", "2024-05-22 00:00:00", CALL, "9.5"),
    ("tencent", "hunyuan-standard-256K", "", "2024-06-20 12:00:00", CALL, "75"),
    ("tencent", "hunyuan-standard", "", "2025-02-10 00:00:00", CALL, "2.8"),
    # Zhipu was the first to follow DeepSeek.
    ("zhipu", "glm-3-turbo", "", "2024-05-10 23:59:59", CALL, "10"),
    ("zhipu", "glm-3-turbo", "", "2024-05-11 00:00:00", CALL, "2"),
    ("zhipu", "glm-3-turbo", "", "2024-06-18 00:00:00", {**CALL, "service_tier": "batch"}, "1"),
    ("zhipu", "glm-4-0520", "", "2024-06-25 12:00:00", CALL, "200"),
    ("zhipu", "glm-4-plus", "", "2024-12-01 12:00:00", CALL, "100"),
    ("zhipu", "glm-4.7", "cn-beijing", "2026-01-19 12:00:00", counts(30_000, 100), "0.0608"),
    ("zhipu", "glm-4.7", "cn-beijing", "2026-01-19 12:00:00", counts(30_000, 1_000), "0.104"),
    ("zhipu", "glm-5.1", "cn-beijing", "2026-06-01 12:00:00", counts(40_000, 1_000, 10_000), "0.288"),
    # Moonshot, MiniMax and the smaller houses.
    ("moonshot", "moonshot-v1-8k", "cn-beijing", "2024-06-01 12:00:00", CALL, "24"),
    ("moonshot", "moonshot-v1-128k", "cn-beijing", "2025-08-01 12:00:00", CALL, "40"),
    ("moonshot", "kimi-k2.6", "cn-beijing", "2026-06-01 12:00:00", counts(100_000, 10_000, 50_000), "0.65"),
    (
        "minimax",
        "MiniMax-M2.7",
        "cn-shanghai",
        "2026-06-01 12:00:00",
        counts(100_000, 10_000, 50_000),
        "0.21",
    ),
    ("minimax", "abab6.5s-chat", "", "2025-02-01 12:00:00", CALL, "2"),
    ("yi", "yi-lightning", "", "2024-10-16 00:00:00", CALL, "1.98"),
    ("stepfun", "step-2-16k", "", "2025-02-01 12:00:00", CALL, "158"),
    ("baichuan", "Baichuan4-Air", "", "2025-02-01 12:00:00", CALL, "1.96"),
    # DeepSeek in yuan: launch, cache, the end of the promotion, nights, peaks.
    ("deepseek", "deepseek-chat", "cn", "2024-05-06 00:00:00", CALL, "3"),
    ("deepseek", "deepseek-chat", "cn", "2024-08-02 00:00:00", counts(MILLION, 0, MILLION), "0.1"),
    ("deepseek", "deepseek-chat", "cn", "2025-02-08 23:59:59", CALL, "3"),
    ("deepseek", "deepseek-chat", "cn", "2025-02-09 00:00:00", CALL, "10"),
    ("deepseek", "deepseek-reasoner", "cn", "2025-03-01 00:29:59", CALL, "20"),
    ("deepseek", "deepseek-reasoner", "cn", "2025-03-01 00:30:00", CALL, "5"),
    ("deepseek", "deepseek-chat", "cn", "2025-09-29 08:00:00", counts(MILLION, MILLION, 500_000), "4.1"),
    ("deepseek", "deepseek-reasoner", "cn", "2026-04-26 20:14:59", counts(MILLION, 0, MILLION), "0.2"),
    ("deepseek", "deepseek-reasoner", "cn", "2026-04-26 20:15:00", counts(MILLION, 0, MILLION), "0.02"),
    ("deepseek", "deepseek-v4-flash", "cn", "2026-08-16 23:59:59", CALL, "3"),
    ("deepseek", "deepseek-v4-flash", "cn", "2026-08-17 00:00:00", CALL, "6"),
    ("deepseek", "deepseek-v4-pro", "cn", "2026-06-15 10:00:00", counts(MILLION, MILLION, MILLION), "6.025"),
    ("deepseek", "deepseek-v4-pro", "cn", "2026-08-22 10:00:00", CALL, "36"),
    ("deepseek", "deepseek-v4-pro", "cn", "2026-08-29 10:00:00", CALL, "18"),
    ("deepseek", "deepseek-flash", "cn", "2026-10-12 08:59:59", CALL, "5"),
    ("deepseek", "deepseek-flash", "cn", "2026-10-12 09:00:00", CALL, "10"),
    ("deepseek", "deepseek-flash", "cn", "2026-10-01 09:00:00", CALL, "5"),
]

# Singapore, in USD.
USD_POINTS: Final = [
    ("qwen-flash", "2026-07-01 12:00:00", counts(256_001, 1_000), "0.06600025"),
    ("qwen3-max", "2026-07-01 12:00:00", counts(32_000, 1_000), "0.0444"),
    ("qwen3-max", "2026-07-01 12:00:00", counts(32_001, 1_000), "0.0888024"),
    ("qwen3-coder-plus", "2026-07-01 12:00:00", counts(200_000, 1_000, 100_000), "0.375"),
]

# What is free, and since when.
FREE_POINTS: Final = [
    ("baidu", "ernie-speed-8k", "2024-05-21 00:00:00", "2024-05-20 23:59:59"),
    ("tencent", "hunyuan-lite", "2024-05-22 00:00:00", "2024-05-21 23:59:59"),
    ("iflytek", "lite", "2024-05-22 00:00:00", "2024-05-21 23:59:59"),
    ("zhipu", "glm-4-flash", "2024-09-01 00:00:00", "2024-06-30 23:59:59"),
]

# No price, and the sentence that the reader gets.
UNPRICED_POINTS: Final = [
    ("huawei", "unknown", "", "2026-06-01 12:00:00", "by time under a subscription"),
    ("coze", "unknown", "", "2026-06-01 12:00:00", "state what your plan costs"),
    ("iflytek", "4.0Ultra", "", "2026-06-01 12:00:00", "packs"),
    ("minimax", "abab6-chat", "", "2024-06-01 12:00:00", "two sources state two prices"),
    ("alibaba", "wan2.6-t2v", "", "2026-06-01 12:00:00", "resolution"),
    ("deepseek", "deepseek-chat", "cn-hangzhou", "2025-09-10 12:00:00", "in CNY"),
    ("zhipu", "glm-4.5", "cn-beijing", "2025-10-15 12:00:00", "billed in CNY"),
    ("moonshot", "moonshot-v1-8k", "cn-beijing", "2025-03-01 12:00:00", "billed in CNY"),
    ("minimax", "MiniMax-M1", "cn-shanghai", "2025-07-15 12:00:00", "billed in CNY"),
    ("baidu", "ernie-4.0-8k", "", "2024-09-01 12:00:00", "no price of baidu/ernie-4.0-8k"),
]


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("vendor", "model", "region", "time", "fields", "cost"),
    CNY_POINTS,
    ids=[f"{vendor}/{model} {time}" for vendor, model, _, time, _, _ in CNY_POINTS],
)
def test_a_call_costs_in_yuan_what_the_list_said_then(
    book: PriceBook, vendor: str, model: str, region: str, time: str, fields: dict[str, Any], cost: str
) -> None:
    priced = book.price(event(vendor, model, beijing(time), region=region, **fields))
    assert (priced.native_cost_picos, priced.currency) == (picos_from_decimal(Decimal(cost)), "CNY"), priced
    assert priced.cost_picos
    assert priced.price_status == "list"


@pytest.mark.parametrize(("model", "time", "fields", "cost"), USD_POINTS)
def test_singapore_is_billed_in_dollars(
    book: PriceBook, model: str, time: str, fields: dict[str, Any], cost: str
) -> None:
    priced = book.price(event("alibaba", model, beijing(time), region="ap-southeast-1", **fields))
    assert (priced.native_cost_picos, priced.currency) == (picos_from_decimal(Decimal(cost)), "USD"), priced


@pytest.mark.parametrize(("vendor", "model", "since", "before"), FREE_POINTS)
def test_free_is_free_from_its_second_on(
    book: PriceBook, vendor: str, model: str, since: str, before: str
) -> None:
    free = book.price(event(vendor, model, beijing(since), **CALL))
    assert (free.cost_picos, free.native_cost_picos, free.price_status) == (0, 0, "free")
    assert book.price(event(vendor, model, beijing(before), **CALL)).price_status != "free"


@pytest.mark.parametrize(("vendor", "model", "region", "time", "reason"), UNPRICED_POINTS)
def test_what_nobody_saw_is_unpriced_and_says_so(
    book: PriceBook, vendor: str, model: str, region: str, time: str, reason: str
) -> None:
    priced = book.price(event(vendor, model, beijing(time), region=region, **CALL))
    assert (priced.cost_picos, priced.price_status) == (None, "unpriced")
    assert reason in priced.unpriced_reason


def test_what_holds_for_any_region_holds_in_mainland_china_too(book: PriceBook) -> None:
    held = 0
    for row in own_data().rows():
        if row.currency != "CNY" or row.regions:
            continue
        for rule in row.match.rules or (row.match,):
            time = row.valid_from or beijing("2026-06-01 12:00:00")
            name = rule.text
            anywhere = book.price(event(row.vendor, name, time, input_tokens=1000))
            there = book.price(event(row.vendor, name, time, region="cn-beijing", input_tokens=1000))
            assert there == anywhere, f"{row.vendor}/{name}"
            held += 1
    assert held > 100


def test_a_picture_and_a_video_of_ark_cost_what_the_vendor_bills_and_not_what_else_it_counts(
    book: PriceBook,
) -> None:
    time = beijing("2026-06-01 12:00:00")
    picture = event(
        "volcengine", "doubao-seedream-4-0-250828", time, output_tokens=16_000, units={"images": Decimal(2)}
    )
    assert book.price(picture).native_cost_picos == picos_from_decimal(Decimal("0.4"))
    video = event(
        "volcengine",
        "doubao-seedance-1-0-pro-250528",
        time,
        output_tokens=246_840,
        units={"video_seconds": Decimal(5)},
    )
    assert book.price(video).native_cost_picos == picos_from_decimal(Decimal("3.7026"))


def test_the_explicit_cache_of_alibaba_has_prices_of_its_own(book: PriceBook) -> None:
    def native(**fields: Any) -> int | None:
        usage = {"input_tokens": 20_000, "cache_read_tokens": 10_000, **fields}
        call = event(
            "alibaba", "qwen3-coder-plus", datetime(2026, 6, 1, tzinfo=UTC), region="cn-beijing", **usage
        )
        return book.price(call).native_cost_picos

    # 4 yuan a million tokens; 20 % of that for an implicit hit, 10 % for an explicit one, 125 % for making one.
    yuan = PICOS_PER_UNIT
    assert native() == 10_000 * 4 * yuan // 1_000_000 + 10_000 * 8 * yuan // 10_000_000
    explicit = {"tags": {"cache_type": "ephemeral"}}
    assert native(**explicit) == 10_000 * 4 * yuan // 1_000_000 + 10_000 * 4 * yuan // 10_000_000
    assert (
        native(**explicit, cache_read_tokens=0, cache_write_tokens=10_000)
        == 10_000 * 4 * yuan // 1_000_000 + 10_000 * 5 * yuan // 1_000_000
    )
