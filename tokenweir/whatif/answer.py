"""The answer: of each candidate, in total and by workload, the cost, the savings, and what they do not cover.

Candidates come in the order of what they leave of the same calls' cost, the cheapest first, so that one that can take
few calls is not first for that. Savings are of the same calls on both sides; a negative one is what more it costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from tokenweir.money import decimal_from_picos, divide_half_even
from tokenweir.whatif.candidate import Candidate
from tokenweir.whatif.notes import notes_of
from tokenweir.whatif.reasons import Reason
from tokenweir.whatif.repricing import Repricer
from tokenweir.whatif.tally import Comparison, LeftOut, Tally, Traffic

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)

Workload = tuple[str, ...]


class Span(NamedTuple):
    """The time that calls are spread over. first_call_at, last_call_at: None where there are no calls."""

    starts_at: datetime
    ends_at: datetime
    first_call_at: datetime | None
    last_call_at: datetime | None

    @property
    def length(self) -> timedelta:
        """What savings a day are reckoned by: at least a day, so that an hour's are not made a day's."""
        return max(self.ends_at - self.starts_at, _DAY)

    @property
    def days(self) -> Decimal:
        """The length, to a thousandth."""
        return Decimal(divide_half_even(1000 * (self.length // _MICROSECOND), _DAY // _MICROSECOND)) / 1000


class Period(NamedTuple):
    """What was asked for: from `since` up to `until`; None where it was left open. now: of who asks."""

    since: datetime | None
    until: datetime | None
    now: datetime

    def within(self, times: tuple[datetime, datetime] | None) -> Span:
        """The period, as far as it lies in the past; where it was left open, it ends with the first or the last call.

        times: of the first call and the last; None where there are none.
        """
        first, last = times if times is not None else (None, None)
        starts_at = self.since or first or self.now
        ends_at = min(self.until, self.now) if self.until is not None else last or self.now
        return Span(starts_at, max(starts_at, ends_at), first, last)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a candidate makes of the calls. notes: sentences on what the figures rest on."""

    candidate: Candidate
    total: Tally
    workloads: Mapping[Workload, Tally]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The calls as they were, and each choice. by: the dimensions of a workload; at: None for each call's own time."""

    by: tuple[str, ...]
    at: datetime | None
    span: Span
    traffic: Traffic
    workloads: Mapping[Workload, Traffic]
    choices: Sequence[Choice]

    def fields(self) -> dict[str, Any]:
        """The answer as plain values: amounts in USD, Decimal."""
        return {
            "prices_at": self.at,
            "starts_at": self.span.starts_at,
            "ends_at": self.span.ends_at,
            "days": self.span.days,
            "traffic": self._of_traffic(self.traffic)
            | {"first_call_at": self.span.first_call_at, "last_call_at": self.span.last_call_at},
            "candidates": [
                {
                    "to": choice.candidate.name,
                    "vendor": choice.candidate.vendor,
                    "model": choice.candidate.model,
                    "tokens_factor": choice.candidate.tokens_factor,
                    **self.figures(choice.total),
                    **self.comparisons(choice.total),
                    "cannot_carry_over": left_out_rows(choice.total),
                    "notes": list(choice.notes),
                    "workloads": [
                        dict(zip(self.by, workload, strict=True))
                        | self.figures(tally)
                        | self.comparisons(tally)
                        | {"cannot_carry_over": left_out_rows(tally)}
                        for workload, tally in self.ranked(choice)
                    ],
                }
                for choice in self.choices
            ],
        }

    def figures(self, tally: Tally) -> dict[str, Any]:
        """A line of the table.

        billed_usd, same_prices_usd: what the calls cost before, of those calls whose cost is known on both sides.
        """
        billed, same = tally.billed, tally.same_prices
        return {
            "calls": tally.calls,
            "left_out_calls": tally.left_out_calls,
            "billed_usd": usd(billed.before_picos, billed.calls),
            "same_prices_usd": usd(same.before_picos, same.calls),
            "cost_usd": usd(tally.cost_picos, tally.calls),
            "list_cost_usd": usd(tally.list_cost_picos, tally.calls),
            "savings_usd": usd(_saved(same), same.calls),
            "savings_percent": percent(same),
            "savings_usd_per_day": self._per_day(_saved(same), same.calls),
        }

    def comparisons(self, tally: Tally) -> dict[str, Any]:
        """Both comparisons with the calls that they are over."""
        return {
            f"compared_with_{name}": {
                "calls": one.calls,
                "before_usd": usd(one.before_picos, one.calls),
                "after_usd": usd(one.after_picos, one.calls),
                "savings_usd": usd(_saved(one), one.calls),
                "savings_percent": percent(one),
                "savings_usd_per_day": self._per_day(_saved(one), one.calls),
            }
            for name, one in (("billed", tally.billed), ("same_prices", tally.same_prices))
        }

    def ranked(self, choice: Choice) -> list[tuple[Workload, Tally]]:
        """The workloads of a choice, the one that cost most first."""
        return sorted(
            choice.workloads.items(), key=lambda pair: (-self.workloads[pair[0]].billed_picos, pair[0])
        )

    def _of_traffic(self, traffic: Traffic) -> dict[str, Any]:
        return {
            "calls": traffic.calls,
            **traffic.tokens,
            "billed_calls": traffic.billed_calls,
            "billed_usd": usd(traffic.billed_picos, traffic.billed_calls),
            "same_prices_calls": traffic.same_prices_calls,
            "same_prices_usd": usd(traffic.same_prices_picos, traffic.same_prices_calls),
        }

    def _per_day(self, picos: int, calls: int) -> Decimal | None:
        if not calls:
            return None
        length = self.span.length // _MICROSECOND
        return decimal_from_picos(divide_half_even(picos * (_DAY // _MICROSECOND), length))


def answer_of(
    candidates: Sequence[Candidate],
    traffic: Mapping[Workload, Traffic],
    tallies: Sequence[Mapping[Workload, Tally]],
    by: tuple[str, ...],
    span: Span,
    repricer: Repricer,
) -> Answer:
    """The answer of the sums of each workload; tallies: a mapping for each candidate."""
    whole = Traffic()
    for one in traffic.values():
        whole.add(one)
    choices = []
    for candidate, workloads in zip(candidates, tallies, strict=True):
        total = sum_of(workloads.values())
        notes = notes_of(candidate, total, whole, repricer, span.ends_at)
        choices.append(Choice(candidate, total, workloads, notes))
    choices.sort(key=_cheapest_first)
    return Answer(by, repricer.at, span, whole, traffic, choices)


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """The tally of all."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def left_out_rows(tally: Tally) -> list[dict[str, Any]]:
    """What cannot carry over, the most calls first."""
    ranked: list[tuple[Reason, LeftOut]] = sorted(
        tally.left_out.items(), key=lambda pair: (-pair[1].calls, pair[0])
    )
    return [
        {
            "reason": reason.code,
            "detail": reason.detail,
            "calls": one.calls,
            "billed_usd": usd(one.billed_picos, one.billed_calls),
        }
        for reason, one in ranked
    ]


def usd(picos: int, calls: int) -> Decimal | None:
    """An amount over so many calls; None over none."""
    return decimal_from_picos(picos) if calls else None


def percent(one: Comparison) -> Decimal | None:
    """What is saved of what was paid before, to a hundredth of a percent; None where nothing was."""
    if not one.before_picos:
        return None
    return Decimal(divide_half_even(10_000 * _saved(one), one.before_picos)) / 100


def _saved(one: Comparison) -> int:
    return one.before_picos - one.after_picos


def _cheapest_first(choice: Choice) -> tuple[Any, ...]:
    total = choice.total
    for one in (total.same_prices, total.billed):
        if one.before_picos:
            return 0, Fraction(one.after_picos, one.before_picos), -total.calls, choice.candidate.name
    return (1 if total.calls else 2), Fraction(total.cost_picos), -total.calls, choice.candidate.name
