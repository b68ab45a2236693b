"""How times to first token are distributed over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import LEFT_OUT, heat_sql

PANEL = Panel(
    name="first-token-heat",
    title="Do all answers begin later, or only some?",
    description=(
        "How many calls of each step of time began to answer within so long, up to the bound of each bucket: a band "
        "that moves up is everybody, a second band is some. Estimated from the ledger's digests, to about a hundredth "
        f"of the calls of a step. {LEFT_OUT}"
    ),
    kind=Kind.HEATMAP,
    place=80,
    width=6,
    height=8,
    sql=heat_sql("ttft"),
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("bucket", "Up to", Unit.MILLISECONDS),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
)
