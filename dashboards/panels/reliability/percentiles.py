"""How long calls take and how soon they begin to answer: the same SQL for either measure.

A call that does not state the measure is left out, and so are batches (`LEFT_OUT` says it to readers).
"""

from dashboards.panels.reliability.measures import IS_WAITED_FOR, Measure, percentile_ms


def period_percentiles_sql(measure: Measure) -> str:
    """The percentiles of a period, and the 95th of the one before."""
    return f"""
SELECT
    {percentile_ms(95, measure, "@in_period")} AS p95_ms,
    {percentile_ms(95, measure, "@before_period")} AS p95_before_ms,
    {percentile_ms(50, measure, "@in_period")} AS p50_ms,
    {percentile_ms(99, measure, "@in_period")} AS p99_ms,
    sumIf({measure}_calls, @in_period) AS measured_calls
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen AND {IS_WAITED_FOR}
"""


def percentiles_over_time_sql(measure: Measure) -> str:
    """The percentiles of each step of time."""
    return f"""
SELECT
    @step AS time,
    {percentile_ms(50, measure)} AS p50_ms,
    {percentile_ms(95, measure)} AS p95_ms,
    {percentile_ms(99, measure)} AS p99_ms
FROM @usage
WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND {measure}_calls > 0
GROUP BY time
ORDER BY time
"""


def percentile_by_group_sql(measure: Measure) -> str:
    """The 95th percentile of each step of time, for each of the six groups with the most calls that state it."""
    return f"""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen AND {IS_WAITED_FOR}
    GROUP BY name
    HAVING sum({measure}_calls) > 0
    ORDER BY sum({measure}_calls) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    @by AS name,
    {percentile_ms(95, measure)} AS p95_ms,
    sum({measure}_calls) AS measured_calls
FROM @usage
WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND {measure}_calls > 0 AND @by IN (SELECT name FROM largest)
GROUP BY time, name
ORDER BY time, name
"""
