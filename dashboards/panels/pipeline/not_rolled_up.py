"""Which periods of the ledger are not rolled up."""

from dashboards.panels.panel import Field, Kind, Panel, Unit


def _level(name: str) -> str:
    return f"""
    SELECT
        '{name}' AS level,
        count() AS periods,
        countIf(sealed_marks < marks) AS waiting,
        minOrNullIf({name}, sealed_marks < marks) AS oldest_at,
        minOrNullIf(marked_at, sealed_marks < marks) AS since_at
    FROM @ledger.{name}_state
    WHERE {name} >= toStartOfDay(@since) AND {name} < @until"""


PANEL = Panel(
    name="not-rolled-up",
    title="What is not added up yet?",
    description=(
        "Minutes, hours and days of the period, from the beginning of its first day, that were written to since they "
        "were last added up. Their figures are exact all the same, but are computed from single calls each time. The "
        "open minute, hour and day belong here; many more mean that the sink does not get to it. "
        "Nothing that is chosen narrows it."
    ),
    kind=Kind.TABLE,
    place=140,
    width=6,
    height=6,
    sql=f"""
SELECT level, periods, waiting, oldest_at, since_at
FROM
({" UNION ALL".join(_level(name) for name in ("minute", "hour", "day"))}
)
ORDER BY indexOf(['minute', 'hour', 'day'], level)
""",
    fields=(
        Field("level", "Of", Unit.TEXT),
        Field("periods", "With calls", Unit.COUNT),
        Field("waiting", "Not added up", Unit.COUNT),
        Field("oldest_at", "The oldest", Unit.TIME),
        Field("since_at", "Waits since", Unit.TIME),
    ),
)
