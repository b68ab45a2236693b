"""How calls ended that did not simply end well, over time."""

from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="outcomes",
    title="How did calls end that did not end well?",
    description=(
        "Calls of each step of time by outcome, without those that ended well: errors, time-outs, turned away for "
        "their rate, and those that were cancelled or filtered, which count as no failures elsewhere on this board."
    ),
    kind=Kind.TIMESERIES,
    stacked=True,
    place=130,
    width=6,
    height=7,
    sql="""
SELECT
    @step AS time,
    replaceAll(status, '_', ' ') AS name,
    sum(calls) AS all_calls
FROM @usage
WHERE @in_period AND @chosen AND status != 'ok'
GROUP BY time, name
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Outcome", Unit.TEXT),
        Field("all_calls", "Calls", Unit.CALLS),
    ),
    empty="Every call of this period ended well.",
)
