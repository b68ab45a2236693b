"""Allowances over the ledger's calls: what is spent after them, and what is left, beside the same calls in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.balances import read_balances
from sinks.clickhouse.queries import spend
from streams.meter import Meter
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.allowance_counts import EVERY_TOKEN_ONCE
from tokenweir.pricing.allowances import Allowance
from tokenweir.pricing.balances import Balances
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import encode_batch

START = datetime(2026, 3, 1, tzinfo=UTC)
KNOWN = datetime(2026, 2, 1, tzinfo=UTC)
METERED = datetime(2026, 4, 15, tzinfo=UTC)


def row(vendor: str, model: str, dollars: int, **fields: Any) -> Price:
    rates = tuple((name, Rate(dollars * 10**12 + 1, 1_000_000)) for name in ("input", "output"))
    return Price(
        price_id=f"{model}@{dollars}",
        vendor=vendor,
        match=Match("equals", model),
        cards=(RateCard(rates),),
        currency="USD",
        recorded_at=KNOWN,
        source="test",
        **fields,
    )


def allowance(allowance_id: str, amount: int, **fields: Any) -> Allowance:
    defaults: dict[str, Any] = {
        "vendor": "v",
        "match": None,
        "recorded_at": KNOWN,
        "source": "test",
        "weights": EVERY_TOKEN_ONCE,
    }
    return Allowance(allowance_id=allowance_id, amount=amount, **(defaults | fields))


ALLOWANCES = [
    allowance("daily", 1_500, every="day", zone="America/New_York", weights={"input": Fraction(1)}),
    allowance("pack", 20_000, account_fields=(), valid_from=START, valid_to=START + timedelta(days=40)),
    allowance("other", 10_000, vendor="w", every="month"),
]
SOURCES = [RowSource([row("v", "m", 3), row("v", "dear", 9), row("w", "m", 5), row("x", "m", 7)])]
PLAIN = PriceBook(SOURCES)
BOOK = PriceBook(SOURCES, contracts=Contracts(allowances=ALLOWANCES))

EVENTS = [
    UsageEvent(
        id=f"call-{number:03}",
        source="test",
        time=START + timedelta(hours=17 * (number // 2), microseconds=number % 3),
        vendor="vvvwx"[number % 5],
        model=("m", "dear", "unknown")[number % 7 % 3] if number % 5 < 3 else "m",
        tenant=("acme", "zeta")[number % 2],
        team=f"team-{number % 3}",
        input_tokens=1_001 + 37 * number,
        output_tokens=number,
    )
    for number in range(90)
]
IN_ORDER = sorted(EVENTS, key=lambda each: (each.time, each.tenant, each.id))


def store(ledger: ClickHouseLedger, events: Iterable[UsageEvent], block: str) -> None:
    """Stores events as the meter and the sink do."""
    output = Meter(PLAIN).step(
        encode_batch(events),
        headers=None,
        topic="usage",
        partition=0,
        offset=0,
        reported_at_ms=5,
        now=METERED,
    )
    ledger.write_events(output.metered, block)


@pytest.fixture
def filled(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> LedgerClient:
    """Everything stored, in another order than it happened in."""
    store(ledger, EVENTS[::-1], "block")
    return ledger_client


def expected_costs(
    chosen: Callable[[UsageEvent], bool], key: Callable[[UsageEvent], str]
) -> dict[str, tuple[int, int, Decimal | None]]:
    balances = Balances(BOOK)
    sums: dict[str, tuple[int, int, Decimal | None]] = defaultdict(lambda: (0, 0, None))
    for each in IN_ORDER:
        picos = balances.price(each).cost_picos
        if chosen(each):
            calls, unpriced, cost = sums[key(each)]
            if picos is not None:
                cost = decimal_from_picos(picos) + (cost or 0)
            sums[key(each)] = (calls + 1, unpriced + (picos is None), cost)
    return dict(sums)


SINCE, UNTIL = START + timedelta(days=3, hours=7), START + timedelta(days=21)


def test_what_is_known_to_be_spent_is_after_allowances_whatever_is_asked_for(filled: LedgerClient) -> None:
    cases: list[tuple[dict[str, Any], Callable[[UsageEvent], bool]]] = [
        ({}, lambda _: True),
        ({"since": SINCE}, lambda each: each.time >= SINCE),
        ({"since": SINCE, "until": UNTIL}, lambda each: SINCE <= each.time < UNTIL),
        ({"where": {"team": "team-1"}}, lambda each: each.team == "team-1"),
        ({"where": {"vendor": ["w", "x"]}, "since": SINCE}, lambda e: e.vendor in "wx" and e.time >= SINCE),
    ]
    for options, chosen in cases:
        rows = spend(filled, by=["vendor"], prices="known", book=BOOK, **options)
        found = {each["vendor"]: (each["calls"], each["unpriced_calls"], each["cost"]) for each in rows}
        assert found == expected_costs(chosen, lambda each: each.vendor)


def test_what_comes_of_allowances_can_be_asked_for(filled: LedgerClient) -> None:
    rows = spend(filled, by=["price_status"], prices="known", book=BOOK)
    assert {each["price_status"] for each in rows} == {"allowance", "list", "unpriced"}
    covered = spend(filled, by=["price_id"], prices="known", book=BOOK, where={"vendor": "v"})
    assert {"daily+m@3", "daily+pack+m@3", "daily+dear@9"} <= {each["price_id"] for each in covered}


def test_prices_of_today_know_no_allowances(filled: LedgerClient) -> None:
    today = spend(filled, by=["vendor"], prices="today", book=BOOK, now=METERED)
    assert today == spend(filled, by=["vendor"], prices="today", book=PLAIN, now=METERED)
    assert today == spend(filled, by=["vendor"])


@pytest.mark.parametrize("since", [None, SINCE])
def test_what_is_left_is_the_same_as_over_the_calls_themselves(
    filled: LedgerClient, since: datetime | None
) -> None:
    found = read_balances(filled, BOOK, until=UNTIL, since=since)
    balances = Balances(BOOK)
    for each in IN_ORDER:
        if each.time < UNTIL:
            balances.take(each)
    expected = [one for one in balances if one.ends_at > (since or UNTIL)]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert {one.allowance.allowance_id for one in found} == {"pack", "other", *(["daily"] if since else [])}
    assert any(one.used_up_at for one in found)
