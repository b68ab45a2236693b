"""Spend over time, stacked by what the reader chose."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="spend-over-time",
    title="When was it spent, and by whom?",
    description=(
        "Each bar is one step of time; its parts are the six largest groups and all others together. The bars add up "
        "to the spend of the period."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=20,
    width=12,
    height=9,
    sql="""
WITH largest AS
(
    SELECT @by AS name
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY name
    ORDER BY sum(cost) DESC NULLS LAST, sum(calls) DESC, name
    LIMIT 6
)
SELECT
    @step AS time,
    if(@by IN (SELECT name FROM largest), @by, 'all others') AS name,
    ifNull(sum(cost), 0) AS usd,
    sum(calls) AS all_calls,
    sum(input_tokens) + sum(output_tokens) AS tokens
FROM @usage
WHERE @in_period AND @chosen
GROUP BY time, name
ORDER BY time, usd DESC, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("usd", "Spend", Unit.USD),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("tokens", "Tokens", Unit.TOKENS),
    ),
)
