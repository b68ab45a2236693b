"""What a correct ledger says of a stream of reports: an independent sum over distinct calls.

Shares no code with the meter, the windows or the sinks: it goes by the contract alone. Of several reports of one
(tenant, id) the one that states more of FULLNESS_FIELDS counts, among equals the later one. Only the price of
one event comes from the price book, because there is one price book; the sums are `Decimal`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal, Inexact
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

from tokenweir.usage import UsageEvent
from tokenweir.usage.version import FULLNESS_FIELDS

_EXACT: Final = Context(prec=60, traps=[Inexact])
_PICO: Final = Decimal("1E-12")
_facts: Final = attrgetter(*FULLNESS_FIELDS)


class PricesEvents(Protocol):
    """The part of the price book that a sum needs. `cost_picos` is None for what has no price."""

    def price(self, event: Any) -> Any:
        """What `event` costs."""
        ...


class _Counted(NamedTuple):
    fullness: int
    group: tuple[str, str]
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    failed: bool
    cost: Decimal | None


@dataclass(slots=True)
class Sums:
    """Sums over distinct calls. `cost_usd` is over those with a price; `unpriced_calls` counts the others."""

    calls: int = 0
    failed_calls: int = 0
    unpriced_calls: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def add(self, call: _Counted, sign: int = 1) -> None:
        """Counts a call, or with sign -1 takes it out again."""
        self.calls += sign
        self.failed_calls += sign * call.failed
        self.unpriced_calls += sign * (call.cost is None)
        self.input_tokens += sign * call.input_tokens
        self.cache_read_tokens += sign * call.cache_read_tokens
        self.output_tokens += sign * call.output_tokens
        if call.cost is not None:
            change = call.cost if sign > 0 else -call.cost
            self.cost_usd = _EXACT.add(self.cost_usd, change)


@dataclass(frozen=True, slots=True)
class ExpectedTotals:
    """`reports` as they arrived; `total` over distinct calls; the same by vendor and by team."""

    reports: int
    total: Sums
    by_vendor: dict[str, Sums]
    by_team: dict[str, Sums]
    first_at: datetime | None
    last_at: datetime | None

    @property
    def repeated_reports(self) -> int:
        """Reports of a call that another report already counted, or replaced."""
        return self.reports - self.total.calls


@dataclass(slots=True)
class TotalsTally:
    """Sums as reports go by, so that a month of them need not be held: some 300 bytes are kept for each call."""

    book: PricesEvents
    reports: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    _by_group: dict[tuple[str, str], Sums] = field(default_factory=dict)
    _calls: dict[tuple[str, str], _Counted] = field(default_factory=dict)

    def add(self, event: UsageEvent) -> None:
        """Takes the next report, in order of arrival."""
        self.reports += 1
        name = (event.tenant, event.id)
        fullness = sum(1 for fact in _facts(event) if fact)
        known = self._calls.get(name)
        if known is not None:
            if known.fullness > fullness:
                return
            self._by_group[known.group].add(known, -1)
        picos = self.book.price(event).cost_picos
        call = _Counted(
            fullness,
            (event.vendor, event.team),
            event.input_tokens,
            event.cache_read_tokens,
            event.output_tokens,
            event.status != "ok",
            None if picos is None else _EXACT.multiply(Decimal(picos), _PICO),
        )
        self._calls[name] = call
        self._by_group.setdefault(call.group, Sums()).add(call)
        self.first_at = event.time if self.first_at is None else min(self.first_at, event.time)
        self.last_at = event.time if self.last_at is None else max(self.last_at, event.time)

    def watch(self, batches: Iterable[list[UsageEvent]]) -> Iterator[list[UsageEvent]]:
        """Passes batches on as they are, and takes every report in them."""
        for batch in batches:
            for event in batch:
                self.add(event)
            yield batch

    def totals(self) -> ExpectedTotals:
        """The sums so far."""
        total = Sums()
        by_vendor: dict[str, Sums] = {}
        by_team: dict[str, Sums] = {}
        for (vendor, team), sums in self._by_group.items():
            for target in (total, by_vendor.setdefault(vendor, Sums()), by_team.setdefault(team, Sums())):
                _merge(target, sums)
        return ExpectedTotals(
            reports=self.reports,
            total=total,
            by_vendor=dict(sorted(by_vendor.items())),
            by_team=dict(sorted(by_team.items())),
            first_at=self.first_at,
            last_at=self.last_at,
        )


def expected_totals(batches: Iterable[list[UsageEvent]], book: PricesEvents) -> ExpectedTotals:
    """The sums of a whole stream of batches in order of arrival. Exact: Decimal and int, no float."""
    tally = TotalsTally(book)
    for batch in batches:
        for event in batch:
            tally.add(event)
    return tally.totals()


def _merge(target: Sums, sums: Sums) -> None:
    target.calls += sums.calls
    target.failed_calls += sums.failed_calls
    target.unpriced_calls += sums.unpriced_calls
    target.input_tokens += sums.input_tokens
    target.cache_read_tokens += sums.cache_read_tokens
    target.output_tokens += sums.output_tokens
    target.cost_usd = _EXACT.add(target.cost_usd, sums.cost_usd)
