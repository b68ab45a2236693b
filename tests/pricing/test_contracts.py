"""What a company's own prices, discounts and GPU hours make of a cost, and that the list cost stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pricing_events import NOVEMBER, TEST_RATES, event, per_million, row

from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.contracts import ANY_VENDOR, Contracts, Discount, discounted
from tokenweir.pricing.matching import Match, match_from_names
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.price import Price, Rate, RateCard
from tokenweir.pricing.sources import RowSource

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
DOLLAR = 10**12


def a_discount(factor: str = "0.9", vendor: str = "v", *models: str, **fields: Any) -> Discount:
    defaults: dict[str, Any] = {
        "discount_id": f"acme:{factor}",
        "vendor": vendor,
        "match": match_from_names(models) if models else None,
        "factor": Decimal(factor).as_integer_ratio(),
        "recorded_at": JANUARY,
        "source": "test",
    }
    return Discount(**(defaults | fields))


def a_book(*public: Price, rows: tuple[Price, ...] = (), discounts: tuple[Discount, ...] = ()) -> PriceBook:
    return PriceBook([RowSource(public or [row()])], TEST_RATES, Contracts(rows, discounts))


def a_million(model: str = "m", time: datetime = NOVEMBER, **fields: Any) -> Any:
    """A call that costs a dollar at the list price of `row()`."""
    return event("v", model, time, input_tokens=1_000_000, **fields)


def costs(priced: Priced) -> tuple[int | None, int | None, str]:
    return priced.cost_picos, priced.list_cost_picos, priced.price_status


def from_file(text: str, tmp_path: Path) -> PriceBook:
    path = tmp_path / "acme.toml"
    path.write_text("recorded_at = 2025-01-01\n" + text, encoding="utf-8")
    return PriceBook.default(path)


def test_a_committed_price_decides_the_cost_and_not_the_list_cost() -> None:
    committed = row(card=RateCard(per_million(input="0.8", output="1")), price_id="acme:m")
    priced = a_book(rows=(committed,)).price(a_million(output_tokens=10))
    assert costs(priced) == (DOLLAR * 8 // 10 + 10_000_000, DOLLAR + 20_000_000, "contract")
    assert dict(priced.parts) == {"input": DOLLAR * 8 // 10, "output": 10_000_000}
    assert priced.price_id == "acme:m"


def test_it_holds_within_its_time_and_since_it_is_known() -> None:
    committed = row(
        card=RateCard(per_million(input="0.8", output="1")),
        valid_from=NOVEMBER,
        valid_to=NOVEMBER + timedelta(days=1),
        recorded_at=NOVEMBER,
    )
    book = a_book(rows=(committed,))
    moments = [NOVEMBER + timedelta(seconds=second) for second in (-1, 0, 86_399, 86_400)]
    assert [book.price(a_million(time=moment)).price_status for moment in moments] == [
        "list",
        "contract",
        "contract",
        "list",
    ]
    before = NOVEMBER - timedelta(seconds=1)
    assert costs(book.price(a_million(), known_at=before)) == (DOLLAR, DOLLAR, "list")


def test_what_has_no_public_price_has_its_own_as_list_cost() -> None:
    private = row("private", card=RateCard(per_million(input="3", output="4")))
    assert costs(a_book(rows=(private,)).price(a_million("private"))) == (3 * DOLLAR, 3 * DOLLAR, "contract")


def test_nor_has_what_the_public_price_does_not_cover() -> None:
    committed = row(card=RateCard((*per_million(input="3", output="4"), ("images", Rate(DOLLAR, 1)))))
    with_image = a_million(units={"images": Decimal(1)})
    assert costs(a_book(rows=(committed,)).price(with_image)) == (4 * DOLLAR, 4 * DOLLAR, "contract")


def test_what_the_contract_does_not_cover_is_unpriced_and_not_billed_at_list() -> None:
    public = row(card=RateCard((*per_million(input="3", output="4"), ("images", Rate(DOLLAR, 1)))))
    committed = row(card=RateCard(per_million(input="2", output="4")), price_id="acme:m")
    priced = a_book(public, rows=(committed,)).price(a_million(units={"images": Decimal(1)}))
    assert costs(priced) == (None, None, "unpriced")
    assert priced.unpriced_reason == "the price has no rate for images (acme:m)"
    no_price = row(cards=(), currency="", no_price="being negotiated")
    assert a_book(rows=(no_price,)).price(a_million()).unpriced_reason == "v/m: being negotiated"


def test_list_and_contract_may_be_in_two_currencies() -> None:
    public = row(currency="CNY", card=RateCard(per_million(input="10", output="10")))
    priced = a_book(public, rows=(row(),)).price(a_million())
    assert costs(priced) == (DOLLAR, DOLLAR * 14 // 10, "contract")
    assert (priced.currency, priced.native_cost_picos) == ("USD", DOLLAR)
    unknown_money = replace(public, currency="XXX")
    assert costs(a_book(unknown_money, rows=(row(),)).price(a_million())) == (DOLLAR, DOLLAR, "contract")


def test_a_public_tier_is_no_part_of_a_contracts_standard_price() -> None:
    half = row(service_tier="batch", factor=(1, 2), factor_of=frozenset(["input", "output"]), cards=())
    committed = row(card=RateCard(per_million(input="0.6", output="1")))
    book = a_book(row(), half, rows=(committed,))
    assert costs(book.price(a_million(service_tier="batch"))) == (DOLLAR // 2, DOLLAR // 2, "list")
    own_half = replace(half, factor=(2, 5))
    with_own = a_book(row(), half, rows=(committed, own_half))
    assert costs(with_own.price(a_million(service_tier="batch"))) == (
        DOLLAR * 24 // 100,
        DOLLAR // 2,
        "contract",
    )


def test_a_discount_is_taken_off_the_list_price() -> None:
    priced = a_book(discounts=(a_discount("0.875"),)).price(a_million(output_tokens=3))
    assert costs(priced) == (DOLLAR * 875 // 1000 + 5_250_000, DOLLAR + 6_000_000, "contract")
    assert priced.price_id == "test:m*acme:0.875"


def test_each_part_is_rounded_once_half_to_even() -> None:
    odd = row(card=RateCard((("input", Rate(1_000_001, 1_000_000)), ("output", Rate(3, 1_000_000)))))
    book = a_book(odd, discounts=(a_discount("0.5"),))
    priced = book.price(event("v", "m", input_tokens=1_000_000, output_tokens=1_000_000))
    # 500,000.5 and 1.5 picos: each goes to the even one.
    assert priced.parts == (("input", 500_000), ("output", 2))
    assert priced.cost_picos == 500_002


def test_a_free_model_stays_free_under_a_discount() -> None:
    free = row(card=RateCard(per_million(input="0", output="0")))
    assert costs(a_book(free, discounts=(a_discount(),)).price(a_million())) == (0, 0, "free")


def test_steps_units_and_minimums_are_discounted_too() -> None:
    rates = (*per_million(input="1", output="1"), ("searches", Rate(7, 1000, 5, ((10, 3),))))
    taken_off = discounted(row(card=RateCard(rates)), a_discount("0.9"))
    assert dict(taken_off.cards[0].rates)["searches"] == Rate(63, 10_000, 5, ((10, 27),))


def test_the_discount_that_names_most_closely_holds() -> None:
    named = a_discount("0.5", "v", "m")
    ruled = a_discount("0.6", "v", match=Match("starts_with", "m"))
    of_vendor = a_discount("0.7", "v")
    of_any = a_discount("0.8", ANY_VENDOR)
    book = a_book(*(row(name) for name in ("m", "m2", "x")), discounts=(of_any, named, ruled, of_vendor))
    assert [book.price(a_million(name)).cost_picos for name in ("m", "m2", "x")] == [
        DOLLAR * 5 // 10,
        DOLLAR * 6 // 10,
        DOLLAR * 7 // 10,
    ]
    elsewhere = PriceBook([RowSource([row(vendor="w")])], contracts=Contracts(discounts=(named, of_any)))
    assert elsewhere.price(event("w", "m", input_tokens=1_000_000)).cost_picos == DOLLAR * 8 // 10


def test_a_discount_by_tier_and_region() -> None:
    batch = row(service_tier="batch")
    book = a_book(
        row(),
        batch,
        discounts=(
            a_discount("0.9", service_tiers=("standard",)),
            a_discount("0.8", regions=("eu-*",), service_tiers=("standard",)),
        ),
    )
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 9),
        ({"service_tier": "default"}, 9),
        ({"region": "eu-west-1"}, 8),
        ({"service_tier": "batch", "region": "eu-west-1"}, 10),
    ]
    for fields, tenths in cases:
        assert book.price(a_million(**fields)).cost_picos == DOLLAR * tenths // 10, fields


def test_a_discount_holds_within_its_time_as_known() -> None:
    ends = a_discount("0.9", valid_to=NOVEMBER)
    begins = a_discount("0.8", valid_from=NOVEMBER, recorded_at=NOVEMBER)
    book = a_book(discounts=(ends, begins))
    before = NOVEMBER - timedelta(seconds=1)
    assert [book.price(a_million(time=time)).cost_picos for time in (before, NOVEMBER)] == [
        DOLLAR * 9 // 10,
        DOLLAR * 8 // 10,
    ]
    assert costs(book.price(a_million(), known_at=before)) == (DOLLAR, DOLLAR, "list")


def test_a_committed_price_is_not_discounted() -> None:
    book = a_book(rows=(row(),), discounts=(a_discount("0.5", "v", "m"),))
    assert costs(book.price(a_million())) == (DOLLAR, DOLLAR, "contract")


def test_discounts_of_a_file(tmp_path: Path) -> None:
    book = from_file(
        """
name = "acme"
[[discount]]
vendor = "openai"
percent = 12.5
valid_from = 2025-10-01
source = "order form 7"

[[discount]]
vendor = "openai"
models = ["gpt-4o", "gpt-4o-2024-*"]
factor = 1.1
source = "surcharge"
""",
        tmp_path,
    )
    cheaper = book.price(event("openai", "gpt-4.1", input_tokens=1_000_000))
    assert costs(cheaper) == (DOLLAR * 175 // 100, DOLLAR * 2, "contract")
    assert cheaper.price_id == "genai:openai/gpt-4.1*acme:openai/*-12.5%@2025-10-01"
    dearer = book.price(event("openai", "gpt-4o-2024-08-06", input_tokens=1_000_000))
    assert costs(dearer) == (DOLLAR * 275 // 100, DOLLAR * 25 // 10, "contract")
    untouched = event("anthropic", "claude-opus-4-6", datetime(2026, 3, 1, tzinfo=UTC), input_tokens=9)
    assert book.price(untouched).price_status == "list"


SELF_HOSTED = """
[[self_hosted]]
vendor = "vllm"
models = ["house-70b"]
currency = "USD"
per_gpu_hour = 2.49
gpus = 4
tokens_per_hour = { input = 21000000, cache_read = 3000000, output = 4000000 }
weights = { cache_read = 0.1, output = 5 }
source = "cluster invoice"
"""


def test_the_tokens_of_the_measured_hour_cost_that_hour(tmp_path: Path) -> None:
    book = from_file(SELF_HOSTED, tmp_path)
    hour = event(
        "vllm",
        "house-70b",
        input_tokens=24_000_000,
        cache_read_tokens=3_000_000,
        output_tokens=4_000_000,
    )
    priced = book.price(hour)
    assert costs(priced) == (9_960_000_000_000, 9_960_000_000_000, "contract")
    parts = dict(priced.parts)
    in_all = Fraction(21_000_000) + Fraction(300_000) + Fraction(20_000_000)
    for name, weighted in (("input", 21_000_000), ("cache_read", 300_000), ("output", 20_000_000)):
        assert abs(parts[name] - Fraction(9_960_000_000_000 * weighted) / in_all) <= Fraction(1, 2)
    assert book.price(event("vllm", "house-70b", output_tokens=1)).cost_picos == round(
        Fraction(9_960_000_000_000 * 5) / in_all
    )


def test_a_call_that_states_its_gpu_seconds_is_billed_by_them(tmp_path: Path) -> None:
    book = from_file(SELF_HOSTED, tmp_path)
    stated = event("vllm", "house-70b", input_tokens=500, units={"gpu_seconds": Decimal("7.2")})
    priced = book.price(stated)
    assert priced.cost_picos == 4_980_000_000
    assert dict(priced.parts)["gpu_seconds"] == priced.cost_picos


def test_without_a_throughput_a_call_has_to_state_them(tmp_path: Path) -> None:
    hourly = "\n".join(
        line for line in SELF_HOSTED.splitlines() if not line.startswith(("gpus", "tokens", "weights"))
    )
    book = from_file(hourly, tmp_path)
    stated = event("vllm", "house-70b", input_tokens=5, units={"gpu_seconds": Decimal(3600)})
    assert book.price(stated).cost_picos == 2_490_000_000_000
    silent = book.price(event("vllm", "house-70b", input_tokens=5))
    assert silent.price_status == "unpriced"
    assert "no rate for input_tokens" in silent.unpriced_reason


def test_one_throughput_for_all_tokens(tmp_path: Path) -> None:
    alike = SELF_HOSTED.replace(
        "{ input = 21000000, cache_read = 3000000, output = 4000000 }", "8300000"
    ).replace("weights = { cache_read = 0.1, output = 5 }\n", "")
    priced = from_file(alike, tmp_path).price(
        event("vllm", "house-70b", input_tokens=1_000, output_tokens=1_000)
    )
    assert priced.parts == (("input", 1_200_000_000), ("output", 1_200_000_000))


GOOD_DISCOUNT = """\
recorded_at = 2025-01-01
[[discount]]
vendor = "openai"
models = ["gpt-4o"]
percent = 10
source = "s"
"""

DISCOUNT_MISTAKES = {
    "over 100": ("percent = 10", "percent = 100.5", 5, "leaves a negative price"),
    "negative": ("percent = 10", "percent = -10", 5, "percent -10 is negative"),
    "negative factor": ("percent = 10", "factor = -0.9", 5, "factor -0.9 is negative"),
    "not stated": ("percent = 10\n", "", 2, "not stated, or stated twice"),
    "stated twice": ("percent = 10", "percent = 10\nfactor = 0.9", 5, "not stated, or stated twice"),
    "a currency": ("percent = 10", 'percent = 10\ncurrency = "USD"', 6, "a price has one currency"),
    "ends first": ("percent = 10", "valid_from = 2026-01-01\nvalid_to = 2025-12-01\npercent = 10", 6, "ends"),
    "tiers": ("percent = 10", 'percent = 10\nservice_tiers = "batch"', 6, "service_tiers is a list of names"),
}


@pytest.mark.parametrize("name", DISCOUNT_MISTAKES)
def test_a_mistake_in_a_discount_is_refused(name: str) -> None:
    good, bad, line, reason = DISCOUNT_MISTAKES[name]
    assert good in GOOD_DISCOUNT
    with pytest.raises(WrongCall, match=f"acme.toml, line {line}, row 1 .*{reason}") as refused:
        read_overlay(GOOD_DISCOUNT.replace(good, bad), "acme.toml")
    assert refused.value.hint


def test_overlapping_discounts_are_refused() -> None:
    second = '[[discount]]\nvendor = "openai"\nmodels = ["GPT-4o"]\nfactor = 0.8\nsource = "s"\n'
    with pytest.raises(WrongCall, match=r"line 7, row 2 .*overlaps row 1") as refused:
        read_overlay(GOOD_DISCOUNT + second, "acme.toml")
    assert "valid_to" in refused.value.hint
    for apart in ('service_tiers = ["batch"]', 'regions = ["eu-*"]', "recorded_at = 2025-02-01"):
        assert len(read_overlay(GOOD_DISCOUNT + second + apart, "acme.toml").discount_tables) == 2


SELF_HOSTED_MISTAKES = {
    "negative": ("per_gpu_hour = 2.49", "per_gpu_hour = -2.49", "per_gpu_hour -2.49 is negative"),
    "no currency": ('currency = "USD"\n', "", "currency is missing"),
    "nothing measured": ("{ input = 21000000, cache_read = 3000000, output = 4000000 }", "{}", "neither"),
    "none measured": ("input = 21000000", "input = 0", "has a 0 in it"),
    "no gpu": ("gpus = 4", "gpus = 0", "gpus has a 0 in it"),
    "a weight too many": (", cache_read = 3000000", "", "not measured apart"),
    "gpus alone": (
        "tokens_per_hour = { input = 21000000, cache_read = 3000000, output = 4000000 }\n",
        "",
        "gpus says nothing without tokens_per_hour",
    ),
    "an unknown kind": ("output = 4000000", "outputs = 4000000", "unknown key outputs"),
}


@pytest.mark.parametrize("name", SELF_HOSTED_MISTAKES)
def test_a_mistake_in_gpu_hours_is_refused(name: str) -> None:
    good, bad, reason = SELF_HOSTED_MISTAKES[name]
    assert good in SELF_HOSTED
    with pytest.raises(WrongCall, match=f"acme.toml, line .*{reason}") as refused:
        read_overlay("recorded_at = 2025-01-01" + SELF_HOSTED.replace(good, bad), "acme.toml")
    assert refused.value.hint


def test_a_model_has_one_price_in_one_currency_whatever_it_is_stated_by() -> None:
    plain = (
        '[[price]]\nvendor = "vllm"\nmodels = ["house-70b"]\ncurrency = "{}"\n'
        'input = 1\nsource = "s"\nvalid_to = 2020-01-01\n'
    )
    text = "recorded_at = 2025-01-01\n" + SELF_HOSTED + "valid_from = 2025-01-01\n"
    with pytest.raises(WrongCall, match="priced in USD, but in EUR"):
        read_overlay(text + plain.format("EUR"), "acme.toml")
    assert len(list(read_overlay(text + plain.format("USD"), "acme.toml").rows())) == 2
    with pytest.raises(WrongCall, match=r"overlaps row 1 on line 13, from 2025-01-01 on"):
        read_overlay(text + plain.format("USD").replace("valid_to = 2020-01-01", ""), "acme.toml")
