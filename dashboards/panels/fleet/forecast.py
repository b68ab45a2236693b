"""What the month will have cost when it is over."""

from dashboards.panels import forecast
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="forecast",
    title="What will this month cost?",
    description=(
        "The calendar month in UTC: what is spent so far, and for the hours that are left what the same hour of the "
        "same weekday cost in the mean of the last 28 days. It knows weekends and nights, not growth; a spike of these "
        "days is in it. Empty with less than a week of history, as is last month where the ledger does not hold all of "
        "it. Calls without a price are not in it."
    ),
    kind=Kind.STAT,
    place=16,
    width=3,
    height=3,
    sql=f"""
SELECT
    ifNull(any(usd_so_far), 0) AS usd_spent,
    usd_spent + any(usd_rest) AS usd,
    any(usd_rest) AS usd_to_come,
    any(usd_last_month) AS usd_before
FROM ({forecast.months("''")})
""",
    fields=(
        Field("usd", "Month end", Unit.USD),
        Field("usd_spent", "So far", Unit.USD),
        Field("usd_to_come", "Still to come", Unit.USD),
        Field("usd_before", "Last month", Unit.USD),
    ),
    drill_down="budgets",
)
