"""Whose caching saved what."""

from dashboards.panels.cache_savings import cached_hours
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="cache-savings-by",
    title="Whose caches save most, and whose cost more than they save?",
    description=(
        "What caching saved at list prices, by the grouping that is chosen above and by model: cheaper reads less "
        "dearer writes. Below zero the writes cost more than the reads saved. Tokens whose price is not known are "
        "counted apart and are in no sum."
    ),
    kind=Kind.TABLE,
    place=64,
    width=12,
    height=8,
    sql=f"""
SELECT
    name,
    vendor,
    model,
    toDecimal128(sum(saved), 12) AS usd_saved,
    toDecimal128(sum(saved_by_reads), 12) AS usd_by_reads,
    toDecimal128(sum(paid_for_writes), 12) AS usd_for_writes,
    sum(read_sum) AS tokens_read,
    sum(write_sum) AS tokens_written,
    sumIf(read_sum + write_sum, saved IS NULL) AS not_known_tokens
FROM ({cached_hours("@by")})
GROUP BY name, vendor, model
ORDER BY usd_saved DESC NULLS LAST, tokens_read DESC, name, vendor, model
LIMIT 100
""",
    fields=(
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("vendor", "Vendor", Unit.TEXT, variable="vendor"),
        Field("model", "Model", Unit.TEXT, variable="model"),
        Field("usd_saved", "Saved", Unit.USD),
        Field("usd_by_reads", "Cheaper reads", Unit.USD),
        Field("usd_for_writes", "Dearer writes", Unit.USD),
        Field("tokens_read", "Read from a cache", Unit.TOKENS),
        Field("tokens_written", "Written to a cache", Unit.TOKENS),
        Field("not_known_tokens", "Price not known", Unit.TOKENS),
    ),
    empty="No call of this period read from a cache or wrote to one.",
)
