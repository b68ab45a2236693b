"""How fast answers are written, a line for each group."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import IS_SPOKEN, OUTPUT_SPEED

PANEL = Panel(
    name="output-speed-by",
    title="Whose answers became slower?",
    description=(
        "Output tokens a second of a call, from its request to its end, a line for each of the six groups with the "
        "most output. Only calls that ended well and say how long they took; batches are left out."
    ),
    kind=Kind.TIMESERIES,
    place=110,
    width=6,
    height=7,
    sql=f"""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen AND {IS_SPOKEN}
    GROUP BY name
    ORDER BY sum(output_tokens) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    @by AS name,
    {OUTPUT_SPEED} AS tokens_per_second
FROM @usage
WHERE @in_period AND @chosen AND {IS_SPOKEN} AND @by IN (SELECT name FROM largest)
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("tokens_per_second", "Output", Unit.TOKENS_PER_SECOND),
    ),
)
