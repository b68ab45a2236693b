"""The percentiles of duration over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import IS_WAITED_FOR, LEFT_OUT, percentile_ms

PANEL = Panel(
    name="duration-over-time",
    title="When did calls take longer?",
    description=(
        "Duration within which half, 95 and 99 of 100 calls of each step of time "
        f"ended. Few calls make high percentiles jump. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=50,
    width=6,
    height=7,
    sql=f"""
SELECT
    @step AS time,
    {percentile_ms(50, "duration")} AS p50_ms,
    {percentile_ms(95, "duration")} AS p95_ms,
    {percentile_ms(99, "duration")} AS p99_ms
FROM @usage
WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND duration_calls > 0
GROUP BY time
ORDER BY time
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("p50_ms", "Half within", Unit.MILLISECONDS),
        Field("p95_ms", "95 of 100", Unit.MILLISECONDS),
        Field("p99_ms", "99 of 100", Unit.MILLISECONDS),
    ),
)
