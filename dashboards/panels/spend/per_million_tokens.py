"""What a million tokens cost over time."""

from dashboards.panels.panel import Field, Unit
from dashboards.panels.unit_cost import unit_cost

PANEL = unit_cost(
    "per-million-tokens",
    "What do a million tokens cost?",
    "For the eight groups that cost most, of the grouping that is chosen above: spend by a million tokens in and out "
    "together, in each step of time. It falls with cheaper models, more from caches and less output. Calls without a "
    "price are left out on both sides; what is not billed by the token (images, tools) is in the spend.",
    place=42,
    by="@by",
    factor=1000000,
    count="sum(input_tokens) + sum(output_tokens)",
    field=Field("usd_per_million", "A million tokens", Unit.USD_PER_MILLION_TOKENS),
)
