"""How many pieces could not be taken."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="refused",
    title="What could not be taken?",
    description=(
        "Lines and messages that were refused in the period, each once however often it was delivered, and the period "
        "before. Nothing that is chosen narrows it. They are kept, with the reason: "
        "`weir rejected`."
    ),
    kind=Kind.STAT,
    place=30,
    width=3,
    height=3,
    thresholds=(Threshold(0, "good"), Threshold(1, "warning")),
    sql="""
SELECT
    uniqExactIf(id, rejected_at >= @since) AS pieces,
    uniqExactIf(id, rejected_at < @since) AS pieces_before,
    uniqExactIf(reason, rejected_at >= @since) AS reasons,
    maxOrNullIf(rejected_at, rejected_at >= @since) AS newest_at
FROM @ledger.rejected
WHERE rejected_at >= @since - (toUnixTimestamp(@until) - toUnixTimestamp(@since)) AND rejected_at < @until
""",
    fields=(
        Field("pieces", "Refused", Unit.COUNT),
        Field("pieces_before", "Period before", Unit.COUNT),
        Field("reasons", "Reasons", Unit.COUNT),
        Field("newest_at", "Newest", Unit.TIME),
    ),
)
