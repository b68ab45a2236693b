"""A share of what is reported is refused, whether or not that is usual."""

from dashboards.alerts.groups import LEDGER
from dashboards.alerts.rule import AlertRule

RULE = AlertRule(
    name="rejected-share",
    title="More than one per cent of reports is refused",
    severity="warning",
    summary="{{ humanizePercentage .Values.A.Value }} of what was reported in the last hour was refused",
    description="Refused pieces are in no figure. They are kept, with the reason; weir rejected shows them.",
    # A few pieces are somebody's mistake, not a broken producer.
    sql="""
SELECT if(refused < 10, 0, refused / (refused + stored)) AS share
FROM
(
    SELECT
        (SELECT uniqExact(id) FROM @ledger.rejected WHERE rejected_at >= now('UTC') - INTERVAL 1 HOUR) AS refused,
        (SELECT sum(calls) FROM @ledger.usage_by_minute WHERE minute >= now('UTC') - INTERVAL 1 HOUR) AS stored
)
""",
    above=0.01,
    group=LEDGER,
    # There always is a row.
    no_data="NoData",
    error="KeepLast",
    pending_seconds=600,
    board="pipeline",
)
