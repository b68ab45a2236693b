"""What stands at the top of a report: the whole period in a few figures, made as panels so that they are asked so."""

from typing import Final

from dashboards.panels.panel import Field, Kind, Panel, Unit

SUMMARY: Final = Panel(
    name="summary",
    title="What was spent?",
    description=(
        "Each call once. Spend is what was paid or is owed for the calls that have a price; calls without one are in "
        "no sum of money. The list price is what the public price makes of the same calls."
    ),
    kind=Kind.STAT,
    place=0,
    sql="""
SELECT
    if(sum(calls) = sum(unpriced_calls) AND sum(calls) > 0, NULL, ifNull(sum(cost), 0)) AS usd,
    if(sum(calls) = sum(unpriced_calls) AND sum(calls) > 0, NULL, ifNull(sum(list_cost), 0)) AS usd_at_list,
    sum(calls) AS all_calls,
    sum(unpriced_calls) AS without_price,
    sum(input_tokens) AS input,
    sum(output_tokens) AS output,
    sumIf(calls, price_status = 'free') AS free_calls,
    sumIf(calls, price_status = 'allowance') AS covered_calls,
    ifNull(sumIf(list_cost - cost, price_status = 'allowance'), 0) AS covered_usd
FROM @usage
WHERE @in_period AND @chosen
""",
    fields=(
        Field("usd", "Spend", Unit.USD),
        Field("usd_at_list", "The same at list prices", Unit.USD),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("without_price", "Calls without a price", Unit.CALLS),
        Field("input", "Input tokens", Unit.TOKENS),
        Field("output", "Output tokens", Unit.TOKENS),
        Field("free_calls", "Free calls", Unit.CALLS),
        Field("covered_calls", "Calls covered by a free tier or pack", Unit.CALLS),
        Field("covered_usd", "Their list price, less what was paid", Unit.USD),
    ),
)

BEGINNING: Final = Panel(
    name="beginning",
    title="Since when does the ledger know?",
    description="The day of the earliest call in the ledger, whatever is chosen. No row while it is empty.",
    kind=Kind.TABLE,
    place=0,
    sql="SELECT min(day) AS first_day FROM @ledger.usage_by_day HAVING sum(calls) > 0",
    fields=(Field("first_day", "First day", Unit.DAY),),
)

TENANTS: Final = Panel(
    name="tenants",
    title="Whose usage is this?",
    description="The tenants that have calls in the period, the largest first; at most 20.",
    kind=Kind.TABLE,
    place=0,
    sql="""
SELECT tenant, sum(calls) AS all_calls
FROM @usage
WHERE @in_period AND @chosen
GROUP BY tenant
ORDER BY all_calls DESC, tenant
LIMIT 20
""",
    fields=(Field("tenant", "Tenant", Unit.TEXT), Field("all_calls", "Calls", Unit.CALLS)),
)
