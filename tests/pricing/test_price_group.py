"""Pricing calls together gives what pricing each gives, whatever is among them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pricing_events import NOVEMBER, TEST_RATES, event, per_million, row

from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.aliases import Alias
from tokenweir.pricing.calculation import to_usd
from tokenweir.pricing.contracts import Contracts, Discount
from tokenweir.pricing.matching import Match
from tokenweir.pricing.plain import group_cost
from tokenweir.pricing.price import BEGINNING, RateCard
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent

CHANGE = datetime(2025, 11, 15, tzinfo=UTC)
PLAIN = RateCard(per_million(input="3", output="15", cache_read="0.3"))
ROWS = [
    row("plain", card=PLAIN),
    row("no-cache-price", card=RateCard(per_million(input="0.1", output="0.4"))),
    row("to-be-rounded", card=RateCard(per_million(input="0.0000001", output="0.0000003"))),
    row("input-only", card=RateCard(per_million(input="0.02"))),
    row("two-cards", cards=(PLAIN, RateCard(per_million(input="6", output="22.5"), input_above=1_000))),
    row("thinking", cards=(PLAIN, RateCard(per_million(input="3", output="60"), reasoning_above=0))),
    row("in-yuan", currency="CNY", card=PLAIN),
    row("in-unknown-money", currency="XXX", card=PLAIN),
    row("free", card=RateCard(per_million(input="0", output="0"))),
    row("changing", price_id="test:before", valid_to=CHANGE),
    row("changing", price_id="test:after", valid_from=CHANGE, card=PLAIN),
    row("by-region", price_id="test:eu", regions=("eu-*",), card=PLAIN),
    row("late", recorded_at=BEGINNING, valid_from=CHANGE, card=PLAIN),
]
CONTRACTS = Contracts(
    [
        row("in-yuan", price_id="acme:yuan", card=RateCard(per_million(input="0.4", output="2"))),
        row("free", price_id="acme:free", currency="CNY", card=RateCard(per_million(input="1", output="2"))),
        row("private", price_id="acme:private", card=PLAIN),
        row("changing", price_id="acme:changing", valid_from=CHANGE, card=RateCard(per_million(input="1"))),
    ],
    [
        Discount("acme:all", "v", None, (7, 8), BEGINNING, "test"),
        Discount("acme:seventh", "*", Match("equals", "two-cards"), (1, 7), BEGINNING, "test"),
        Discount("acme:yuan", "v", Match("equals", "pointer"), (9, 10), BEGINNING, "test"),
    ],
    [Alias("acme:v/pointer", "v", Match("equals", "pointer"), "v", "in-yuan", BEGINNING, "test")],
)
MODELS = sorted({str(found.match.text) for found in ROWS} | {"unknown", "private", "pointer"})
KEY_FIELDS = ("vendor", "model", "service_tier", "region")
counts = st.integers(0, 3_000)


@st.composite
def calls(draw: st.DrawFn) -> UsageEvent:
    read, written, fresh = draw(counts), draw(st.just(0) | counts), draw(counts)
    fields: dict[str, Any] = {
        "input_tokens": fresh + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": draw(counts),
        "service_tier": draw(st.sampled_from(["standard", "standard", "batch"])),
        "region": draw(st.sampled_from(["", "eu-west-1"])),
    }
    if draw(st.integers(0, 9)) == 0:
        fields["reported_cost"], fields["reported_currency"] = Decimal("0.125"), "USD"
    return event(
        "v", draw(st.sampled_from(MODELS)), NOVEMBER + timedelta(hours=draw(st.integers(0, 700))), **fields
    )


def _columns(events: list[UsageEvent]) -> dict[str, list[Any]]:
    return {name: [getattr(each, name) for each in events] for name in UsageEvent.model_fields}


def _together(book: PriceBook, events: list[UsageEvent]) -> list[Priced] | None:
    """`price_group` of one group as a list of answers; None where the book wants to be asked of each."""
    times = [each.time for each in events]
    names = {name: getattr(events[0], name) for name in KEY_FIELDS}
    answer = book.price_group(names, min(times), max(times), _columns(events))
    if answer is None or isinstance(answer, Priced):
        return [answer] * len(events) if answer else None
    parts = zip(*([(name, picos) for picos in amounts] for name, amounts in answer.parts), strict=True)
    return [
        Priced(
            cost,
            listed,
            native,
            answer.currency,
            answer.fx_rate_picos,
            part,
            answer.price_id,
            answer.price_status,
            "",
        )
        for cost, listed, native, part in zip(
            answer.cost_picos, answer.list_cost_picos, answer.native_cost_picos, parts, strict=True
        )
    ]


def _check(book: PriceBook, events: list[UsageEvent]) -> int:
    """Asks for each group of `events` together and for each event alone; how many were priced together."""
    groups: dict[Any, list[UsageEvent]] = {}
    for each in events:
        cached = each.cache_read_tokens > 0, each.cache_write_tokens > 0
        groups.setdefault((*(getattr(each, name) for name in KEY_FIELDS), *cached), []).append(each)
    priced_together = 0
    for group in groups.values():
        together = _together(book, group)
        if together is not None:
            assert together == [book.price(each) for each in group]
            priced_together += len(group)
    return priced_together


@given(st.lists(calls(), max_size=12))
def test_a_group_is_priced_as_its_events_are(events: list[UsageEvent]) -> None:
    _check(PriceBook([RowSource(ROWS)], TEST_RATES), events)


@given(st.lists(calls(), max_size=12))
def test_so_it_is_under_contracts(events: list[UsageEvent]) -> None:
    _check(PriceBook([RowSource(ROWS)], TEST_RATES, CONTRACTS), events)


@pytest.mark.parametrize(
    ("model", "together", "cost", "list_cost"),
    [
        ("plain", True, 393_750_000, 450_000_000),
        ("two-cards", False, 64_285_714, 450_000_000),
        ("in-yuan", True, 60_000_000, 63_000_000),
        ("pointer", True, 60_000_000, 63_000_000),
        ("free", True, 16_800_000, 0),
        ("private", True, 450_000_000, 450_000_000),
        ("no-cache-price", True, 12_250_000, 14_000_000),
    ],
)
def test_contracts_are_priced_together_too(model: str, together: bool, cost: int, list_cost: int) -> None:
    book = PriceBook([RowSource(ROWS)], TEST_RATES, CONTRACTS)
    calls = [event("v", model, NOVEMBER, input_tokens=100, output_tokens=10) for _ in range(2)]
    assert _check(book, calls) == (2 if together else 0)
    priced = book.price(calls[0])
    assert (priced.cost_picos, priced.list_cost_picos) == (cost, list_cost)


@given(st.lists(calls(), min_size=1, max_size=6), st.sampled_from(MODELS))
def test_so_is_one_with_images_or_sound_in_it(events: list[UsageEvent], model: str) -> None:
    spoken = event("v", model, input_tokens=20, input_audio_tokens=5, units={"images": Decimal(2)})
    _check(PriceBook([RowSource(ROWS)], TEST_RATES), [*events, spoken])


def test_every_model_of_the_built_in_book_in_one_batch() -> None:
    book = PriceBook.default()
    names = {(found.vendor, found.match.text) for found in book.rows() if found.match.operation == "equals"}
    events = [
        event(vendor, model, NOVEMBER, input_tokens=2_000, cache_read_tokens=cached, output_tokens=300)
        for vendor, model in sorted(names)
        for cached in (0, 1_500)
    ]
    assert len(events) > 1_000
    assert _check(book, events) > 500


@pytest.mark.parametrize(
    ("model", "fields", "together"),
    [
        ("plain", {}, True),
        ("plain", {"cache_read_tokens": 50}, True),
        ("plain", {"cache_write_tokens": 50}, True),
        ("plain", {"cache_write_tokens": 50, "cache_write_1h_tokens": 50}, False),
        ("plain", {"units": {"images": Decimal(2)}}, False),
        ("plain", {"input_audio_tokens": 5}, False),
        ("no-cache-price", {"cache_read_tokens": 50}, True),
        ("to-be-rounded", {}, False),
        ("input-only", {"output_tokens": 0}, True),
        ("input-only", {}, False),
        ("two-cards", {}, True),
        ("two-cards", {"input_tokens": 1_001}, False),
        ("thinking", {}, True),
        ("thinking", {"reasoning_tokens": 1}, False),
        ("in-yuan", {"cache_read_tokens": 50}, True),
        ("in-unknown-money", {}, False),
        ("unknown", {}, True),
        ("unknown", {"reported_cost": Decimal("0.5"), "reported_currency": "USD"}, False),
        ("unknown", {"reported_cost": Decimal(0), "reported_currency": "USD"}, False),
    ],
)
def test_what_is_priced_together(model: str, fields: dict[str, Any], together: bool) -> None:
    book = PriceBook([RowSource(ROWS)], TEST_RATES)
    counts = {"input_tokens": 100, "output_tokens": 10} | fields
    found = _check(book, [event("v", model, NOVEMBER, **counts) for _ in range(3)])
    assert found == (3 if together else 0)


@given(
    st.lists(st.tuples(*[st.integers(0, 10**9)] * 3), min_size=1, max_size=8),
    st.integers(1, 10**13) | st.sampled_from([5 * 10**11, 10**12 + 1, 140_000_000_000, 1]),
)
def test_another_currency_is_converted_as_it_is_call_by_call(
    calls: list[tuple[int, int, int]], fx_rate_picos: int
) -> None:
    names = ("cache_read", "input", "output")
    parts = {name: list(amounts) for name, amounts in zip(names, zip(*calls, strict=True), strict=True)}
    together = group_cost(parts, "CNY", fx_rate_picos, "p", "list")
    for place, call in enumerate(calls):
        cost, native, each = to_usd(tuple(zip(names, call, strict=True)), fx_rate_picos)
        if fx_rate_picos != PICOS_PER_UNIT:
            assert (together.cost_picos[place], together.native_cost_picos[place]) == (cost, native)
            assert tuple((name, amounts[place]) for name, amounts in together.parts) == each


def test_calls_across_a_change_of_price_are_asked_of_each() -> None:
    book = PriceBook([RowSource(ROWS)], TEST_RATES)
    calls = [event("v", "changing", CHANGE + timedelta(hours=hours), input_tokens=7) for hours in (-1, 1)]
    assert _check(book, calls) == 0
    assert _check(book, calls[1:]) == 1
