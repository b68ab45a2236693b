"""What the cost spikes that are open add to the bill."""

from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="spiking-now",
    title="What do the open spikes cost a day?",
    description=(
        "The open incidents of kind cost_spike, and what they cost a day more than is usual, as last told. A cause is "
        "told at one level only, so they can be added up. Other kinds are not in it: what a budget, a retirement or "
        "a migration is worth is no loss."
    ),
    kind=Kind.STAT,
    place=30,
    width=4,
    height=3,
    thresholds=(Threshold(1, "warning"), Threshold(100, "bad")),
    sql="""
SELECT
    ifNull(sum(impact_usd_per_day), 0) AS usd_per_day,
    countIf(subject = 'up') AS spikes,
    countIf(subject = 'silent') AS silent
FROM @ledger.open_incidents
WHERE kind = 'cost_spike' AND started_at <= @now AND @chosen_scope
""",
    fields=(
        Field("usd_per_day", "More than usual", Unit.USD_PER_DAY),
        Field("spikes", "Spikes", Unit.COUNT),
        Field("silent", "Gone silent", Unit.COUNT),
    ),
)
