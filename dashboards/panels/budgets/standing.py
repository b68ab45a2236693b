"""How each budget stands."""

from dashboards.panels.budget_sql import REST, STANDING
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="standing",
    title="How do the budgets stand?",
    description=(
        "Each budget in the period that is now, the fullest first: what is spent, exactly; how much of the period is "
        "over; and what it will come to, the hours to come at the mean of the same hours of the week in the last 28 "
        "days (empty before a whole week is known). A budget that names no tenant stands once for each. Calls without "
        "a price count in no budget."
    ),
    kind=Kind.TABLE,
    place=10,
    width=12,
    height=7,
    sql=f"""
SELECT
    s.name AS budget,
    s.tenant AS tenant,
    s.period AS period,
    s.spent_usd AS usd,
    s.amount_usd AS usd_budget,
    s.percent AS spent_percent,
    100 * least(1, dateDiff('second', s.period_start, @now) / dateDiff('second', s.period_start, s.period_end))
        AS over_percent,
    s.spent_usd + r.usd_rest AS usd_period_end,
    100 * toFloat64(usd_period_end) / toFloat64(s.amount_usd) AS forecast_percent,
    s.remaining_usd AS usd_left,
    s.period_end AS ends,
    s.unpriced_calls AS without_price
FROM ({STANDING}) AS s
LEFT JOIN ({REST}) AS r ON r.name = s.name AND r.tenant = s.tenant
WHERE s.period_start <= @now AND @chosen_scope
ORDER BY spent_percent DESC, budget, tenant
LIMIT 200
""",
    fields=(
        Field("budget", "Budget", Unit.TEXT),
        Field("tenant", "Tenant", Unit.TEXT, variable="tenant"),
        Field("period", "Each", Unit.TEXT),
        Field("usd", "Spent", Unit.USD),
        Field("usd_budget", "Budget", Unit.USD),
        Field("spent_percent", "Spent", Unit.PERCENT),
        Field("over_percent", "Of the period over", Unit.PERCENT),
        Field("usd_period_end", "Forecast", Unit.USD),
        Field("forecast_percent", "Forecast", Unit.PERCENT),
        Field("usd_left", "Left", Unit.USD),
        Field("ends", "Ends", Unit.TIME),
        Field("without_price", "Without a price", Unit.CALLS),
    ),
    empty="No budget is set. Write one in tokenweir.toml: docs/signals.md, Budgets.",
)
