"""How the vendors share what is used."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="vendor-share",
    title="How do the vendors share our traffic?",
    description=(
        "Each vendor's percent of the spend, the calls and the tokens in each step of time; the seven dearest, and all "
        "others together. In each step they add up to 100. Calls without a price are among the calls and tokens and "
        "not in the spend."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=60,
    width=7,
    height=8,
    sql="""
WITH largest AS
(
    SELECT vendor
    FROM @usage
    WHERE @in_period AND @chosen
    GROUP BY vendor
    ORDER BY sum(cost) DESC NULLS LAST, sum(calls) DESC, vendor
    LIMIT 7
)
SELECT
    @step AS time,
    if(vendor IN (SELECT vendor FROM largest), vendor, 'all others') AS name,
    100 * toFloat64(ifNull(sum(cost), 0)) / nullIf(sum(toFloat64(ifNull(sum(cost), 0))) OVER (PARTITION BY time), 0)
        AS spend_percent,
    100 * sum(calls) / nullIf(sum(sum(calls)) OVER (PARTITION BY time), 0) AS calls_percent,
    100 * (sum(input_tokens) + sum(output_tokens))
        / nullIf(sum(sum(input_tokens) + sum(output_tokens)) OVER (PARTITION BY time), 0) AS tokens_percent
FROM @usage
WHERE @in_period AND @chosen
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Vendor", Unit.TEXT),
        Field("spend_percent", "Of the spend", Unit.PERCENT),
        Field("calls_percent", "Of the calls", Unit.PERCENT),
        Field("tokens_percent", "Of the tokens", Unit.PERCENT),
    ),
)
