"""Pricing a batch gives what pricing each event gives, whatever is in the batch."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pricing_events import NOVEMBER, TEST_RATES, event, per_million, row

from tokenweir.pricing import PriceBook
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
    row("in-yuan", currency="CNY", card=PLAIN),
    row("in-unknown-money", currency="XXX", card=PLAIN),
    row("free", card=RateCard(per_million(input="0", output="0"))),
    row("changing", price_id="test:before", valid_to=CHANGE),
    row("changing", price_id="test:after", valid_from=CHANGE, card=PLAIN),
    row("by-region", price_id="test:eu", regions=("eu-*",), card=PLAIN),
    row("late", recorded_at=BEGINNING, valid_from=CHANGE, card=PLAIN),
]
MODELS = sorted({str(found.match.text) for found in ROWS} | {"unknown"})
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


def _check(book: PriceBook, events: list[UsageEvent]) -> None:
    assert book.price_all(events, _columns(events)) == [book.price(each) for each in events]


@given(st.lists(calls(), max_size=12))
def test_a_batch_is_priced_as_its_events_are(events: list[UsageEvent]) -> None:
    _check(PriceBook([RowSource(ROWS)], TEST_RATES), events)


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
    assert len(events) > 500
    _check(book, events)
