"""The month as a whole."""

from dashboards.panels import forecast
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="month",
    title="Where is this month heading?",
    description=(
        "The calendar month in UTC, of all that is chosen: what it will come to, what is spent so far, and last month, "
        "whole and up to the same moment. The hours to come are taken to cost what the same hours of the week did in "
        "the mean of the last 28 days. Empty with less than a week of history, as is last month where the ledger lacks "
        "it."
    ),
    kind=Kind.STAT,
    place=20,
    width=5,
    height=4,
    sql=f"""
SELECT
    ifNull(any(usd_so_far), 0) AS usd_spent,
    usd_spent + any(usd_rest) AS usd,
    any(usd_last_month) AS usd_before,
    any(usd_last_month_by_now) AS usd_before_by_now,
    ifNull(any(without_price), 0) AS unpriced
FROM ({forecast.months("''")})
""",
    fields=(
        Field("usd", "Month end", Unit.USD),
        Field("usd_spent", "So far", Unit.USD),
        Field("usd_before", "Last month", Unit.USD),
        Field("usd_before_by_now", "Last month by now", Unit.USD),
        Field("unpriced", "Without a price", Unit.CALLS),
    ),
)
