"""The share of calls that failed in the period, and before."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit
from dashboards.panels.reliability.measures import FAILED

PANEL = Panel(
    name="failing",
    title="How many calls fail?",
    description=(
        "The share of calls that got no answer: an error, a time-out, or turned away for their rate. Calls that the "
        "caller cancelled or the vendor filtered are none of these. Beside it the period of the same length before."
    ),
    kind=Kind.STAT,
    place=30,
    width=3,
    height=3,
    thresholds=(Threshold(0, "good"), Threshold(2, "warning"), Threshold(10, "bad")),
    sql=f"""
SELECT
    if(sumIf(calls, @in_period) = 0, NULL, 100 * sumIf(calls, @in_period AND {FAILED}) / sumIf(calls, @in_period))
        AS failed_percent,
    if(sumIf(calls, @before_period) = 0, NULL,
        100 * sumIf(calls, @before_period AND {FAILED}) / sumIf(calls, @before_period)) AS failed_before_percent,
    sumIf(calls, @in_period AND {FAILED}) AS failed_calls,
    sumIf(calls, @in_period) AS all_calls
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
""",
    fields=(
        Field("failed_percent", "Failed", Unit.PERCENT),
        Field("failed_before_percent", "Period before", Unit.PERCENT),
        Field("failed_calls", "Failed calls", Unit.CALLS),
        Field("all_calls", "All calls", Unit.CALLS),
    ),
)
