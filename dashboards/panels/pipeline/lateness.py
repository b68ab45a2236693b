"""How long after a minute was over something was still written to it."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

_BOUNDS = "[60, 300, 900, 3600, 21600, 86400, 604800, 2592000, 31536000]"

PANEL = Panel(
    name="lateness",
    title="How late does the last report come?",
    description=(
        "The minutes of each step of time by how long after their end something was last written to them, up to the "
        "bound of each bucket: a report that is late, or read from a file, a correction, or a new price. Nothing that "
        "is chosen narrows it."
    ),
    kind=Kind.HEATMAP,
    place=70,
    width=6,
    height=7,
    sql=f"""
SELECT
    @step AS time,
    arrayFirst(bound -> bound >= late, {_BOUNDS}) AS bucket,
    count() AS minutes
FROM
(
    SELECT
        tenant,
        minute AS begin_of_minute,
        begin_of_minute AS @at,
        least(31536000, greatest(0, dateDiff('second', begin_of_minute + INTERVAL 1 MINUTE, max(marked_at)))) AS late
    FROM @ledger.minutes
    WHERE minute >= @since AND minute < @until
    GROUP BY tenant, minute
)
GROUP BY time, bucket
ORDER BY time, bucket
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("bucket", "Up to", Unit.SECONDS),
        Field("minutes", "Minutes", Unit.COUNT),
    ),
)
