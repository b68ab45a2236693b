"""The share of each model in all calls, over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.variables import OTHERS

PANEL = Panel(
    name="shares",
    title="Which models do the calls go to?",
    description=(
        "The share of each model in the calls of each step of time, the seven most called ones and all others; choose "
        "a team or a service to see its cut-over. The shares of a step add up to 100."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=90,
    width=6,
    height=8,
    sql=f"""
WITH largest AS
(
    SELECT concat(vendor, '/', model) AS name
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY name
    ORDER BY sum(calls) DESC, name
    LIMIT 7
)
SELECT
    time,
    name,
    100 * all_calls / sum(all_calls) OVER (PARTITION BY time) AS share_percent,
    all_calls
FROM
(
    SELECT
        @step AS time,
        if(concat(vendor, '/', model) IN (SELECT name FROM largest), concat(vendor, '/', model), '{OTHERS}') AS name,
        sum(calls) AS all_calls
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY time, name
)
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Model", Unit.TEXT),
        Field("share_percent", "Share of calls", Unit.PERCENT),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
)
