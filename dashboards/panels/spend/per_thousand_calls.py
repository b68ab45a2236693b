"""What a thousand calls cost over time."""

from dashboards.panels.panel import Field, Unit
from dashboards.panels.unit_cost import unit_cost

PANEL = unit_cost(
    "per-thousand-calls",
    "What do a thousand calls cost?",
    "For the eight groups that cost most, of the grouping that is chosen above: spend by a thousand calls in each step "
    "of time. It rises when calls get longer or go to dearer models. Calls without a price are left out on both sides.",
    place=40,
    by="@by",
    factor=1000,
    count="sum(calls)",
    field=Field("usd_per_thousand", "A thousand calls", Unit.USD_PER_THOUSAND_CALLS),
)
