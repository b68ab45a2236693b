"""The compiled book: every row and every cost the same as from the sources, and nothing taken that is not whole."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pricing_events import TEST_RATES, per_million, row

from benchmarks.known_costs import known_costs
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.compiled_book import CompiledSource, NotThisBook, compiled, opened
from tokenweir.pricing.compiled_rows import listed_match, listed_price, match_of, price_of, read, written
from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.matching import Match
from tokenweir.pricing.own_data import own_data
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.pricing.schedule import Schedule
from tokenweir.pricing.sources import PriceSource, RowSource, SourceByVendor

FULL = Price(
    price_id="test:é",
    vendor="v",
    match=Match(
        "and",
        rules=(Match("or", rules=(Match("equals", "A"), Match("regex", "^b"))), Match("ends_with", "c")),
    ),
    cards=(
        RateCard((("input", Rate(1, 2, 3, ((4, 5), (6, 10**30)), 60)), ("output", Rate(7, 1_000_000)))),
        RateCard(
            per_million(input="1.5"), 200_000, 10, 1, "images", (("size", ("1x1", "2x2")), ("é", ("x",))), 7
        ),
    ),
    currency="CNY",
    recorded_at=datetime(2025, 1, 2, 3, 4, 5, 678, UTC),
    source="https://example.org/prices",
    source_at=date(2025, 1, 1),
    confidence="high",
    service_tier="batch",
    regions=("cn-*", ""),
    valid_from=datetime(2024, 1, 1, tzinfo=UTC),
    valid_to=datetime(2026, 1, 1, tzinfo=UTC),
    schedule=Schedule(
        480,
        ((0, 3600), (7200, 90_000)),
        (0, 6),
        frozenset({date(2025, 10, 1), date(2025, 10, 2)}),
        "Asia/Shanghai",
        frozenset({date(2025, 9, 28)}),
        "CN",
        "CN",
    ),
    factor=(1, 3),
    factor_of=frozenset({"input", "output"}),
    no_price="not sold",
)


@pytest.fixture(scope="module")
def feed() -> GenaiFeed:
    return GenaiFeed()


@pytest.fixture(scope="module")
def sources(feed: GenaiFeed) -> list[SourceByVendor]:
    return [feed, own_data()]


@pytest.fixture(scope="module")
def read_back(sources: Sequence[SourceByVendor]) -> list[CompiledSource]:
    feed, own = sources
    return opened(compiled([(feed, True), (own, False)], "made-from"), "made-from")


def test_a_row_with_all_its_fields_comes_back_as_it_was() -> None:
    left_out = [each.name for each in fields(Price) if getattr(FULL, each.name) == each.default]
    for part in (FULL.schedule, FULL.cards[1], FULL.cards[0].rates[0][1]):
        assert part is not None
        left_out += [name for name, default in part._field_defaults.items() if getattr(part, name) == default]
    assert left_out == [], "a field that is not set here is not shown to come back"
    for price in (FULL, row()):
        match = match_of(read(written(listed_match(price.match))))
        back = price_of("v", match, read(written(listed_price(price))))
        assert back == price
        assert _types(back) == _types(price)


def test_every_row_of_every_source_comes_back_as_it_was(
    sources: Sequence[SourceByVendor], read_back: Sequence[CompiledSource]
) -> None:
    for source, again in zip(sources, read_back, strict=True):
        expected = list(source.rows())
        assert len(expected) > 500
        assert list(again.rows()) == expected
        assert again.recorded_times() == source.recorded_times()
        for vendor in source.vendors():
            one, other = source.vendor_rows(vendor), again.vendor_rows(vendor)
            assert one is not None
            assert other is not None
            for groups, groups_again in ((one.groups, other.groups), (one.borrowed, other.borrowed)):
                assert [tuple(group.rows) for group in groups_again] == [
                    tuple(group.rows) for group in groups
                ]


def test_every_name_means_the_same_rows(
    sources: Sequence[SourceByVendor], read_back: Sequence[CompiledSource]
) -> None:
    names = {
        (price.vendor, text) for source in sources for price in source.rows() for text in _names(price.match)
    }
    names |= {("azure", "gpt-4o"), ("google", "claude-sonnet-4-5"), ("openai", "GPT-4o-20241120")}
    names |= {
        ("huggingface", "deepseek-ai/DeepSeek-V3.2:novita"),
        ("nobody", "gpt-4o"),
        ("openai", "made up"),
    }
    assert len(names) > 2_000
    for vendor, name in names:
        for source, again in zip(sources, read_back, strict=True):
            assert list(again.rows_for(vendor, name)) == list(source.rows_for(vendor, name))


def test_every_known_cost_is_the_same_from_both(
    shared_data: Path, sources: Sequence[PriceSource], read_back: Sequence[PriceSource]
) -> None:
    events = [case.event for case in known_costs(shared_data)]
    for rates in (TEST_RATES, ExchangeRates(reference_rates())):
        one, other = PriceBook(sources, rates), PriceBook(read_back, rates)
        priced = [one.price(event) for event in events]
        assert any(each.cost_picos for each in priced)
        assert [other.price(event) for event in events] == priced


def test_a_lookup_reads_its_own_vendor_only() -> None:
    rows = RowSource([row(vendor="acme"), row(vendor="bravo"), row("n", vendor="acme")])
    (source,) = opened(compiled([(rows, False)], "x"), "x")
    assert source.vendors() == ["acme", "bravo"]
    assert [price.price_id for price in source.rows_for("acme", "n")] == ["test:n"]
    assert list(source._by_vendor) == ["acme"]
    assert source.vendor_rows("nobody") is None


@given(st.data())
def test_a_book_with_any_byte_changed_cut_or_added_is_refused(data: st.DataObject) -> None:
    book = _small_book()
    place = data.draw(st.integers(0, len(book) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != book[place]))
    for broken in (
        book[:place] + bytes([other]) + book[place + 1 :],
        book[:place],
        book + bytes([other]),
    ):
        with pytest.raises(NotThisBook):
            opened(broken, "made-from")


def test_a_book_made_from_other_prices_is_refused() -> None:
    with pytest.raises(NotThisBook, match="other prices"):
        opened(_small_book(), "made-from-others")


def test_no_number_with_a_fraction_is_written_or_read() -> None:
    price = row(card=RateCard((("input", Rate(0.5, 1)),)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="float"):
        written(listed_price(price))
    for line in (b"[1.5]", b"[1e3]", b"[NaN]"):
        with pytest.raises(ValueError, match="not whole"):
            read(line)


def _small_book() -> bytes:
    return compiled([(RowSource([row(), row("n"), row(vendor="w")]), False)], "made-from")


def _names(match: Match) -> list[str]:
    return [match.text] if not match.rules else [text for rule in match.rules for text in _names(rule)]


def _types(value: object) -> object:
    """The type of a value with those of all that it holds."""
    if isinstance(value, tuple):
        return type(value), [_types(each) for each in value]
    if is_dataclass(value):
        return type(value), [_types(getattr(value, each.name)) for each in fields(value)]
    return type(value)
