"""From which model to which the calls went."""

from dashboards.panels.migrations.moves import MOVES
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="flows",
    title="From which model to which did calls go?",
    description=(
        "The migrations of the period by the two models: how many calls a day have gone that way, what that costs "
        "more, or below 0 less, and how many workloads. Calls that moved back are in none of it."
    ),
    kind=Kind.FLOW,
    place=40,
    width=6,
    height=9,
    sql=f"""
WITH {MOVES}
SELECT
    source,
    target,
    toUInt64(round(sum(moved_calls_per_day))) AS calls_per_day,
    sum(impact_usd_per_day) AS usd_per_day,
    uniqExact(scope) AS workloads
FROM moves
WHERE stage != 'reversed'
GROUP BY source, target
HAVING calls_per_day > 0
ORDER BY calls_per_day DESC, source, target
LIMIT 30
""",
    fields=(
        Field("source", "From", Unit.TEXT),
        Field("target", "To", Unit.TEXT),
        Field("calls_per_day", "Calls a day", Unit.CALLS),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("workloads", "Workloads", Unit.COUNT),
    ),
    empty="Nobody moved in this period.",
)
