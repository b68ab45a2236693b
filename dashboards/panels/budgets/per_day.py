"""What each day cost, beside what such days usually cost."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="per-day",
    title="What does a day cost, and what should it?",
    description=(
        "Each day in UTC of the last 35, and the mean of the same weekday in the four weeks before it, as many of them "
        "as the ledger has; none where it has none. The day that runs is not over yet. Calls without a price are not "
        "in it."
    ),
    kind=Kind.TIMESERIES,
    place=24,
    width=12,
    height=7,
    sql="""
SELECT
    toDateTime(each, 'UTC') AS time,
    day_usd AS usd,
    if(times = 0, NULL, toDecimal128(toDecimal256(before, 12) / greatest(times, 1), 12)) AS usd_usual
FROM
(
    SELECT
        each,
        day_usd,
        sum(day_usd) OVER four AS before,
        count() OVER four AS times
    FROM
    (
        SELECT day AS each, toDayOfWeek(day) AS weekday, ifNull(sum(cost), 0) AS day_usd
        FROM @ledger.usage_by_day
        WHERE day >= toStartOfDay(@now) - INTERVAL 63 DAY AND day <= @now AND @chosen
        GROUP BY each, weekday
    )
    WINDOW four AS (PARTITION BY weekday ORDER BY each ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING)
)
WHERE each >= toStartOfDay(@now) - INTERVAL 35 DAY
ORDER BY time
""",
    fields=(
        Field("time", "Day", Unit.TIME),
        Field("usd", "Spend", Unit.USD),
        Field("usd_usual", "Usual for the weekday", Unit.USD),
    ),
)
