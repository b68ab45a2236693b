"""What was spent since midnight."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="today",
    title="What did we spend today?",
    description=(
        "Since midnight UTC. Beside it yesterday up to the minute that it is now, and yesterday whole. Calls without a "
        "price are in none of them."
    ),
    kind=Kind.STAT,
    place=14,
    width=3,
    height=3,
    sql="""
WITH toStartOfDay(@now) AS today
SELECT
    ifNull(sumIf(cost, minute >= today), 0) AS usd,
    ifNull(sumIf(cost, minute < toStartOfMinute(@now) - INTERVAL 1 DAY), 0) AS usd_yesterday_by_now,
    ifNull(sumIf(cost, minute < today), 0) AS usd_yesterday,
    sumIf(calls, minute >= today) AS all_calls
FROM @ledger.usage_by_minute
WHERE minute >= today - INTERVAL 1 DAY AND minute <= @now AND @chosen
""",
    fields=(
        Field("usd", "Today", Unit.USD),
        Field("usd_yesterday_by_now", "Yesterday by now", Unit.USD),
        Field("usd_yesterday", "Yesterday", Unit.USD),
        Field("all_calls", "Calls today", Unit.CALLS),
    ),
    drill_down="spend",
)
