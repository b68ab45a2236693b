"""How many workloads moved, and how far they are."""

from dashboards.panels.migrations.moves import MOVES
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="moving",
    title="How many workloads move to another model?",
    description=(
        "Migrations that were followed at some time of the period. A workload is what a team, a project, a service, an "
        "environment and an operation name together; a move lasts, so a fallback during an outage is none."
    ),
    kind=Kind.STAT,
    place=10,
    width=3,
    height=3,
    sql=f"""
WITH {MOVES}
SELECT
    count() AS migrations,
    countIf(stage IN ('started', 'half-way')) AS under_way,
    countIf(stage = 'complete') AS complete,
    countIf(stage = 'reversed') AS reversed
FROM moves
""",
    fields=(
        Field("migrations", "Migrations", Unit.COUNT),
        Field("under_way", "Under way", Unit.COUNT),
        Field("complete", "Complete", Unit.COUNT),
        Field("reversed", "Gone back", Unit.COUNT),
    ),
)
