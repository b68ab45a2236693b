"""The two sides as they are fetched, and the tables that are made of them.

Tokens and money often come from different reports that tell different things apart: tokens by model and key, money by
model or line item. So there are two tables, each by what its report tells, and the ledger is added up in the same way.
Where the report of a measure names no keys but one of the vendor's detail reports does, that one is used for keys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sinks.reconciliation.line_kinds import kind_of
from sinks.reconciliation.measures import Measures, Table
from sinks.reconciliation.model_names import common_names


@dataclass(frozen=True, slots=True, kw_only=True)
class BillEntry:
    """One line of a bill that holds."""

    report: str
    day: date
    model: str = ""
    api_key: str = ""
    project: str = ""
    line_item: str = ""
    measures: Measures = field(default_factory=Measures)
    amount: Decimal | None = None
    currency: str = "USD"
    is_detail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What the ledger has of one day (as the vendor counts days), model, key and project."""

    day: date
    model: str
    api_key: str = ""
    project: str = ""
    measures: Measures = field(default_factory=Measures)
    unpriced_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDay:
    """A state in which a day of a report is, or was (`is_former`). amount is USD."""

    report: str
    day: date
    is_final: bool
    is_former: bool = False
    is_detail: bool = False
    refused_lines: int = 0
    tokens: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Both sides of one tenant and vendor for some days."""

    tenant: str
    vendor: str
    bills: Sequence[BillEntry]
    ledger: Sequence[LedgerEntry]
    days: Sequence[ReportDay] = ()


@dataclass(slots=True)
class Sides:
    """Both sides, comparable. Of money only what is charged for calls: neither credits nor other services.

    names: under which name a model is compared, by its spelling.

    key_tokens, key_cost: by day and key, from the detail reports where no other names keys. open_days: that the vendor
    may still change. read_days: of which there is a reading, whether or not anything was billed. strange_keys: both
    sides name keys, and none alike, so that they are not compared by key.
    """

    facts: Facts
    names: Mapping[str, str]
    tokens: Table
    cost: Table
    key_tokens: Table
    key_cost: Table
    open_days: frozenset[date]
    read_days: frozenset[date]
    strange_keys: bool


def sides_of(facts: Facts) -> Sides:
    """The tables of tokens and of money."""
    names = common_names(
        (one.model for one in facts.bills if one.model), (one.model for one in facts.ledger if one.model)
    )
    counted = [one for one in facts.bills if _has_tokens(one)]
    charged = [
        one
        for one in facts.bills
        if one.measures.cost is not None and kind_of(one.line_item, one.measures.cost) == "calls"
    ]
    reports = {one.report for one in facts.bills if not one.is_detail and _has_tokens(one)}
    states = [one for one in facts.days if not one.is_former and not one.is_detail]
    of_tokens = [one for one in states if not reports or one.report in reports]
    return Sides(
        facts,
        names,
        _table(facts, _book(counted), names.__getitem__),
        _table(facts, _book(charged), names.__getitem__),
        _table(facts, _book(counted, with_keys=True), names.__getitem__).by("day", "api_key"),
        _table(facts, _book(charged, with_keys=True), names.__getitem__).by("day", "api_key"),
        open_days=frozenset(one.day for one in of_tokens if not one.is_final),
        read_days=frozenset(one.day for one in of_tokens),
        strange_keys=bool(facts.ledger)
        and any(one.api_key for one in facts.bills)
        and not _common_keys(facts),
    )


def _common_keys(facts: Facts) -> set[str]:
    """The keys that both sides name alike."""
    return {one.api_key for one in facts.bills if one.api_key} & {one.api_key for one in facts.ledger}


def _has_tokens(one: BillEntry) -> bool:
    return one.measures.input_tokens is not None or one.measures.output_tokens is not None


def _table(facts: Facts, chosen: Sequence[BillEntry], name: Callable[[str], str]) -> Table:
    dimensions = {"day"}
    if any(one.model for one in chosen):
        dimensions.add("model")
    if any(one.api_key for one in chosen) and (_common_keys(facts) or not facts.ledger):
        dimensions.add("api_key")
    table = Table(frozenset(dimensions))
    for one in chosen:
        model = name(one.model) if one.model else ""
        table.add(table.key(one.day, model, one.api_key), bill=one.measures)
    if chosen:
        for entry in facts.ledger:
            model = name(entry.model) if entry.model else ""
            table.add(table.key(entry.day, model, entry.api_key), ledger=entry.measures)
    return table


def _book(lines: Sequence[BillEntry], *, with_keys: bool = False) -> list[BillEntry]:
    """The lines to add up: those that are no details; where they name no keys and these are wanted, or where there are
    none, the report of details that says most."""
    plain = [one for one in lines if not one.is_detail]
    if plain and (not with_keys or any(one.api_key for one in plain)):
        return plain
    details: dict[str, list[BillEntry]] = {}
    for one in lines:
        if one.is_detail and (one.api_key or not with_keys):
            details.setdefault(one.report, []).append(one)
    return max(details.values(), key=len, default=plain)
