"""How many calls a second come in."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="rate-now",
    title="How many calls come in?",
    description=(
        "Calls a second over the last ten full minutes, whatever the period; beside it the same ten minutes a day and "
        "a week before. Calls that are still on their way are missing."
    ),
    kind=Kind.STAT,
    place=20,
    width=3,
    height=3,
    sql="""
WITH toStartOfMinute(@now) AS full_until
SELECT
    sumIf(calls, minute >= full_until - INTERVAL 10 MINUTE) / 600 AS calls_per_second,
    sumIf(calls, minute >= full_until - INTERVAL 1450 MINUTE AND minute < full_until - INTERVAL 1440 MINUTE) / 600
        AS day_ago_calls_per_second,
    sumIf(calls, minute < full_until - INTERVAL 10080 MINUTE) / 600 AS week_ago_calls_per_second
FROM @ledger.usage_by_minute
WHERE @chosen
    AND (
        (minute >= full_until - INTERVAL 10 MINUTE AND minute < full_until)
        OR (minute >= full_until - INTERVAL 1450 MINUTE AND minute < full_until - INTERVAL 1440 MINUTE)
        OR (minute >= full_until - INTERVAL 10090 MINUTE AND minute < full_until - INTERVAL 10080 MINUTE)
    )
""",
    fields=(
        Field("calls_per_second", "Now", Unit.CALLS_PER_SECOND),
        Field("day_ago_calls_per_second", "A day ago", Unit.CALLS_PER_SECOND),
        Field("week_ago_calls_per_second", "A week ago", Unit.CALLS_PER_SECOND),
    ),
)
