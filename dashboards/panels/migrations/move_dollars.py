"""What the migrations of the period cost or save a day."""

from dashboards.panels.migrations.moves import MOVES
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="move-dollars",
    title="What did moving cost or save a day?",
    description=(
        "What the calls that have moved cost a day more than they did on the model that was left, or, below 0, less; "
        "as it was at each migration's last stage. Those that have gone back, and those where one of the two models "
        "has no price, are not in it."
    ),
    kind=Kind.STAT,
    place=20,
    width=3,
    height=3,
    sql=f"""
WITH {MOVES}
SELECT
    if(countIf(stage != 'reversed' AND impact_usd_per_day IS NOT NULL) = 0, NULL,
        sumIf(impact_usd_per_day, stage != 'reversed')) AS usd_per_day,
    ifNull(sumIf(impact_usd_per_day, stage != 'reversed' AND impact_usd_per_day > 0), 0) AS dearer_usd_per_day,
    ifNull(sumIf(impact_usd_per_day, stage != 'reversed' AND impact_usd_per_day < 0), 0) AS cheaper_usd_per_day,
    countIf(stage != 'reversed' AND impact_usd_per_day IS NULL) AS unknown
FROM moves
""",
    fields=(
        Field("usd_per_day", "All together", Unit.USD_PER_DAY),
        Field("dearer_usd_per_day", "Became dearer", Unit.USD_PER_DAY),
        Field("cheaper_usd_per_day", "Became cheaper", Unit.USD_PER_DAY),
        Field("unknown", "Not known", Unit.COUNT),
    ),
    empty="Nobody moved in this period.",
)
