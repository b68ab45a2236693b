"""Calls are metered long after they ended: the pipeline works, but behind."""

from dashboards.alerts.groups import LEDGER
from dashboards.alerts.rule import AlertRule

RULE = AlertRule(
    name="pipeline-behind",
    title="The pipeline is behind",
    severity="warning",
    summary="Half of the calls are metered more than five minutes after they ended",
    description=(
        "The middle of what was metered in the last 15 minutes had ended {{ humanizeDuration .Values.A.Value }} "
        "before. "
        "Figures of the last minutes are too low, and signals come late. Nothing is lost."
    ),
    # Bounded to three hours of calls, as single calls are read; fewer than 20 of them say nothing.
    sql="""
SELECT if(count() < 20, 0, quantileExact(0.5)(dateDiff('second', time, metered_at))) AS behind_seconds
FROM @ledger.usage
WHERE time >= now('UTC') - INTERVAL 3 HOUR AND metered_at >= now('UTC') - INTERVAL 15 MINUTE
""",
    above=300,
    group=LEDGER,
    # There always is a row.
    no_data="NoData",
    error="KeepLast",
    # A burst that is read within ten minutes is no trouble.
    pending_seconds=600,
    board="pipeline",
)
