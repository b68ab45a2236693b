"""The share of calls without a price over time, a line for each vendor."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="unpriced-over-time",
    title="Since when do calls have no price?",
    description=(
        "Of the calls of each step of time, the share without a price, a line for each of the eight vendors with the "
        "most of them. A line that starts at 100 on one day is a new model, one that stays is a vendor without a price."
    ),
    kind=Kind.TIMESERIES,
    place=110,
    width=6,
    height=7,
    sql="""
WITH largest AS
(
    SELECT vendor
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY vendor
    HAVING sum(unpriced_calls) > 0
    ORDER BY sum(unpriced_calls) DESC, vendor
    LIMIT 8
)
SELECT
    @step AS time,
    vendor,
    if(sum(calls) = 0, NULL, 100 * sum(unpriced_calls) / sum(calls)) AS unpriced_percent,
    sum(unpriced_calls) AS without_price
FROM @usage
WHERE @in_period AND @chosen AND vendor IN (SELECT vendor FROM largest)
GROUP BY time, vendor
ORDER BY time, vendor
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("unpriced_percent", "Without a price", Unit.PERCENT),
        Field("without_price", "Calls", Unit.CALLS),
    ),
    empty="Every call of this period has a price.",
)
