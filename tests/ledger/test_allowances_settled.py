"""A ledger that is settled while calls arrive late and in any order: in the end each costs what its place leaves it."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_allowances_in_ledger import ALLOWANCES, EVENTS, METERED, SOURCES, START, allowance, store

from producers.delivery.batching import Workload
from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.conditions import Where
from sinks.clickhouse.queries import spend
from tests.examples import few
from tokenweir.local.price_following import PriceFollower
from tokenweir.local.repricing import foresee, reprice
from tokenweir.local.repricing_journal import JobTerms, open_journal
from tokenweir.local.settling import SettledPrices, settle_elsewhere
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import PriceBook
from tokenweir.pricing.balances import Balances
from tokenweir.pricing.contracts import Contracts
from tokenweir.pricing.price import BEGINNING
from tokenweir.pricing.repricing_report import RepricingReport
from tokenweir.usage import UsageEvent

SETTLED = METERED + timedelta(days=5)
LEARNED = allowance("learned", 9_000, vendor="w", recorded_at=METERED + timedelta(days=1))
BOOK = PriceBook(SOURCES, contracts=Contracts(allowances=[*ALLOWANCES, LEARNED]))
CALLS = EVENTS[:60]
Costs = dict[tuple[str, str], tuple[Decimal | None, Decimal | None]]


class Sink:
    """A sink that stores at once."""

    def __init__(self, ledger: ClickHouseLedger) -> None:
        self._ledger = ledger

    def send(self, lines: Sequence[tuple[Workload, bytes]]) -> None:
        self._ledger.write_events(b"\n".join(line for _, line in lines), secrets.token_hex(8))

    def wait_until_stored(self) -> None:
        return


def settle(
    client: LedgerClient,
    ledger: ClickHouseLedger,
    since: datetime | None = None,
    until: datetime | None = None,
    where: Where | None = None,
    *,
    page_calls: int = 7,
) -> RepricingReport:
    """As `weir reprice`, the foreseen report held against what then happens."""
    terms, conditions = JobTerms(since, until, SETTLED, SETTLED), where or {}
    prices = SettledPrices(client, BOOK, since=since, known_at=SETTLED)
    foreseen = foresee(client, prices, terms, conditions, tell=lambda _: None)
    for other in settle_elsewhere(client, BOOK, terms, conditions):
        foreseen.add(foresee(client, other.price, other.terms, other.where, tell=lambda _: None))
    prices = SettledPrices(client, BOOK, since=since, known_at=SETTLED)
    jobs = [(terms, conditions, prices)]
    with TemporaryDirectory() as directory:
        report = RepricingReport()
        jobs += [
            (one.terms, one.where, one.price) for one in settle_elsewhere(client, BOOK, terms, conditions)
        ]  # type: ignore[misc]
        for number, (own_terms, own_where, price) in enumerate(jobs):
            with open_journal(Path(directory), {"job": number}, own_terms) as journal:
                outlet = Sink(ledger)
                report.add(
                    reprice(
                        client, outlet, journal, price, own_where, tell=lambda _: None, page_calls=page_calls
                    )
                )
                journal.finish()
    assert sorted(report.as_json()["changes"]) == sorted(foreseen.as_json()["changes"])
    return report


def held(client: LedgerClient) -> Costs:
    rows = client.query("SELECT tenant, id, u.cost, u.billed_cost FROM usage AS u")
    return {(tenant, call): (cost, billed) for tenant, call, cost, billed in rows}


def expected(calls: list[UsageEvent]) -> Costs:
    known, billed = Balances(BOOK), Balances(BOOK)
    costs = {}
    for each in sorted(calls, key=lambda call: (call.time, call.tenant, call.id)):
        picos = known.price(each).cost_picos, billed.price(each, known_at=METERED).cost_picos
        costs[each.tenant, each.id] = tuple(None if one is None else decimal_from_picos(one) for one in picos)
    return costs  # type: ignore[return-value]


moments = st.none() | st.integers(0, 20 * 24).map(lambda hours: START + timedelta(hours=hours))
conditions = st.sampled_from([{}, {"team": ["team-1"]}, {"vendor": ["v"]}, {"price_status": ["unpriced"]}])
steps = st.lists(
    st.tuples(st.just("send"), st.lists(st.integers(0, len(CALLS) - 1), min_size=1, max_size=30))
    | st.tuples(st.just("settle"), st.tuples(moments, moments, conditions)),
    min_size=2,
    max_size=6,
)


@settings(
    max_examples=few(4),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_late_and_shuffled_calls_end_as_if_all_had_been_known_at_once(
    ledger_client: LedgerClient, steps: list[tuple[str, Any]]
) -> None:
    for table in ("events", "claims", "arrivals", "minutes", "hours", "days"):
        ledger_client.command(f"TRUNCATE TABLE {table}")
    ledger = ClickHouseLedger(ledger_client)
    stored: dict[str, UsageEvent] = {}
    for kind, given_ in steps:
        if kind == "send":
            fresh = [CALLS[number] for number in dict.fromkeys(given_) if CALLS[number].id not in stored]
            if fresh:
                stored |= {call.id: call for call in fresh}
                store(ledger, fresh, secrets.token_hex(8))
        else:
            since, until, where = given_
            settle(ledger_client, ledger, since, until, where)
            found, right = held(ledger_client), expected(list(stored.values()))
            for call in stored.values():
                start = BOOK.contracts.allowances.counting_from(call.vendor, since or BEGINNING)
                if call.time >= start and call.vendor in where.get("vendor", call.vendor):
                    assert found[call.tenant, call.id] == right[call.tenant, call.id]
    settle(ledger_client, ledger)
    assert held(ledger_client) == expected(list(stored.values()))
    assert settle(ledger_client, ledger).total.changed_calls == 0
    now = spend(ledger_client, by=["vendor", "price_id"])
    assert now == spend(ledger_client, by=["vendor", "price_id"], prices="known", book=BOOK)


DAY_4, DAY_9 = START + timedelta(days=4), START + timedelta(days=9)


@pytest.mark.parametrize(
    ("since", "until", "where"),
    [
        (None, None, {"team": ["team-1"]}),
        (None, DAY_4, {}),
        (DAY_4, DAY_9, {"tenant": ["acme"]}),
        (DAY_9, None, {"price_status": ["unpriced"]}),
    ],
)
def test_whatever_is_priced_anew_the_calls_around_it_are_settled_too(
    ledger_client: LedgerClient,
    ledger: ClickHouseLedger,
    since: datetime | None,
    until: datetime | None,
    where: Where,
) -> None:
    store(ledger, CALLS[1::2], "block")
    settle(ledger_client, ledger)
    store(ledger, CALLS[::2], "late")
    settle(ledger_client, ledger, since, until, where)
    settled = [call for call in CALLS if call.vendor in ("v", "w")]
    right = expected(settled)
    found = held(ledger_client)
    assert {key: found[key] for key in right} == right


def test_an_allowance_that_became_known_later_moves_the_cost_and_not_what_was_billed(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    store(ledger, CALLS, "block")
    billed_of_w = spend(ledger_client, where={"vendor": "w"}, prices="billed")[0]["cost"]
    settle(ledger_client, ledger)
    (row,) = spend(ledger_client, where={"vendor": "w"})
    (billed,) = spend(ledger_client, where={"vendor": "w"}, prices="billed")
    assert row["cost"] < billed["cost"] < billed_of_w == row["list_cost"]


def test_a_call_that_is_reported_anew_takes_what_it_then_needs(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    store(ledger, CALLS, "block")
    settle(ledger_client, ledger)
    fuller = [
        call.model_copy(update={"input_tokens": call.input_tokens * 3, "project": "p", "session": "s"})
        for call in CALLS[:20]
    ]
    store(ledger, fuller, "fuller")
    settle(ledger_client, ledger, START + timedelta(days=2), None, {"tenant": ["acme"]})
    settle(ledger_client, ledger)
    assert held(ledger_client) == expected([*fuller, *CALLS[20:]])


def test_a_follower_settles_what_came_since_and_rests_where_nothing_did(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    overlay, seconds = tmp_path / "acme.toml", [0.0]
    overlay.touch()
    follower = PriceFollower(lambda: BOOK, lambda: [overlay], stopwatch=lambda: seconds[-1])
    sink = Sink(ledger)

    def turn() -> int:
        return follower.turn(ledger_client, sink, SETTLED).calls

    first, late = CALLS[::2], [call for call in CALLS[1::2] if call.vendor in ("v", "w")]
    store(ledger, first, "first")
    assert turn()
    assert held(ledger_client) == expected(first)
    # What it sent itself was stored since; then there is nothing.
    turn()
    assert turn() == 0
    store(ledger, late, "late")
    seconds.append(1.0)
    turn()
    assert held(ledger_client) == expected([*first, *late])
