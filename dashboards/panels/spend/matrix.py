"""Spend by any two dimensions, as a table."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="matrix",
    title="Who spends how much on what?",
    description=(
        "The period by the two groupings that are chosen above, the dearest pair first, with its share of everything "
        "that was spent. A pair without any price has no cost; its calls count all the same."
    ),
    kind=Kind.TABLE,
    place=20,
    width=12,
    height=10,
    sql="""
SELECT
    @by AS name,
    @then_by AS then_name,
    sum(cost) AS usd,
    if(usd IS NULL, NULL, 100 * toFloat64(usd) / sum(toFloat64(usd)) OVER ()) AS share_percent,
    sum(calls) AS all_calls,
    sum(input_tokens) AS all_input_tokens,
    sum(output_tokens) AS all_output_tokens,
    sum(unpriced_calls) AS without_price
FROM @usage
WHERE @in_period AND @chosen
GROUP BY name, then_name
ORDER BY usd DESC NULLS LAST, all_calls DESC, name, then_name
LIMIT 200
""",
    fields=(
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("then_name", "Then", Unit.TEXT, variable="@then_by"),
        Field("usd", "Spend", Unit.USD),
        Field("share_percent", "Share", Unit.PERCENT),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("all_input_tokens", "Input tokens", Unit.TOKENS),
        Field("all_output_tokens", "Output tokens", Unit.TOKENS),
        Field("without_price", "Without a price", Unit.CALLS),
    ),
)
