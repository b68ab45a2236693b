"""The incidents of the period as bars of time."""

from dashboards.panels.incident_sql import BEGAN, IN_PERIOD, SEVERITY_RANK, WHO
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="timeline",
    title="What was going on, and when?",
    description=(
        "A bar for each incident, from when it began until it was over, or until now, cut at the edges of the period; "
        "its colour is its severity. What happens in one moment is a mark. The 40 most severe, the newest of those."
    ),
    kind=Kind.TIMELINE,
    place=50,
    width=12,
    height=10,
    sql=f"""
SELECT *
FROM
(
    SELECT
        greatest({BEGAN}, toDateTime64(@since, 6, 'UTC')) AS time,
        greatest(time, least(ifNull(resolved_at, toDateTime64(@now, 6, 'UTC')), toDateTime64(@until, 6, 'UTC')))
            AS until,
        concat(replaceAll(kind, '_', ' '), ': ', {WHO}) AS name,
        severity,
        title,
        if(state = 'resolved', 'over', 'open') AS now_is,
        incident
    FROM @ledger.incidents
    WHERE {IN_PERIOD}
    ORDER BY {SEVERITY_RANK} DESC, {BEGAN} DESC, incident
    LIMIT 40
)
ORDER BY time, incident
""",
    fields=(
        Field("time", "Began", Unit.TIME),
        Field("until", "Until", Unit.TIME),
        Field("name", "About", Unit.TEXT),
        Field("severity", "Severity", Unit.TEXT),
        Field("title", "What", Unit.TEXT),
        Field("now_is", "Now", Unit.TEXT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    empty="No incident went on in this period.",
)
