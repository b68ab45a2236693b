"""How much is still asked of models that are going."""

from dashboards.panels.migrations.going import DAYS_LEFT, GOING, WEEK, WEEK_SECONDS
from dashboards.panels.panel import Field, Kind, Panel, Threshold, Unit

PANEL = Panel(
    name="exposed",
    title="How much still runs on models that go?",
    description=(
        "The share of the last seven days' calls, whatever the period, that went to models which are deprecated, have "
        "stopped, or stop within half a year, by the catalog; beside it how many models that is, how many of them have "
        "at most 30 days left, and what is spent on them a day. Empty while the ledger has no models; `weir migrate` "
        "writes them."
    ),
    kind=Kind.STAT,
    place=30,
    width=3,
    height=3,
    thresholds=(Threshold(0, "good"), Threshold(0.1, "warning"), Threshold(25, "bad")),
    sql=f"""
WITH {GOING}
SELECT
    if(sum(calls) = 0 OR (SELECT count() FROM names) = 0, NULL, 100 * sumIf(calls, is_going) / sum(calls))
        AS calls_percent,
    if((SELECT count() FROM names) = 0, NULL, uniqExactIf((vendor, model), is_going)) AS models,
    if((SELECT count() FROM names) = 0, NULL, uniqExactIf((vendor, model), is_going AND {DAYS_LEFT} <= 30))
        AS urgent_models,
    if((countIf(is_going AND cost IS NOT NULL) = 0 AND countIf(is_going) > 0) OR (SELECT count() FROM names) = 0, NULL,
        ifNull(sumIf(cost, is_going), 0) * 86400 / {WEEK_SECONDS}) AS usd_per_day
FROM
(
    SELECT vendor, model, sum(calls) AS calls, sum(cost) AS cost
    FROM @ledger.usage_by_day
    WHERE {WEEK} AND @chosen
    GROUP BY vendor, model
) AS used
LEFT JOIN
(
    SELECT *, 1 AS is_going FROM going
) AS ends ON ends.going_vendor = used.vendor AND ends.going_model = used.model
""",
    fields=(
        Field("calls_percent", "Of all calls", Unit.PERCENT),
        Field("models", "Models", Unit.COUNT),
        Field("urgent_models", "At most 30 days left", Unit.COUNT),
        Field("usd_per_day", "A day", Unit.USD_PER_DAY),
    ),
)
