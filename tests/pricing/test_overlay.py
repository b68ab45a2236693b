from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pricing_events import NOVEMBER, event

from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.overlay import read_overlay

GOOD = """\
recorded_at = 2025-10-01

[[price]]
vendor = "acme"
models = ["house-7b", "house-7b-*"]
valid_from = 2025-01-01
currency = "CNY"
input = 0.8
output = 2
source = "contract 12"

[price.units]
web_searches = { price = 10, per = 1000 }

[[exchange_rate]]
currency = "CNY"
usd_per_unit = 0.14
valid_from = 2025-01-01
source = "treasury"
"""


def test_a_company_file_brings_prices_and_rates(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(GOOD, encoding="utf-8")
    book = PriceBook.default(path)
    priced = book.price(
        event("acme", "House-7B-chat", input_tokens=1_000_000, units={"web_searches": Decimal(3)})
    )
    assert priced.native_cost_picos == 830_000_000_000
    assert priced.cost_picos == 116_200_000_000
    assert priced.price_id == "acme:acme/house-7b@2025-01-01"
    assert book.price(event("acme", "house-70b", input_tokens=1)).price_status == "unpriced"


def test_its_rates_go_before_the_reference_rates_and_are_known_when_it_says(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(GOOD, encoding="utf-8")
    book = PriceBook.default(path)
    assert book.price(event("acme", "house-7b", input_tokens=1)).fx_rate_picos == 140_000_000_000
    too_early = book.price(
        event("acme", "house-7b", input_tokens=1), known_at=datetime(2025, 9, 1, tzinfo=UTC)
    )
    assert too_early.unpriced_reason == "no price of acme/house-7b"


MISTAKES = {
    "unknown key": ("input = 0.8", "inptu = 0.8", 8, "unknown key inptu"),
    "negative price": ("input = 0.8", "input = -0.8", 8, "input -0.8 is negative"),
    "not a price": ("input = 0.8", 'input = "cheap"', 8, "is not a price"),
    "too fine": ("input = 0.8", "input = 0.0000000000001", 8, "more than twelve decimals"),
    "bad date": (
        "valid_from = 2025-01-01\ncurrency",
        'valid_from = "soon"\ncurrency',
        6,
        "'soon' is not a date",
    ),
    "no offset": (
        "valid_from = 2025-01-01\ncurrency",
        "valid_from = 2025-01-01T00:00:00\ncurrency",
        6,
        "no offset",
    ),
    "ends first": (
        'source = "contract',
        'valid_to = 2024-01-01\nsource = "contract',
        10,
        "ends before it begins",
    ),
    "no source": ('source = "contract 12"', "", 3, "source is missing"),
    "no currency": ('currency = "CNY"\ninput', "input", 3, "currency is missing"),
    "not a currency": ('currency = "CNY"\ninput', 'currency = "yuan"\ninput', 7, "'yuan' is not a currency"),
    "no model": ('models = ["house-7b", "house-7b-*"]', "", 3, "names no models"),
    "no known date": ("recorded_at = 2025-10-01", "", 3, "when the price became known"),
    "two currencies in one price": (
        "price = 10, per = 1000",
        'price = 10, per = 1000, currency = "USD"',
        7,
        "a price has one currency",
    ),
    "bad rate": ("usd_per_unit = 0.14", "usd_per_unit = 0", 17, "not a usable rate"),
    "no rate": ("usd_per_unit = 0.14", "", 15, "is not a price"),
    "negative rate": ("usd_per_unit = 0.14", "usd_per_unit = -1", 17, "usd_per_unit -1 is negative"),
    "rate of the dollar": (
        'currency = "CNY"\nusd',
        'currency = "USD"\nusd',
        16,
        "another currency is in USD",
    ),
    "rate of no currency": (
        'currency = "CNY"\nusd',
        'currency = "Yuan"\nusd',
        16,
        "'Yuan' is not a currency",
    ),
    "beyond all prices": ("input = 0.8", "input = 1e400", 8, "far too large"),
    "more than a call can cost": ("input = 0.8", "input = 1_000_000_000_000", 8, "far too large"),
    "before the calendar": (
        "valid_from = 2025-01-01\ncurrency",
        "valid_from = 0001-01-01T00:00:00+08:00\ncurrency",
        6,
        "not a time in UTC",
    ),
    "rates at once": (
        'source = "treasury"',
        'source = "treasury"\n\n[[exchange_rate]]\ncurrency = "CNY"\nusd_per_unit = 0.15\n'
        'valid_from = 2025-06-01\nsource = "treasury"',
        24,
        "overlaps row 1 on line 15, from 2025-06-01 on",
    ),
    "not toml": ("[[price]]", "[[price]", 0, "at line"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_its_place_reason_and_fix(name: str) -> None:
    good, bad, line, reason = MISTAKES[name]
    assert good in GOOD
    with pytest.raises(WrongCall) as refused:
        read_overlay(GOOD.replace(good, bad), "acme.toml")
    assert "acme.toml" in refused.value.message
    assert reason in refused.value.message
    if line:
        assert f"line {line}" in refused.value.message
    assert refused.value.hint


SECOND = """
[[price]]
vendor = "acme"
models = ["HOUSE-7b"]
valid_from = 2025-06-01
currency = "{currency}"
input = 1
output = 1
source = "contract 13"
"""


def test_overlapping_periods_are_refused() -> None:
    with pytest.raises(WrongCall, match=r"line 24, row 2 .*overlaps row 1 on line 3, from 2025-06-01 on"):
        read_overlay(GOOD + SECOND.format(currency="CNY"), "acme.toml")


def test_a_correction_known_later_is_no_overlap() -> None:
    corrected = read_overlay(GOOD + SECOND.format(currency="CNY") + "recorded_at = 2025-11-01\n", "acme.toml")
    book = PriceBook([corrected])
    found = book.lookup("acme", "house-7b", NOVEMBER)
    assert found is not None
    assert found.source == "contract 13"


def test_two_currencies_for_one_model_are_refused() -> None:
    with pytest.raises(WrongCall, match="priced in USD, but in CNY in row 1 on line 3"):
        read_overlay(GOOD + SECOND.format(currency="USD"), "acme.toml")


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="cannot be read"):
        PriceBook.default(tmp_path / "none.toml")


def test_rules_tiers_and_hours_are_read() -> None:
    overlay = read_overlay(
        """\
recorded_at = 2025-01-01
[[price]]
vendor = "v"
match = { and = [{ starts_with = "m-" }, { or = [{ contains = "x" }, { regex = "y$" }] }] }
currency = "USD"
input = 1
output = 2
source = "s"
hours = { utc_offset_minutes = 480, windows = ["22:00-24:00"], weekdays = [5, 6] }
[[price.tiers]]
input_above = 1000
output_above = 10
input = 3
""",
        "v.toml",
    )
    (price,) = overlay.rows()
    assert [name for name in ("m-x", "m-y", "m-z", "n-x") if price.match.holds(name)] == ["m-x", "m-y"]
    assert price.schedule is not None
    assert price.schedule.windows == ((79_200, 86_400),)
    assert dict(price.cards[1].rates)["output"] == dict(price.cards[0].rates)["output"]
    assert (price.cards[1].input_above, price.cards[1].output_above) == (1000, 10)


@pytest.mark.parametrize(
    "rule", ["{ like = 'm' }", "{ regex = '(' }", "{ or = [] }", "{ equals = 'a', contains = 'b' }", "'m'"]
)
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(WrongCall, match="line 4"):
        read_overlay(
            f'recorded_at = 2025-01-01\n[[price]]\nvendor = "v"\nmatch = {rule}\n'
            'currency = "USD"\ninput = 1\nsource = "s"\n',
            "v.toml",
        )


def test_the_projects_own_rows_name_a_dated_source(book: PriceBook) -> None:
    own = [price for price in book.rows() if price.price_id.startswith("tokenweir:")]
    assert len(own) > 100
    for price in own:
        assert "http" in price.source or price.source_at is not None, price.price_id
        assert price.confidence, price.price_id


PAGE = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")


def example(heading: str) -> str:
    """The first TOML below a heading of docs/prices.md."""
    return PAGE.split(f"\n{heading}\n")[1].split("```toml\n")[1].split("```")[0]


def test_the_example_in_the_documentation_is_a_good_file() -> None:
    overlay = read_overlay(example("## A file of your own"), "acme.toml")
    assert next(price.price_id for price in overlay.rows()) == "acme:azure/prod-gpt@2026-11-01"
    assert len(overlay.exchange_rates) == 1


def test_the_hours_in_the_documentation_hold_as_it_says() -> None:
    (row,) = read_overlay(example("### Hours"), "acme.toml").rows()
    assert row.schedule is not None

    def holds(day: int, hour: int) -> bool | None:
        return row.schedule.around(datetime(2026, 10, day, hour, 30, tzinfo=UTC))[0] if row.schedule else None

    assert [holds(9, hour) for hour in (0, 1, 3, 4, 6, 9, 10)] == [
        False,
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert [holds(day, 1) for day in (7, 8, 10)] == [False, True, False]


def test_the_contracts_in_the_documentation_cost_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(example("### What contracts change"), encoding="utf-8")
    book = PriceBook.default(path)
    november = datetime(2026, 11, 10, tzinfo=UTC)
    hour = {"input_tokens": 24_000_000, "cache_read_tokens": 3_000_000, "output_tokens": 4_000_000}
    assert book.price(event("vllm", "house-70b", november, **hour)).cost_picos == 9_960_000_000_000
    deployed = book.price(event("azure", "prod-gpt", november, input_tokens=1_000_000))
    assert deployed.price_id.startswith("acme:azure/prod-gpt=")
    off = book.price(event("openai", "gpt-4o", november, input_tokens=1_000_000))
    assert off.list_cost_picos is not None
    assert off.cost_picos == off.list_cost_picos * 875 // 1000
    path.write_text(path.read_text(encoding="utf-8").replace('"gpt-4o" ', '"gpt-4p" '), encoding="utf-8")
    with pytest.raises(WrongCall) as refused:
        PriceBook.default(path)
    assert refused.value.message in PAGE
    assert "gpt-4o" in refused.value.hint
