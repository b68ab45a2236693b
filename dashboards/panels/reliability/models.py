"""Vendors, models and regions beside each other, and against the period before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import FAILED, IS_SPOKEN, IS_WAITED_FOR, LEFT_OUT, percentile_ms

NOW = f"(@in_period AND {IS_WAITED_FOR})"
BEFORE = f"(@before_period AND {IS_WAITED_FOR})"

PANEL = Panel(
    name="models",
    title="Which model is slow, and which fails?",
    description=(
        "How long calls took and how they ended, by vendor, model and region, each beside the period of the same "
        f"length right before; the 200 with the most calls. Of what is measured: {LEFT_OUT[0].lower()}{LEFT_OUT[1:]}"
    ),
    kind=Kind.TABLE,
    place=140,
    width=12,
    height=9,
    sql=f"""
SELECT
    vendor, model, region,
    sumIf(calls, @in_period) AS all_calls,
    {percentile_ms(50, "duration", NOW)} AS p50_ms,
    {percentile_ms(95, "duration", NOW)} AS p95_ms,
    {percentile_ms(95, "duration", BEFORE)} AS p95_before_ms,
    {percentile_ms(99, "duration", NOW)} AS p99_ms,
    {percentile_ms(95, "ttft", NOW)} AS first_token_p95_ms,
    {percentile_ms(95, "ttft", BEFORE)} AS first_token_p95_before_ms,
    if(sumIf(duration_sum_ms, @in_period AND {IS_SPOKEN}) = 0, NULL,
        1000 * sumIf(output_tokens, @in_period AND {IS_SPOKEN})
        / sumIf(duration_sum_ms, @in_period AND {IS_SPOKEN})) AS tokens_per_second,
    100 * sumIf(calls, @in_period AND {FAILED}) / all_calls AS failed_percent,
    if(sumIf(calls, @before_period) = 0, NULL,
        100 * sumIf(calls, @before_period AND {FAILED}) / sumIf(calls, @before_period)) AS failed_before_percent,
    100 * sumIf(calls, @in_period AND status = 'rate_limited') / all_calls AS limited_percent
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
GROUP BY vendor, model, region
HAVING all_calls > 0
ORDER BY all_calls DESC, vendor, model, region
LIMIT 200
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("region", "Region", Unit.TEXT, variable="region"),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("p50_ms", "Half within", Unit.MILLISECONDS),
        Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
        Field("p95_before_ms", "Before", Unit.MILLISECONDS),
        Field("p99_ms", "99 of 100 within", Unit.MILLISECONDS),
        Field("first_token_p95_ms", "First token, 95 of 100", Unit.MILLISECONDS),
        Field("first_token_p95_before_ms", "Before", Unit.MILLISECONDS),
        Field("tokens_per_second", "Output", Unit.TOKENS_PER_SECOND),
        Field("failed_percent", "Failed", Unit.PERCENT),
        Field("failed_before_percent", "Before", Unit.PERCENT),
        Field("limited_percent", "Turned away", Unit.PERCENT),
    ),
)
