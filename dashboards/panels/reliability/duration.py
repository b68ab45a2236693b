"""The percentiles of duration in the period, and before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT
from dashboards.panels.reliability.percentiles import period_percentiles_sql

PANEL = Panel(
    name="duration",
    title="How long do calls take?",
    description=(
        "Time from the request to the end of the answer, failed calls too: 95 of 100 calls took no longer than the "
        f"first figure; beside it the same for the period right before, for half and for 99 of 100 calls. {LEFT_OUT}"
    ),
    kind=Kind.STAT,
    place=10,
    width=3,
    height=3,
    sql=period_percentiles_sql("duration"),
    fields=(
        Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
        Field("p95_before_ms", "Period before", Unit.MILLISECONDS),
        Field("p50_ms", "Half within", Unit.MILLISECONDS),
        Field("p99_ms", "99 of 100 within", Unit.MILLISECONDS),
        Field("measured_calls", "Calls that state it", Unit.CALLS),
    ),
)
