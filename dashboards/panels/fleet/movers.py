"""Which teams and services moved most."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="movers",
    title="Which teams and services moved most?",
    description=(
        "Dollars of the period against the period of the same length right before, the largest change first, up or "
        "down. No percent stands where nothing was spent before. Calls without a price are counted beside it."
    ),
    kind=Kind.TABLE,
    place=30,
    width=7,
    height=8,
    sql="""
SELECT
    team,
    service,
    ifNull(sumIf(cost, @in_period), 0) AS usd,
    ifNull(sumIf(cost, @before_period), 0) AS usd_before,
    usd - usd_before AS usd_change,
    if(usd_before = 0, NULL, 100 * toFloat64(usd_change) / toFloat64(usd_before)) AS change_percent,
    sumIf(unpriced_calls, @in_period) AS without_price
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
GROUP BY team, service
HAVING usd_change != 0
ORDER BY abs(usd_change) DESC, team, service
LIMIT 15
""",
    fields=(
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("service", "Service", Unit.TEXT, variable="service"),
        Field("usd", "Spend", Unit.USD),
        Field("usd_before", "Period before", Unit.USD),
        Field("usd_change", "Change", Unit.USD),
        Field("change_percent", "Change", Unit.PERCENT),
        Field("without_price", "Without a price", Unit.CALLS),
    ),
    drill_down="spend",
    empty="Nothing moved: the same was spent as in the period before.",
)
