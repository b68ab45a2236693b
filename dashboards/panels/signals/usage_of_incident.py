"""What the incident's scope cost and how many calls it had, over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.signals.focus import FOCUS, IN_SCOPE, SCOPE_OF_FOCUS, WHICH

PANEL = Panel(
    name="usage-of-incident",
    title="What did it do to cost and calls?",
    description=(
        "Cost, calls and failed calls of everything in the incident's scope, over the whole period, so that before and "
        f"after can be seen. What was chosen above does not narrow it. {WHICH}"
    ),
    kind=Kind.TIMESERIES,
    place=90,
    width=5,
    height=8,
    sql=f"""
WITH {FOCUS},
    {SCOPE_OF_FOCUS}
SELECT
    @step AS time,
    ifNull(sum(cost), 0) AS usd,
    sum(calls) AS all_calls,
    sumIf(calls, status IN ('error', 'rate_limited', 'timeout')) AS failed_calls
FROM @usage
WHERE @in_period AND {IN_SCOPE}
GROUP BY time
ORDER BY time
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("usd", "Spend", Unit.USD),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("failed_calls", "Failed", Unit.CALLS),
    ),
)
