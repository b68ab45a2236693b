"""The share of calls without a price."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="unpriced",
    title="How many calls have no price?",
    description=(
        "The share of the period's calls for which no price is known; they are in no sum of money until one is, and "
        "then they are priced anew. Beside it the period before, and how many models it is. `weir unpriced` says more."
    ),
    kind=Kind.STAT,
    place=40,
    width=3,
    height=3,
    thresholds=(Threshold(0, "good"), Threshold(0.1, "warning"), Threshold(5, "bad")),
    sql="""
SELECT
    if(sumIf(calls, @in_period) = 0, NULL, 100 * sumIf(unpriced_calls, @in_period) / sumIf(calls, @in_period))
        AS unpriced_percent,
    if(sumIf(calls, @before_period) = 0, NULL,
        100 * sumIf(unpriced_calls, @before_period) / sumIf(calls, @before_period)) AS before_percent,
    sumIf(unpriced_calls, @in_period) AS without_price,
    uniqExactIf((vendor, model), @in_period AND unpriced_calls > 0) AS models
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
""",
    fields=(
        Field("unpriced_percent", "Without a price", Unit.PERCENT),
        Field("before_percent", "Period before", Unit.PERCENT),
        Field("without_price", "Calls", Unit.CALLS),
        Field("models", "Models", Unit.COUNT),
    ),
)
