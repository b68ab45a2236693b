"""What caching saved, in one figure."""

from dashboards.panels.cache_savings import cached_hours
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="cache-savings",
    title="How much did caching save?",
    description=(
        "At list prices: what the input that was read from a cache would have cost as plain input, less what writing "
        "it cost above that. A price is taken where it reproduces the ledger's list cost; the tokens in caches whose "
        "price is not known so (prices by length, tools, audio) stand beside it and save nothing here."
    ),
    kind=Kind.STAT,
    place=60,
    width=6,
    height=3,
    sql=f"""
SELECT
    toDecimal128(ifNull(sum(saved), 0), 12) AS usd_saved,
    toDecimal128(ifNull(sum(saved_by_reads), 0), 12) AS usd_by_reads,
    toDecimal128(ifNull(sum(paid_for_writes), 0), 12) AS usd_for_writes,
    sumIf(read_sum + write_sum, saved IS NOT NULL) AS known_tokens,
    sumIf(read_sum + write_sum, saved IS NULL) AS not_known_tokens
FROM ({cached_hours("''")})
""",
    fields=(
        Field("usd_saved", "Saved", Unit.USD),
        Field("usd_by_reads", "Cheaper reads", Unit.USD),
        Field("usd_for_writes", "Dearer writes", Unit.USD),
        Field("known_tokens", "Tokens read and written", Unit.TOKENS),
        Field("not_known_tokens", "Price not known", Unit.TOKENS),
    ),
)
