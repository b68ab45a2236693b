"""How much hangs on few vendors."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="concentration",
    title="How concentrated are we on few vendors?",
    description=(
        "The Herfindahl index: the sum of the squares of the vendors' shares in percent. 10,000 is one vendor for "
        "everything, 5,000 two halves, 1,000 ten alike; above 2,500 is called highly concentrated. Of the spend, the "
        "calls and the tokens in each step of time."
    ),
    kind=Kind.TIMESERIES,
    place=62,
    width=5,
    height=8,
    sql="""
SELECT
    time,
    10000 * sum(pow(usd, 2)) / nullIf(pow(sum(usd), 2), 0) AS spend_index,
    10000 * sum(pow(call_count, 2)) / nullIf(pow(sum(call_count), 2), 0) AS calls_index,
    10000 * sum(pow(tokens, 2)) / nullIf(pow(sum(tokens), 2), 0) AS tokens_index
FROM
(
    SELECT
        @step AS time,
        vendor,
        toFloat64(ifNull(sum(cost), 0)) AS usd,
        sum(calls) AS call_count,
        sum(input_tokens) + sum(output_tokens) AS tokens
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY time, vendor
)
GROUP BY time
ORDER BY time
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("spend_index", "Of the spend", Unit.NUMBER),
        Field("calls_index", "Of the calls", Unit.NUMBER),
        Field("tokens_index", "Of the tokens", Unit.NUMBER),
    ),
)
