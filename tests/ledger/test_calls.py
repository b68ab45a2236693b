"""Reading the ledger's calls one by one: each once, in order, and priced again as the meter priced it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.calls import PRICING_COLUMNS, read_calls
from streams.meter import Meter
from tokenweir.errors import WrongCall
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import PriceBook
from tokenweir.pricing.matching import Match
from tokenweir.pricing.plain import GroupCost
from tokenweir.pricing.price import Price, Rate, RateCard
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import MeteredEvent, UsageEvent
from tokenweir.usage.event import TOKEN_FIELDS
from tokenweir.usage.wire import encode_batch

NOW = datetime(2026, 3, 5, tzinfo=UTC)
START = datetime(2026, 3, 1, 23, 58, 30, 250_001, tzinfo=UTC)
SHAPES: list[dict[str, Any]] = [
    {"vendor": "openai", "model": "gpt-5-mini", "input_tokens": 1_203, "cache_read_tokens": 1_024},
    {"vendor": "openai", "model": "gpt-5-mini", "output_tokens": 77, "service_tier": "batch"},
    {"vendor": "anthropic", "model": "claude-sonnet-4-5", "input_tokens": 300_001, "output_tokens": 3},
    {"vendor": "alibaba", "model": "qwen-max", "input_tokens": 19, "output_tokens": 7},
    {"vendor": "perplexity", "model": "sonar", "input_tokens": 5, "units": {"web_searches": Decimal("3")}},
    {
        "vendor": "openai",
        "model": "whisper-1",
        "operation": "audio",
        "units": {"audio_seconds": Decimal("61.500000000001")},
    },
    {"vendor": "v", "model": "nobody-knows", "input_tokens": 9, "tags": {"feature": "it's \\ a\u2028test"}},
    {
        "vendor": "v",
        "model": "stated",
        "reported_cost": Decimal("12345678901.000000000001"),
        "reported_currency": "CNY",
    },
]


def events(count: int = 40) -> list[UsageEvent]:
    return [
        UsageEvent.model_validate(
            {
                "id": f"call-{number:03}",
                "source": "test",
                "time": START + timedelta(seconds=17 * (number // 3), microseconds=number % 2),
                "tenant": f"tenant-{number % 3}",
                "team": "search" if number % 2 else "ads",
                "user": "ann" if number % 5 else "it's",
                "duration_ms": 0.1 + number,
                **SHAPES[number % len(SHAPES)],
            }
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.default()


@pytest.fixture(params=["live", "rolled up"])
def filled(
    request: pytest.FixtureRequest, ledger_client: LedgerClient, ledger: ClickHouseLedger, book: PriceBook
) -> LedgerClient:
    output = Meter(book).step(
        encode_batch(events()), headers=None, topic="usage", partition=0, offset=0, reported_at_ms=5, now=NOW
    )
    assert output.refused_lines == 0
    ledger.write_events(output.metered, "block")
    ledger.write_events(output.metered, "again")
    if request.param == "rolled up":
        ledger.keep(NOW + timedelta(days=9_000))
    return ledger_client


def ids(client: LedgerClient, **arguments: Any) -> list[str]:
    return [call.id for page in read_calls(client, columns=("id",), **arguments) for call in page]


def in_order(found: list[UsageEvent]) -> list[str]:
    return [each.id for each in sorted(found, key=lambda each: (each.time, each.tenant, each.id))]


def test_each_call_comes_once_and_in_order_whatever_a_page_holds(filled: LedgerClient) -> None:
    for page_calls in (1, 2, 7, 39, 40, 1_000):
        pages = list(read_calls(filled, page_calls=page_calls))
        assert all(0 < len(page) <= page_calls for page in pages)
        assert [call.id for page in pages for call in page] == in_order(events())


def test_reading_goes_on_behind_a_call(filled: LedgerClient) -> None:
    (page,) = read_calls(filled)
    calls = list(page)
    for number in (0, 1, 13, 38, 39):
        key = calls[number].time, calls[number].tenant, calls[number].id
        for since in (None, calls[20].time):
            expected = [call.id for call in calls[number + 1 :] if since is None or call.time >= since]
            assert ids(filled, since=since, after=key, page_calls=7) == expected
    assert page.last_key == (calls[-1].time, calls[-1].tenant, calls[-1].id)


def test_bounds_and_conditions_hold(filled: LedgerClient) -> None:
    since, until = START + timedelta(seconds=34), START + timedelta(seconds=17 * 9, microseconds=1)
    cases: list[tuple[dict[str, Any], Callable[[UsageEvent], bool]]] = [
        ({}, lambda _: True),
        ({"team": "ads"}, lambda each: each.team == "ads"),
        (
            {"user": "it's", "tenant": ["tenant-0", "tenant-2"]},
            lambda each: each.user == "it's" and each.tenant != "tenant-1",
        ),
    ]
    for where, holds in cases:
        expected = in_order([each for each in events() if since <= each.time < until and holds(each)])
        assert expected
        for page_calls in (2, 1_000):
            assert ids(filled, since=since, until=until, where=where, page_calls=page_calls) == expected
    assert ids(filled, since=NOW) == ids(filled, until=START) == ids(filled, where={"model": "none"}) == []


def test_a_call_is_what_was_reported_exactly(filled: LedgerClient) -> None:
    reported = {each.id: each for each in events()}
    for page in read_calls(filled):
        assert tuple(page.columns) == tuple(MeteredEvent.model_fields)
        for call in page:
            for name in UsageEvent.model_fields:
                value, expected = getattr(call, name), getattr(reported[call.id], name)
                assert value == expected, name
                assert type(value) is type(expected), name
            assert call.metered_at == NOW


def test_a_call_is_priced_again_as_the_meter_priced_it(filled: LedgerClient, book: PriceBook) -> None:
    statuses = set()
    for page in read_calls(filled):
        for call in page:
            priced = book.price(call)
            statuses.add(priced.price_status)
            amounts = (
                priced.cost_picos,
                priced.list_cost_picos,
                priced.native_cost_picos,
                priced.fx_rate_picos,
            )
            assert [call.cost, call.list_cost, call.native_cost, call.fx_rate] == [
                None if picos is None else decimal_from_picos(picos) for picos in amounts
            ]
            assert call.cost_parts == {name: decimal_from_picos(picos) for name, picos in priced.parts}
            assert (call.currency, call.price_id) == (priced.currency, priced.price_id)
            assert (call.price_status, call.unpriced_reason) == (priced.price_status, priced.unpriced_reason)
    assert {"list", "unpriced", "reported"} <= statuses


def test_pricing_columns_are_all_that_a_price_depends_on(filled: LedgerClient, book: PriceBook) -> None:
    assert set(TOKEN_FIELDS) < set(PRICING_COLUMNS)
    whole = [book.price(call) for page in read_calls(filled) for call in page]
    assert [
        book.price(call) for page in read_calls(filled, columns=PRICING_COLUMNS) for call in page
    ] == whole
    reported = sorted(events(), key=lambda each: (each.time, each.tenant, each.id))
    assert [book.price(each) for each in reported] == whole


class Noting:
    """An event that notes what is asked of it."""

    def __init__(self, event: UsageEvent) -> None:
        self._event = event
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        return getattr(self._event, name)


def test_no_price_depends_on_another_column(book: PriceBook) -> None:
    rates = (("input", Rate(1, 1)),)
    cards = (
        RateCard(rates),
        RateCard(rates, with_unit="images"),
        RateCard(rates, with_tags=(("size", ("big",)),)),
    )
    own = Price("p", "v", Match("equals", "m"), cards, "USD", START, "test")
    asked: set[str] = set()
    for prices, rows in ((PriceBook([RowSource([own])]), [own]), (book, book.rows())):
        for found in rows:
            event = Noting(
                UsageEvent(
                    id="v:1",
                    source="test",
                    time=found.valid_from or NOW,
                    vendor=found.vendor,
                    model=str(found.match.text) or "any",
                    input_tokens=10**8,
                    output_tokens=10**8,
                    reasoning_tokens=10**8,
                    units={card.with_unit: Decimal(1) for card in found.cards if card.with_unit},
                )
            )
            prices.price(event)
            asked |= event.asked
    assert "tags" in asked
    assert asked <= set(PRICING_COLUMNS)


def test_columns_are_priced_as_groups(filled: LedgerClient, book: PriceBook) -> None:
    (page,) = read_calls(filled, where={"service_tier": "batch"}, columns=PRICING_COLUMNS)
    columns = page.columns
    names = {name: columns[name][0] for name in ("vendor", "model", "service_tier", "region")}
    together = book.price_group(names, min(columns["time"]), max(columns["time"]), columns)
    assert isinstance(together, GroupCost)
    assert together.cost_picos == [book.price(call).cost_picos for call in page]


def test_what_cannot_be_asked_is_refused(filled: LedgerClient) -> None:
    with pytest.raises(WrongCall, match="nothing that usage is known by"):
        ids(filled, where={"cost": "1"})
    with pytest.raises(WrongCall, match="no zone"):
        ids(filled, since=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(WrongCall, match="no zone"):
        ids(filled, until=datetime(2026, 3, 1))  # noqa: DTZ001
