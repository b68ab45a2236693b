"""What batches saved, in one figure."""

from dashboards.panels.batch_savings import batch_hours
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="batch-savings",
    title="How much did batches save?",
    description=(
        "At list prices: what the calls of the batch tier would have cost in the standard tier, less their list cost. "
        "A standard price is taken where the book's share for batches makes the ledger's list cost of it; the calls "
        "whose standard price is not known so are counted beside it and save nothing here."
    ),
    kind=Kind.STAT,
    place=62,
    width=6,
    height=3,
    sql=f"""
SELECT
    toDecimal128(ifNull(sum(at_standard - listed), 0), 12) AS usd_saved,
    toDecimal128(ifNull(sum(paid), 0), 12) AS usd_paid,
    sumIf(call_count, at_standard IS NOT NULL) AS known_calls,
    sumIf(call_count, at_standard IS NULL) AS not_known_calls
FROM ({batch_hours()})
""",
    fields=(
        Field("usd_saved", "Saved", Unit.USD),
        Field("usd_paid", "Paid for batches", Unit.USD),
        Field("known_calls", "Calls in batches", Unit.CALLS),
        Field("not_known_calls", "Price not known", Unit.CALLS),
    ),
)
