"""What is behind the incidents of the period, by kind and first cause."""

from dashboards.panels.incident_sql import IN_PERIOD
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="causes",
    title="What is usually behind them?",
    description=(
        "The incidents of the period by kind and by the cause that each of them names first, with what they cost a "
        "day, as last told. An incident stands in one row. Where no cause is known the cause is empty."
    ),
    kind=Kind.TABLE,
    place=100,
    width=7,
    height=7,
    sql=f"""
SELECT
    kind,
    replaceAll(JSONExtractString(contributors, 1, 'component'), '_', ' ') AS cause,
    count() AS incidents,
    countIf(state != 'resolved') AS open_incidents,
    sum(impact_usd_per_day) AS usd_per_day,
    max(started_at) AS newest_at
FROM @ledger.incidents
WHERE {IN_PERIOD}
GROUP BY kind, cause
ORDER BY incidents DESC, kind, cause
""",
    fields=(
        Field("kind", "Kind", Unit.TEXT),
        Field("cause", "First cause", Unit.TEXT),
        Field("incidents", "Incidents", Unit.COUNT),
        Field("open_incidents", "Open", Unit.COUNT),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
        Field("newest_at", "Newest", Unit.TIME),
    ),
    empty="No incident went on in this period.",
)
