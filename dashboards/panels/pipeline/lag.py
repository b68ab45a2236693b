"""How long calls of the last hour took until they were metered."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="lag",
    title="How long does a call take to be counted?",
    description=(
        "Of the calls of the last hour, whatever the period, by the minute in which they ended: how long until half "
        "and 95 of 100 of them were metered, and the longest. What was read from a file, or replayed, took "
        "as long as it lay there. The newest minutes only have what has come so far."
    ),
    kind=Kind.TIMESERIES,
    place=60,
    width=6,
    height=7,
    sql="""
SELECT
    toStartOfMinute(time) AS time,
    quantileExact(0.5)(took) AS p50_seconds,
    quantileExact(0.95)(took) AS p95_seconds,
    max(took) AS longest_seconds,
    count() AS all_calls
FROM
(
    SELECT time, greatest(0, dateDiff('millisecond', time, metered_at)) / 1000 AS took
    FROM @ledger.usage
    WHERE time > @now - INTERVAL 1 HOUR AND time <= @now AND @chosen
)
GROUP BY time
ORDER BY time
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("p50_seconds", "Half within", Unit.SECONDS),
        Field("p95_seconds", "95 of 100 within", Unit.SECONDS),
        Field("longest_seconds", "Longest", Unit.SECONDS),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
    empty="No call in the last hour.",
)
