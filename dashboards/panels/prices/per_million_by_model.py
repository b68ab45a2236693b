"""What a million tokens really cost on each model."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="per-million-by-model",
    title="What do we pay per million tokens on each model?",
    description=(
        "What was paid by a million tokens in and out together, now and in the period before, with how much of the "
        "input came from a cache and how many tokens came out for each that went in: the two that move it without any "
        "price. Calls without a price are left out on both sides."
    ),
    kind=Kind.TABLE,
    place=52,
    width=12,
    height=8,
    sql="""
SELECT
    vendor,
    model,
    toDecimal128(toDecimal256(ifNull(sumIf(cost, @in_period), 0), 12) * 1000000 / greatest(tokens, 1), 12)
        AS usd_per_million,
    if(tokens_before = 0, NULL, toDecimal128(
        toDecimal256(ifNull(sumIf(cost, @before_period), 0), 12) * 1000000 / greatest(tokens_before, 1), 12))
        AS usd_per_million_before,
    if(sumIf(input_tokens, @in_period) = 0, NULL,
        100 * sumIf(cache_read_tokens, @in_period) / sumIf(input_tokens, @in_period)) AS cached_percent,
    if(sumIf(input_tokens, @in_period) = 0, NULL,
        sumIf(output_tokens, @in_period) / sumIf(input_tokens, @in_period)) AS output_ratio,
    ifNull(sumIf(cost, @in_period), 0) AS usd,
    sumIf(input_tokens, @in_period) + sumIf(output_tokens, @in_period) AS tokens,
    sumIf(input_tokens, @before_period) + sumIf(output_tokens, @before_period) AS tokens_before
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen AND cost IS NOT NULL
GROUP BY vendor, model
HAVING tokens > 0
ORDER BY usd DESC, vendor, model
LIMIT 100
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("usd_per_million", "A million tokens", Unit.USD_PER_MILLION_TOKENS),
        Field("usd_per_million_before", "Period before", Unit.USD_PER_MILLION_TOKENS),
        Field("cached_percent", "Input from a cache", Unit.PERCENT),
        Field("output_ratio", "Out for each in", Unit.RATIO),
        Field("usd", "Spend", Unit.USD),
        Field("tokens", "Tokens", Unit.TOKENS),
    ),
)
