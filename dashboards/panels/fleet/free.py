"""What costs nothing, and is not the same as having no price."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="free",
    title="What did we get for nothing?",
    description=(
        "Calls of the period whose public price is zero, and calls that a free tier or a prepaid pack covered. They "
        "are priced, at what was paid for them; the list price of what was covered is what it would have cost."
    ),
    kind=Kind.STAT,
    place=62,
    width=6,
    height=3,
    sql="""
SELECT
    sumIf(calls, price_status = 'free') AS free_calls,
    sumIf(input_tokens + output_tokens, price_status = 'free') AS free_tokens,
    sumIf(calls, price_status = 'allowance') AS covered_calls,
    ifNull(sumIf(list_cost - cost, price_status = 'allowance'), 0) AS covered_usd
FROM @usage
WHERE @in_period AND @chosen
""",
    fields=(
        Field("free_calls", "Free", Unit.CALLS),
        Field("free_tokens", "Their tokens", Unit.TOKENS),
        Field("covered_calls", "Covered by a free tier or pack", Unit.CALLS),
        Field("covered_usd", "Their list price, less what was paid", Unit.USD),
    ),
    drill_down="spend",
)
