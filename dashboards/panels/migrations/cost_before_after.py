"""What a call costs on the model that was left and on the one that was gone to."""

from dashboards.panels.migrations.moves import MOVES, side, side_usd
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="cost-before-after",
    title="Did moving make calls cheaper?",
    description=(
        "Of each migration, the workload's calls to the old model when the move was found, beside those to the new one "
        "at its last stage, over three to six days each: cost of a thousand calls and of a million output tokens, and "
        "tokens of a call, of calls that were answered. Empty where more than a tenth has no price."
    ),
    kind=Kind.TABLE,
    place=70,
    width=12,
    height=9,
    sql=f"""
WITH {MOVES}
SELECT
    workload,
    source,
    target,
    1000 * {side_usd("before", "cost_usd_per_call")} AS usd_before,
    1000 * {side_usd("after", "cost_usd_per_call")} AS usd_after,
    1000 * {side_usd("before", "cost_usd_per_1000_output_tokens")} AS output_usd_before,
    1000 * {side_usd("after", "cost_usd_per_1000_output_tokens")} AS output_usd_after,
    {side("before", "input_tokens_per_call")} AS input_before,
    {side("after", "input_tokens_per_call")} AS input_after,
    {side("before", "output_tokens_per_call")} AS output_before,
    {side("after", "output_tokens_per_call")} AS output_after,
    incident
FROM moves
ORDER BY started_at DESC, incident
LIMIT 200
""",
    fields=(
        Field("workload", "Workload", Unit.TEXT),
        Field("source", "From", Unit.TEXT),
        Field("target", "To", Unit.TEXT),
        Field("usd_before", "A thousand calls, before", Unit.USD_PER_THOUSAND_CALLS),
        Field("usd_after", "After", Unit.USD_PER_THOUSAND_CALLS),
        Field("output_usd_before", "A million output tokens, before", Unit.USD_PER_MILLION_TOKENS),
        Field("output_usd_after", "After", Unit.USD_PER_MILLION_TOKENS),
        Field("input_before", "Input of a call, before", Unit.TOKENS),
        Field("input_after", "After", Unit.TOKENS),
        Field("output_before", "Output of a call, before", Unit.TOKENS),
        Field("output_after", "After", Unit.TOKENS),
        Field("incident", "Incident", Unit.TEXT, variable="incident"),
    ),
    empty="Nobody moved in this period.",
    drill_down="signals",
)
