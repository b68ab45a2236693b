"""How fast each budget is being spent."""

from dashboards.panels.budget_sql import GROUP, MEMBERS, STANDING
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="burn",
    title="How fast is each budget being spent?",
    description=(
        "Dollars a day over the last 24 whole hours, and over the last 6 as if a day went on like them, beside the "
        "even pace at which the budget would last exactly. A ratio of 2 spends it in half its period. The days are "
        "those that what is left lasts at the pace of the last 24 hours."
    ),
    kind=Kind.TABLE,
    place=12,
    width=12,
    height=6,
    sql=f"""
SELECT
    s.name AS budget,
    s.tenant AS tenant,
    ifNull(b.day_usd, 0) AS usd_per_day,
    ifNull(b.quarter_usd, 0) * 4 AS usd_per_day_now,
    toDecimal128(toDecimal256(s.amount_usd, 12) * 86400 / dateDiff('second', s.period_start, s.period_end), 12)
        AS usd_per_day_even,
    toFloat64(usd_per_day) / toFloat64(usd_per_day_even) AS day_ratio,
    toFloat64(usd_per_day_now) / toFloat64(usd_per_day_even) AS now_ratio,
    if(usd_per_day = 0, NULL, greatest(0, toFloat64(s.remaining_usd) / toFloat64(usd_per_day))) AS lasts_days
FROM ({STANDING}) AS s
LEFT JOIN
(
    SELECT
        m.name AS name,
        m.tenant AS tenant,
        toNullable(sum(u.day_usd)) AS day_usd,
        toNullable(sum(u.quarter_usd)) AS quarter_usd
    FROM ({MEMBERS}) AS m
    INNER JOIN
    (
        SELECT
            {GROUP} AS group,
            ifNull(sum(cost), 0) AS day_usd,
            ifNull(sumIf(cost, hour >= toStartOfHour(@now) - INTERVAL 6 HOUR), 0) AS quarter_usd
        FROM @ledger.usage_by_hour
        WHERE hour >= toStartOfHour(@now) - INTERVAL 24 HOUR AND hour < toStartOfHour(@now)
        GROUP BY group
    ) AS u ON u.group = m.group
    GROUP BY name, tenant
) AS b ON b.name = s.name AND b.tenant = s.tenant
WHERE s.period_start <= @now AND @chosen_scope
ORDER BY now_ratio DESC, budget, tenant
LIMIT 200
""",
    fields=(
        Field("budget", "Budget", Unit.TEXT),
        Field("tenant", "Tenant", Unit.TEXT, variable="tenant"),
        Field("usd_per_day", "Last 24 hours", Unit.USD_PER_DAY),
        Field("usd_per_day_now", "Last 6 hours", Unit.USD_PER_DAY),
        Field("usd_per_day_even", "Even pace", Unit.USD_PER_DAY),
        Field("day_ratio", "Last 24 hours to even", Unit.RATIO),
        Field("now_ratio", "Last 6 hours to even", Unit.RATIO),
        Field("lasts_days", "Lasts", Unit.DAYS),
    ),
    empty="No budget is set. Write one in tokenweir.toml: docs/signals.md, Budgets.",
)
