"""Calls that are reported and priced anew in a ledger, and a plain dictionary that is the judge of them.

It holds of each call the best report, priced by the book that was known when it was last priced, beside what it was
billed.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from producers.delivery.batching import Workload
from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import spend
from streams.meter import Meter
from tokenweir.local.repricing import PriceAnew, Repriced, reprice
from tokenweir.local.repricing_journal import JobTerms, open_journal
from tokenweir.money import decimal_from_picos
from tokenweir.pricing import PriceBook
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Price, Rate, RateCard
from tokenweir.pricing.repricing_report import RepricingReport
from tokenweir.pricing.sources import RowSource
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import encode_batch

START = datetime(2026, 3, 1, 23, 59, 58, tzinfo=UTC)
LONG_AFTER = START + timedelta(days=9_000)
MODELS = ("a", "b", "c")


def row(model: str, dollars: int, known: datetime) -> Price:
    rates = tuple((name, Rate(dollars * 10**12 + 1, 1_000_000)) for name in ("input", "output"))
    return Price(
        price_id=f"{model}@{dollars}",
        vendor="v",
        match=Match("equals", model),
        cards=(RateCard(rates),),
        currency="USD",
        recorded_at=known,
        source="test",
    )


def day(number: int) -> datetime:
    return START + timedelta(days=number)


ROWS = [
    row("a", 3, day(0)),
    row("b", 5, day(11)),
    row("a", 4, day(12)),
    row("c", 6, day(13)),
    row("b", 1, day(13)),
]
BOOK = PriceBook([RowSource(ROWS)])


@dataclass(frozen=True)
class Report:
    """A report of a call: its clock, how much it says, and which day it was sent on."""

    call: int
    second: int
    full: bool
    sent_on: int

    @property
    def event(self) -> UsageEvent:
        return UsageEvent(
            id=f"call-{self.call}",
            source="test",
            time=START + timedelta(seconds=self.second, microseconds=self.call),
            tenant=f"tenant-{self.call % 2}",
            team="team" if self.full else "",
            vendor="v",
            model=MODELS[self.call % 3],
            input_tokens=1_000 + self.call,
            output_tokens=self.second + 1,
        )

    def block(self) -> bytes:
        """What the meter made of it on the day on which it was sent, with what was known then."""
        known = PriceBook([RowSource([each for each in ROWS if each.recorded_at <= day(self.sent_on)])])
        output = Meter(known).step(
            encode_batch([self.event]),
            headers=None,
            topic="usage",
            partition=0,
            offset=0,
            reported_at_ms=self.sent_on * 86_400_000,
            now=day(self.sent_on),
        )
        return output.metered


@dataclass(frozen=True)
class Held:
    report: Report
    known_on: int

    @property
    def cost(self) -> Decimal | None:
        return cost_of(self.report, self.known_on)

    @property
    def billed(self) -> Decimal | None:
        return cost_of(self.report, self.report.sent_on)


def cost_of(report: Report, known_on: int) -> Decimal | None:
    picos = BOOK.price(report.event, known_at=day(known_on)).cost_picos
    return None if picos is None else decimal_from_picos(picos)


class Judge:
    def __init__(self) -> None:
        self.calls: dict[int, Held] = {}

    def take(self, report: Report) -> None:
        held = self.calls.get(report.call)
        if held is None or (report.full, report.sent_on) > (held.report.full, held.report.sent_on):
            self.calls[report.call] = Held(report, report.sent_on)

    def reprice(self, known_on: int, where: Callable[[UsageEvent], bool] = lambda _: True) -> None:
        for call, held in self.calls.items():
            if where(held.report.event) and held.known_on <= known_on:
                self.calls[call] = replace(held, known_on=known_on)

    @property
    def costs(self) -> dict[tuple[str, str], tuple[Decimal | None, Decimal | None]]:
        return {
            (held.report.event.tenant, held.report.event.id): (held.cost, held.billed)
            for held in self.calls.values()
        }


class Sink:
    """A sink that stores at once."""

    def __init__(self, ledger: ClickHouseLedger) -> None:
        self._ledger = ledger
        self.lines = 0

    def write(self, lines: bytes) -> None:
        self._ledger.write_events(lines, secrets.token_hex(8))

    def send(self, lines: Sequence[tuple[Workload, bytes]]) -> None:
        self.lines += len(lines)
        self.write(b"\n".join(line for _, line in lines))

    def wait_until_stored(self) -> None:
        return


def priced_on(number: int) -> tuple[PriceAnew, JobTerms]:
    def price(calls: Sequence[Any]) -> list[Repriced]:
        return [Repriced(BOOK.price(call, known_at=day(number))) for call in calls]

    return price, JobTerms(None, None, known_at=day(number), started_at=day(number))


def run(
    client: LedgerClient,
    outlet: Any,
    directory: Path,
    number: int,
    where: dict[str, str],
    page_calls: int = 3,
) -> RepricingReport:
    price, terms = priced_on(number)
    with open_journal(directory, {"day": number, "where": where}, terms) as journal:
        report = reprice(client, outlet, journal, price, where, tell=lambda _: None, page_calls=page_calls)
        journal.finish()
    return report


def held(client: LedgerClient) -> dict[tuple[str, str], tuple[Decimal | None, Decimal | None]]:
    rows = client.query("SELECT tenant, id, u.cost, u.billed_cost FROM usage AS u")
    return {(tenant, call): (cost, billed) for tenant, call, cost, billed in rows}


def assert_judged(client: LedgerClient, judge: Judge) -> None:
    assert held(client) == judge.costs
    for prices, place in (("ledger", 0), ("billed", 1)):
        (row,) = spend(client, prices=prices)  # type: ignore[arg-type]
        amounts = [costs[place] for costs in judge.costs.values()]
        known = [amount for amount in amounts if amount is not None]
        assert (row["calls"], row["unpriced_calls"]) == (len(amounts), amounts.count(None))
        assert row["cost"] == (sum(known) if known else None)
