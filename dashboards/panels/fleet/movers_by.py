"""Which of the reader's own groups moved most."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="movers-by",
    title="Which groups moved most?",
    description=(
        "The grouping that is chosen above: dollars of the period less those of the period of the same length right "
        "before. To the right is dearer, to the left cheaper. Calls without a price are in neither."
    ),
    kind=Kind.BARS,
    place=32,
    width=5,
    height=8,
    sql="""
SELECT
    @by AS name,
    ifNull(sumIf(cost, @in_period), 0) - ifNull(sumIf(cost, @before_period), 0) AS usd_change
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
GROUP BY name
HAVING usd_change != 0
ORDER BY abs(usd_change) DESC, name
LIMIT 12
""",
    fields=(
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("usd_change", "Change", Unit.USD),
    ),
    drill_down="spend",
    empty="Nothing moved: the same was spent as in the period before.",
)
