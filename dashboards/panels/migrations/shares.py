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
SELECT
    time,
    if(place <= 7, model_name, '{OTHERS}') AS name,
    100 * sum(model_calls) / any(step_calls) AS share_percent,
    sum(model_calls) AS all_calls
FROM
(
    SELECT
        time,
        model_name,
        model_calls,
        sum(model_calls) OVER (PARTITION BY time) AS step_calls,
        dense_rank() OVER (ORDER BY reach DESC, model_name) AS place
    FROM
    (
        SELECT *, sum(model_calls) OVER (PARTITION BY model_name) AS reach
        FROM
        (
            SELECT @step AS time, concat(vendor, '/', model) AS model_name, sum(calls) AS model_calls
            FROM @usage
            WHERE @in_period AND @chosen
            GROUP BY time, model_name
        )
    )
)
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Model", Unit.TEXT),
        Field("share_percent", "Share of calls", Unit.PERCENT),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
)
