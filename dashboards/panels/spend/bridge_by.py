"""Whose spend changed, and by what."""

from dashboards.panels.bridge import bridge
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="bridge-by",
    title="Whose spend changed, and why?",
    description=(
        "The same steps for each group of the grouping that is chosen above, the largest change first. In each row "
        "they add up to the change. Steps of different rows do not add up to those of the whole: calls that move from "
        "one group to another are a matter of mix there, and of calls here."
    ),
    kind=Kind.TABLE,
    place=32,
    width=7,
    height=8,
    sql=f"""
SELECT
    name,
    before AS usd_before,
    after AS usd,
    after - before AS usd_change,
    by_calls AS usd_by_calls,
    by_mix AS usd_by_mix,
    by_tokens_per_call AS usd_by_tokens,
    by_cache_share AS usd_by_cache,
    by_price AS usd_by_price
FROM ({bridge("@by")})
ORDER BY abs(usd_change) DESC, name
LIMIT 50
""",
    fields=(
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("usd_before", "Period before", Unit.USD),
        Field("usd", "Spend", Unit.USD),
        Field("usd_change", "Change", Unit.USD),
        Field("usd_by_calls", "Calls", Unit.USD),
        Field("usd_by_mix", "Mix", Unit.USD),
        Field("usd_by_tokens", "Tokens per call", Unit.USD),
        Field("usd_by_cache", "Cache share", Unit.USD),
        Field("usd_by_price", "Price", Unit.USD),
    ),
)
