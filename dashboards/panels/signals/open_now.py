"""The first figure: how many incidents are open now."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="open-now",
    title="How many incidents are open now?",
    description=(
        "All that are not over, whenever they began, and how severe they are. An incident is one thing that changed, "
        "however many calls it touches."
    ),
    kind=Kind.STAT,
    place=10,
    width=4,
    height=3,
    sql="""
SELECT
    count() AS open_incidents,
    countIf(severity = 'critical') AS critical,
    countIf(severity = 'warning') AS warning,
    countIf(severity = 'info') AS info
FROM @ledger.open_incidents
WHERE started_at <= @now AND @chosen_scope
""",
    fields=(
        Field("open_incidents", "Open", Unit.COUNT),
        Field("critical", "Critical", Unit.COUNT),
        Field("warning", "Warning", Unit.COUNT),
        Field("info", "Information", Unit.COUNT),
    ),
)
