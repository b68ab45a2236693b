"""How long calls take, and how many fail, on the model that was left and on the one that was gone to."""

from dashboards.panels.migrations.moves import MOVES, side
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="latency-before-after",
    title="Did moving make calls slower, or fail more?",
    description=(
        "Of each migration, the workload's calls to the old model when the move was found, beside those to the new one "
        "at its last stage, over three to six days each: how long half and 95 of 100 calls took at most, when half "
        "began to answer, and how many failed. Percentiles are those of the detector's histograms, to some 10 %."
    ),
    kind=Kind.TABLE,
    place=80,
    width=12,
    height=9,
    sql=f"""
WITH {MOVES}
SELECT
    workload,
    source,
    target,
    {side("before", "duration_p50_ms")} AS p50_before_ms,
    {side("after", "duration_p50_ms")} AS p50_after_ms,
    {side("before", "duration_p95_ms")} AS p95_before_ms,
    {side("after", "duration_p95_ms")} AS p95_after_ms,
    {side("before", "ttft_p50_ms")} AS first_token_before_ms,
    {side("after", "ttft_p50_ms")} AS first_token_after_ms,
    100 * {side("before", "failed_share")} AS failed_before_percent,
    100 * {side("after", "failed_share")} AS failed_after_percent,
    incident
FROM moves
ORDER BY started_at DESC, incident
LIMIT 200
""",
    fields=(
        Field("workload", "Workload", Unit.TEXT),
        Field("source", "From", Unit.TEXT),
        Field("target", "To", Unit.TEXT),
        Field("p50_before_ms", "Half within, before", Unit.MILLISECONDS),
        Field("p50_after_ms", "After", Unit.MILLISECONDS),
        Field("p95_before_ms", "95 of 100 within, before", Unit.MILLISECONDS),
        Field("p95_after_ms", "After", Unit.MILLISECONDS),
        Field("first_token_before_ms", "Half begin within, before", Unit.MILLISECONDS),
        Field("first_token_after_ms", "After", Unit.MILLISECONDS),
        Field("failed_before_percent", "Failed, before", Unit.PERCENT),
        Field("failed_after_percent", "After", Unit.PERCENT),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    empty="Nobody moved in this period.",
    drill_down="signals",
)
