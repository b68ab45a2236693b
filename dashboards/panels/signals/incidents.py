"""The incidents of the period, one a row."""

from dashboards.panels.incident_sql import ABOUT, BEGAN, IN_PERIOD
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="incidents",
    title="Which incidents were there?",
    description=(
        "Every incident that was going on at some time of the period, as its last signal left it; what is open comes "
        "first, then the newest. Dollars a day are what it costs more than is usual, or, of a retirement, what is "
        "spent on the model that goes; empty where nobody knows. A click on an incident has the board tell of it."
    ),
    kind=Kind.TABLE,
    place=60,
    width=12,
    height=10,
    sql=f"""
SELECT
    severity,
    kind,
    title,
    {ABOUT} AS about,
    multiIf(state = 'resolved', 'over', acknowledged_by != '', concat('taken up by ', acknowledged_by), 'open')
        AS now_is,
    {BEGAN} AS began_at,
    opened_at AS seen_at,
    resolved_at AS over_at,
    impact_usd_per_day AS usd_per_day,
    signals AS told_times,
    incident
FROM @ledger.incidents
WHERE {IN_PERIOD}
ORDER BY state != 'resolved' DESC, opened_at DESC, incident
LIMIT 500
""",
    fields=(
        Field("severity", "Severity", Unit.TEXT),
        Field("kind", "Kind", Unit.TEXT),
        Field("title", "What", Unit.TEXT),
        Field("about", "About", Unit.TEXT),
        Field("now_is", "Now", Unit.TEXT),
        Field("began_at", "Began", Unit.TIME),
        Field("seen_at", "First seen", Unit.TIME),
        Field("over_at", "Over", Unit.TIME),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("told_times", "Signals", Unit.COUNT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    empty="No incident went on in this period.",
    drill_down="signals",
)
