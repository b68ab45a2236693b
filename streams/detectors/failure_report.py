"""What is said of failing calls: who is hit, how many calls failed, and whether others are answered. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from streams.detectors.detector import Condition
from streams.detectors.failure_seat import WORKLOAD, Series, Tally, by_workload
from streams.detectors.failures import ERRORS, MEASURES
from tokenweir.signals import Contributor, Severity

_QUIET_MINUTES: Final = 3
_MOST_NAMED: Final = 5
_CRITICAL_SHARE: Final = 0.3
_CRITICAL_TRAFFIC: Final = 0.05


class Failing(NamedTuple):
    """What is known of it. tallies: of the whole vendor since it began. other_vendors: (calls, failed) of all others.

    share_of_traffic: the part of the tenant's calls that usually go there.
    """

    kind: str
    measure: int
    series: Series
    started_at: datetime
    usual: float
    tallies: Sequence[Tally]
    other_vendors: tuple[int, int]
    share_of_traffic: float


def condition_of(failing: Failing) -> Condition:
    """The condition that says it."""
    inside = [one for one in failing.tallies if failing.series.holds(one.cell)]
    outside = [one for one in failing.tallies if not failing.series.holds(one.cell)]
    calls, failed = sum(one.calls for one in inside), sum(one.failed for one in inside)
    share = failed / calls if calls else 0.0
    workloads = sorted(by_workload(inside).items(), key=lambda item: (-item[1][1], item[0]))
    hit = [(series, counts) for series, counts in workloads if counts[1]]
    word = "fail" if failing.measure == ERRORS else "are rate limited"
    what = _name(failing.series)
    named = ", ".join(
        f"{_workload(series)} ({its_failed} of {its_calls})"
        for series, (its_calls, its_failed) in hit[:_MOST_NAMED]
    )
    more = f" and {len(hit) - _MOST_NAMED} more" if len(hit) > _MOST_NAMED else ""
    others = (sum(one.calls for one in outside), sum(one.failed for one in outside))
    vendor = failing.series.scope.get("vendor", "")
    sentences = [
        f"{failed} of {calls} calls to {what} {word} since {failing.started_at:%H:%M} UTC ({share:.0%}; "
        f"usually {failing.usual:.1%}).",
        f"Hit most: {named}{more}." if failing.series.level != WORKLOAD else "",
        _others(f"other calls to {vendor}", others, share) if failing.series.level else "",
        _others("calls to other vendors", failing.other_vendors, share),
    ]
    severity: Severity = "warning"
    if share >= _CRITICAL_SHARE and failing.share_of_traffic >= _CRITICAL_TRAFFIC:
        severity = "critical"
    measure = MEASURES[failing.measure]
    contributors = [
        Contributor(component="errors", scope=failing.series.scope, text=f"{failed} of {calls} calls {word}")
    ]
    if failing.series.level != WORKLOAD:
        contributors += [
            Contributor(
                component="errors",
                scope=series.scope,
                text=f"{its_failed} of {its_calls} calls {word}",
            )
            for series, (its_calls, its_failed) in hit[:_MOST_NAMED]
        ]
    evidence: dict[str, Any] = {
        "measure": measure,
        "calls": calls,
        "failed_calls": failed,
        "share": round(share, 4),
        "usual_share": round(failing.usual, 5),
        "share_of_traffic": round(failing.share_of_traffic, 4),
        "other_calls_of_vendor": {"calls": others[0], "failed": others[1]},
        "other_vendors": {"calls": failing.other_vendors[0], "failed": failing.other_vendors[1]},
        "workloads": [
            {"scope": series.scope, "calls": its_calls, "failed": its_failed}
            for series, (its_calls, its_failed) in hit[: 4 * _MOST_NAMED]
        ],
    }
    return Condition(
        kind=failing.kind,
        subject=measure,
        scope=failing.series.scope,
        severity=severity,
        started_at=failing.started_at,
        value=share,
        baseline=failing.usual,
        unit="share of calls",
        impact_usd_per_day=None,
        title=f"{share:.0%} of calls to {what} {word}",
        explanation=" ".join(filter(None, sentences)),
        contributors=tuple(contributors),
        evidence=evidence,
        quiet_minutes=_QUIET_MINUTES,
    )


def _name(series: Series) -> str:
    """`openai`, `gpt-4.1 of openai in eu`, `gpt-4.1 of openai by search/indexer`."""
    scope = series.scope
    vendor = scope.get("vendor", "")
    name = f"{scope['model']} of {vendor}" if "model" in scope else vendor
    if "region" in scope:
        name += f" in {scope['region']}"
    return f"{name} by {_workload(series)}" if series.level == WORKLOAD else name


def _workload(series: Series) -> str:
    scope = series.scope
    names = [scope[field] for field in ("team", "service", "environment") if field in scope]
    return "/".join(names) or "a workload without a name"


def _others(who: str, counts: tuple[int, int], share: float) -> str:
    calls, failed = counts
    if not calls:
        return f"There were no {who} meanwhile."
    if failed * 3 <= share * calls:
        return f"The {calls} {who} are fine ({failed} failed)."
    return f"Of the {calls} {who}, {failed} failed, too."
