"""Pieces of SQL about how calls went, over rows of the usage views. What cannot be told is null."""

from typing import Final, Literal

FAILED: Final = "status IN ('error', 'rate_limited', 'timeout')"
"""Calls that got no answer. One that was cancelled or filtered did what it was asked."""

FAILED_PERCENT: Final = f"if(sum(calls) = 0, NULL, 100 * sumIf(calls, {FAILED}) / sum(calls))"
LIMITED_PERCENT: Final = "if(sum(calls) = 0, NULL, 100 * sumIf(calls, status = 'rate_limited') / sum(calls))"

IS_WAITED_FOR: Final = "service_tier != 'batch'"
"""Somebody waits for the answer. Batches take up to a day, and would be all that a percentile shows."""

LEFT_OUT: Final = "Calls that do not state it are left out, and so are batches, for which nobody waits."
"""For a description."""

IS_SPOKEN: Final = f"(status = 'ok' AND duration_calls = calls AND output_tokens > 0 AND {IS_WAITED_FOR})"
"""Rows whose output tokens and seconds belong together: every call ended well and says how long it took."""

OUTPUT_SPEED: Final = (
    f"if(sumIf(duration_sum_ms, {IS_SPOKEN}) = 0, NULL, "
    f"1000 * sumIf(output_tokens, {IS_SPOKEN}) / sumIf(duration_sum_ms, {IS_SPOKEN}))"
)
"""Tokens a second of a call, from its request to its end."""

Measure = Literal["duration", "ttft"]
LEVELS: Final = (50, 90, 95, 99)
"""The percentiles that a state of the ledger can be asked for."""

_LEVELS: Final = "0.5, 0.9, 0.95, 0.99"
_DECADE: Final = (1, 2, 3, 5, 7)
_BOUNDS: Final = ", ".join(str(each * 10**power) for power in range(8) for each in _DECADE)
_POINTS: Final = ", ".join(f"0.{5 + 10 * number:03d}" for number in range(100))


def percentile_ms(percent: int, measure: Measure, condition: str = "1") -> str:
    """A percentile, one of LEVELS, of the rows that meet a condition; an estimate, null where no call states it."""
    place = LEVELS.index(percent) + 1
    return (
        f"if(sumIf({measure}_calls, {condition}) = 0, NULL, "
        f"quantilesTDigestMergeIf({_LEVELS})({measure}_quantiles_ms, {condition})[{place}])"
    )


def heat_sql(measure: Measure) -> str:
    """How many calls of each step of time took up to `bucket` milliseconds, and longer than the next lower bucket.

    The digest of a step is read at a hundred points, each of which stands for a hundredth of the calls, and the counts
    are rounded so that those of a step add up to its calls. A state says nothing but the levels it was made with;
    read as the state of another list of levels it says those, as a digest does not depend on them.
    """
    return f"""
WITH digests AS
(
    SELECT
        @step AS time,
        sum({measure}_calls) AS measured,
        finalizeAggregation(CAST(
            CAST(quantilesTDigestMergeState({_LEVELS})({measure}_quantiles_ms), 'String'),
            'AggregateFunction(quantilesTDigest({_POINTS}), Nullable(Float64))')) AS points
    FROM @usage
    WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND {measure}_calls > 0
    GROUP BY time
),
buckets AS
(
    SELECT time, bucket, any(measured) AS step_calls, count() AS hundredths
    FROM digests
    ARRAY JOIN arrayMap(ms -> arrayFirst(bound -> bound >= ms, [{_BOUNDS}]), points) AS bucket
    GROUP BY time, bucket
),
sums AS
(
    SELECT
        time,
        bucket,
        toUInt64(round(step_calls * (sum(hundredths) OVER (PARTITION BY time ORDER BY bucket)) / 100)) AS up_to
    FROM buckets
)
SELECT
    time,
    bucket,
    up_to - lagInFrame(up_to, 1, 0)
        OVER (PARTITION BY time ORDER BY bucket ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS all_calls
FROM sums
ORDER BY time, bucket
"""
