"""How durations are distributed over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT, heat_sql

PANEL = Panel(
    name="duration-heat",
    title="Do all calls take longer, or only some?",
    description=(
        "How many calls of each step of time took so long, up to the bound of each bucket: a band that moves "
        "up is everybody, a second band is some. Estimated from the ledger's digests, to about a hundredth of the "
        f"calls of a step. {LEFT_OUT}"
    ),
    kind=Kind.HEATMAP,
    place=70,
    width=6,
    height=8,
    sql=heat_sql("duration"),
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("bucket", "Up to", Unit.MILLISECONDS),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
)
