"""Spend over time by any two dimensions."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="over-time",
    title="When was it spent, and on what?",
    description=(
        "Each bar is one step of time; its parts are the seven dearest pairs of the two groupings that are chosen "
        "above, and all others together. The bars add up to the spend of the period."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=10,
    width=12,
    height=9,
    sql="""
WITH largest AS
(
    SELECT @by AS name, @then_by AS then_name
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY name, then_name
    ORDER BY sum(cost) DESC NULLS LAST, sum(calls) DESC, name, then_name
    LIMIT 7
)
SELECT
    @step AS time,
    if((@by, @then_by) IN (SELECT name, then_name FROM largest),
        concat(if(@by = '', '(none)', @by), ' / ', if(@then_by = '', '(none)', @then_by)), 'all others') AS name,
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
