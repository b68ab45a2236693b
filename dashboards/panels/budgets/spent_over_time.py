"""How each budget filled up."""

from dashboards.panels.budget_sql import GROUP, MEMBERS
from dashboards.panels.panel import Field, Kind, Panel, Unit

PANEL = Panel(
    name="spent-over-time",
    title="When was each budget spent?",
    description=(
        "What was spent of each budget from the beginning of its period up to the end of each day in UTC, in percent "
        "and in dollars, whatever period is chosen above. Above 100 percent it is spent. A budget without any spend so "
        "far has no line; of an hour that two periods share, all counts in the later one."
    ),
    kind=Kind.TIMESERIES,
    place=14,
    width=12,
    height=8,
    sql=f"""
SELECT
    time,
    budget AS name,
    100 * toFloat64(usd) / toFloat64(amount) AS spent_percent,
    sum(day_usd) OVER (PARTITION BY budget ORDER BY time) AS usd
FROM
(
    SELECT
        toStartOfDay(u.begins) AS time,
        if(uniqExact(m.tenant) OVER (PARTITION BY m.name) = 1, m.name, concat(m.name, ' / ', m.tenant)) AS budget,
        any(m.amount_usd) AS amount,
        sum(u.usd) AS day_usd
    FROM (SELECT * FROM ({MEMBERS}) WHERE @chosen_scope) AS m
    INNER JOIN
    (
        SELECT {GROUP} AS group, day AS begins, day + INTERVAL 1 DAY AS ends, 1 AS is_day, ifNull(sum(cost), 0) AS usd
        FROM @ledger.usage_by_day
        WHERE day >= (SELECT min(period_start) FROM @ledger.budget_periods) AND day <= @now
        GROUP BY group, begins, ends
        UNION ALL
        SELECT {GROUP} AS group, hour AS begins, hour + INTERVAL 1 HOUR AS ends, 0 AS is_day,
            ifNull(sum(cost), 0) AS usd
        FROM @ledger.usage_by_hour
        WHERE hour <= @now AND toStartOfDay(hour) IN
        (
            SELECT toStartOfDay(arrayJoin([period_start, period_end]) AS bound)
            FROM @ledger.budget_periods
            WHERE bound != toStartOfDay(bound)
        )
        GROUP BY group, begins, ends
    ) AS u ON u.group = m.group
    WHERE if(u.is_day, u.begins >= m.period_start, u.ends > m.period_start) AND u.ends <= m.period_end
        AND (
            u.is_day
            OR toStartOfDay(u.begins) < m.period_start
            OR toStartOfDay(u.begins) + INTERVAL 1 DAY > m.period_end
        )
    GROUP BY time, m.name, m.tenant
)
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Budget", Unit.TEXT),
        Field("spent_percent", "Spent", Unit.PERCENT),
        Field("usd", "Spent", Unit.USD),
    ),
    empty="Nothing is spent of any budget, or none is set: docs/signals.md, Budgets.",
)
