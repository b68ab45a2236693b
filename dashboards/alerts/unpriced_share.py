"""So many calls have no price that totals say little."""

from dashboards.alerts.groups import LEDGER
from dashboards.alerts.rule import AlertRule

RULE = AlertRule(
    name="unpriced-share",
    title="More than five per cent of calls has no price",
    severity="warning",
    summary="{{ humanizePercentage .Values.A.Value }} of the last day's calls have no price",
    description="They are in no sum of money. weir unpriced says of which models they are, and what to do.",
    # Of fewer than a hundred calls a share says nothing.
    sql="""
SELECT if(sum(calls) < 100, 0, sum(unpriced_calls) / sum(calls)) AS share
FROM @ledger.usage_by_hour
WHERE hour >= now('UTC') - INTERVAL 24 HOUR
""",
    above=0.05,
    group=LEDGER,
    # There always is a row.
    no_data="NoData",
    error="KeepLast",
    # A reprice under way brings prices within the half hour.
    pending_seconds=1800,
    board="spend",
)
