"""How many incidents opened in the period, and how long those that are over went on."""

from dashboards.panels.incident_sql import BEGAN
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="opened",
    title="How many incidents opened?",
    description=(
        "Those that were first seen in the period, beside those of the period before. The median is how long the ones "
        "that are over went on, from when they began; what begins and ends in one moment, such as a price that "
        "moves, is not in it."
    ),
    kind=Kind.STAT,
    place=20,
    width=3,
    height=3,
    sql=f"""
SELECT
    countIf(opened_at >= @since) AS opened,
    countIf(opened_at < @since) AS opened_before,
    countIf(opened_at >= @since AND state = 'resolved') AS resolved,
    if(countIf(opened_at >= @since AND resolved_at > opened_at) = 0, NULL,
        quantileExactIf(0.5)(
            dateDiff('second', {BEGAN}, assumeNotNull(resolved_at)), opened_at >= @since AND resolved_at > opened_at)
    ) AS median_seconds
FROM @ledger.incidents
WHERE opened_at >= @since - (toUnixTimestamp(@until) - toUnixTimestamp(@since)) AND opened_at < @until
    AND @chosen_scope
""",
    fields=(
        Field("opened", "Opened", Unit.COUNT),
        Field("opened_before", "Period before", Unit.COUNT),
        Field("resolved", "Over again", Unit.COUNT),
        Field("median_seconds", "Median length", Unit.SECONDS),
    ),
)
