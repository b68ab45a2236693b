"""The percentiles of time to first token in the period, and before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT
from dashboards.panels.reliability.percentiles import period_percentiles_sql

PANEL = Panel(
    name="first-token",
    title="How soon do answers begin?",
    description=(
        "Time to the first token, of calls that stream: 95 of 100 calls took no longer than the first "
        f"figure; beside it the same for the period right before, for half and for 99 of 100 calls. {LEFT_OUT}"
    ),
    kind=Kind.STAT,
    place=20,
    width=3,
    height=3,
    sql=period_percentiles_sql("ttft"),
    fields=(
        Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
        Field("p95_before_ms", "Period before", Unit.MILLISECONDS),
        Field("p50_ms", "Half within", Unit.MILLISECONDS),
        Field("p99_ms", "99 of 100 within", Unit.MILLISECONDS),
        Field("measured_calls", "Calls that state it", Unit.CALLS),
    ),
)
