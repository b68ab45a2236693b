"""The incidents of the period by kind and severity."""

from dashboards.panels.incident_sql import IN_PERIOD
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="by-kind",
    title="What kinds of things went on?",
    description=(
        "The incidents that were going on at some time of the period, by kind, and of each kind how many were at their "
        "last word critical, a warning or information."
    ),
    kind=Kind.BARS,
    stacked=True,
    place=95,
    width=5,
    height=7,
    sql=f"""
SELECT
    kind,
    countIf(severity = 'critical') AS critical,
    countIf(severity = 'warning') AS warning,
    countIf(severity = 'info') AS info
FROM @ledger.incidents
WHERE {IN_PERIOD}
GROUP BY kind
ORDER BY count() DESC, kind
""",
    fields=(
        Field("kind", "Kind", Unit.TEXT),
        Field("critical", "Critical", Unit.COUNT),
        Field("warning", "Warning", Unit.COUNT),
        Field("info", "Information", Unit.COUNT),
    ),
    empty="No incident went on in this period.",
)
