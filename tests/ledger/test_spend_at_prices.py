"""What was spent, asked at three sorts of prices: each answer is an independent sum, and as billed never moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import Prices, spend
from streams.meter import Meter
from tokenweir.errors import WrongCall
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import PriceBook, Priced
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Price, Rate, RateCard
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import encode_batch

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
METERED = datetime(2026, 3, 15, tzinfo=UTC)
CUT = datetime(2026, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def row(model: str, dollars: int, known: datetime, **fields: Any) -> Price:
    rates = tuple((name, Rate(dollars * 10**12 + 1, 1_000_000)) for name in ("input", "output"))
    return Price(
        price_id=f"{model}@{dollars}",
        vendor="v",
        match=Match("equals", model),
        cards=(RateCard(rates),),
        currency="USD",
        recorded_at=known,
        source="test",
        **fields,
    )


BEFORE = [row("old", 3, START), row("cut", 10, START)]
SINCE = [
    row("old", 4, NOW),  # a correction: it was 4 all the time
    row("cut", 1, NOW, valid_from=CUT),
    row("late", 7, NOW),
]
BOOK_THEN = PriceBook([RowSource(BEFORE)])
BOOK_NOW = PriceBook([RowSource([*BEFORE, *SINCE])])

EVENTS = [
    UsageEvent(
        id=f"call-{number}",
        source="test",
        time=START + timedelta(hours=7 * number, microseconds=number),
        vendor="v",
        model=("old", "cut", "late", "unknown")[number % 4],
        team=f"team-{number % 3}",
        user=f"user-{number % 2}",
        input_tokens=1_001 * number,
        output_tokens=number,
    )
    for number in range(24)
]
SPLITS: list[tuple[list[str], Callable[[UsageEvent], tuple[str, ...]]]] = [
    ([], lambda _: ()),
    (["team", "model"], lambda each: (each.team, each.model)),
    (["day"], lambda each: (f"{each.time:%Y-%m-%d}",)),
    (["hour", "user"], lambda each: (f"{each.time:%Y-%m-%dT%H:00:00Z}", each.user)),
]


@pytest.fixture
def filled(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> LedgerClient:
    output = Meter(BOOK_THEN).step(
        encode_batch(EVENTS),
        headers=None,
        topic="usage",
        partition=0,
        offset=0,
        reported_at_ms=5,
        now=METERED,
    )
    ledger.write_events(output.metered, "block")
    return ledger_client


def priced(prices: Prices, event: UsageEvent) -> Priced:
    if prices in ("ledger", "billed"):
        return BOOK_NOW.price(event, known_at=METERED)
    return BOOK_NOW.price(event, at=NOW if prices == "today" else None)


def expected(
    prices: Prices, events: list[UsageEvent], split: Callable[[UsageEvent], tuple[str, ...]]
) -> dict[Any, Any]:
    groups: dict[Any, tuple[int, int, int, Decimal | None]] = {}
    for each in events:
        calls, unpriced, tokens, cost = groups.get(split(each), (0, 0, 0, None))
        picos = priced(prices, each).cost_picos
        if picos is not None:
            cost = decimal_from_picos(picos) + (cost or 0)
        groups[split(each)] = (calls + 1, unpriced + (picos is None), tokens + each.input_tokens, cost)
    return groups


@pytest.mark.parametrize("prices", ["ledger", "billed", "known", "today"])
def test_each_answer_is_the_sum_over_the_calls(filled: LedgerClient, prices: Prices) -> None:
    since, until = START + timedelta(hours=14), START + timedelta(days=5)
    for by, split in SPLITS:
        for bounded in (False, True):
            bounds = (since, until) if bounded else (None, None)
            rows = spend(
                filled, by=by, since=bounds[0], until=bounds[1], prices=prices, book=BOOK_NOW, now=NOW
            )
            found = {
                tuple(each[name] for name in by): (
                    each["calls"],
                    each["unpriced_calls"],
                    each["input_tokens"],
                    each["cost"],
                )
                for each in rows
            }
            events = [each for each in EVENTS if not bounded or since <= each.time < until]
            assert found == expected(prices, events, split)
            ledger_rows = spend(filled, by=by, since=bounds[0], until=bounds[1])
            assert [list(each) for each in rows] == [list(each) for each in ledger_rows]


def test_the_dearest_come_first_and_what_has_no_price_last(filled: LedgerClient) -> None:
    for prices in ("known", "today"):
        rows = spend(filled, by=["model"], prices=prices, book=BOOK_NOW, now=NOW)
        costs = [each["cost"] for each in rows]
        assert costs == [*sorted(costs[:3], reverse=True), None]
        assert [each["model"] for each in rows][-1] == "unknown"


def test_what_comes_of_the_price_is_asked_of_the_price(filled: LedgerClient) -> None:
    rows = spend(filled, by=["price_id"], prices="today", book=BOOK_NOW, now=NOW)
    assert {each["price_id"]: each["calls"] for each in rows} == {
        "old@4": 6,
        "cut@1": 6,
        "late@7": 6,
        "": 6,
    }
    rows = spend(filled, where={"price_status": "unpriced"}, prices="known", book=BOOK_NOW, now=NOW)
    assert (rows[0]["calls"], rows[0]["unpriced_calls"]) == (12, 6)


def test_nothing_at_all_is_one_row_of_nothing(filled: LedgerClient) -> None:
    for prices in ("ledger", "billed", "known", "today"):
        for by in ([], ["team"]):
            rows = spend(filled, by=by, where={"team": "none"}, prices=prices, book=BOOK_NOW, now=NOW)
            assert [(each["calls"], each["cost"]) for each in rows] == ([] if by else [(0, None)])


def test_what_was_billed_is_not_asked_by_what_moves(filled: LedgerClient) -> None:
    for name in ("price_status", "price_id", "currency", "unpriced_reason"):
        with pytest.raises(WrongCall, match="not of what it was billed"):
            spend(filled, by=[name], prices="billed")
        with pytest.raises(WrongCall, match="not of what it was billed"):
            spend(filled, where={name: "x"}, prices="billed")
