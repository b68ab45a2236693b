"""Which models' batches saved what."""

from dashboards.panels.batch_savings import batch_hours
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="batch-savings-by-model",
    title="Which batches saved what?",
    description=(
        "By model: what the calls of the batch tier cost at list price, and what they would have cost in the standard "
        "tier. Calls whose standard price is not known are counted apart and are in no sum of savings."
    ),
    kind=Kind.TABLE,
    place=66,
    width=12,
    height=5,
    sql=f"""
SELECT
    vendor,
    model,
    toDecimal128(sum(at_standard - listed), 12) AS usd_saved,
    toDecimal128(sum(at_standard), 12) AS usd_at_standard,
    toDecimal128(sum(listed), 12) AS usd_at_list,
    toDecimal128(sum(paid), 12) AS usd_paid,
    sum(call_count) AS all_calls,
    sumIf(call_count, at_standard IS NULL) AS not_known_calls
FROM ({batch_hours()})
GROUP BY vendor, model
ORDER BY usd_saved DESC NULLS LAST, all_calls DESC, vendor, model
LIMIT 100
""",
    fields=(
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("usd_saved", "Saved", Unit.USD),
        Field("usd_at_standard", "In the standard tier", Unit.USD),
        Field("usd_at_list", "At list price", Unit.USD),
        Field("usd_paid", "Paid", Unit.USD),
        Field("all_calls", "Calls", Unit.CALLS),
        Field("not_known_calls", "Price not known", Unit.CALLS),
    ),
    empty="No call of this period went through a batch.",
)
