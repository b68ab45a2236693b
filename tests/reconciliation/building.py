"""Bills and ledgers made by hand: a month of days on which both sides agree, until a test makes them disagree."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sinks.reconciliation import Facts, Reconciliation, reconcile
from sinks.reconciliation.findings import Finding
from sinks.reconciliation.measures import Measures
from sinks.reconciliation.sides import BillEntry, LedgerEntry, ReportDay

FIRST = date(2026, 11, 1)
TODAY = date(2026, 12, 5)
PRICE = Decimal("0.00001")


def day(number: int) -> date:
    """The so-manieth of November."""
    return FIRST + timedelta(days=number - 1)


def measures(
    tokens: int, *, cached: int = 0, cost: Decimal | None = None, output: int | None = None
) -> Measures:
    return Measures(
        input_tokens=tokens,
        cache_read_tokens=cached,
        output_tokens=tokens // 10 if output is None else output,
        requests=10,
        cost=cost,
    )


class Month:
    """Both sides of ten days of two models and two keys; `bill` and `ledger` give what can be changed.

    Tokens come from one report and money from another, as at most vendors.
    """

    def __init__(self, days: int = 10) -> None:
        self.usage: dict[tuple[int, str, str], BillEntry] = {}
        self.costs: dict[tuple[int, str, str], BillEntry] = {}
        self.ledger: dict[tuple[int, str, str], LedgerEntry] = {}
        self.lines: list[BillEntry] = []
        self.states: list[ReportDay] = []
        for number in range(1, days + 1):
            for report in ("usage", "costs"):
                self.states.append(ReportDay(report=report, day=day(number), is_final=True))
            for model in ("gpt-4o", "gpt-4o-mini"):
                for key in ("checkout", "search"):
                    # No two days alike, so that nothing agrees by chance.
                    self.both(number, model, key, 100_000 + 7_919 * number * len(model) + 1_013 * len(key))

    def both(self, number: int, model: str, key: str, tokens: int, **more: Any) -> None:
        """The same usage on both sides."""
        cost = PRICE * tokens
        place = {"day": day(number), "model": model, "api_key": key}
        used = measures(tokens, **more)
        self.usage[number, model, key] = BillEntry(
            report="usage", line_item="completions", measures=used, **place
        )
        self.costs[number, model, key] = BillEntry(
            report="costs", line_item=f"{model}, input", measures=Measures(cost=cost), amount=cost, **place
        )
        self.ledger[number, model, key] = LedgerEntry(measures=replace(used, cost=cost), **place)

    def meter(self, number: int, model: str, key: str, **changes: Any) -> None:
        """Changes what the ledger has."""
        entry = self.ledger[number, model, key]
        self.ledger[number, model, key] = replace(entry, measures=replace(entry.measures, **changes))

    def charge(self, number: int, model: str, key: str, factor: Decimal) -> None:
        """Changes what the bill asks for."""
        entry = self.costs[number, model, key]
        cost = (entry.measures.cost or Decimal(0)) * factor
        self.costs[number, model, key] = replace(entry, measures=Measures(cost=cost), amount=cost)

    def facts(self) -> Facts:
        return Facts(
            tenant="default",
            vendor="openai",
            bills=[*self.usage.values(), *self.costs.values(), *self.lines],
            ledger=list(self.ledger.values()),
            days=self.states,
        )

    def outcome(self, *by: str) -> Reconciliation:
        return reconcile(self.facts(), today=TODAY, by=by or ("model",))

    def findings(self) -> list[Finding]:
        return list(self.outcome().findings)
