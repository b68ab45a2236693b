"""The percentiles of time to first token over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT
from dashboards.panels.reliability.percentiles import percentiles_over_time_sql

PANEL = Panel(
    name="first-token-over-time",
    title="When did answers begin later?",
    description=(
        "Time to the first token within which half, 95 and 99 of 100 calls of each step of time "
        f"began to answer. Few calls make high percentiles jump. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=60,
    width=6,
    height=7,
    sql=percentiles_over_time_sql("ttft"),
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("p50_ms", "Half within", Unit.MILLISECONDS),
        Field("p95_ms", "95 of 100", Unit.MILLISECONDS),
        Field("p99_ms", "99 of 100", Unit.MILLISECONDS),
    ),
)
