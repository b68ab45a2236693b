"""Who reported the calls of the last hour."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="sources",
    title="Who reports right now?",
    description=(
        "The calls of the last hour, whatever the period, by who reported what is known of them, and how long ago the "
        "newest ended. Where two report one call, the fuller report is kept, and only it is seen here."
    ),
    kind=Kind.TABLE,
    place=130,
    width=6,
    height=6,
    sql="""
SELECT
    source,
    count() AS hour_calls,
    uniqExact((tenant, team, project, service, environment)) AS workloads,
    max(time) AS newest_at,
    greatest(0, dateDiff('second', newest_at, toDateTime64(@now, 6, 'UTC'))) AS ago_seconds
FROM @ledger.usage
WHERE time > @now - INTERVAL 1 HOUR AND time <= @now AND @chosen
GROUP BY source
ORDER BY hour_calls DESC, source
LIMIT 100
""",
    fields=(
        Field("source", "Reported by", Unit.TEXT),
        Field("hour_calls", "Calls", Unit.CALLS),
        Field("workloads", "Workloads", Unit.COUNT),
        Field("newest_at", "Newest", Unit.TIME),
        Field("ago_seconds", "Ago", Unit.SECONDS),
    ),
    empty="No call in the last hour.",
)
