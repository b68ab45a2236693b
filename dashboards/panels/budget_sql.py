"""Whose spend a budget counts, and what it will come to: SQL that the panels of budgets share.

Each group of the rollups is held against each budget once; the hours then are joined by the group. The forecast is that
of `weir budgets`: each hour to come at the mean of the same hour of the week in the last 28 days, as many of them as
the ledger has, and none before a whole week is known.
"""

from typing import Final

_FIELDS: Final = (
    "tenant",
    "team",
    "project",
    "service",
    "environment",
    "api_key",
    "vendor",
    "model",
    "region",
    "operation",
    "service_tier",
)
GROUP: Final = f"cityHash64({', '.join(f'toString({name})' for name in _FIELDS)})"
"""A group of the rollups, told by the fields that a budget can name."""

_NAMES: Final = ", ".join(f"'{name}', toString({name})" for name in _FIELDS)

STANDING: Final = """
    SELECT *, mapUpdate(
        mapApply((field, wanted) -> (toString(field), wanted[1]), whole_scope),
        if(tenant = '', map(), map('tenant', toString(tenant)))) AS scope
    FROM (SELECT * EXCEPT scope, scope AS whole_scope FROM @ledger.budget_standing)
"""
"""`budget_standing`, with the scope as that of a signal, for `@chosen_scope`; it names the tenant, too."""

MEMBERS: Final = f"""
    SELECT b.name AS name, g.tenant AS tenant, g.group AS group, b.period_start AS period_start,
        b.period_end AS period_end, b.amount_usd AS amount_usd,
        mapUpdate(mapApply((field, wanted) -> (toString(field), wanted[1]), b.scope), map('tenant', g.tenant)) AS scope
    FROM @ledger.budget_periods AS b
    CROSS JOIN
    (
        SELECT DISTINCT toString(tenant) AS tenant, {GROUP} AS group, map({_NAMES}) AS names
        FROM @ledger.usage_by_day
        WHERE day >= toStartOfDay(least(@now - INTERVAL 29 DAY, (SELECT min(period_start) FROM @ledger.budget_periods)))
    ) AS g
    WHERE arrayAll((field, wanted) -> has(wanted, g.names[field]), mapKeys(b.scope), mapValues(b.scope))
"""
"""Which groups a budget counts: `name`, `tenant`, `group`, `period_start`, `period_end`, `amount_usd`, and `scope`, for
`@chosen_scope`."""

REST: Final = f"""
    SELECT
        name,
        tenant,
        if(any(known) < 168, NULL, toDecimal128(sum(usual_here * multiIf(
            span <= offset, 0,
            intDiv(span - offset, 604800) * 3600 + least(3600, (span - offset) % 604800)
                - if(slot = 168, toUnixTimestamp(@now) % 3600, 0))
            / (3600 * greatest(intDiv(known - slot, 168) + 1, 1))), 12)) AS usd_rest
    FROM
    (
        SELECT
            m.name AS name, m.tenant AS tenant, s.slot AS slot,
            toInt64(3600) * (168 - s.slot) AS offset,
            any(toInt64(toUnixTimestamp(m.period_end)) - toUnixTimestamp(toStartOfHour(@now))) AS span,
            any(f.hours_known) AS known,
            sum(s.usual) AS usual_here
        FROM ({MEMBERS}) AS m
        INNER JOIN
        (
            SELECT
                {GROUP} AS group,
                toInt64((intDiv(toUnixTimestamp(toStartOfHour(@now)) - toUnixTimestamp(hour), 3600) + 167) % 168 + 1)
                    AS slot,
                toDecimal256(ifNull(sum(cost), 0), 12) AS usual
            FROM @ledger.usage_by_hour
            WHERE hour >= toStartOfHour(@now) - INTERVAL 672 HOUR AND hour < toStartOfHour(@now)
            GROUP BY group, slot
        ) AS s ON s.group = m.group
        INNER JOIN
        (
            SELECT
                tenant,
                least(672, intDiv(toInt64(toUnixTimestamp(toStartOfHour(@now)))
                    - toUnixTimestamp(toStartOfHour(min(minute))), 3600) - 1) AS hours_known
            FROM @ledger.minutes
            GROUP BY tenant
        ) AS f ON f.tenant = m.tenant
        GROUP BY name, tenant, slot
    )
    GROUP BY name, tenant
"""
"""What is still to come of each budget's period: `name`, `tenant`, `usd_rest`, null before a whole week is known."""
