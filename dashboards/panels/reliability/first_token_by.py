"""The 95th percentile of time to first token over time, a line for each group."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import IS_WAITED_FOR, LEFT_OUT, percentile_ms

PANEL = Panel(
    name="first-token-by",
    title="Whose answers began later?",
    description=(
        "Time to the first token within which 95 of 100 calls began to answer, a line for each of the six groups with "
        f"the most calls that state it. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=100,
    width=6,
    height=7,
    sql=f"""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen AND {IS_WAITED_FOR}
    GROUP BY name
    HAVING sum(ttft_calls) > 0
    ORDER BY sum(ttft_calls) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    @by AS name,
    {percentile_ms(95, "ttft")} AS p95_ms,
    sum(ttft_calls) AS measured_calls
FROM @usage
WHERE @in_period AND @chosen AND {IS_WAITED_FOR} AND ttft_calls > 0 AND @by IN (SELECT name FROM largest)
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
