"""What else vendors charge by: tags, units of every model, blocks that are begun, the part above, a least charge."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pricing_events import TEST_RATES, event, per_million, row

from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.matching import Match
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.price import EVERY_MODEL, Rate, RateCard
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent

MILLI = PICOS_PER_UNIT // 1000
FILE = """\
recorded_at = 2025-10-01

[[price]]
vendor = "acme"
models = ["one"]
currency = "USD"
source = "price page"
"""


def book(rows: str, **contracts: Any) -> PriceBook:
    return PriceBook([read_overlay(rows, "acme.toml", kind="public")], TEST_RATES, **contracts)


def price(rows: str, vendor: str = "acme", model: str = "one", **fields: Any) -> Priced:
    return book(rows).price(event(vendor, model, **fields))


PICTURES = f"""{FILE}
units = {{ images_hd_1024x1024 = 0.08 }}
[[price.tiers]]
tags = {{ size = "1024x1024" }}
units = {{ images = 0.04 }}
[[price.tiers]]
tags = {{ size = ["1024x1792", "1792x1024"] }}
units = {{ images = 0.08 }}
[[price.tiers]]
tags = {{ size = "1024x1024", quality = "hd" }}
units = {{ images = 0.08 }}
"""


@pytest.mark.parametrize(
    ("tags", "each"),
    [
        ({"size": "1024x1024"}, 40),
        ({"size": "1024x1024", "quality": "standard"}, 40),
        ({"size": "1024x1024", "quality": "hd"}, 80),
        ({"size": "1792x1024"}, 80),
        ({"size": "64x64"}, None),
        ({"quality": "hd"}, None),
        ({}, None),
    ],
)
def test_pictures_are_priced_by_size_and_quality(tags: dict[str, str], each: int | None) -> None:
    cost = price(PICTURES, units={"images": Decimal(3)}, tags=tags).cost_picos
    assert cost == (None if each is None else 3 * each * MILLI)


def test_a_unit_that_names_size_and_quality_is_priced_too() -> None:
    assert price(PICTURES, units={"images_hd_1024x1024": Decimal(2)}).cost_picos == 160 * MILLI


BY_TAG = [
    row(
        "cached",
        cards=(
            RateCard(per_million(input="1", output="2", cache_read="0.2")),
            RateCard(
                per_million(input="1", output="2", cache_read="0.1"), with_tags=(("cache", ("explicit",)),)
            ),
        ),
    ),
    row(
        "pictured",
        cards=(
            RateCard(per_million(input="1", output="2")),
            RateCard(
                (*per_million(input="1", output="2"), ("images", Rate(5, 1))), with_tags=(("size", ("big",)),)
            ),
        ),
    ),
]
calls = st.builds(
    lambda fresh, read, output, tags: {
        "input_tokens": fresh + read,
        "cache_read_tokens": read,
        "output_tokens": output,
        "tags": tags,
    },
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(
        [{}, {"cache": "explicit"}, {"cache": "implicit"}, {"size": "big"}, {"other": "explicit"}]
    ),
)


@given(st.sampled_from(["cached", "pictured"]), st.lists(calls, min_size=1, max_size=6))
def test_calls_with_tags_cost_the_same_together_as_alone(model: str, usages: list[dict[str, Any]]) -> None:
    priced = PriceBook([RowSource(BY_TAG)])
    events = [event("v", model, **usage) for usage in usages]
    alone = [priced.price(each).cost_picos for each in events]
    columns = {name: [getattr(each, name) for each in events] for name in UsageEvent.model_fields}
    names = {"vendor": "v", "model": model, "service_tier": "standard", "region": ""}
    together = priced.price_group(names, events[0].time, events[0].time, columns)
    decides = model == "cached" and any("cache" in each.tags for each in events)
    assert (together is None) == decides
    if together is not None:
        assert not isinstance(together, Priced)
        assert list(together.cost_picos) == alone


def test_the_price_of_a_cache_hit_follows_the_tag() -> None:
    priced = PriceBook([RowSource(BY_TAG)])
    usage = {"input_tokens": 1_000_000, "cache_read_tokens": 1_000_000}
    assert priced.price(event("v", "cached", **usage)).cost_picos == 200 * MILLI
    assert priced.price(event("v", "cached", **usage, tags={"cache": "explicit"})).cost_picos == 100 * MILLI


SEARCHES = f"""{FILE}
input = 1
output = 2

[[price]]
vendor = "acme"
models = ["two"]
currency = "USD"
input = 1
output = 2
units = {{ web_searches = 0.03 }}
source = "price page"

[[price]]
vendor = "acme"
models = ["free"]
currency = "USD"
input = 0
output = 0
source = "price page"

[[price]]
vendor = "acme"
models = ["elsewhere"]
currency = "CNY"
input = 1
output = 2
source = "price page"

[[price]]
vendor = "acme"
every_model = true
valid_from = 2025-01-01
currency = "USD"
units = {{ web_searches = {{ price = 10, per = 1000 }} }}
source = "tools page"
"""


def search(model: str, **fields: Any) -> UsageEvent:
    return event("acme", model, input_tokens=1_000_000, units={"web_searches": Decimal(2)}, **fields)


def test_a_unit_of_every_model_is_added_where_the_model_has_no_price_of_its_own() -> None:
    prices = book(SEARCHES)
    assert prices.price(search("one")).cost_picos == 1020 * MILLI
    assert prices.price(search("two")).cost_picos == 1060 * MILLI
    assert prices.price(search("unheard-of")).unpriced_reason == "no price of acme/unheard-of"
    in_yuan = prices.price(search("elsewhere"))
    assert in_yuan.unpriced_reason == "the price has no rate for web_searches (acme:acme/elsewhere)"
    early = prices.price(search("one", time=datetime(2024, 1, 1, tzinfo=UTC)))
    assert "no rate for web_searches" in early.unpriced_reason


def test_a_free_model_with_a_search_is_not_free() -> None:
    prices = book(SEARCHES)
    priced = prices.price(search("free"))
    assert (priced.cost_picos, priced.price_status) == (20 * MILLI, "list")
    assert prices.price(event("acme", "free", input_tokens=1)).price_status == "free"


def test_a_company_has_its_own_price_for_a_unit_of_every_model() -> None:
    company = read_overlay(
        SEARCHES.split("[[price]]")[0]
        + '[[price]]\nvendor = "acme"\nevery_model = true\ncurrency = "USD"\nsource = "contract"\n'
        + "units = { web_searches = 0.005, file_searches = 0.001 }\n",
        "company.toml",
    )
    prices = book(SEARCHES, contracts=company.contracts)
    priced = prices.price(search("one"))
    assert (priced.cost_picos, priced.list_cost_picos) == (1010 * MILLI, 1020 * MILLI)
    assert priced.price_status == "contract"
    without = prices.price(event("acme", "one", input_tokens=1_000_000))
    assert (without.cost_picos, without.list_cost_picos, without.price_status) == (
        PICOS_PER_UNIT,
        PICOS_PER_UNIT,
        "list",
    )
    files = prices.price(event("acme", "one", units={"file_searches": Decimal(1)}))
    assert (files.cost_picos, files.list_cost_picos) == (MILLI, MILLI)


def test_a_committed_price_takes_units_of_the_company_only() -> None:
    committed = row("one", vendor="acme", price_id="acme:one")
    prices = book(SEARCHES, contracts=Contracts([committed]))
    assert prices.price(search("one")).unpriced_reason == "the price has no rate for web_searches (acme:one)"
    every = row(
        vendor="acme",
        match=Match("equals", EVERY_MODEL),
        cards=(RateCard((("web_searches", Rate(MILLI, 1)),)),),
    )
    prices = book(SEARCHES, contracts=Contracts([committed, every]))
    priced = prices.price(search("one"))
    assert (priced.cost_picos, priced.list_cost_picos) == (1002 * MILLI, 1020 * MILLI)


@pytest.mark.parametrize(
    ("seconds", "billed"),
    [("0", 0), ("0.5", 60), ("60", 60), ("60.001", 120), ("3600", 3600)],
)
def test_a_block_that_is_begun_is_billed_whole(seconds: str, billed: int) -> None:
    rows = f"{FILE}units = {{ audio_seconds = {{ price = 0.006, per = 60, round_up_to = 60 }} }}\n"
    cost = price(rows, units={"audio_seconds": Decimal(seconds)}).cost_picos
    assert cost == billed * 6 * MILLI // 60


def test_tokens_above_a_length_cost_otherwise_and_those_below_do_not() -> None:
    rows = f"{FILE}input = {{ price = 1, steps = [{{ above = 1000000, price = 3 }}] }}\noutput = 2\n"
    assert price(rows, input_tokens=1_000_000).cost_picos == 1000 * MILLI
    assert price(rows, input_tokens=1_500_000).cost_picos == 2500 * MILLI


def test_a_call_that_used_anything_costs_at_least_the_minimum_charge() -> None:
    rows = f"{FILE}minimum_charge = 0.01\ninput = 1\noutput = 2\n"
    small = price(rows, input_tokens=1000)
    assert small.cost_picos == 10 * MILLI
    assert dict(small.parts) == {"input": MILLI, "output": 0, "minimum_charge": 9 * MILLI}
    assert price(rows, input_tokens=100_000).cost_picos == 100 * MILLI
    assert price(rows, status="error").cost_picos == 0
    assert price(rows.replace("= 1\n", "= 0\n").replace("= 2\n", "= 0\n")).price_status == "list"


def test_a_vendor_that_bills_by_the_minute_bills_no_tokens_beside() -> None:
    only_seconds = f"{FILE}units = {{ audio_seconds = {{ price = 0.003, per = 60 }} }}\n"
    assert price(only_seconds, units={"audio_seconds": Decimal(60)}).cost_picos == 3 * MILLI
    tokens = {"input_tokens": 500, "output_tokens": 9}
    both = tokens | {"units": {"audio_seconds": Decimal(120)}}
    assert "no rate for input_tokens" in price(only_seconds, **both).unpriced_reason
    rows = f"{only_seconds}includes_tokens = true\n"
    priced = price(rows, **both)
    assert (priced.cost_picos, priced.price_status) == (6 * MILLI, "list")
    # Tokens without a second of audio are not known to cost nothing.
    assert "no rate for input_tokens" in price(rows, **tokens).unpriced_reason


def test_the_feeds_models_by_the_second_bill_no_tokens_beside() -> None:
    both = {"input_tokens": 500, "output_tokens": 9, "units": {"audio_seconds": Decimal(60)}}
    prices = PriceBook.default()
    assert prices.price(event("mistral", "voxtral-mini-2602", **both)).cost_picos == 3 * MILLI


rates = st.builds(
    lambda picos, per, minimum, steps, block: Rate(picos, per, minimum, tuple(sorted(steps)), block),
    st.integers(0, 10**12),
    st.sampled_from([1, 60, 1000]),
    st.integers(0, 100),
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(0, 10**12)), max_size=3, unique_by=lambda step: step[0]
    ),
    st.sampled_from([1, 60, 1000]),
)
amounts = st.decimals(0, 5000, places=3)


@given(rates, st.integers(0, 10**13), amounts, amounts, st.integers(0, 10**6))
def test_parts_sum_to_the_cost_and_more_never_costs_less(
    rate: Rate, minimum: int, amount: Decimal, more: Decimal, tokens: int
) -> None:
    card = RateCard((*per_million(input="1", output="2"), ("audio_seconds", rate)), minimum_picos=minimum)
    priced = PriceBook([RowSource([row(card=card)])])

    def cost(seconds: Decimal, tokens: int) -> int:
        answer = priced.price(event("v", "m", input_tokens=tokens, units={"audio_seconds": seconds}))
        assert answer.cost_picos == sum(picos for _, picos in answer.parts)
        assert answer.cost_picos >= minimum
        return answer.cost_picos

    assert cost(amount, tokens) <= cost(amount + more, tokens) <= cost(amount + more, tokens + 1)


def test_a_discount_is_taken_off_everything(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(
        'recorded_at = 2025-10-01\n[[discount]]\nvendor = "acme"\npercent = 50\nsource = "contract"\n'
    )
    contracts = read_overlay(path.read_text(), "acme.toml").contracts
    seconds = "{ price = 0.06, per = 60, round_up_to = 60 }"
    rows = f"{FILE}minimum_charge = 0.01\nunits = {{ audio_seconds = {seconds} }}\n"
    prices = book(rows, contracts=contracts)
    assert prices.price(event("acme", "one", units={"audio_seconds": Decimal(1)})).cost_picos == 30 * MILLI
    assert prices.price(event("acme", "one")).cost_picos == 5 * MILLI


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('input = 1\n[[price.tiers]]\ntags = "hd"\ninput = 2\n', "tags are texts by name"),
        ("input = 1\n[[price.tiers]]\ntags = { size = 5 }\ninput = 2\n", "tags are texts by name"),
        ("input = 1\n[[price.tiers]]\ntags = { size = [] }\ninput = 2\n", "tags are texts by name"),
        ("input = 1\n[[price.tiers]]\ntags = {}\ninput = 2\n", "does not say for which calls it is"),
        (
            "input = 1\n" + 2 * '[[price.tiers]]\ntags = { a = "b" }\ninput = 2\n',
            "the tiers do not ascend",
        ),
        (
            "input = { price = 1, steps = [{ above = 9, price = 2 }, { above = 9, price = 3 }] }\n",
            "the steps do not ascend",
        ),
        ("input = { price = 1, steps = 5 }\n", "steps is a list of tables"),
        ("input = { price = 1, minimum = 5 }\n", "unknown key minimum"),
        ("units = { audio_seconds = { price = 1, round_up_to = 0 } }\n", "is not a whole number from 1"),
        ("input = 1\nminimum_charge = -1\n", "minimum_charge -1 is negative"),
        ("input = 1\nincludes_tokens = true\n", "units are billed and tokens are not"),
        ("units = { audio_seconds = 1 }\nincludes_tokens = 1\n", "units are billed and tokens are not"),
        ("every_model = true\nunits = { web_searches = 1 }\n", "a row for every model has units only"),
    ],
)
def test_mistakes_are_refused_with_the_line(rows: str, reason: str) -> None:
    with pytest.raises(WrongCall) as refused:
        read_overlay(FILE + rows, "acme.toml")
    assert str(refused.value).startswith("acme.toml, line ")
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("every_model = 1\nunits = { web_searches = 1 }\n", "every_model is true or left out"),
        ("every_model = true\ninput = 1\n", "units only, not input"),
        ("every_model = true\n", "says what units of use cost"),
        ("every_model = true\nunits = { requests = 1 }\n", "says what units of use cost"),
    ],
)
def test_mistakes_in_a_row_for_every_model_are_refused(rows: str, reason: str) -> None:
    with pytest.raises(WrongCall, match=reason):
        read_overlay(FILE.replace('models = ["one"]\n', "") + rows, "acme.toml")
