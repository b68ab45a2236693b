"""What a million tokens cost at each vendor over time."""

from dashboards.panels.panel import Field, Unit
from dashboards.panels.unit_cost import unit_cost

PANEL = unit_cost(
    "per-million-over-time",
    "Is a million tokens getting cheaper?",
    "For the eight vendors that cost most: what was paid by a million tokens in and out together, in each step of "
    "time. It moves with prices, and as much with the mix of models, with caches and with the length of answers. Calls "
    "without a price are left out on both sides.",
    place=50,
    by="vendor",
    factor=1000000,
    count="sum(input_tokens) + sum(output_tokens)",
    field=Field("usd_per_million", "A million tokens", Unit.USD_PER_MILLION_TOKENS),
)
