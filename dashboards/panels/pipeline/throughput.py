"""How many calls a second there were, over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.variables import OTHERS

PANEL = Panel(
    name="throughput",
    title="How busy was it?",
    description=(
        "Calls a second in each step of time, by when they ended, each call once; the six largest groups and all "
        "others together. The step that is not over is divided by what has passed of it."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=50,
    width=12,
    height=7,
    sql=f"""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY name
    ORDER BY sum(calls) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    if(@by IN (SELECT name FROM largest), @by, '{OTHERS}') AS name,
    sum(calls) / greatest(1, least(@step_seconds, toInt64(toUnixTimestamp(@now)) - toInt64(toUnixTimestamp(time))))
        AS calls_per_second,
    sum(calls) AS all_calls
FROM @usage
WHERE @in_period AND @chosen
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("calls_per_second", "A second", Unit.CALLS_PER_SECOND),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
)
