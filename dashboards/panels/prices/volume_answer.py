"""Whether traffic went where it got cheaper."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.price_changes import price_changes

PANEL = Panel(
    name="volume-answer",
    title="Did traffic follow the price?",
    description=(
        "For each change of a price within the period: the model's share of all calls and of all tokens that are "
        "chosen, in the week before the change and in the week after it, or until now. A share that grows after a cut "
        "is traffic that followed the price, or a service of its own that grew: look at who it was by clicking."
    ),
    kind=Kind.TABLE,
    place=30,
    width=12,
    height=6,
    sql=f"""
SELECT
    c.changed_at AS changed,
    c.vendor AS vendor,
    c.model AS model,
    round(100 * (toFloat64(c.new_input) / nullIf(toFloat64(c.old_input), 0) - 1), 1) AS price_percent,
    100 * sumIf(u.call_count, u.is_before AND u.is_model) / nullIf(sumIf(u.call_count, u.is_before), 0)
        AS calls_percent_before,
    100 * sumIf(u.call_count, NOT u.is_before AND u.is_model) / nullIf(sumIf(u.call_count, NOT u.is_before), 0)
        AS calls_percent_after,
    100 * sumIf(u.tokens, u.is_before AND u.is_model) / nullIf(sumIf(u.tokens, u.is_before), 0)
        AS tokens_percent_before,
    100 * sumIf(u.tokens, NOT u.is_before AND u.is_model) / nullIf(sumIf(u.tokens, NOT u.is_before), 0)
        AS tokens_percent_after
FROM ({price_changes()}) AS c
CROSS JOIN
(
    SELECT vendor, model, hour, sum(calls) AS call_count, sum(input_tokens) + sum(output_tokens) AS tokens
    FROM @ledger.usage_by_hour
    WHERE hour >= @since - INTERVAL 7 DAY AND hour <= @now AND @chosen
    GROUP BY vendor, model, hour
) AS u
WHERE u.hour >= c.changed_at - INTERVAL 7 DAY AND u.hour < c.changed_at + INTERVAL 7 DAY
GROUP BY changed, vendor, model, price_percent
ORDER BY changed DESC, vendor, model
LIMIT 50
""".replace("u.is_before", "(u.hour < c.changed_at)").replace(
        "u.is_model", "(u.vendor = c.vendor AND u.model = c.model)"
    ),
    fields=(
        Field("changed", "Changed", Unit.TIME),
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("price_percent", "Price of input", Unit.PERCENT),
        Field("calls_percent_before", "Of calls, week before", Unit.PERCENT),
        Field("calls_percent_after", "Of calls, week after", Unit.PERCENT),
        Field("tokens_percent_before", "Of tokens, week before", Unit.PERCENT),
        Field("tokens_percent_after", "Of tokens, week after", Unit.PERCENT),
    ),
    drill_down="spend",
    empty="No price of a model in use changed in this period.",
)
