"""The models whose calls have no price."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="unpriced-models",
    title="Which models have no price?",
    description=(
        "Models some of whose calls in the period have no price, the most calls first, and the tokens of groups in "
        "which none has one. A model of a contract or of your own machines needs a price file of your own."
    ),
    kind=Kind.TABLE,
    place=120,
    width=6,
    height=7,
    sql="""
SELECT
    vendor,
    model,
    sum(unpriced_calls) AS without_price,
    100 * without_price / sum(calls) AS unpriced_percent,
    sumIf(input_tokens, unpriced_calls = calls) + sumIf(output_tokens, unpriced_calls = calls) AS tokens,
    max(@at) AS newest_at
FROM @usage
WHERE @in_period AND @chosen
GROUP BY vendor, model
HAVING without_price > 0
ORDER BY without_price DESC, vendor, model
LIMIT 200
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("without_price", "Calls", Unit.CALLS),
        Field("unpriced_percent", "Of its calls", Unit.PERCENT),
        Field("tokens", "Tokens", Unit.TOKENS),
        Field("newest_at", "Newest", Unit.TIME),
    ),
    empty="Every call of this period has a price.",
)
