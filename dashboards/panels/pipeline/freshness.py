"""How old the newest call of the ledger is."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="freshness",
    title="Is the ledger behind?",
    description=(
        "How long ago the newest call ended that the ledger has, and when a call of the last hour was last metered. "
        "Where the last hour has none it is told by the hour, up to seven days back. Kafka's own lag is not in the "
        "ledger; `weir doctor` tells it."
    ),
    kind=Kind.STAT,
    place=10,
    width=3,
    height=3,
    thresholds=(Threshold(0, "good"), Threshold(120, "warning"), Threshold(900, "bad")),
    sql="""
WITH last_hour AS
(
    SELECT count() AS hour_calls, max(time) AS newest, max(metered_at) AS metered
    FROM @ledger.usage
    WHERE time > @now - INTERVAL 1 HOUR AND time <= @now + INTERVAL 1 HOUR AND @chosen
),
last_week AS
(
    SELECT maxOrNull(hour) AS newest_hour
    FROM @ledger.usage_by_hour
    WHERE hour > @now - INTERVAL 7 DAY AND hour <= @now AND @chosen
)
SELECT
    if(isNull(newest_at), NULL, greatest(0, dateDiff('second', newest_at, toDateTime64(@now, 6, 'UTC'))))
        AS behind_seconds,
    if(hour_calls > 0, newest, toDateTime64(newest_hour, 6, 'UTC')) AS newest_at,
    if(hour_calls > 0, metered, NULL) AS metered_newest_at,
    hour_calls
FROM last_hour
CROSS JOIN last_week
""",
    fields=(
        Field("behind_seconds", "Newest call, ago", Unit.SECONDS),
        Field("newest_at", "Newest call", Unit.TIME),
        Field("metered_newest_at", "Last metered", Unit.TIME),
        Field("hour_calls", "Calls in the last hour", Unit.CALLS),
    ),
)
