"""One tenant and vendor: how far bill and ledger agree, by what they drift, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sinks.reconciliation import rules_of_money, rules_of_names, rules_of_tokens
from sinks.reconciliation.findings import Case, Finding
from sinks.reconciliation.line_kinds import kind_of
from sinks.reconciliation.measures import Key, Table, covered
from sinks.reconciliation.sides import Facts, Sides, sides_of
from tokenweir.errors import WrongCall

DIMENSIONS: Final = ("day", "model", "api_key")
DEFAULT_TOLERANCE: Final = Decimal("0.005")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The outcome. Shares are of what is billed, None where nothing is; costs are USD.

    drift: a row for each combination of the dimensions asked for, the largest disagreement first.
    """

    tenant: str
    vendor: str
    billed_tokens: int
    metered_tokens: int
    billed_usd: Decimal
    metered_usd: Decimal
    tokens_coverage: Decimal | None
    cost_coverage: Decimal | None
    has_bills: bool
    findings: tuple[Finding, ...] = ()
    drift: tuple[dict[str, Any], ...] = field(default=())


def check_dimensions(by: Sequence[str]) -> None:
    """Raises WrongCall for what bills are not compared by."""
    for name in by:
        if name not in DIMENSIONS:
            raise WrongCall(f"bills are not compared by {name!r}", hint=f"Choose of {', '.join(DIMENSIONS)}")


def reconcile(
    facts: Facts,
    *,
    today: date,
    by: Sequence[str] = ("day",),
    tolerance: Decimal = DEFAULT_TOLERANCE,
) -> Reconciliation:
    """Both sides compared. by: of DIMENSIONS. tolerance: the share by which sums may differ and still agree.

    Raises WrongCall for another dimension.
    """
    check_dimensions(by)
    sides = sides_of(facts)
    coverage = _coverage(sides)
    findings: list[Finding] = []
    if facts.bills or facts.days:
        case = Case(sides, tolerance, today)
        for rule in (*rules_of_names.ORDER, *rules_of_tokens.ORDER, *rules_of_money.ORDER):
            findings.extend(rule(case))
    charged = [
        one.measures.cost for one in facts.bills if one.measures.cost is not None and not one.is_detail
    ]
    ledger = [one.measures for one in facts.ledger]
    return Reconciliation(
        tenant=facts.tenant,
        vendor=facts.vendor,
        billed_tokens=sides.tokens.total().bill.tokens,
        metered_tokens=sum(one.tokens for one in ledger),
        billed_usd=sum(charged, Decimal(0)),
        metered_usd=sum((one.cost or Decimal(0) for one in ledger), Decimal(0)),
        tokens_coverage=coverage[0],
        cost_coverage=coverage[1],
        has_bills=bool(facts.bills or facts.days),
        findings=tuple(findings),
        drift=tuple(_drift(sides, tuple(by))),
    )


def _coverage(sides: Sides) -> tuple[Decimal | None, Decimal | None]:
    known_tokens, tokens = covered(sides.tokens, lambda side: side.tokens)
    known_cost, cost = covered(sides.cost, lambda side: side.cost or Decimal(0))
    for one in sides.facts.bills:
        amount = one.measures.cost
        if amount is not None and not one.is_detail and kind_of(one.line_item, amount) == "outside":
            cost += amount
    return _share(known_tokens, tokens), _share(known_cost, cost)


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return round(part / whole, 4) if whole else None


def _drift(sides: Sides, by: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row for each combination; what a side does not tell by these dimensions is None."""
    tokens = _at(sides.tokens, sides.key_tokens, by)
    cost = _at(sides.cost, sides.key_cost, by)
    keys = {*(tokens.pairs if tokens else ()), *(cost.pairs if cost else ())}
    rows = []
    for key in sorted(keys, key=_order):
        row: dict[str, Any] = {name: getattr(key, name) for name in by}
        pair = tokens.pairs.get(key) if tokens else None
        row |= {
            "billed_tokens": pair.bill.tokens if pair else None,
            "metered_tokens": pair.ledger.tokens if pair else None,
            "tokens_drift": pair.tokens_drift if pair else None,
        }
        money = cost.pairs.get(key) if cost else None
        row |= {
            "billed_usd": (money.bill.cost or Decimal(0)) if money else None,
            "metered_usd": (money.ledger.cost or Decimal(0)) if money else None,
            "cost_drift_usd": money.cost_drift if money else None,
        }
        rows.append(row)
    if "day" in by:
        return rows
    return sorted(rows, key=lambda row: (-abs(row["cost_drift_usd"] or 0), -abs(row["tokens_drift"] or 0)))


def _at(table: Table, by_key: Table, by: tuple[str, ...]) -> Table | None:
    """The table by these dimensions; None where a side cannot be told apart so."""
    for one in (table, by_key):
        if set(by) <= one.dimensions and one.pairs:
            return one.by(*by)
    return None


def _order(key: Key) -> tuple[date, str, str]:
    return key.day or date.min, key.model, key.api_key
