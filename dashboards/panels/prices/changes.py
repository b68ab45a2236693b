"""What price changes saved, or cost."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.price_changes import price_changes

PANEL = Panel(
    name="changes",
    title="What did price changes save us?",
    description=(
        "Each change within the period of the price in force of a model that was used: the rates of a million tokens "
        "before and after, and what was called since, until the next change, at the old price less what was paid. "
        "Below zero it got dearer. Empty where the old price goes by length. Standard tier, in whole hours after the "
        "change."
    ),
    kind=Kind.TABLE,
    place=20,
    width=12,
    height=6,
    sql=f"""
SELECT
    c.changed_at AS changed,
    c.vendor AS vendor,
    c.model AS model,
    toDecimal128(c.old_input, 12) AS old_usd_in,
    toDecimal128(c.new_input, 12) AS new_usd_in,
    toDecimal128(c.old_output, 12) AS old_usd_out,
    toDecimal128(c.new_output, 12) AS new_usd_out,
    sum(u.call_count) AS all_calls,
    toDecimal128(sum(u.paid), 12) AS usd_paid,
    if(any(c.is_flat), toDecimal128(sum(
        (toDecimal256(u.input_sum, 0) - u.read_sum - u.write_sum) * c.old_input
        + toDecimal256(u.read_sum, 0) * c.old_read
        + (toDecimal256(u.write_sum, 0) - u.write_1h_sum) * c.old_write
        + toDecimal256(u.write_1h_sum, 0) * c.old_write_1h
        + toDecimal256(u.output_sum, 0) * c.old_output) / 1000000, 12), NULL) AS usd_at_old_price,
    usd_at_old_price - usd_paid AS usd_saved
FROM ({price_changes()}) AS c
LEFT JOIN
(
    SELECT
        vendor,
        model,
        hour,
        sum(calls) AS call_count,
        toDecimal256(ifNull(sum(cost), 0), 12) AS paid,
        sum(input_tokens) AS input_sum,
        sum(cache_read_tokens) AS read_sum,
        sum(cache_write_tokens) AS write_sum,
        sum(cache_write_1h_tokens) AS write_1h_sum,
        sum(output_tokens) AS output_sum
    FROM @ledger.usage_by_hour
    WHERE hour >= @since AND hour < @until AND @chosen AND cost IS NOT NULL AND service_tier = 'standard'
    GROUP BY vendor, model, hour
) AS u ON u.vendor = c.vendor AND u.model = c.model
WHERE u.hour >= c.changed_at AND u.hour < c.ends_at
GROUP BY changed, vendor, model, old_usd_in, new_usd_in, old_usd_out, new_usd_out
ORDER BY abs(usd_saved) DESC NULLS LAST, changed, vendor, model
LIMIT 50
""",
    fields=(
        Field("changed", "Changed", Unit.TIME),
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("old_usd_in", "In, before", Unit.USD_PER_MILLION_TOKENS),
        Field("new_usd_in", "In, after", Unit.USD_PER_MILLION_TOKENS),
        Field("old_usd_out", "Out, before", Unit.USD_PER_MILLION_TOKENS),
        Field("new_usd_out", "Out, after", Unit.USD_PER_MILLION_TOKENS),
        Field("all_calls", "Calls since", Unit.CALLS),
        Field("usd_paid", "Paid since", Unit.USD),
        Field("usd_at_old_price", "At the old price", Unit.USD),
        Field("usd_saved", "Saved", Unit.USD),
    ),
    empty="No price of a model in use changed in this period.",
)
