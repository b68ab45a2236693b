"""Models that were called for the first time in the period."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="new-models",
    title="Which models are new here?",
    description=(
        "Models whose first call in the ledger, of what is chosen, lies in the period, the newest first, and what has "
        "been asked of them since. On the ledger's own first day everything is new; that day is left out. A dated "
        "name and its plain one are two."
    ),
    kind=Kind.TABLE,
    place=130,
    width=12,
    height=7,
    sql="""
SELECT
    vendor,
    model,
    min(day) AS first_day,
    sum(calls) AS all_calls,
    sum(cost) AS usd,
    sum(unpriced_calls) AS without_price,
    uniqExact((tenant, team, project, service, environment)) AS workloads,
    argMin(team, (day, team)) AS first_team
FROM @ledger.usage_by_day
WHERE day < @until AND @chosen
GROUP BY vendor, model
HAVING first_day >= toStartOfDay(@since) AND first_day > (SELECT min(day) FROM @ledger.usage_by_day)
ORDER BY first_day DESC, all_calls DESC, vendor, model
LIMIT 200
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("first_day", "First called", Unit.DAY),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("usd", "Spend", Unit.USD),
        Field("without_price", "Without a price", Unit.CALLS),
        Field("workloads", "Workloads", Unit.COUNT),
        Field("first_team", "First team", Unit.TEXT, variable="team"),
    ),
    empty="No model was called for the first time in this period.",
)
