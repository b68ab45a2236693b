"""What a call or a token costs over time: panels of one form."""

from dashboards.panels.panel import Field, Kind, Panel, Unit


def unit_cost(
    name: str, title: str, description: str, *, place: int, by: str, factor: int, count: str, field: Field
) -> Panel:
    """A line for each of the eight dearest groups. by: an expression over the usage columns.

    factor and count: dollars for `factor` of `count`, a sum over the calls that have a price. field: what it is called.
    """
    return Panel(
        name=name,
        title=title,
        description=description,
        kind=Kind.TIMESERIES,
        place=place,
        sql=f"""
WITH largest AS
(
    SELECT {by} AS name
    FROM @usage
    WHERE @in_period AND @chosen AND cost IS NOT NULL
    GROUP BY name
    ORDER BY sum(cost) DESC, name
    LIMIT 8
)
SELECT
    @step AS time,
    {by} AS name,
    if(counted = 0, NULL, toDecimal128(toDecimal256(sum(cost), 12) * {factor} / greatest(counted, 1), 12))
        AS {field.name},
    {count} AS counted
FROM @usage
WHERE @in_period AND @chosen AND cost IS NOT NULL AND {by} IN (SELECT name FROM largest)
GROUP BY time, name
HAVING counted > 0
ORDER BY time, name
""",
        fields=(Field("time", "Time", Unit.TIME), Field("name", "Group", Unit.TEXT), field),
    )
