"""Sums of calls: what they cost before, what they would cost on a candidate, and what is left out of both.

Invariants: a call counts among the calls of a candidate or among those left out, never in both and never as nothing;
a comparison has the same calls on both sides. Picos of USD throughout; tallies of parts add up to that of the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tokenweir.whatif.reasons import Reason
from tokenweir.whatif.repricing import AsInput, Costs
from tokenweir.whatif.traffic import Columns, kept

Picos = Sequence[int | None]

TOKENS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
"""The token mix that is shown."""


@dataclass(slots=True)
class Comparison:
    """The calls whose cost is known on both sides, and their cost on each."""

    calls: int = 0
    before_picos: int = 0
    after_picos: int = 0

    def count(self, before: Picos, after: Picos) -> None:
        """Count the calls of which both are known."""
        if None in before or None in after:
            pairs = [
                (old, new)
                for old, new in zip(before, after, strict=True)
                if old is not None and new is not None
            ]
            before, after = [old for old, _ in pairs], [new for _, new in pairs]
        self.calls += len(before)
        self.before_picos += total(before)
        self.after_picos += total(after)

    def add(self, other: "Comparison") -> None:
        """Count what `other` counts, too."""
        self.calls += other.calls
        self.before_picos += other.before_picos
        self.after_picos += other.after_picos


@dataclass(slots=True)
class LeftOut:
    """Calls that cannot carry over. billed_calls: those whose cost as billed is known; billed_picos: that cost."""

    calls: int = 0
    billed_calls: int = 0
    billed_picos: int = 0

    def add(self, other: "LeftOut") -> None:
        """Count what `other` counts, too."""
        self.calls += other.calls
        self.billed_calls += other.billed_calls
        self.billed_picos += other.billed_picos


@dataclass(slots=True)
class Traffic:
    """Calls as they were. same_prices_…: those that have a price at the time asked about, and their cost then."""

    calls: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))
    billed_calls: int = 0
    billed_picos: int = 0
    same_prices_calls: int = 0
    same_prices_picos: int = 0

    def count(self, columns: Columns, billed: Picos, same_prices: Picos) -> None:
        """Count the calls of a group."""
        self.calls += len(billed)
        for name in TOKENS:
            self.tokens[name] += sum(columns[name])
        self.billed_calls += len(billed) - billed.count(None)
        self.billed_picos += total(billed)
        self.same_prices_calls += len(same_prices) - same_prices.count(None)
        self.same_prices_picos += total(same_prices)

    def add(self, other: "Traffic") -> None:
        """Count what `other` counts, too."""
        self.calls += other.calls
        for name in TOKENS:
            self.tokens[name] += other.tokens[name]
        self.billed_calls += other.billed_calls
        self.billed_picos += other.billed_picos
        self.same_prices_calls += other.same_prices_calls
        self.same_prices_picos += other.same_prices_picos


@dataclass(slots=True)
class Tally:
    """Calls on a candidate.

    billed, same_prices: compared with what they cost as billed, and at the prices that the candidate is priced at.
    at_standard: calls priced in the standard tier because theirs is not offered. reasoning_calls, cached_calls: calls
    with such tokens. cache_write_tokens: of the calls that read from a cache or write to one.
    """

    calls: int = 0
    cost_picos: int = 0
    list_cost_picos: int = 0
    billed: Comparison = field(default_factory=Comparison)
    same_prices: Comparison = field(default_factory=Comparison)
    left_out: dict[Reason, LeftOut] = field(default_factory=dict)
    as_input: AsInput = field(default_factory=AsInput)
    at_standard: int = 0
    reasoning_calls: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def count(self, columns: Columns, costs: Costs, billed: Picos, same_prices: Picos) -> None:
        """Count the calls of a group that were priced, and leave out those that could not be."""
        self.leave_out(costs.reasons, billed)
        self.calls += len(billed) - len(costs.reasons)
        self.cost_picos += total(costs.cost_picos)
        self.list_cost_picos += total(costs.list_cost_picos)
        self.billed.count(billed, costs.cost_picos)
        self.same_prices.count(same_prices, costs.cost_picos)
        self.as_input.add(costs.as_input)
        self.at_standard += costs.at_standard
        if costs.reasons:
            columns = kept(columns, [cost is not None for cost in costs.cost_picos])
        self.reasoning_calls += len(columns["reasoning_tokens"]) - columns["reasoning_tokens"].count(0)
        self.cache_read_tokens += sum(columns["cache_read_tokens"])
        self.cache_write_tokens += sum(columns["cache_write_tokens"])

    def leave_out(self, reasons: Mapping[int, Reason], billed: Picos) -> None:
        """Count calls that cannot carry over, by their places."""
        for place, reason in reasons.items():
            one = self.left_out.setdefault(reason, LeftOut())
            cost = billed[place]
            one.calls += 1
            one.billed_calls += cost is not None
            one.billed_picos += cost or 0

    def add(self, other: "Tally") -> None:
        """Count what `other` counts, too."""
        self.calls += other.calls
        self.cost_picos += other.cost_picos
        self.list_cost_picos += other.list_cost_picos
        self.billed.add(other.billed)
        self.same_prices.add(other.same_prices)
        self.as_input.add(other.as_input)
        self.at_standard += other.at_standard
        self.reasoning_calls += other.reasoning_calls
        self.cache_read_tokens += other.cache_read_tokens
        self.cache_write_tokens += other.cache_write_tokens
        for reason, left_out in other.left_out.items():
            self.left_out.setdefault(reason, LeftOut()).add(left_out)

    @property
    def left_out_calls(self) -> int:
        """How many calls cannot carry over."""
        return sum(one.calls for one in self.left_out.values())


def total(amounts: Sequence[Any]) -> int:
    """The sum of what is known."""
    return sum(amounts) if None not in amounts else sum(amount for amount in amounts if amount is not None)
