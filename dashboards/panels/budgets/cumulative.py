"""This month day by day, on top of last month."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="cumulative",
    title="Are we ahead of last month?",
    description=(
        "What was spent from the first of the month up to the end of each day, in UTC, this month and last month on "
        "the same days. The day that runs is not over yet. Where the ledger begins within last month, its line begins "
        "there and is too low. Calls without a price are not in it."
    ),
    kind=Kind.TIMESERIES,
    place=22,
    width=7,
    height=8,
    sql="""
SELECT
    time,
    name,
    sum(day_usd) OVER (PARTITION BY name ORDER BY time) AS usd
FROM
(
    SELECT
        if(day >= toStartOfMonth(@now), 'this month', 'last month') AS name,
        toStartOfMonth(@now) + toIntervalDay(toDayOfMonth(day) - 1) AS since,
        toDateTime(since, 'UTC') AS time,
        ifNull(sum(cost), 0) AS day_usd
    FROM @ledger.usage_by_day
    WHERE day >= toStartOfMonth(@now) - INTERVAL 1 MONTH AND day <= @now AND @chosen
    GROUP BY name, since
)
ORDER BY time, name
""",
    fields=(
        Field("time", "Day", Unit.TIME),
        Field("name", "Month", Unit.TEXT),
        Field("usd", "Spent since the first", Unit.USD),
    ),
)
