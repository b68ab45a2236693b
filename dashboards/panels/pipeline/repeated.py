"""What was written for calls more than once, and counted once."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="repeated",
    title="What was reported more than once?",
    description=(
        "Rows that were written to the ledger, beside the calls that they come to: what is more was counted once. "
        "These are second reports of a call, fuller ones, corrections and new prices; a block that Kafka delivers "
        "again is dropped before and is not in it. By the minute of the call. Nothing that is chosen narrows it."
    ),
    kind=Kind.TIMESERIES,
    place=80,
    width=6,
    height=7,
    sql="""
SELECT
    time,
    sum(written) AS written_rows,
    sum(counted) AS all_calls,
    greatest(0, toInt64(written_rows) - toInt64(all_calls)) AS repeated_rows,
    if(written_rows = 0, NULL, 100 * repeated_rows / written_rows) AS repeated_percent
FROM
(
    SELECT @step AS time, sum(events) AS written, 0 AS counted
    FROM
    (
        SELECT minute AS begin_of_minute, begin_of_minute AS @at, sum(written_events) AS events
        FROM @ledger.minutes
        WHERE minute >= @since AND minute < @until
        GROUP BY minute
    )
    GROUP BY time
    UNION ALL
    SELECT @step AS time, 0 AS written, sum(calls) AS counted
    FROM @usage
    WHERE @in_period
    GROUP BY time
)
GROUP BY time
ORDER BY time
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("repeated_rows", "More than once", Unit.COUNT),
        Field("repeated_percent", "Of all", Unit.PERCENT),
        Field("written_rows", "Written", Unit.CALLS),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
)
