"""How calls went by some names, beside the period before: what the tables of models and of workloads share."""

from collections.abc import Sequence
from typing import Final

from dashboards.panels.panel import Field, Unit
from dashboards.panels.reliability.measures import FAILED, IS_SPOKEN, IS_WAITED_FOR, LEFT_OUT, percentile_ms

_NOW: Final = f"(@in_period AND {IS_WAITED_FOR})"
_BEFORE: Final = f"(@before_period AND {IS_WAITED_FOR})"

HOW_TO_READ: Final = (
    "each beside the period of the same length right before; the 200 with the most calls. "
    f"Of what is measured: {LEFT_OUT[0].lower()}{LEFT_OUT[1:]}"
)
"""The end of a description."""


def compared_sql(columns: Sequence[str]) -> str:
    """A row for each combination of usage columns, most calls first. Columns: these, then those of COMPARED_FIELDS."""
    names = ", ".join(columns)
    return f"""
SELECT
    {names},
    sumIf(calls, @in_period) AS all_calls,
    {percentile_ms(50, "duration", _NOW)} AS p50_ms,
    {percentile_ms(95, "duration", _NOW)} AS p95_ms,
    {percentile_ms(95, "duration", _BEFORE)} AS p95_before_ms,
    {percentile_ms(99, "duration", _NOW)} AS p99_ms,
    {percentile_ms(95, "ttft", _NOW)} AS first_token_p95_ms,
    {percentile_ms(95, "ttft", _BEFORE)} AS first_token_p95_before_ms,
    if(sumIf(duration_sum_ms, @in_period AND {IS_SPOKEN}) = 0, NULL,
        1000 * sumIf(output_tokens, @in_period AND {IS_SPOKEN})
        / sumIf(duration_sum_ms, @in_period AND {IS_SPOKEN})) AS tokens_per_second,
    100 * sumIf(calls, @in_period AND {FAILED}) / all_calls AS failed_percent,
    if(sumIf(calls, @before_period) = 0, NULL,
        100 * sumIf(calls, @before_period AND {FAILED}) / sumIf(calls, @before_period)) AS failed_before_percent,
    100 * sumIf(calls, @in_period AND status = 'rate_limited') / all_calls AS limited_percent
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
GROUP BY {names}
HAVING all_calls > 0
ORDER BY all_calls DESC, {names}
LIMIT 200
"""


COMPARED_FIELDS: Final = (
    Field("all_calls", "Calls", Unit.CALLS),
    Field("p50_ms", "Half within", Unit.MILLISECONDS),
    Field("p95_ms", "95 of 100 within", Unit.MILLISECONDS),
    Field("p95_before_ms", "Before", Unit.MILLISECONDS),
    Field("p99_ms", "99 of 100 within", Unit.MILLISECONDS),
    Field("first_token_p95_ms", "First token, 95 of 100", Unit.MILLISECONDS),
    Field("first_token_p95_before_ms", "Before", Unit.MILLISECONDS),
    Field("tokens_per_second", "Output", Unit.TOKENS_PER_SECOND),
    Field("failed_percent", "Failed", Unit.PERCENT),
    Field("failed_before_percent", "Before", Unit.PERCENT),
    Field("limited_percent", "Turned away", Unit.PERCENT),
)
