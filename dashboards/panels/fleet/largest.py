"""The tables of who spends most, which differ only in what they group by."""

from collections.abc import Sequence

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.variables import VARIABLES


def largest(name: str, title: str, columns: Sequence[str], place: int) -> Panel:
    """The ten largest groups by spend. columns: what is grouped by, each a variable that a click chooses."""
    keys = ", ".join(columns)
    return Panel(
        name=name,
        title=title,
        description=(
            "The ten that cost most in the period, with their share of everything that was spent. Those that have no "
            "price at all stand last, without a cost. Click one to see it alone."
        ),
        kind=Kind.TABLE,
        place=place,
        width=4,
        height=8,
        sql=f"""
SELECT
    {keys},
    sum(cost) AS usd,
    if(usd IS NULL, NULL, 100 * toFloat64(usd) / sum(toFloat64(usd)) OVER ()) AS share_percent,
    sum(calls) AS all_calls,
    sum(unpriced_calls) AS without_price
FROM @usage
WHERE @in_period AND @chosen
GROUP BY {keys}
ORDER BY usd DESC NULLS LAST, all_calls DESC, {keys}
LIMIT 10
""",
        fields=(
            *(Field(column, VARIABLES[column], Unit.TEXT, variable=column) for column in columns),
            Field("usd", "Spend", Unit.USD),
            Field("share_percent", "Share", Unit.PERCENT),
            Field("all_calls", "Calls", Unit.CALLS),
            Field("without_price", "Without a price", Unit.CALLS),
        ),
        drill_down="spend",
    )
