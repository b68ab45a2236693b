"""How far each migration had got, over time."""

from dashboards.panels.migrations.moves import MOVES
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="curves",
    title="How fast did they move?",
    description=(
        "Of what each workload asked of the old model, how much was with the new one, every six hours from when the "
        "move was found. It begins above 0, as a move is found hours after it began; below 0 and above 100 are the "
        "noise of few calls. The dozen with the most calls."
    ),
    kind=Kind.TIMESERIES,
    place=50,
    width=6,
    height=9,
    sql=f"""
WITH {MOVES}
SELECT
    parseDateTime64BestEffortOrNull(JSONExtractString(point, 1), 6, 'UTC') AS time,
    concat(workload, ' → ', target) AS name,
    100 * JSONExtractFloat(point, 2) AS moved_percent
FROM
(
    SELECT workload, source, target, JSONExtractArrayRaw(evidence, 'curve') AS curve
    FROM moves
    ORDER BY moved_calls_per_day DESC, incident
    LIMIT 12
)
ARRAY JOIN curve AS point
WHERE time >= @since AND time < @until
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Migration", Unit.TEXT),
        Field("moved_percent", "Moved", Unit.PERCENT),
    ),
    empty="Nobody moved in this period.",
)
