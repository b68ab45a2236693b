"""The times of a group's calls in a minute: how many were timed, how long they took, and what they asked. Pure.

Calls that failed are not answers, and how long they took says nothing about how fast answers come: time-outs are taken
for the longest, and errors and calls turned away for the shortest, and so left out. Where more than FAILED_SHARE of a
group's calls failed, its durations are left out whole: that is the matter of `streams.detectors.errors`. A time to
first token is stated by calls that stream, and so only by calls that were answered.

Limit: tokens are the group's, so streamed calls are taken to ask what the group's other calls ask.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from streams.detectors.token_relation import Amounts
from streams.histogram import ZERO_BUCKET, quantile
from streams.windows import GroupSums
from tokenweir.usage.event import TOKEN_FIELDS

TTFT: Final = 0
DURATION: Final = 1
MEASURES: Final = ("ttft", "duration")

FAILED_SHARE: Final = 0.1

_INPUT: Final = TOKEN_FIELDS.index("input_tokens")
_CACHED: Final = TOKEN_FIELDS.index("cache_read_tokens")
_OUTPUT: Final = TOKEN_FIELDS.index("output_tokens")
_REASONING: Final = TOKEN_FIELDS.index("reasoning_tokens")
_LEAST_MS: Final = 0.5
_COARSE: Final = 2
"""Of four neighbouring buckets one is made: within a fifth of the value."""


class CallTimes(NamedTuple):
    """Answered calls. counts: timed calls by MEASURES. amounts: of one call, by measure. tokens: input and output."""

    calls: int
    counts: tuple[int, int]
    amounts: tuple[Amounts, Amounts]
    tokens: tuple[int, int]


@cache
def bucket_ms(bucket: int) -> float:
    """The middle of a bucket of `streams.histogram`; zeros count as half a millisecond, as they have no logarithm."""
    return _LEAST_MS if bucket == ZERO_BUCKET else max(_LEAST_MS, quantile({bucket: 1}, 0.5) or 0.0)


def call_times(sums: GroupSums) -> CallTimes | None:
    """The timed calls of a minute; None where none was answered and timed."""
    calls = sums.calls
    statuses: Any = sums.statuses
    durations = sum(sums.durations.values())
    ttfts = sum(sums.ttfts.values())
    if len(statuses) > 1 or "ok" not in statuses:
        failed = _failed(statuses)
        calls -= failed
        if failed:
            durations = durations - failed if failed <= FAILED_SHARE * sums.calls else 0
        ttfts = min(calls, ttfts)
    if calls <= 0 or (ttfts <= 0 and durations <= 0):
        return None
    tokens = sums.tokens
    per_call = 1 / (1000 * calls)
    cached = tokens[_CACHED] * per_call
    fresh = max(0.0, tokens[_INPUT] * per_call - cached)
    return CallTimes(
        calls,
        (ttfts, max(0, durations)),
        (
            (1.0, fresh, cached, tokens[_REASONING] * per_call),
            (1.0, fresh, cached, tokens[_OUTPUT] * per_call),
        ),
        (tokens[_INPUT], tokens[_OUTPUT]),
    )


def answered_durations(sums: GroupSums) -> Mapping[int, int]:
    """The durations by bucket without those of calls that failed."""
    statuses: Any = sums.statuses
    if len(statuses) == 1 and "ok" in statuses:
        return sums.durations
    failed = _failed(statuses)
    if not failed:
        return sums.durations
    kept = dict(sorted(sums.durations.items()))
    _leave_out(kept, list(kept), failed - statuses["timeout"])
    _leave_out(kept, list(reversed(kept)), statuses["timeout"])
    return {bucket: count for bucket, count in kept.items() if count}


def mean_ms(buckets: Mapping[int, int], most_ms: float = math.inf) -> float:
    """The mean, with no value above `most_ms`. There are some."""
    if len(buckets) == 1:
        return min(bucket_ms(next(iter(buckets))), most_ms)
    total = count = 0.0
    for bucket, its_count in buckets.items():
        total += min(bucket_ms(bucket), most_ms) * its_count
        count += its_count
    return total / count


def add_coarsely(into: dict[int, float], buckets: Mapping[int, int], weight: float = 1.0) -> None:
    """Add counts by bucket to counts by coarse bucket."""
    for bucket, count in buckets.items():
        coarse = bucket >> _COARSE
        into[coarse] = into.get(coarse, 0.0) + count * weight


def coarse_quantile(counts: Mapping[int, float], share: float) -> float | None:
    """The value below which `share` of the counted lie, in milliseconds; None where nothing is counted."""
    total = sum(counts.values())
    if total <= 0:
        return None
    seen = 0.0
    found = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        found = bucket
        if seen >= share * total:
            break
    width = 1 << _COARSE
    middle = bucket_ms(found * width + width // 2)
    return round(middle, 3 - len(f"{middle:.0f}"))


def _failed(statuses: Any) -> int:
    failed: int = statuses["error"] + statuses["rate_limited"] + statuses["timeout"]
    return failed


def _leave_out(counts: dict[int, int], order: list[int], number: int) -> None:
    for bucket in order:
        out = min(number, counts[bucket])
        counts[bucket] -= out
        number -= out
