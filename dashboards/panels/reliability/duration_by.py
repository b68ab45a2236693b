"""The 95th percentile of duration over time, a line for each group."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import IS_WAITED_FOR, LEFT_OUT, percentile_ms

PANEL = Panel(
    name="duration-by",
    title="Whose calls took longer?",
    description=(
        "Duration within which 95 of 100 calls ended, a line for each of the six groups with the most "
        f"calls that state it. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=90,
    width=6,
    height=7,
    sql=f"""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen AND {IS_WAITED_FOR}
    GROUP BY name
    HAVING sum(duration_calls) > 0
    ORDER BY sum(duration_calls) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    @by AS name,
    {percentile_ms(95, "duration")} AS p95_ms,
    sum(duration_calls) AS measured_calls
FROM @usage
WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND duration_calls > 0 AND @by IN (SELECT name FROM largest)
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
        Field("measured_calls", "Calls that state it", Unit.CALLS),
    ),
)
