"""How much of the traffic is in no sum of money."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="unpriced",
    title="Is anything without a price?",
    description=(
        "Calls of the period for which no price is known. They cost something, and nobody can say what: they are in no "
        "sum of money, and never counted as 0. `weir unpriced` says why for each model."
    ),
    kind=Kind.STAT,
    place=60,
    width=6,
    height=3,
    sql="""
SELECT
    sum(unpriced_calls) AS without_price,
    if(sum(calls) = 0, NULL, 100 * without_price / sum(calls)) AS share_percent,
    sumIf(input_tokens + output_tokens, unpriced_calls > 0) AS tokens,
    uniqExactIf((vendor, model), unpriced_calls > 0) AS models
FROM @usage
WHERE @in_period AND @chosen
""",
    fields=(
        Field("without_price", "Without a price", Unit.CALLS),
        Field("share_percent", "Of all calls", Unit.PERCENT),
        Field("tokens", "Their tokens", Unit.TOKENS),
        Field("models", "Models", Unit.COUNT),
    ),
    thresholds=(Threshold(1, "warning"),),
    drill_down="spend",
)
