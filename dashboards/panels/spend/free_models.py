"""What is free."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="free-models",
    title="What cost nothing?",
    description=(
        "Calls of the period at a public price of zero, and those that a free tier or a prepaid pack covered, in whole "
        "or in part. Unlike calls without a price they are in the sums, at what was paid."
    ),
    kind=Kind.TABLE,
    place=74,
    width=6,
    height=7,
    sql="""
SELECT
    vendor,
    model,
    if(price_status = 'free', 'free', 'free tier or prepaid pack') AS why,
    sum(calls) AS all_calls,
    sum(input_tokens) + sum(output_tokens) AS tokens,
    sum(cost) AS usd,
    sum(list_cost) AS usd_at_list
FROM @usage
WHERE @in_period AND @chosen AND price_status IN ('free', 'allowance')
GROUP BY vendor, model, why
ORDER BY usd_at_list DESC NULLS LAST, tokens DESC, vendor, model, why
LIMIT 100
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("why", "Why", Unit.TEXT),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("tokens", "Tokens", Unit.TOKENS),
        Field("usd", "Paid", Unit.USD),
        Field("usd_at_list", "At list price", Unit.USD),
    ),
    empty="Nothing was free in this period.",
)
