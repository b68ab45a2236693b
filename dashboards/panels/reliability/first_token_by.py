"""The 95th percentile of time to first token over time, a line for each group."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT
from dashboards.panels.reliability.percentiles import percentile_by_group_sql

PANEL = Panel(
    name="first-token-by",
    title="Whose answers began later?",
    description=(
        "Time to the first token within which 95 of 100 calls began to answer, a line for each of the six groups with "
        f"the most calls that state it. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=100,
    width=6,
    height=7,
    sql=percentile_by_group_sql("ttft"),
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Group", Unit.TEXT, variable="@by"),
        Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
        Field("measured_calls", "Calls that state it", Unit.CALLS),
    ),
)
