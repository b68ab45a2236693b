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
WITH pairs AS
(
    SELECT @step AS time, concat(vendor, '/', model) AS name, (tenant, team, project, service, environment) AS workload
    FROM @usage
    WHERE @in_period AND @chosen AND calls > 0
    GROUP BY time, name, workload
),
largest AS
(
    SELECT name
    FROM pairs
    GROUP BY name
    ORDER BY uniqExact(workload) DESC, count() DESC, name
    LIMIT 7
),
everybody AS
(
    SELECT time, uniqExact(workload) AS all_workloads
    FROM pairs
    GROUP BY time
)
SELECT
    pairs.time AS time,
    pairs.name AS name,
    count() AS workloads,
    100 * workloads / any(everybody.all_workloads) AS workloads_percent
FROM pairs
INNER JOIN everybody ON everybody.time = pairs.time
WHERE pairs.name IN (SELECT name FROM largest)
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Model", Unit.TEXT),
        Field("workloads", "Workloads", Unit.COUNT),
        Field("workloads_percent", "Of all", Unit.PERCENT),
    ),
)
