"""No call reaches the ledger although at this time there usually are some. A silent pipeline looks like zero spend."""

from dashboards.alerts.groups import PIPELINE
from dashboards.alerts.rule import AlertRule

RULE = AlertRule(
    name="pipeline-silent",
    title="No usage reaches the ledger",
    severity="critical",
    summary="No call of the last 15 minutes is in the ledger, though at this time there usually are some",
    description=(
        "Either nobody calls a model, or the way from the producers over Kafka to ClickHouse is broken, or the ledger "
        "cannot be asked. What is on Kafka is not lost."
    ),
    # Usual is what a quarter of an hour held a day ago, and a week ago where the ledger is that old.
    sql="""
SELECT if(
    sumIf(calls, minute >= now('UTC') - INTERVAL 15 MINUTE) = 0
    AND sumIf(calls, minute >= now('UTC') - INTERVAL 1455 MINUTE AND minute < now('UTC') - INTERVAL 1440 MINUTE) >= 10
    AND (
        sumIf(calls, minute >= now('UTC') - INTERVAL 10095 MINUTE
            AND minute < now('UTC') - INTERVAL 10080 MINUTE) >= 10
        OR (SELECT count() FROM @ledger.usage_by_day WHERE day < now('UTC') - INTERVAL 8 DAY) = 0),
    1, 0) AS silent
FROM @ledger.usage_by_minute
WHERE minute >= now('UTC') - INTERVAL 15 MINUTE
    OR (minute >= now('UTC') - INTERVAL 1455 MINUTE AND minute < now('UTC') - INTERVAL 1440 MINUTE)
    OR (minute >= now('UTC') - INTERVAL 10095 MINUTE AND minute < now('UTC') - INTERVAL 10080 MINUTE)
""",
    above=0,
    group=PIPELINE,
    # There always is a row, so none means that the ledger has no tables.
    no_data="Alerting",
    # The one rule that tells of a ledger that cannot be asked; the others keep their state, or all would tell at once.
    error="Alerting",
    pending_seconds=300,
    board="pipeline",
)
