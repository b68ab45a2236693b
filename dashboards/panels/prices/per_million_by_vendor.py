"""What a million tokens really cost at each vendor."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="per-million-by-vendor",
    title="What do we pay per million tokens at each vendor?",
    description=(
        "What was paid by a million tokens in and out together, as they were used: caches, batches and contracts are "
        "in it, and so is what is not billed by the token. It says what was paid, not who is cheaper: vendors serve "
        "other models for other work. Calls without a price are left out on both sides."
    ),
    kind=Kind.BARS,
    place=42,
    width=5,
    height=8,
    sql="""
SELECT
    vendor,
    toDecimal128(toDecimal256(sum(cost), 12) * 1000000 / greatest(tokens, 1), 12) AS usd_per_million,
    sum(cost) AS usd,
    sum(input_tokens) + sum(output_tokens) AS tokens
FROM @usage
WHERE @in_period AND @chosen AND cost IS NOT NULL
GROUP BY vendor
HAVING tokens > 0
ORDER BY usd_per_million DESC, vendor
LIMIT 50
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("usd_per_million", "A million tokens", Unit.USD_PER_MILLION_TOKENS),
        Field("usd", "Spend", Unit.USD),
        Field("tokens", "Tokens", Unit.TOKENS),
    ),
)
