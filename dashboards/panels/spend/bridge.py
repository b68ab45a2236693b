"""What took the spend from what it was to what it is."""

from dashboards.panels.bridge import bridge
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="bridge",
    title="Why did the spend change?",
    description=(
        "From the period of the same length right before to this one, step by step: more or fewer calls, dearer or "
        "cheaper models, longer or shorter calls, more or less from caches, and price. The steps add up to the whole "
        "difference. Tokens are weighed as most vendors charge them; what is off by that is in the price step, "
        "discounts too. Calls without a price are not in it. Where the ledger begins within the period before, choose "
        "a shorter one."
    ),
    kind=Kind.TABLE,
    place=30,
    width=5,
    height=8,
    sql=f"""
SELECT
    step.1 AS name,
    step.2 AS usd,
    step.3 AS meaning
FROM
(
    SELECT arrayJoin([
        ('Period before', before, 'what was spent then'),
        ('Calls', by_calls, 'how many there were'),
        ('Mix', by_mix, 'which models and tiers they went to'),
        ('Tokens per call', by_tokens_per_call, 'how long they were'),
        ('Cache share', by_cache_share, 'how much input came from a cache'),
        ('Price', by_price, 'what the same tokens cost'),
        ('This period', after, 'what was spent now')
    ]) AS step
    FROM ({bridge("''")})
)
""",
    fields=(
        Field("name", "Step", Unit.TEXT),
        Field("usd", "Dollars", Unit.USD),
        Field("meaning", "By", Unit.TEXT),
    ),
)
