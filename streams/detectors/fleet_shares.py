"""Where a fleet's calls go: adoption of models, vendors' shares, concentration, stickiness. Pure; for reports.

Given usage by day, workload and model, however it was summed: from the ledger or from windows. Nothing here is a
signal: that a fleet leans on one vendor is a state, often a chosen one, and it changes by migrations, each of
which is told where it happens (`streams.detectors.migration`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, TypeVar

Measure = Literal["calls", "cost_picos"]
_Name = TypeVar("_Name", str, tuple[str, str])

MODERATE_CONCENTRATION: Final = 1_000
HIGH_CONCENTRATION: Final = 1_800
"""Of 10,000. Above them, the US Department of Justice and the Federal Trade Commission call a market moderately and
highly concentrated (Merger Guidelines of 2023, 2.1, https://www.justice.gov/atr/merger-guidelines)."""


class UsageDay(NamedTuple):
    """What one workload asked of one model on one day. workload: any values that name one."""

    day: date
    workload: tuple[str, ...]
    vendor: str
    model: str
    calls: int
    cost_picos: int = 0


class Adoption(NamedTuple):
    """How far a model has spread by a day. Shares are of all calls, and of the workloads that called anything."""

    day: date
    calls: int
    call_share: float
    workloads: int
    workload_share: float


class Stickiness(NamedTuple):
    """How far workloads keep to their model from one period to the next.

    kept_share: of the workloads in both, those whose most called model is the same. kept_call_share: of the later
    period's calls in these workloads, those to a model that the workload called before. workloads: in both periods.
    """

    workloads: int
    kept_share: float | None
    kept_call_share: float | None


def vendor_shares(usage: Iterable[UsageDay], by: Measure = "calls") -> dict[str, float]:
    """Each vendor's share, 0 to 1, the largest first; empty where there is nothing."""
    sums: Counter[str] = Counter()
    for row in usage:
        sums[row.vendor] += getattr(row, by)
    return _shares(sums)


def model_shares(usage: Iterable[UsageDay], by: Measure = "calls") -> dict[tuple[str, str], float]:
    """As `vendor_shares`, by vendor and model."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in usage:
        sums[row.vendor, row.model] += getattr(row, by)
    return _shares(sums)


def concentration(shares: Mapping[_Name, float]) -> float | None:
    """The Herfindahl-Hirschman index of shares that add up to 1: 10,000 for all with one, 10,000 / n for n alike.

    None where there are no shares.
    """
    return 10_000 * sum(share**2 for share in shares.values()) if shares else None


def adoption(usage: Iterable[UsageDay], vendor: str, model: str) -> list[Adoption]:
    """The model's curve, one point for each day on which anything was called."""
    days: defaultdict[date, list[UsageDay]] = defaultdict(list)
    for row in usage:
        if row.calls:
            days[row.day].append(row)
    curve = []
    for day in sorted(days):
        rows = days[day]
        of_model = [row for row in rows if (row.vendor, row.model) == (vendor, model)]
        calls, total = sum(row.calls for row in of_model), sum(row.calls for row in rows)
        workloads, all_workloads = {row.workload for row in of_model}, {row.workload for row in rows}
        curve.append(Adoption(day, calls, calls / total, len(workloads), len(workloads) / len(all_workloads)))
    return curve


def stickiness(before: Iterable[UsageDay], after: Iterable[UsageDay]) -> Stickiness:
    """How far the workloads of two periods keep to what they called; None for shares of nothing."""
    first, second = _by_workload(before), _by_workload(after)
    both = sorted(first.keys() & second.keys())
    kept = sum(_most_called(first[name]) == _most_called(second[name]) for name in both)
    calls = sum(second[name].total() for name in both)
    kept_calls = sum(count for name in both for model, count in second[name].items() if model in first[name])
    return Stickiness(
        workloads=len(both),
        kept_share=kept / len(both) if both else None,
        kept_call_share=kept_calls / calls if calls else None,
    )


def _by_workload(usage: Iterable[UsageDay]) -> dict[tuple[str, ...], Counter[tuple[str, str]]]:
    found: defaultdict[tuple[str, ...], Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in usage:
        if row.calls:
            found[row.workload][row.vendor, row.model] += row.calls
    return dict(found)


def _most_called(calls: Counter[tuple[str, str]]) -> tuple[str, str]:
    """The first by name of those that are called most."""
    return min(calls, key=lambda model: (-calls[model], model))


def _shares(sums: Counter[_Name]) -> dict[_Name, float]:
    total = sums.total()
    if not total:
        return {}
    names: Sequence[_Name] = sorted(sums, key=lambda name: (-sums[name], name))
    return {name: sums[name] / total for name in names if sums[name]}
