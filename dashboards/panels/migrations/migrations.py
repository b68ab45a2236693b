"""The migrations of the period, one a row."""

from dashboards.panels.migrations.moves import MOVES
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="migrations",
    title="Who moved, from what to what, and why?",
    description=(
        "Each migration of the period, the newest first, with how much of it is done and what the calls that have "
        "moved cost a day more, or below 0 less. The likely cause is what the price book and the catalog have about "
        "that time, or that the old model failed; it is not proven. A click on an incident tells its whole story."
    ),
    kind=Kind.TABLE,
    place=60,
    width=12,
    height=10,
    sql=f"""
WITH {MOVES}
SELECT
    scope['team'] AS team,
    scope['service'] AS service,
    scope['environment'] AS environment,
    source,
    target,
    stage,
    100 * moved_share AS moved_percent,
    toUInt64(round(moved_calls_per_day)) AS calls_per_day,
    impact_usd_per_day AS usd_per_day,
    started_at AS began_at,
    JSONExtractString(evidence, 'causes', 1, 'text') AS likely_cause,
    incident
FROM moves
ORDER BY started_at DESC, incident
LIMIT 200
""",
    fields=(
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("service", "Service", Unit.TEXT, variable="service"),
        Field("environment", "Environment", Unit.TEXT, variable="environment"),
        Field("source", "From", Unit.TEXT),
        Field("target", "To", Unit.TEXT),
        Field("stage", "Stage", Unit.TEXT),
        Field("moved_percent", "Moved", Unit.PERCENT),
        Field("calls_per_day", "Calls a day", Unit.CALLS),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("began_at", "Began", Unit.TIME),
        Field("likely_cause", "Likely cause", Unit.TEXT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    empty="Nobody moved in this period.",
    drill_down="signals",
)
