"""The shares of calls that failed and were turned away, a line for each group."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import FAILED, FAILED_PERCENT, LIMITED_PERCENT

PANEL = Panel(
    name="failing-by",
    title="Whose calls failed, and when?",
    description=(
        "Of the calls of each step of time, the share that got no answer, and the part of it that was turned away for "
        "its rate; a line for each of the six groups with the most failed calls. A step with few calls jumps."
    ),
    kind=Kind.TIMESERIES,
    place=120,
    width=6,
    height=7,
    sql=f"""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY name
    HAVING sumIf(calls, {FAILED}) > 0
    ORDER BY sumIf(calls, {FAILED}) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    @by AS name,
    {FAILED_PERCENT} AS failed_percent,
    {LIMITED_PERCENT} AS limited_percent,
    sumIf(calls, {FAILED}) AS failed_calls
FROM @usage
WHERE @in_period AND @chosen AND @by IN (SELECT name FROM largest)
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("failed_percent", "Failed", Unit.PERCENT),
        Field("limited_percent", "Turned away", Unit.PERCENT),
        Field("failed_calls", "Failed calls", Unit.CALLS),
    ),
    empty="No call failed in this period.",
)
