"""How often calls of the last hour were tried."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import FAILED

PANEL = Panel(
    name="attempts-last-hour",
    title="Do second attempts help right now?",
    description=(
        "The calls of the last hour, whatever the period, by which attempt they were: how many, how many of them "
        "failed again, and what they cost. A reporter that does not count attempts says 1."
    ),
    kind=Kind.TABLE,
    place=170,
    width=6,
    height=7,
    sql=f"""
SELECT
    attempt,
    count() AS all_calls,
    countIf({FAILED}) AS failed_calls,
    100 * failed_calls / all_calls AS failed_percent,
    if(count(cost) = 0, NULL, sum(cost)) AS usd
FROM @ledger.usage
WHERE time > @now - INTERVAL 1 HOUR AND time <= @now AND @chosen
GROUP BY attempt
ORDER BY attempt
LIMIT 20
""",
    fields=(
        Field("attempt", "Attempt", Unit.COUNT),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("failed_calls", "Failed", Unit.CALLS),
        Field("failed_percent", "Failed", Unit.PERCENT),
        Field("usd", "Spend", Unit.USD),
    ),
    empty="No call in the last hour.",
)
