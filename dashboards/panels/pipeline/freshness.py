"""How old the newest call of the ledger is."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="freshness",
    title="Is the ledger behind?",
    description=(
        "How long ago the newest call of the last hour ended that the ledger has, and when the newest was metered. "
        "Empty where the last hour has no call. Kafka's own lag is not in the ledger; `weir doctor` tells it."
    ),
    kind=Kind.STAT,
    place=10,
    width=3,
    height=3,
    thresholds=(Threshold(0, "good"), Threshold(120, "warning"), Threshold(900, "bad")),
    sql="""
SELECT
    if(count() = 0, NULL, greatest(0, dateDiff('second', max(time), toDateTime64(@now, 6, 'UTC')))) AS behind_seconds,
    if(count() = 0, NULL, max(time)) AS newest_at,
    if(count() = 0, NULL, max(metered_at)) AS metered_newest_at,
    count() AS hour_calls
FROM @ledger.usage
WHERE time > @now - INTERVAL 1 HOUR AND time <= @now + INTERVAL 1 HOUR AND @chosen
""",
    fields=(
        Field("behind_seconds", "Newest call, ago", Unit.SECONDS),
        Field("newest_at", "Newest call", Unit.TIME),
        Field("metered_newest_at", "Last metered", Unit.TIME),
        Field("hour_calls", "Calls in the last hour", Unit.CALLS),
    ),
)
