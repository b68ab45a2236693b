"""Who still calls a model that is going."""

from dashboards.panels.migrations.going import DAYS_LEFT, GOING, WEEK, WEEK_SECONDS
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="still-on",
    title="Who is still on a model that goes?",
    description=(
        "The workloads that called a model in the last seven days, whatever the period, which is deprecated, has "
        "stopped, or stops within half a year; the soonest first, then the most called. Dollars are the mean of "
        "those days; failed are the calls without an answer, which a model that has stopped gives no more."
    ),
    kind=Kind.TABLE,
    place=120,
    width=12,
    height=9,
    sql=f"""
WITH {GOING},
used AS
(
    SELECT
        team,
        project,
        service,
        environment,
        vendor,
        model,
        sum(calls) AS week_calls,
        sumIf(calls, status IN ('error', 'rate_limited', 'timeout')) AS week_failed,
        sum(cost) AS week_usd,
        max(day) AS last_day
    FROM @ledger.usage_by_day
    WHERE {WEEK} AND @chosen
    GROUP BY team, project, service, environment, vendor, model
)
SELECT
    team,
    service,
    environment,
    vendor,
    model,
    {DAYS_LEFT} AS days_left,
    successor,
    week_calls,
    week_usd * 86400 / {WEEK_SECONDS} AS usd_per_day,
    100 * week_failed / week_calls AS failed_percent,
    last_day
FROM used
INNER JOIN going ON going_vendor = vendor AND going_model = model
ORDER BY retires_at ASC NULLS LAST, week_calls DESC, team, project, service, environment, vendor, model
LIMIT 500
""",
    fields=(
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("service", "Service", Unit.TEXT, variable="service"),
        Field("environment", "Environment", Unit.TEXT, variable="environment"),
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("days_left", "Days left", Unit.DAYS),
        Field("successor", "Successor", Unit.TEXT),
        Field("week_calls", "Calls in 7 days", Unit.CALLS),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("failed_percent", "Failed", Unit.PERCENT),
        Field("last_day", "Last called", Unit.DAY),
    ),
    empty="No model that is going, by the ledger's table of models, was called in the last seven days.",
)
