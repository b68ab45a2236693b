"""What was refused over time, by reason."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="refused-over-time",
    title="When was it refused, and why?",
    description=(
        "Lines and messages that were refused, by when and by reason, each once however often it was delivered. A "
        "burst of one reason is most often one reporter that changed. Nothing that is chosen narrows it."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=90,
    width=6,
    height=7,
    sql="""
SELECT
    @step AS time,
    name,
    uniqExact(id) AS pieces
FROM
(
    SELECT toDateTime(rejected_at, 'UTC') AS @at, replaceAll(reason, '_', ' ') AS name, id
    FROM @ledger.rejected
    WHERE rejected_at >= @since AND rejected_at < @until
)
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Reason", Unit.TEXT),
        Field("pieces", "Refused", Unit.COUNT),
    ),
    empty="Nothing was refused in this period.",
)
