"""What has no price."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="unpriced-models",
    title="What has no price, and whose is it?",
    description=(
        "Calls of the period that no price is known for, by model and team, the most tokens first. They are in no sum "
        "of money. `weir unpriced` gives the reason of each; a price in the company's file prices them from then on, "
        "and `weir reprice` what was before."
    ),
    kind=Kind.TABLE,
    place=72,
    width=6,
    height=7,
    sql="""
SELECT
    vendor,
    model,
    team,
    sum(unpriced_calls) AS without_price,
    sum(input_tokens) + sum(output_tokens) AS tokens
FROM @usage
WHERE @in_period AND @chosen AND unpriced_calls > 0
GROUP BY vendor, model, team
ORDER BY tokens DESC, without_price DESC, vendor, model, team
LIMIT 100
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("team", "Team", Unit.TEXT, variable="team"),
        Field("without_price", "Without a price", Unit.CALLS),
        Field("tokens", "Tokens", Unit.TOKENS),
    ),
    empty="Every call of this period has a price.",
)
