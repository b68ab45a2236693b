"""Where the prices of the spend come from."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="price-status",
    title="How sure is the price of what we spent?",
    description=(
        "The period by where its prices come from: the public list, a contract, a free price, a free tier or pack, "
        "what the reporter said, or nowhere. What has no price costs something that nobody knows, so no dollars stand "
        "there."
    ),
    kind=Kind.TABLE,
    place=70,
    width=12,
    height=5,
    sql="""
SELECT
    multiIf(
        price_status = 'list', 'list price',
        price_status = 'contract', 'contract',
        price_status = 'free', 'free',
        price_status = 'allowance', 'free tier or prepaid pack',
        price_status = 'reported', 'as reported',
        price_status = 'unpriced', 'no price',
        price_status) AS name,
    sum(cost) AS usd,
    sum(list_cost) AS usd_at_list,
    sum(calls) AS all_calls,
    100 * all_calls / sum(all_calls) OVER () AS share_percent,
    sum(input_tokens) + sum(output_tokens) AS tokens
FROM @usage
WHERE @in_period AND @chosen
GROUP BY name
ORDER BY usd DESC NULLS LAST, all_calls DESC, name
""",
    fields=(
        Field("name", "Price", Unit.TEXT),
        Field("usd", "Spend", Unit.USD),
        Field("usd_at_list", "At list price", Unit.USD),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("share_percent", "Of all calls", Unit.PERCENT),
        Field("tokens", "Tokens", Unit.TOKENS),
    ),
)
