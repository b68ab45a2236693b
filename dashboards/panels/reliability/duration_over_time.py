"""The percentiles of duration over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT
from dashboards.panels.reliability.percentiles import percentiles_over_time_sql

PANEL = Panel(
    name="duration-over-time",
    title="When did calls take longer?",
    description=(
        "Duration within which half, 95 and 99 of 100 calls of each step of time "
        f"ended. Few calls make high percentiles jump. {LEFT_OUT}"
    ),
    kind=Kind.TIMESERIES,
    place=50,
    width=6,
    height=7,
    sql=percentiles_over_time_sql("duration"),
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("p50_ms", "Half within", Unit.MILLISECONDS),
        Field("p95_ms", "95 of 100", Unit.MILLISECONDS),
        Field("p99_ms", "99 of 100", Unit.MILLISECONDS),
    ),
)
