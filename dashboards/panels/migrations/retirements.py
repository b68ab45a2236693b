"""The models that are going and are still called."""

from dashboards.panels.migrations.going import DAYS_LEFT, GOING, WEEK, WEEK_SECONDS
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="retirements",
    title="Which models in use are going, and when?",
    description=(
        "Models called in the last seven days, whatever the period, that are deprecated, have stopped, or stop within "
        "half a year, by the catalog; the soonest first. Days left are below 0 where a model has stopped and empty "
        "where no day is known. Dollars are the mean of those seven days. What the successor would cost is "
        "what detection reckoned of the calls' tokens, where it is honest."
    ),
    kind=Kind.TABLE,
    place=110,
    width=12,
    height=8,
    sql=f"""
WITH {GOING},
used AS
(
    SELECT
        vendor,
        model,
        sum(calls) AS week_calls,
        sum(cost) AS week_usd,
        uniqExact((tenant, team, project, service, environment)) AS users
    FROM @ledger.usage_by_day
    WHERE {WEEK} AND @chosen
    GROUP BY vendor, model
),
reckoned AS
(
    SELECT
        scope['vendor'] AS for_vendor,
        scope['model'] AS for_model,
        argMax(toDecimal128OrNull(JSONExtractRaw(evidence, 'successor_usd_per_day'), 12), observed_at) AS successor_usd
    FROM @ledger.incidents
    WHERE kind = 'retirement' AND observed_at > @now - INTERVAL 30 DAY
    GROUP BY for_vendor, for_model
)
SELECT
    vendor,
    model,
    toDate(deprecated_at) AS deprecated_on,
    toDate(retires_at) AS retires_on,
    {DAYS_LEFT} AS days_left,
    successor,
    week_calls,
    week_usd * 86400 / {WEEK_SECONDS} AS usd_per_day,
    successor_usd AS successor_usd_per_day,
    users AS workloads
FROM used
INNER JOIN going ON going_vendor = vendor AND going_model = model
LEFT JOIN reckoned ON for_vendor = vendor AND for_model = model
ORDER BY retires_at ASC NULLS LAST, week_calls DESC, vendor, model
LIMIT 200
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("deprecated_on", "Deprecated", Unit.DAY),
        Field("retires_on", "Stops", Unit.DAY),
        Field("days_left", "Days left", Unit.DAYS),
        Field("successor", "Successor", Unit.TEXT),
        Field("week_calls", "Calls in 7 days", Unit.CALLS),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("successor_usd_per_day", "On the successor", Unit.USD_PER_DAY),
        Field("workloads", "Workloads", Unit.COUNT),
    ),
    empty="No model that is going, by the ledger's table of models, was called in the last seven days.",
)
