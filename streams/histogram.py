"""Mergeable latency histograms: exponential buckets, as OpenTelemetry's exponential histogram has them.

Bucket `i` holds the values in (base^i, base^(i+1)] with base = 2^(2^-SCALE); zero has a count of its own. So two
histograms merge by adding counts, in any order and grouping, and a quantile read from one is off by at most half a
bucket's width (2.2 %).

Limits: values are milliseconds, finite and not negative.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import repeat
from operator import mul
from typing import Final, cast

SCALE: Final = 4
_PER_DOUBLING: Final = 2**SCALE
ZERO_BUCKET: Final = -(2**31)
"""Stands for the count of zeros where buckets are counted; never written."""

_log2 = math.log2
_ceil = math.ceil


def bucket_of(value_ms: float) -> int:
    """The bucket of a value; ZERO_BUCKET for zero."""
    return _ceil(_log2(value_ms) * _PER_DOUBLING) - 1 if value_ms else ZERO_BUCKET


def bucket_bounds(bucket: int) -> tuple[float, float]:
    """(above, up to), in milliseconds."""
    return 2.0 ** (bucket / _PER_DOUBLING), 2.0 ** ((bucket + 1) / _PER_DOUBLING)


def count_buckets(values_ms: Sequence[float | None]) -> dict[int, int]:
    """Counts by bucket; None is not counted."""
    values = cast("Sequence[float]", values_ms)
    if None in values_ms:
        values = [value for value in values_ms if value is not None]
    try:  # as bucket_of, all in C
        ceilings = Counter(map(_ceil, map(mul, map(_log2, values), repeat(_PER_DOUBLING))))
    except ValueError:  # there is a zero, which has no logarithm
        return Counter(map(bucket_of, values))
    return {ceiling - 1: count for ceiling, count in ceilings.items()}


def add_buckets(into: dict[int, int], other: Mapping[int, int]) -> None:
    """Add the counts of `other` to `into`."""
    for bucket, count in other.items():
        into[bucket] = into.get(bucket, 0) + count


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The value below which `share` (0 to 1) of the counted lie, in milliseconds; None where nothing is counted.

    The geometric middle of the bucket in which it falls.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted = max(1, _ceil(share * total))
    seen = 0
    middle = 0.0
    for bucket in sorted(counts):
        seen += counts[bucket]
        low, high = (0.0, 0.0) if bucket == ZERO_BUCKET else bucket_bounds(bucket)
        middle = math.sqrt(low * high)
        if seen >= wanted:
            break
    return middle
