"""What is going on right now."""

from dashboards.panels.incident_sql import SEVERITY_RANK
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="open-signals",
    title="What is going on right now?",
    description=(
        "Incidents that are not over at this moment, the gravest and costliest first, whatever period is shown. "
        "Dollars a day are what each costs more, or less, than is usual as long as it goes on; empty where that is not "
        "known. Those that are about nothing that was chosen are left out."
    ),
    kind=Kind.TABLE,
    place=50,
    width=12,
    height=8,
    sql=f"""
SELECT
    severity,
    kind,
    title,
    started_at AS since,
    impact_usd_per_day AS usd_per_day,
    acknowledged_by,
    incident
FROM @ledger.open_incidents
WHERE started_at <= @now AND @chosen_scope
ORDER BY
    {SEVERITY_RANK} DESC,
    abs(impact_usd_per_day) DESC NULLS LAST,
    since DESC,
    incident
LIMIT 50
""",
    fields=(
        Field("severity", "Severity", Unit.TEXT),
        Field("kind", "Kind", Unit.TEXT),
        Field("title", "What", Unit.TEXT),
        Field("since", "Since", Unit.TIME),
        Field("usd_per_day", "Impact", Unit.USD_PER_DAY),
        Field("acknowledged_by", "Taken up by", Unit.TEXT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    drill_down="signals",
    empty="Nothing is going on: no incident is open.",
)
