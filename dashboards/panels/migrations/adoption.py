"""How many workloads call a model, over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="adoption",
    title="How many workloads use each model?",
    description=(
        "Workloads (a team's project, service and environment) that called a model in each step of time, and how many "
        "of all that called anything; a line for each of the seven models that the most workloads called."
    ),
    kind=Kind.TIMESERIES,
    place=100,
    width=6,
    height=8,
    sql="""
SELECT time, name, workloads, workloads_percent
FROM
(
    SELECT
        time,
        name,
        finalizeAggregation(users) AS workloads,
        100 * workloads / uniqExactMerge(users) OVER (PARTITION BY time) AS workloads_percent,
        uniqExactMerge(users) OVER (PARTITION BY name) AS reach
    FROM
    (
        SELECT
            @step AS time,
            concat(vendor, '/', model) AS name,
            uniqExactState((tenant, team, project, service, environment)) AS users
        FROM @usage
        WHERE @in_period AND @chosen
        GROUP BY time, name
    )
)
QUALIFY dense_rank() OVER (ORDER BY reach DESC, name) <= 7
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Model", Unit.TEXT),
        Field("workloads", "Workloads", Unit.COUNT),
        Field("workloads_percent", "Of all", Unit.PERCENT),
    ),
)
