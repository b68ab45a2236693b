"""Signals as annotations: what stands behind every chart over time, on the page and in Grafana.

It is made as a panel, so that it is asked as one, but it is on no board.
"""

from typing import Final

from dashboards.panels.incident_sql import ABOUT, BEGAN, IN_PERIOD, SEVERITY_RANK
from dashboards.panels.panel import Field, Kind, Panel, Unit

ANNOTATIONS: Final = Panel(
    name="annotations",
    title="What was going on?",
    description=(
        "Each incident that was open at some time of the period, from when it began until it was over, or until now. "
        "What happens in one moment, such as a price that moves, begins and ends at once. At most the 200 with the "
        "highest severity, and of those the newest."
    ),
    kind=Kind.TIMELINE,
    place=0,
    sql=f"""
SELECT
    {BEGAN} AS time,
    greatest(time, ifNull(resolved_at, toDateTime64(@now, 6, 'UTC'))) AS until,
    title,
    severity,
    kind,
    if(state = 'resolved', 'over', 'open') AS now_is,
    incident,
    {ABOUT} AS about
FROM @ledger.incidents
WHERE {IN_PERIOD}
ORDER BY {SEVERITY_RANK} DESC, time DESC, incident
LIMIT 200
""",
    fields=(
        Field("time", "Began", Unit.TIME),
        Field("until", "Until", Unit.TIME),
        Field("title", "What", Unit.TEXT),
        Field("severity", "Severity", Unit.TEXT),
        Field("kind", "Kind", Unit.TEXT),
        Field("now_is", "Now", Unit.TEXT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
        Field("about", "About", Unit.TEXT),
    ),
    drill_down="signals",
)
