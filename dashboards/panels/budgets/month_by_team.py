"""Each team's month: so far, at its end, and the month before."""

from dashboards.panels import forecast
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="month-by-team",
    title="What will each team's month cost?",
    description=(
        "The calendar month in UTC: what is spent so far, and with what is still to come; the hours that are left are "
        "taken to cost what the same hour of the same weekday cost in the mean of the last 28 days. A team with less "
        "than a week of history has no forecast. Last month stands whole and up to the same day and hour, where the "
        "ledger holds all of it."
    ),
    kind=Kind.TABLE,
    place=30,
    width=12,
    height=9,
    sql=f"""
SELECT
    name AS team,
    usd_so_far,
    usd_so_far + usd_rest AS usd_month_end,
    usd_last_month,
    usd_last_month_by_now,
    if(usd_last_month = 0, NULL, 100 * (toFloat64(usd_month_end) / toFloat64(usd_last_month) - 1)) AS change_percent,
    without_price
FROM ({forecast.months("team")})
ORDER BY usd_month_end DESC NULLS LAST, usd_so_far DESC, team
LIMIT 100
""",
    fields=(
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("usd_so_far", "So far", Unit.USD),
        Field("usd_month_end", "Month end", Unit.USD),
        Field("usd_last_month", "Last month", Unit.USD),
        Field("usd_last_month_by_now", "Last month by now", Unit.USD),
        Field("change_percent", "Month end against last month", Unit.PERCENT),
        Field("without_price", "Without a price", Unit.CALLS),
    ),
    drill_down="spend",
)
