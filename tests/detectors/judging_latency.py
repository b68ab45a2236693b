"""Simulated fleets in which answers are made slow, and what the detector of latency made of them.

The fleet's own story plants no slow answers, so the minutes of a fleet are changed: what calls of a scope took is
stretched while a plan lasts, as a slow vendor would.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from producers.simulation import Story
from producers.simulation.models import MODELS
from streams.detectors.call_times import bucket_ms
from streams.detectors.failures import LEARNT_FROM_MINUTES
from streams.detectors.incidents import Incidents
from streams.detectors.latency import Latency
from streams.detectors.minute import GroupRow, TenantMinute
from streams.groups import EPOCH, MINUTE
from streams.histogram import bucket_of, quantile
from streams.windows import GroupSums
from tests.detectors.feeding import Feed
from tokenweir.signals import Signal
from tokenweir.usage.event import TOKEN_FIELDS

_INPUT: Final = TOKEN_FIELDS.index("input_tokens")
_OUTPUT: Final = TOKEN_FIELDS.index("output_tokens")
_BATCH: Final = "batch"
_LATE: Final = timedelta(minutes=20)
_APART: Final = 12 * 60
_LEAST_CALLS: Final = 25
_LEAST_OUTPUT_TOKENS: Final = 100
_SINGLE_SHARE: Final = 0.75
_SHOWS: Final = 1.4


class Slowed(NamedTuple):
    """Calls that are made slow. scope: names of fields and values. ttft, output: times as long for either part."""

    scope: dict[str, str]
    begins: int
    ends: int
    ttft: float = 1.0
    output: float = 1.0

    def holds(self, minute: int, row: GroupRow) -> bool:
        """Whether a row is meant."""
        return self.begins <= minute < self.ends and all(
            row.names[field] == value for field, value in self.scope.items()
        )


class Judged(NamedTuple):
    """planted: what had to be found. delays_seconds: of what was, from begin to signal. wrong: all others."""

    planted: int
    delays_seconds: list[float]
    wrong: list[Signal]
    missed: list[Slowed]


def slower(minutes: Iterable[TenantMinute], plans: Sequence[Slowed]) -> Iterator[TenantMinute]:
    """The minutes with the plans carried out; late rows, too."""
    for minute in minutes:
        if any(plan.begins <= minute.minute < plan.ends + _APART for plan in plans):
            yield minute._replace(
                rows=[_slower(minute.minute, row, plans) for row in minute.rows],
                late=[(its, _slower(its, row, plans)) for its, row in minute.late],
            )
        else:
            yield minute


def plans_of(feed: Feed, seed: int, count: int = 8) -> list[Slowed]:
    """So many plans, none near another nor near an outage of the story, each where there is traffic to see it by."""
    dice = Random(f"latency {seed}")
    outages = [
        (_minute(one.started_at) - _APART, _minute(one.ended_at) + _APART)
        for one in feed.story.of_kind("vendor_outage")
    ]
    first, last = _minute(feed.story.started_at) + 5 * LEARNT_FROM_MINUTES, _minute(feed.story.ended_at)
    by_minute = {one.minute: one.rows for one in feed.arrived}
    plans: list[Slowed] = []
    if last - 4 * 60 <= first:
        return plans
    for _ in range(5_000):
        if len(plans) == count:
            break
        begins = dice.randrange(first, last - 4 * 60)
        length, ttft, output = dice.choice(
            ((40, 3.0, 1.0), (180, 1.0, 2.0), (90, 2.5, 2.5), (60, 6.0, 1.0), (240, 1.7, 1.7))
        )
        fields = dice.choice((("vendor",), ("vendor", "model"), ("vendor", "region")))
        taken = [*outages, *((plan.begins - _APART, plan.ends + _APART) for plan in plans)]
        if any(begins < until and begins + length > since for since, until in taken):
            continue
        rows = [row for minute in range(begins, begins + length) for row in by_minute.get(minute, ())]
        rows = [
            row for row in rows if row.names["service_tier"] != _BATCH and row.names["operation"] == "chat"
        ]
        if not rows:
            continue
        chosen = dice.choice(rows).names
        if "region" in fields and not chosen["region"]:
            continue
        scope = {field: chosen[field] for field in fields}
        # Output that comes slowly shows in what is written at length.
        seen_by = [row for row in rows if _is_long(row)] if ttft == 1.0 else rows
        plan = Slowed(scope, begins, begins + length, ttft, output)
        shows = _writes(scope, rows) if output > 1.0 else _waits(plan, rows)
        if _is_seen(scope, seen_by) and shows:
            plans.append(plan)
    return sorted(plans, key=lambda plan: plan.begins)


def latency_signals(
    tenant: str, minutes: Iterable[TenantMinute], detector: Latency | None = None
) -> list[Signal]:
    """All that is told."""
    detector = detector or Latency()
    incidents = Incidents(tenant)
    return [signal for minute in minutes for signal in incidents.tick(minute, detector.observe(minute))]


def judge_latency(story: Story, plans: Sequence[Slowed], signals: Iterable[Signal]) -> Judged:
    """Found is what is opened at the planned level, or comes to it, while it lasts; each plan counts once.

    The delay is that until it is told at the planned level. Wrong is what is opened and never comes to a planned one.
    """
    signals = [signal for signal in signals if signal.kind == "latency"]
    openings = [signal for signal in signals if signal.state == "open"]
    telling = [signal for signal in signals if signal.state != "resolved"]
    delays: list[float] = []
    right: set[str] = set()
    missed: list[Slowed] = []
    for plan in plans:
        begins, ends = EPOCH + plan.begins * MINUTE, EPOCH + plan.ends * MINUTE
        found = next(
            (
                one
                for one in telling
                if one.incident not in right
                and one.scope == {"tenant": story.tenant, **plan.scope}
                and begins <= one.observed_at <= ends + _LATE
            ),
            None,
        )
        if found is None:
            missed.append(plan)
        else:
            right.add(found.incident)
            delays.append((found.observed_at - begins).total_seconds())
    return Judged(len(plans), delays, [one for one in openings if one.incident not in right], missed)


def _is_long(row: GroupRow) -> bool:
    return row.sums.tokens[_OUTPUT] >= _LEAST_OUTPUT_TOKENS * row.sums.calls


def _writes(scope: dict[str, str], rows: Sequence[GroupRow]) -> bool:
    """Whether its answers are long enough for their speed to be noticed."""
    inside = [row for row in rows if all(row.names[field] == value for field, value in scope.items())]
    calls = sum(row.sums.calls for row in inside)
    return sum(row.sums.tokens[_OUTPUT] for row in inside) >= _LEAST_OUTPUT_TOKENS * calls


def _waits(plan: Slowed, rows: Sequence[GroupRow]) -> bool:
    """Whether half of its calls are seen to take longer: they stream, or their answers are short."""
    calls = seen = 0
    for row in rows:
        if all(row.names[field] == value for field, value in plan.scope.items()):
            calls += row.sums.calls
            longer = _stretched(row.names, _copy(row.sums), plan.ttft, plan.output)
            before, after = (quantile(sums.durations, 0.5) or 0.0 for sums in (row.sums, longer))
            seen += row.sums.calls if row.sums.ttfts or after >= _SHOWS * before else 0
    return 2 * seen >= calls


def _is_seen(scope: dict[str, str], rows: Sequence[GroupRow]) -> bool:
    """Whether enough calls of it are made, by several workloads, and not nearly all of them in something narrower."""
    inside = [row for row in rows if all(row.names[field] == value for field, value in scope.items())]
    calls = sum(row.sums.calls for row in inside)
    if calls < _LEAST_CALLS:
        return False
    for fields in (("team", "service", "environment"), ("model",), ("region",)):
        parts: Counter[tuple[str, ...]] = Counter()
        for row in inside:
            parts[tuple(row.names[field] for field in fields)] += row.sums.calls
        if max(parts.values()) > _SINGLE_SHARE * calls and fields[0] not in scope:
            only = {row.names[fields[0]] for row in inside}
            # A region that is all that a vendor has is the vendor.
            if fields != ("region",) or len(only) > 1:
                return False
    vendor = [row for row in rows if row.names["vendor"] == scope["vendor"]]
    others = sum(row.sums.calls for row in vendor) - calls
    return len(scope) == 1 or others >= _LEAST_CALLS // 3


def _slower(minute: int, row: GroupRow, plans: Sequence[Slowed]) -> GroupRow:
    for plan in plans:
        if plan.holds(minute, row) and row.names["service_tier"] != _BATCH:
            return GroupRow(row.names, _stretched(row.names, _copy(row.sums), plan.ttft, plan.output))
    return row


def _copy(sums: GroupSums) -> GroupSums:
    copied = GroupSums()
    copied.merge(sums)
    return copied


def _stretched(names: object, sums: GroupSums, ttft: float, output: float) -> GroupSums:
    """The first token comes `ttft` times as late, and what follows takes `output` times as long. Changes the sums.

    Of calls that do not stream, the first token is taken to come when it usually does at their model.
    """
    habits = MODELS[f"{names['vendor']}/{names['model']}"]  # type: ignore[index]
    input_tokens = sums.tokens[_INPUT] / max(1, sums.calls)
    first = quantile(sums.ttfts, 0.5) or habits.ttft_ms * (1 + input_tokens / 60_000)
    longer: Counter[int] = Counter()
    for bucket, count in sums.durations.items():
        taken = bucket_ms(bucket)
        its_first = min(first, taken)
        longer[bucket_of(its_first * ttft + (taken - its_first) * output)] += count
    failed = sums.calls - sums.statuses["ok"]
    if failed < sums.calls:
        sums.durations = dict(longer)
    moved = round(16 * math.log2(ttft))
    sums.ttfts = {bucket + moved: count for bucket, count in sums.ttfts.items()}
    return sums


def _minute(at: datetime) -> int:
    return (at - EPOCH) // MINUTE
