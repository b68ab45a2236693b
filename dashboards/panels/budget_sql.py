"""Whose spend a budget counts, and what it will come to: SQL that the panels of budgets share.

Each group of the rollups is held against each budget once, after its hours are summed up. The forecast is that of
`weir budgets`: each hour to come at the mean of the same hour of the week in the last 28 days, as many of them as the
ledger has, and none before a whole week is known.
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
_NAMED: Final = "(SELECT groupUniqArrayArray(mapKeys(scope)) FROM @ledger.budget_periods)"
_VALUES: Final = ("tenant", *(f"if(has({_NAMED}, '{name}'), {name}, '')" for name in _FIELDS[1:]))
GROUP: Final = f"cityHash64({', '.join(_VALUES)})"
"""A group of the rollups, told by the tenant and the fields that a budget does name: what the others hold is one."""

_NAMES: Final = ", ".join(f"'{name}', toString({name})" for name in _FIELDS)

_GROUPS: Final = f"""
    SELECT toString(tenant) AS tenant, cityHash64({", ".join(_FIELDS)}) AS group, map({_NAMES}) AS names
    FROM
    (
        SELECT DISTINCT {", ".join(f"{value} AS {name}" for name, value in zip(_FIELDS, _VALUES, strict=True))}
        FROM @ledger.usage_by_day
        WHERE day >= toStartOfDay(least(@now - INTERVAL 29 DAY, (SELECT min(period_start) FROM @ledger.budget_periods)))
    )
"""

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
    CROSS JOIN ({_GROUPS}) AS g
    WHERE arrayAll((field, wanted) -> has(wanted, g.names[field]), mapKeys(b.scope), mapValues(b.scope))
"""
"""Which groups a budget counts: `name`, `tenant`, `group`, `period_start`, `period_end`, `amount_usd`, and `scope`, for
`@chosen_scope`."""

_USUAL: Final = f"""
    SELECT
        {GROUP} AS group,
        toInt64((intDiv(toUnixTimestamp(toStartOfHour(@now)) - toUnixTimestamp(hour), 3600) + 167) % 168 + 1) AS slot,
        toInt64(3600) * (168 - slot) AS offset,
        any(tenant) AS tenant_here,
        toDecimal256(ifNull(sum(cost), 0), 12) AS usual
    FROM @ledger.usage_by_hour
    WHERE hour >= toStartOfHour(@now) - INTERVAL 672 HOUR AND hour < toStartOfHour(@now)
    GROUP BY group, slot
"""
"""What each group cost in the last 28 days in each of the hours of a week, 1 to 168, the last of them the one that is
now. `offset`: seconds from the beginning of this hour to the first one to come."""

_COMING: Final = f"""
    SELECT
        s.group AS group,
        e.period_end AS period_end,
        any(f.hours_known) AS known,
        sum(s.usual * toInt64(multiIf(
            e.span <= s.offset, 0,
            intDiv(e.span - s.offset, 604800) * 3600 + least(3600, (e.span - s.offset) % 604800)
                - if(s.slot = 168, toUnixTimestamp(@now) % 3600, 0))
            * intDiv(12, greatest(intDiv(f.hours_known - s.slot, 168) + 1, 1)))) AS usd_seconds
    FROM ({_USUAL}) AS s
    INNER JOIN
    (
        SELECT
            tenant,
            least(672, intDiv(toInt64(toUnixTimestamp(toStartOfHour(@now)))
                - toUnixTimestamp(toStartOfHour(min(minute))), 3600) - 1) AS hours_known
        FROM @ledger.minutes
        GROUP BY tenant
    ) AS f ON f.tenant = s.tenant_here
    CROSS JOIN
    (
        SELECT DISTINCT
            period_end,
            toInt64(toUnixTimestamp(period_end)) - toUnixTimestamp(toStartOfHour(@now)) AS span
        FROM @ledger.budget_periods
    ) AS e
    GROUP BY group, period_end
"""
"""What each group will cost until each end of a period, times the seconds of twelve hours: an hour of the week that has
come n times counts with the twelfth of 12 / n, which is whole, so that the sum stays exact. `known`: hours."""

REST: Final = f"""
    SELECT
        b.name AS name,
        g.tenant AS tenant,
        if(any(c.known) < 168, NULL, toDecimal128(sum(c.usd_seconds) / 43200, 12)) AS usd_rest
    FROM @ledger.budget_periods AS b
    INNER JOIN ({_COMING}) AS c ON c.period_end = b.period_end
    INNER JOIN ({_GROUPS}) AS g ON g.group = c.group
    WHERE arrayAll((field, wanted) -> has(wanted, g.names[field]), mapKeys(b.scope), mapValues(b.scope))
    GROUP BY name, tenant
"""
"""What is still to come of each budget's period: `name`, `tenant`, `usd_rest`, null before a whole week is known."""
