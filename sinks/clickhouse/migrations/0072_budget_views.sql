-- Views have no ORDER BY; they read the tables that do.

-- budget_periods: each budget that is set, in the period that is now. Without a row where the bounds that were written
-- have been outlived: `weir migrate` and `weir up` write further ones.
CREATE OR REPLACE VIEW budget_periods ${on_cluster} AS
SELECT
    b.name AS name,
    b.amount_usd AS amount_usd,
    b.scope AS scope,
    b.period AS period,
    b.time_zone AS time_zone,
    b.thresholds_percent AS thresholds_percent,
    arrayLast(bound -> bound <= now('UTC'), b.period_bounds) AS period_start,
    arrayFirst(bound -> bound > now('UTC'), b.period_bounds) AS period_end
FROM budgets AS b FINAL
WHERE b.is_removed = 0
    AND arrayExists(bound -> bound <= now('UTC'), b.period_bounds)
    AND arrayExists(bound -> bound > now('UTC'), b.period_bounds);

-- budget_standing: what is spent of each budget, exactly, by tenant: of a budget that names no tenant, each has it for
-- itself. Where nothing is spent there is one row, whose tenant is the one that the budget names, or empty. Days (UTC) count
-- whole where they lie within the period; of a day that a period cuts the hours do, and of an hour that it cuts (as where
-- midnight is at half past in UTC) the minutes. What has no price is in no sum; unpriced_calls counts it. A field that no
-- budget names is left empty, so that fewer groups are held against the budgets.
CREATE OR REPLACE VIEW budget_standing ${on_cluster} AS
WITH (SELECT groupUniqArrayArray(mapKeys(scope)) FROM budget_periods) AS named
SELECT
    b.name AS name,
    if(s.name = '' AND mapContains(b.scope, 'tenant'), b.scope['tenant'][1], s.tenant) AS tenant,
    b.amount_usd AS amount_usd,
    b.scope AS scope,
    b.period AS period,
    b.time_zone AS time_zone,
    b.thresholds_percent AS thresholds_percent,
    b.period_start AS period_start,
    b.period_end AS period_end,
    s.spent AS spent_usd,
    round(100 * toFloat64(s.spent) / toFloat64(b.amount_usd), 4) AS percent,
    b.amount_usd - s.spent AS remaining_usd,
    s.all_calls AS calls,
    s.all_unpriced_calls AS unpriced_calls
FROM budget_periods AS b
LEFT JOIN
(
    SELECT
        p.name AS name,
        g.tenant AS tenant,
        sum(ifNull(g.spent, toDecimal128(0, 12))) AS spent,
        sum(g.all_calls) AS all_calls,
        sum(g.all_unpriced_calls) AS all_unpriced_calls
    FROM budget_periods AS p
    INNER JOIN
    (
        SELECT
            r.period_start AS period_start,
            r.period_end AS period_end,
            u.tenant AS tenant,
            map(
                'tenant', u.tenant, 'team', u.team, 'project', u.project, 'service', u.service,
                'environment', u.environment, 'api_key', u.api_key, 'vendor', u.vendor, 'model', u.model,
                'region', u.region, 'operation', u.operation, 'service_tier', u.service_tier
            ) AS names,
            sum(u.cost) AS spent,
            sum(u.calls) AS all_calls,
            sum(u.unpriced_calls) AS all_unpriced_calls
        FROM
        (
            SELECT
                day AS begins, day + INTERVAL 1 DAY AS ends, 'day' AS length,
                toString(tenant) AS tenant,
                if(has(named, 'team'), toString(team), '') AS team,
                if(has(named, 'project'), toString(project), '') AS project,
                if(has(named, 'service'), toString(service), '') AS service,
                if(has(named, 'environment'), toString(environment), '') AS environment,
                if(has(named, 'api_key'), toString(api_key), '') AS api_key,
                if(has(named, 'vendor'), toString(vendor), '') AS vendor,
                if(has(named, 'model'), toString(model), '') AS model,
                if(has(named, 'region'), toString(region), '') AS region,
                if(has(named, 'operation'), toString(operation), '') AS operation,
                if(has(named, 'service_tier'), toString(service_tier), '') AS service_tier,
                cost, calls, unpriced_calls
            FROM usage_by_day
            WHERE day >= (SELECT min(period_start) FROM budget_periods)
            UNION ALL
            SELECT
                hour AS begins, hour + INTERVAL 1 HOUR AS ends, 'hour' AS length,
                toString(tenant) AS tenant,
                if(has(named, 'team'), toString(team), '') AS team,
                if(has(named, 'project'), toString(project), '') AS project,
                if(has(named, 'service'), toString(service), '') AS service,
                if(has(named, 'environment'), toString(environment), '') AS environment,
                if(has(named, 'api_key'), toString(api_key), '') AS api_key,
                if(has(named, 'vendor'), toString(vendor), '') AS vendor,
                if(has(named, 'model'), toString(model), '') AS model,
                if(has(named, 'region'), toString(region), '') AS region,
                if(has(named, 'operation'), toString(operation), '') AS operation,
                if(has(named, 'service_tier'), toString(service_tier), '') AS service_tier,
                cost, calls, unpriced_calls
            FROM usage_by_hour
            WHERE toStartOfDay(hour) ${in}
                (
                    SELECT toStartOfDay(arrayJoin([period_start, period_end]) AS bound)
                    FROM budget_periods
                    WHERE bound != toStartOfDay(bound)
                )
            UNION ALL
            SELECT
                minute AS begins, minute + INTERVAL 1 MINUTE AS ends, 'minute' AS length,
                toString(tenant) AS tenant,
                if(has(named, 'team'), toString(team), '') AS team,
                if(has(named, 'project'), toString(project), '') AS project,
                if(has(named, 'service'), toString(service), '') AS service,
                if(has(named, 'environment'), toString(environment), '') AS environment,
                if(has(named, 'api_key'), toString(api_key), '') AS api_key,
                if(has(named, 'vendor'), toString(vendor), '') AS vendor,
                if(has(named, 'model'), toString(model), '') AS model,
                if(has(named, 'region'), toString(region), '') AS region,
                if(has(named, 'operation'), toString(operation), '') AS operation,
                if(has(named, 'service_tier'), toString(service_tier), '') AS service_tier,
                cost, calls, unpriced_calls
            FROM usage_by_minute
            WHERE toStartOfHour(minute) ${in}
                (
                    SELECT toStartOfHour(arrayJoin([period_start, period_end]) AS bound)
                    FROM budget_periods
                    WHERE bound != toStartOfHour(bound)
                )
        ) AS u
        CROSS JOIN (SELECT DISTINCT period_start, period_end FROM budget_periods) AS r
        WHERE u.begins >= r.period_start AND u.ends <= r.period_end
            AND (
                u.length = 'day'
                OR u.length = 'hour' AND (
                    toStartOfDay(u.begins) < r.period_start
                    OR toStartOfDay(u.begins) + INTERVAL 1 DAY > r.period_end
                )
                OR u.length = 'minute' AND (
                    toStartOfHour(u.begins) < r.period_start
                    OR toStartOfHour(u.begins) + INTERVAL 1 HOUR > r.period_end
                )
            )
        GROUP BY period_start, period_end, tenant, names
    ) AS g ON g.period_start = p.period_start AND g.period_end = p.period_end
    WHERE arrayAll((field, wanted) -> has(wanted, g.names[field]), mapKeys(p.scope), mapValues(p.scope))
    GROUP BY name, tenant
) AS s ON s.name = b.name;
