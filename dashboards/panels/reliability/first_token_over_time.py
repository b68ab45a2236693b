"""The percentiles of time to first token over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import IS_WAITED_FOR, LEFT_OUT, percentile_ms

PANEL = Panel(
    name="first-token-over-time",
    title="When did answers begin later?",
    description=(
        "Time to the first token within which half, 95 and 99 of 100 calls of each step of time "
        f"began to answer. Few calls make high percentiles jump. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=60,
    width=6,
    height=7,
    sql=f"""
SELECT
    @step AS time,
    {percentile_ms(50, "ttft")} AS p50_ms,
    {percentile_ms(95, "ttft")} AS p95_ms,
    {percentile_ms(99, "ttft")} AS p99_ms
FROM @usage
WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND ttft_calls > 0
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
