"""How fast money is being spent at the moment, beside the same hours a week ago."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="run-rate",
    title="How fast are we spending, against last week?",
    description=(
        "Dollars a day: the spend of the last 24 whole hours, and of the last 6 as if a day went on like them. Beside "
        "each stands the same time a week before. The period above does not matter here; the hour that still runs and "
        "calls without a price are not in it."
    ),
    kind=Kind.STAT,
    place=12,
    width=3,
    height=3,
    sql="""
WITH toStartOfHour(@now) AS this_hour
SELECT
    ifNull(sumIf(cost, hour >= this_hour - INTERVAL 24 HOUR), 0) AS usd_per_day,
    ifNull(sumIf(cost, hour < this_hour - INTERVAL 7 DAY), 0) AS usd_per_day_last_week,
    if(usd_per_day_last_week = 0, NULL,
        100 * (toFloat64(usd_per_day) / toFloat64(usd_per_day_last_week) - 1)) AS change_percent,
    4 * ifNull(sumIf(cost, hour >= this_hour - INTERVAL 6 HOUR), 0) AS usd_per_day_now,
    4 * ifNull(sumIf(cost, hour >= this_hour - INTERVAL 174 HOUR AND hour < this_hour - INTERVAL 7 DAY), 0)
        AS usd_per_day_now_last_week
FROM @ledger.usage_by_hour
WHERE @chosen AND hour < this_hour
    AND (hour >= this_hour - INTERVAL 24 HOUR
        OR (hour >= this_hour - INTERVAL 8 DAY AND hour < this_hour - INTERVAL 7 DAY))
""",
    fields=(
        Field("usd_per_day", "Last 24 hours", Unit.USD_PER_DAY),
        Field("usd_per_day_last_week", "A week before", Unit.USD_PER_DAY),
        Field("change_percent", "Change", Unit.PERCENT),
        Field("usd_per_day_now", "Last 6 hours", Unit.USD_PER_DAY),
        Field("usd_per_day_now_last_week", "These 6 a week before", Unit.USD_PER_DAY),
    ),
    drill_down="spend",
)
