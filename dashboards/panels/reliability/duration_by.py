"""The 95th percentile of duration over time, a line for each group."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT
from dashboards.panels.reliability.percentiles import percentile_by_group_sql

PANEL = Panel(
    name="duration-by",
    title="Whose calls took longer?",
    description=(
        "Duration within which 95 of 100 calls ended, a line for each of the six groups with the most "
        f"calls that state it. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=90,
    width=6,
    height=7,
    sql=percentile_by_group_sql("duration"),
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
        Field("measured_calls", "Calls that state it", Unit.CALLS),
    ),
)
