"""The first figure: what was spent in the period, and in the one before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="spend",
    title="What did we spend?",
    description=(
        "The cost of all calls of the period that have a price, each call once. Beside it the period of the same "
        "length right before, and the calls without a price, which are in no sum."
    ),
    kind=Kind.STAT,
    place=10,
    width=3,
    height=3,
    sql="""
SELECT
    if(sumIf(calls, @in_period) = sumIf(unpriced_calls, @in_period) AND sumIf(calls, @in_period) > 0,
        NULL, ifNull(sumIf(cost, @in_period), 0)) AS usd,
    ifNull(sumIf(cost, @before_period), 0) AS usd_before,
    sumIf(calls, @in_period) AS all_calls,
    sumIf(unpriced_calls, @in_period) AS without_price
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
""",
    fields=(
        Field("usd", "Spend", Unit.USD),
        Field("usd_before", "Period before", Unit.USD),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("without_price", "Without a price", Unit.CALLS),
    ),
    drill_down="spend",
)
