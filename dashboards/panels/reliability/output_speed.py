"""How fast answers are written, and before."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.reliability.measures import IS_SPOKEN

_SPEED = "if({0} = 0, NULL, 1000 * {1} / {0})"


def _speed(period: str) -> str:
    seconds, tokens = (
        f"sumIf({column}, {period} AND {IS_SPOKEN})" for column in ("duration_sum_ms", "output_tokens")
    )
    return _SPEED.format(seconds, tokens)


PANEL = Panel(
    name="output-speed",
    title="How fast are answers written?",
    description=(
        "Output tokens by the seconds from a call's request to its end, waiting for the first token included; over all "
        "calls that ended well. Beside it the period before. Calls without output or duration are left out, and so "
        "are batches."
    ),
    kind=Kind.STAT,
    place=40,
    width=3,
    height=3,
    sql=f"""
SELECT
    {_speed("@in_period")} AS tokens_per_second,
    {_speed("@before_period")} AS before_tokens_per_second,
    sumIf(calls, @in_period AND {IS_SPOKEN}) AS measured_calls
FROM @usage
WHERE (@in_period OR @before_period) AND @chosen
""",
    fields=(
        Field("tokens_per_second", "Output", Unit.TOKENS_PER_SECOND),
        Field("before_tokens_per_second", "Period before", Unit.TOKENS_PER_SECOND),
        Field("measured_calls", "Calls measured", Unit.CALLS),
    ),
)
