"""How many incidents opened in the period, and how long those that are over went on."""

from dashboards.panels.incident_sql import BEGAN
from dashboards.panels.panel import Field, Kind, Panel, Unit

_IS_TIMED = (
    "(opened_at >= @since AND ifNull(resolved_at > opened_at, 0) "
    "AND kind NOT IN ('migration', 'retirement', 'price_move', 'budget'))"
)

PANEL = Panel(
    name="opened",
    title="How many incidents opened?",
    description=(
        "Those that were first seen in the period, beside those of the period before. The median is how long went on, "
        "from when it began, what somebody waits for to be over: not migrations, retirements, prices and budgets."
    ),
    kind=Kind.STAT,
    place=20,
    width=4,
    height=3,
    sql=f"""
SELECT
    countIf(opened_at >= @since) AS opened,
    countIf(opened_at < @since) AS opened_before,
    countIf(opened_at >= @since AND state = 'resolved') AS resolved,
    if(countIf({_IS_TIMED}) = 0, NULL,
        quantileExactIf(0.5)(dateDiff('second', {BEGAN}, assumeNotNull(resolved_at)), {_IS_TIMED})) AS median_seconds
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
