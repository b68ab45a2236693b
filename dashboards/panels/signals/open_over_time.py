"""How many incidents were open at once, by kind, and what was at stake."""

from dashboards.panels.incident_sql import BEGAN, IN_PERIOD
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="open-over-time",
    title="How much was going on at once?",
    description=(
        "How many incidents were going on in each step of time, by kind, and the dollars a day that were at stake, as "
        "last told of each incident: what it costs more than is usual, or, of a retirement, what is spent on the "
        "model that goes. What saves money counts as nothing. Kinds may tell of the same dollars."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=55,
    width=12,
    height=7,
    sql=f"""
SELECT
    time,
    kind,
    count() AS incidents,
    ifNull(sum(if(usd > 0, usd, 0)), 0) AS usd_per_day
FROM
(
    SELECT DISTINCT @step AS time, kind, incident, usd
    FROM
    (
        SELECT
            incident,
            kind,
            impact_usd_per_day AS usd,
            toUnixTimestamp(greatest({BEGAN}, toDateTime64(@since, 6, 'UTC'))) AS first_second,
            greatest(first_second, toUnixTimestamp(
                least(ifNull(resolved_at, toDateTime64(@now, 6, 'UTC')), toDateTime64(@until - 1, 6, 'UTC')))
            ) AS last_second,
            toDateTime(arrayJoin(arrayPushBack(range(first_second, last_second, @step_seconds), last_second)), 'UTC')
                AS @at
        FROM @ledger.incidents
        WHERE {IN_PERIOD}
    )
)
GROUP BY time, kind
ORDER BY time, incidents DESC, kind
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("kind", "Kind", Unit.TEXT),
        Field("incidents", "Incidents", Unit.COUNT),
        Field("usd_per_day", "At stake a day", Unit.USD_PER_DAY),
    ),
    empty="No incident went on in this period.",
)
