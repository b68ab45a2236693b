-- Views have no ORDER BY; they read the tables that do.

-- usage: what people query. Each (tenant, id) once, as last known, with the columns of the metered event. All rows
-- of one place are in one partition, so FINAL need not merge across partitions.
CREATE VIEW IF NOT EXISTS usage ${on_cluster} AS
SELECT
    id, source, time, tenant, team, project, service, environment, user, api_key, session, tags, vendor,
    model, requested_model, operation, region, service_tier, input_tokens, cache_read_tokens,
    cache_write_tokens, cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens,
    reasoning_tokens, output_audio_tokens, output_image_tokens, units, status, error_code, attempt,
    duration_ms, ttft_ms, streaming, reported_cost, reported_currency, cost, list_cost, native_cost,
    currency, fx_rate, cost_parts, price_id, price_status, unpriced_reason, metered_at, version
FROM events FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- minute_state, hour_state, day_state: of each period of a tenant, how many marks it has, how many its best roll
-- covers, and which roll that is. The best seal is the one with the most marks, and of those the highest roll.
CREATE VIEW IF NOT EXISTS minute_state ${on_cluster} AS
SELECT
    tenant,
    minute,
    sum(period_marks) AS marks,
    max(seal) AS best_seal,
    toUInt64(bitShiftRight(best_seal, 64)) AS sealed_marks,
    toUInt64(bitAnd(best_seal, toUInt128(18446744073709551615))) AS roll,
    sum(period_events) AS written_events,
    max(period_marked_at) AS marked_at
FROM
(
    SELECT
        tenant,
        minute,
        marks AS period_marks,
        toUInt128(0) AS seal,
        written_events AS period_events,
        marked_at AS period_marked_at
    FROM minutes
    UNION ALL
    SELECT
        tenant,
        minute,
        toUInt64(0),
        bitShiftLeft(toUInt128(marks), 64) + roll,
        toUInt64(0),
        toDateTime64(0, 6, 'UTC')
    FROM rollup_minute
    WHERE is_seal = 1
)
GROUP BY tenant, minute;

CREATE VIEW IF NOT EXISTS hour_state ${on_cluster} AS
SELECT
    tenant,
    hour,
    sum(period_marks) AS marks,
    max(seal) AS best_seal,
    toUInt64(bitShiftRight(best_seal, 64)) AS sealed_marks,
    toUInt64(bitAnd(best_seal, toUInt128(18446744073709551615))) AS roll,
    sum(period_events) AS written_events,
    max(period_marked_at) AS marked_at
FROM
(
    SELECT
        tenant,
        hour,
        marks AS period_marks,
        toUInt128(0) AS seal,
        written_events AS period_events,
        marked_at AS period_marked_at
    FROM hours
    UNION ALL
    SELECT
        tenant,
        hour,
        toUInt64(0),
        bitShiftLeft(toUInt128(marks), 64) + roll,
        toUInt64(0),
        toDateTime64(0, 6, 'UTC')
    FROM rollup_hour
    WHERE is_seal = 1
)
GROUP BY tenant, hour;

CREATE VIEW IF NOT EXISTS day_state ${on_cluster} AS
SELECT
    tenant,
    day,
    sum(period_marks) AS marks,
    max(seal) AS best_seal,
    toUInt64(bitShiftRight(best_seal, 64)) AS sealed_marks,
    toUInt64(bitAnd(best_seal, toUInt128(18446744073709551615))) AS roll,
    sum(period_events) AS written_events,
    max(period_marked_at) AS marked_at
FROM
(
    SELECT
        tenant,
        day,
        marks AS period_marks,
        toUInt128(0) AS seal,
        written_events AS period_events,
        marked_at AS period_marked_at
    FROM days
    UNION ALL
    SELECT
        tenant,
        day,
        toUInt64(0),
        bitShiftLeft(toUInt128(marks), 64) + roll,
        toUInt64(0),
        toDateTime64(0, 6, 'UTC')
    FROM rollup_day
    WHERE is_seal = 1
)
GROUP BY tenant, day;

-- usage_by_minute: the sealed roll of every clean minute, and the minutes that were written to since from events.
-- A minute is in exactly one of the two, as both halves read the same snapshot of minutes and of the seals.
CREATE VIEW IF NOT EXISTS usage_by_minute ${on_cluster} AS
SELECT
    tenant, minute,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, output_image_tokens, cost, list_cost, duration_calls, duration_sum_ms,
    duration_quantiles_ms, ttft_calls, ttft_sum_ms, ttft_quantiles_ms
FROM rollup_minute
WHERE is_seal = 0
    AND (tenant, minute, roll) ${in} (SELECT tenant, minute, roll FROM minute_state WHERE sealed_marks >= marks)
UNION ALL
SELECT
    tenant,
    toStartOfMinute(time) AS minute,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status,
    count() AS calls,
    countIf(isNull(e.cost)) AS unpriced_calls,
    sum(e.input_tokens) AS input_tokens,
    sum(e.cache_read_tokens) AS cache_read_tokens,
    sum(e.cache_write_tokens) AS cache_write_tokens,
    sum(e.cache_write_1h_tokens) AS cache_write_1h_tokens,
    sum(e.input_audio_tokens) AS input_audio_tokens,
    sum(e.input_image_tokens) AS input_image_tokens,
    sum(e.output_tokens) AS output_tokens,
    sum(e.reasoning_tokens) AS reasoning_tokens,
    sum(e.output_audio_tokens) AS output_audio_tokens,
    sum(e.output_image_tokens) AS output_image_tokens,
    sum(e.cost) AS cost,
    sum(e.list_cost) AS list_cost,
    count(e.duration_ms) AS duration_calls,
    ifNull(sum(e.duration_ms), 0) AS duration_sum_ms,
    quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(e.duration_ms) AS duration_quantiles_ms,
    count(e.ttft_ms) AS ttft_calls,
    ifNull(sum(e.ttft_ms), 0) AS ttft_sum_ms,
    quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(e.ttft_ms) AS ttft_quantiles_ms
FROM events AS e FINAL
WHERE (tenant, toStartOfMinute(time)) ${in} (SELECT tenant, minute FROM minute_state WHERE sealed_marks < marks)
GROUP BY
    tenant, minute,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- usage_by_hour: sealed hours, and the others from their minutes, of which it looks at no more than it needs.
CREATE VIEW IF NOT EXISTS usage_by_hour ${on_cluster} AS
SELECT
    tenant, hour,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, output_image_tokens, cost, list_cost, duration_calls, duration_sum_ms,
    duration_quantiles_ms, ttft_calls, ttft_sum_ms, ttft_quantiles_ms
FROM rollup_hour
WHERE is_seal = 0
    AND (tenant, hour, roll) ${in} (SELECT tenant, hour, roll FROM hour_state WHERE sealed_marks >= marks)
UNION ALL
SELECT
    tenant,
    toStartOfHour(minute) AS hour,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status,
    sum(e.calls) AS calls,
    sum(e.unpriced_calls) AS unpriced_calls,
    sum(e.input_tokens) AS input_tokens,
    sum(e.cache_read_tokens) AS cache_read_tokens,
    sum(e.cache_write_tokens) AS cache_write_tokens,
    sum(e.cache_write_1h_tokens) AS cache_write_1h_tokens,
    sum(e.input_audio_tokens) AS input_audio_tokens,
    sum(e.input_image_tokens) AS input_image_tokens,
    sum(e.output_tokens) AS output_tokens,
    sum(e.reasoning_tokens) AS reasoning_tokens,
    sum(e.output_audio_tokens) AS output_audio_tokens,
    sum(e.output_image_tokens) AS output_image_tokens,
    sum(e.cost) AS cost,
    sum(e.list_cost) AS list_cost,
    sum(e.duration_calls) AS duration_calls,
    sum(e.duration_sum_ms) AS duration_sum_ms,
    quantilesTDigestMergeState(0.5, 0.9, 0.95, 0.99)(e.duration_quantiles_ms) AS duration_quantiles_ms,
    sum(e.ttft_calls) AS ttft_calls,
    sum(e.ttft_sum_ms) AS ttft_sum_ms,
    quantilesTDigestMergeState(0.5, 0.9, 0.95, 0.99)(e.ttft_quantiles_ms) AS ttft_quantiles_ms
FROM
(
    SELECT
        tenant, minute,
        team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
        price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
        cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
        output_audio_tokens, output_image_tokens, cost, list_cost, duration_calls, duration_sum_ms,
        duration_quantiles_ms, ttft_calls, ttft_sum_ms, ttft_quantiles_ms
    FROM rollup_minute
    WHERE is_seal = 0
        AND (tenant, toStartOfHour(minute)) ${in} (SELECT tenant, hour FROM hour_state WHERE sealed_marks < marks)
        AND (tenant, minute, roll) ${in}
        (
            SELECT tenant, minute, roll
            FROM minute_state
            WHERE (tenant, toStartOfHour(minute)) ${in} (SELECT tenant, hour FROM hour_state WHERE sealed_marks < marks)
                AND sealed_marks >= marks
        )
    UNION ALL
    SELECT
        tenant,
        toStartOfMinute(time) AS minute,
        team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
        price_status,
        count() AS calls,
        countIf(isNull(e.cost)) AS unpriced_calls,
        sum(e.input_tokens) AS input_tokens,
        sum(e.cache_read_tokens) AS cache_read_tokens,
        sum(e.cache_write_tokens) AS cache_write_tokens,
        sum(e.cache_write_1h_tokens) AS cache_write_1h_tokens,
        sum(e.input_audio_tokens) AS input_audio_tokens,
        sum(e.input_image_tokens) AS input_image_tokens,
        sum(e.output_tokens) AS output_tokens,
        sum(e.reasoning_tokens) AS reasoning_tokens,
        sum(e.output_audio_tokens) AS output_audio_tokens,
        sum(e.output_image_tokens) AS output_image_tokens,
        sum(e.cost) AS cost,
        sum(e.list_cost) AS list_cost,
        count(e.duration_ms) AS duration_calls,
        ifNull(sum(e.duration_ms), 0) AS duration_sum_ms,
        quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(e.duration_ms) AS duration_quantiles_ms,
        count(e.ttft_ms) AS ttft_calls,
        ifNull(sum(e.ttft_ms), 0) AS ttft_sum_ms,
        quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(e.ttft_ms) AS ttft_quantiles_ms
    FROM events AS e FINAL
    WHERE (tenant, toStartOfMinute(time)) ${in}
        (
            SELECT tenant, minute
            FROM minute_state
            WHERE (tenant, toStartOfHour(minute)) ${in} (SELECT tenant, hour FROM hour_state WHERE sealed_marks < marks)
                AND sealed_marks < marks
        )
    GROUP BY
        tenant, minute,
        team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
        price_status
    SETTINGS do_not_merge_across_partitions_select_final = 1
) AS e
GROUP BY
    tenant, hour,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status;

-- usage_by_day: sealed days (UTC), and the others from their hours.
CREATE VIEW IF NOT EXISTS usage_by_day ${on_cluster} AS
SELECT
    tenant, day,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, output_image_tokens, cost, list_cost, duration_calls, duration_sum_ms,
    duration_quantiles_ms, ttft_calls, ttft_sum_ms, ttft_quantiles_ms
FROM rollup_day
WHERE is_seal = 0
    AND (tenant, day, roll) ${in} (SELECT tenant, day, roll FROM day_state WHERE sealed_marks >= marks)
UNION ALL
SELECT
    tenant,
    toStartOfDay(hour) AS day,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status,
    sum(e.calls) AS calls,
    sum(e.unpriced_calls) AS unpriced_calls,
    sum(e.input_tokens) AS input_tokens,
    sum(e.cache_read_tokens) AS cache_read_tokens,
    sum(e.cache_write_tokens) AS cache_write_tokens,
    sum(e.cache_write_1h_tokens) AS cache_write_1h_tokens,
    sum(e.input_audio_tokens) AS input_audio_tokens,
    sum(e.input_image_tokens) AS input_image_tokens,
    sum(e.output_tokens) AS output_tokens,
    sum(e.reasoning_tokens) AS reasoning_tokens,
    sum(e.output_audio_tokens) AS output_audio_tokens,
    sum(e.output_image_tokens) AS output_image_tokens,
    sum(e.cost) AS cost,
    sum(e.list_cost) AS list_cost,
    sum(e.duration_calls) AS duration_calls,
    sum(e.duration_sum_ms) AS duration_sum_ms,
    quantilesTDigestMergeState(0.5, 0.9, 0.95, 0.99)(e.duration_quantiles_ms) AS duration_quantiles_ms,
    sum(e.ttft_calls) AS ttft_calls,
    sum(e.ttft_sum_ms) AS ttft_sum_ms,
    quantilesTDigestMergeState(0.5, 0.9, 0.95, 0.99)(e.ttft_quantiles_ms) AS ttft_quantiles_ms
FROM usage_by_hour AS e
WHERE (tenant, toStartOfDay(hour)) ${in} (SELECT tenant, day FROM day_state WHERE sealed_marks < marks)
GROUP BY
    tenant, day,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status;
