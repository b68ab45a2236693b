"""What was refused, by stage, reason and field."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="refusals",
    title="Why was it refused, and by whom?",
    description=(
        "Lines and messages that were refused in the period, by where, by reason and by the field that was wrong, each "
        "once, with the newest and what was said of it. Nothing that is chosen narrows it."
    ),
    kind=Kind.TABLE,
    place=100,
    width=12,
    height=7,
    sql="""
SELECT
    stage,
    replaceAll(reason, '_', ' ') AS why,
    field,
    topic,
    uniqExact(id) AS pieces,
    min(rejected_at) AS oldest_at,
    max(rejected_at) AS newest_at,
    argMax(substring(detail, 1, 200), (rejected_at, id)) AS example
FROM @ledger.rejected
WHERE rejected_at >= @since AND rejected_at < @until
GROUP BY stage, why, field, topic
ORDER BY pieces DESC, stage, why, field, topic
LIMIT 200
""",
    fields=(
        Field("stage", "Stage", Unit.TEXT),
        Field("why", "Reason", Unit.TEXT),
        Field("field", "Field", Unit.TEXT),
        Field("topic", "Topic", Unit.TEXT),
        Field("pieces", "Refused", Unit.COUNT),
        Field("oldest_at", "Oldest", Unit.TIME),
        Field("newest_at", "Newest", Unit.TIME),
        Field("example", "The newest says", Unit.TEXT),
    ),
    empty="Nothing was refused in this period.",
)
