"""What is said of slow calls: who, how much slower, since when, whose, and whether others and prompts are as ever.

Figures are at constant composition: what the very same calls usually take, by the model, tokens, workload and hour of
each, and quantiles of the models' usual calls, weighted as the calls are now. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from streams.detectors.call_times import DURATION, MEASURES, TTFT, coarse_quantile
from streams.detectors.detector import Condition
from streams.detectors.failure_seat import CELL_FIELDS, WORKLOAD, Series
from streams.detectors.slow_calls import Entry, Open, Timed, output_times, total
from streams.groups import EPOCH, MINUTE
from tokenweir.signals import Contributor, Severity

_QUIET_MINUTES: Final = 20
"""Slow answers come and go: what is slow again by then has not been over."""
_MOST_NAMED: Final = 5
_CRITICAL_RATIO: Final = 3.0
_CRITICAL_TRAFFIC: Final = 0.05
_LEAST_MS: Final = 100.0
"""Nobody waits for less."""
_GROWN: Final = 1.25
_SLOWER: Final = 1.25
_ENOUGH_CALLS: Final = 3
_WORKLOAD_FIELDS: Final = CELL_FIELDS[:4]
_ROUTE_FIELDS: Final = slice(len(_WORKLOAD_FIELDS), None)

Key = tuple[str, ...]


class SlowCalls(NamedTuple):
    """What is known of it.

    usual: of the vendor's routes (vendor, model, region, operation, service tier), calls by coarse bucket, by measure.
    usual_tokens: (input, output) of a usual call, by cell. other_vendors: who was called meanwhile, and whether it is
    slow. share_of_traffic: the part of the tenant's calls that usually go there.
    """

    kind: str
    open: Open
    usual: Mapping[Key, Sequence[Mapping[int, float]]]
    usual_tokens: Mapping[Key, tuple[float, float]]
    other_vendors: Sequence[tuple[str, bool]]
    share_of_traffic: float


def is_worth_telling(slow: SlowCalls) -> bool:
    """Whether a person would feel it."""
    timed = total(slow.open.cells.values(), slow.open.measure)
    return timed.calls > 0 and timed.taken_ms - timed.expected_ms >= _LEAST_MS * timed.calls


def condition_of(slow: SlowCalls) -> Condition:
    """The condition that says it."""
    one = slow.open
    series = one.series
    entries = list(one.cells.values())
    timed = total(entries, one.measure)
    ratio = timed.taken_ms / timed.expected_ms
    subject, unit, value, usual = _headline(one, timed)
    who = name_of(series)
    sentences = [
        _sentence(subject, who, value, usual, ratio),
        f"That is so since {EPOCH + one.begins * MINUTE:%H:%M} UTC, of {timed.calls} calls, "
        "against what the same calls usually take.",
        _besides(one, subject),
        _hit_most(one) if series.level != WORKLOAD else "",
        _others(one),
        f"It showed at {name_of(Series(*one.told_before[0]))} first." if one.told_before else "",
        _vendors(slow.other_vendors),
        _prompts(slow),
    ]
    is_critical = ratio >= _CRITICAL_RATIO and slow.share_of_traffic >= _CRITICAL_TRAFFIC
    severity: Severity = "critical" if is_critical else "warning"
    return Condition(
        kind=slow.kind,
        subject=subject,
        scope=series.scope,
        severity=severity,
        started_at=EPOCH + one.begins * MINUTE,
        value=value,
        baseline=usual,
        unit=unit,
        impact_usd_per_day=None,
        title=_title(subject, who, value, usual, ratio),
        explanation=" ".join(filter(None, sentences)),
        contributors=(
            Contributor(
                component="latency",
                scope=series.scope,
                text=f"{timed.calls} calls, {ratio:.1f} times the usual",
            ),
            *_workload_contributors(one),
        ),
        evidence=_evidence(slow, timed, ratio),
        quiet_minutes=_QUIET_MINUTES,
        cause="slow",
        told_before=tuple(Series(*place).scope for place in one.told_before),
    )


def name_of(series: Series) -> str:
    """`openai`, `gpt-4.1 of azure in westeurope`, `azure in westeurope`, `gpt-4.1 of azure by shop/chat`."""
    scope = series.scope
    vendor = scope.get("vendor", "")
    name = f"{scope['model']} of {vendor}" if "model" in scope else vendor
    if "region" in scope:
        name += f" in {scope['region']}"
    return f"{name} by {_workload(series.values)}" if series.level == WORKLOAD else name


def _headline(one: Open, timed: Timed) -> tuple[str, str, float, float]:
    """(subject, unit, value, usual value)."""
    if one.is_of_output:
        seconds, expected, tokens = output_times(one.cells.values())
        if seconds and expected:
            return "output_speed", "tokens/s", round(tokens / seconds, 2), round(tokens / expected, 2)
    value, usual = timed.taken_ms / timed.calls, timed.expected_ms / timed.calls
    return (
        ("output_speed" if one.is_of_output else MEASURES[one.measure]),
        "ms",
        round(value, 1),
        round(usual, 1),
    )


def _title(subject: str, who: str, value: float, usual: float, ratio: float) -> str:
    if subject == "output_speed":
        return f"{who} puts out {value:.0f} tokens a second instead of {usual:.0f}"
    what = "The first token" if subject == "ttft" else "An answer"
    return f"{what} of {who} takes {_seconds(value)} instead of {_seconds(usual)} ({ratio:.1f} times)"


def _sentence(subject: str, who: str, value: float, usual: float, ratio: float) -> str:
    if subject == "output_speed":
        return f"Calls to {who} put out {value:.0f} tokens a second, usually {usual:.0f}."
    what = "wait for their first token" if subject == "ttft" else "take"
    mean = f"{_seconds(value)} in the mean, usually {_seconds(usual)}"
    return f"Calls to {who} {what} {mean} ({ratio:.1f} times as long)."


def _besides(one: Open, subject: str) -> str:
    """What the other measures say."""
    said = []
    entries = list(one.cells.values())
    for measure, words in ((TTFT, "the first token"), (DURATION, "the whole answer")):
        timed = total(entries, measure)
        if subject != MEASURES[measure] and timed.calls:
            said.append(f"{words} takes {timed.taken_ms / timed.expected_ms:.1f} times as long")
    seconds, expected, tokens = output_times(entries)
    if subject != "output_speed" and seconds and expected:
        said.append(
            f"output comes at {tokens / seconds:.0f} tokens a second (usually {tokens / expected:.0f})"
        )
    return f"Besides, {', '.join(said)}." if said else ""


def _by_workload(one: Open) -> list[tuple[Key, int, float]]:
    """(workload, calls, ratio), those first that lose most time."""
    sums: dict[Key, list[float]] = {}
    for cell, entry in one.cells.items():
        timed = entry.timed[one.measure]
        mine = sums.setdefault(cell[: len(_WORKLOAD_FIELDS)], [0.0, 0.0, 0.0])
        mine[0] += timed.calls
        mine[1] += timed.taken_ms
        mine[2] += timed.expected_ms
    ordered = sorted(sums.items(), key=lambda item: (item[1][2] - item[1][1], item[0]))
    return [(key, int(calls), taken / expected) for key, (calls, taken, expected) in ordered if expected]


def _hit_most(one: Open) -> str:
    hit = [(key, calls, ratio) for key, calls, ratio in _by_workload(one) if ratio >= _SLOWER]
    if not hit:
        return ""
    named = ", ".join(
        f"{_workload(key)} ({calls} calls, {ratio:.1f} times)" for key, calls, ratio in hit[:_MOST_NAMED]
    )
    more = f" and {len(hit) - _MOST_NAMED} more" if len(hit) > _MOST_NAMED else ""
    return f"Hit most: {named}{more}."


def _workload_contributors(one: Open) -> list[Contributor]:
    if one.series.level == WORKLOAD:
        return []
    return [
        Contributor(
            component="latency",
            scope={field: value for field, value in zip(_WORKLOAD_FIELDS, key, strict=True) if value},
            text=f"{calls} calls, {ratio:.1f} times the usual",
        )
        for key, calls, ratio in _by_workload(one)[:_MOST_NAMED]
    ]


def _others(one: Open) -> str:
    vendor = one.series.scope.get("vendor", "")
    if not one.series.level:
        return ""
    timed = one.others.timed[one.measure]
    if timed.calls < _ENOUGH_CALLS:
        return f"There were hardly any other calls to {vendor} meanwhile."
    ratio = timed.taken_ms / timed.expected_ms
    if ratio < _SLOWER:
        return f"The {timed.calls} other calls to {vendor} are as fast as ever."
    return f"The {timed.calls} other calls to {vendor} take {ratio:.1f} times as long, too."


def _vendors(others: Sequence[tuple[str, bool]]) -> str:
    slow = [vendor for vendor, is_slow in others if is_slow]
    if slow:
        return f"Slow, too: {', '.join(slow[:_MOST_NAMED])}; look at your own network first."
    return "Other vendors are as fast as ever." if others else ""


def _prompts(slow: SlowCalls) -> str:
    grown = [
        kind
        for kind, ratio in zip(("Prompts", "Answers"), _token_ratios(slow), strict=True)
        if ratio >= _GROWN
    ]
    if not grown:
        return "Prompts and answers are no longer than usual."
    return f"{' and '.join(grown)} are longer than usual, which is allowed for."


def _token_ratios(slow: SlowCalls) -> tuple[float, float]:
    """Tokens of a call, input and output, to what the same workloads' calls usually have."""
    now, usual = [0.0, 0.0], [0.0, 0.0]
    for cell, entry in slow.open.cells.items():
        for kind, tokens in enumerate((entry.input_tokens, entry.output_tokens)):
            now[kind] += tokens
            usual[kind] += slow.usual_tokens.get(cell, (0.0, 0.0))[kind] * entry.calls
    return _ratio(now[0], usual[0]), _ratio(now[1], usual[1])


def _evidence(slow: SlowCalls, timed: Timed, ratio: float) -> dict[str, Any]:
    one = slow.open
    entries = list(one.cells.values())
    calls = sum(entry.calls for entry in entries)
    inputs, outputs = _token_ratios(slow)
    now_in, now_out = (
        sum(tokens) / max(1, calls)
        for tokens in ((entry.input_tokens for entry in entries), (entry.output_tokens for entry in entries))
    )
    seconds, expected, tokens = output_times(entries)
    evidence: dict[str, Any] = {
        "measure": "output_speed" if one.is_of_output else MEASURES[one.measure],
        "ratio": round(ratio, 3),
        "calls": calls,
        "timed_calls": timed.calls,
        "share_of_traffic": round(slow.share_of_traffic, 4),
        "input_tokens_per_call": {"before": _before(now_in, inputs), "after": round(now_in, 1)},
        "output_tokens_per_call": {"before": _before(now_out, outputs), "after": round(now_out, 1)},
        "other_calls_of_vendor": _other_calls(one.others, one.measure),
        "other_vendors_slow": [vendor for vendor, is_slow in slow.other_vendors if is_slow],
        "workloads": [
            {
                "scope": {field: value for field, value in zip(_WORKLOAD_FIELDS, key, strict=True) if value},
                "calls": its_calls,
                "ratio": round(its_ratio, 3),
            }
            for key, its_calls, its_ratio in _by_workload(one)[: 4 * _MOST_NAMED]
        ],
    }
    for measure, name in enumerate(MEASURES):
        its = total(entries, measure)
        if its.calls:
            before = _usual_of(slow, measure)
            evidence[f"{name}_ms"] = {
                "before": _quantiles(before, its.expected_ms / its.calls),
                "after": _quantiles(its.buckets, its.taken_ms / its.calls),
            }
    if seconds and expected:
        evidence["output_tokens_per_second"] = {
            "before": round(tokens / expected, 2),
            "after": round(tokens / seconds, 2),
        }
    return evidence


def _usual_of(slow: SlowCalls, measure: int) -> dict[int, float]:
    """What the routes' calls usually take, weighted as their calls are now."""
    weights: dict[Key, float] = {}
    for cell, entry in slow.open.cells.items():
        route = cell[_ROUTE_FIELDS]
        weights[route] = weights.get(route, 0.0) + entry.timed[measure].calls
    found: dict[int, float] = {}
    for route, weight in weights.items():
        usual = slow.usual.get(route)
        counted = sum(usual[measure].values()) if usual else 0.0
        if usual and counted:
            for bucket, count in usual[measure].items():
                found[bucket] = found.get(bucket, 0.0) + count * weight / counted
    return found


def _quantiles(buckets: Mapping[int, float], mean_ms: float) -> dict[str, float | None]:
    return {
        "p50": coarse_quantile(buckets, 0.5),
        "p95": coarse_quantile(buckets, 0.95),
        "mean": round(mean_ms, 1),
    }


def _other_calls(others: Entry, measure: int) -> dict[str, Any]:
    timed = others.timed[measure]
    return {
        "calls": timed.calls,
        "ratio": round(timed.taken_ms / timed.expected_ms, 3) if timed.expected_ms else None,
    }


def _before(now: float, ratio: float) -> float:
    return round(now / ratio, 1) if ratio else 0.0


def _ratio(now: float, usual: float) -> float:
    return now / usual if usual else 1.0


def _workload(values: Sequence[str]) -> str:
    team, _, service, environment = values[: len(_WORKLOAD_FIELDS)]
    return "/".join(filter(None, (team, service, environment))) or "a workload without a name"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 995 else f"{milliseconds / 1000:.1f} s"
