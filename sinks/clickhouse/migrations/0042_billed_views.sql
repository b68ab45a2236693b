-- The views of 0020 with what was billed. Views have no ORDER BY; they read the tables that do.

-- usage: what people query. Each (tenant, id) once, as last known, with the columns of the metered event. All rows
-- of one place are in one partition, so FINAL need not merge across partitions.
CREATE OR REPLACE VIEW usage ${on_cluster} AS
SELECT
    id, source, time, tenant, team, project, service, environment, user, api_key, session, tags, vendor,
    model, requested_model, operation, region, service_tier, input_tokens, cache_read_tokens,
    cache_write_tokens, cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens,
    reasoning_tokens, output_audio_tokens, output_image_tokens, units, status, error_code, attempt,
    duration_ms, ttft_ms, streaming, reported_cost, reported_currency, cost, list_cost, native_cost,
    currency, fx_rate, cost_parts, price_id, price_status, unpriced_reason, metered_at, version, repriced_at,
    if(isNull(e.repriced_at), e.cost, e.billed_cost) AS billed_cost,
    if(isNull(e.repriced_at), e.list_cost, e.billed_list_cost) AS billed_list_cost,
    if(isNull(e.repriced_at), e.price_id, e.billed_price_id) AS billed_price_id
FROM events AS e FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- usage_by_minute: the sealed roll of every clean minute, and the minutes that were written to since from events.
-- A minute is in exactly one of the two, as both halves read the same snapshot of minutes and of the seals.
CREATE OR REPLACE VIEW usage_by_minute ${on_cluster} AS
SELECT
    tenant, minute,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, output_image_tokens, cost, list_cost, billed_cost, billed_list_cost,
    billed_unpriced_calls, duration_calls, duration_sum_ms, duration_quantiles_ms, ttft_calls, ttft_sum_ms,
    ttft_quantiles_ms
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
    sum(if(isNull(e.repriced_at), e.cost, e.billed_cost)) AS billed_cost,
    sum(if(isNull(e.repriced_at), e.list_cost, e.billed_list_cost)) AS billed_list_cost,
    countIf(isNull(if(isNull(e.repriced_at), e.cost, e.billed_cost))) AS billed_unpriced_calls,
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
CREATE OR REPLACE VIEW usage_by_hour ${on_cluster} AS
SELECT
    tenant, hour,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, output_image_tokens, cost, list_cost, billed_cost, billed_list_cost,
    billed_unpriced_calls, duration_calls, duration_sum_ms, duration_quantiles_ms, ttft_calls, ttft_sum_ms,
    ttft_quantiles_ms
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
    sum(e.billed_cost) AS billed_cost,
    sum(e.billed_list_cost) AS billed_list_cost,
    sum(e.billed_unpriced_calls) AS billed_unpriced_calls,
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
        output_audio_tokens, output_image_tokens, cost, list_cost, billed_cost, billed_list_cost,
        billed_unpriced_calls, duration_calls, duration_sum_ms, duration_quantiles_ms, ttft_calls, ttft_sum_ms,
        ttft_quantiles_ms
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
        sum(if(isNull(e.repriced_at), e.cost, e.billed_cost)) AS billed_cost,
        sum(if(isNull(e.repriced_at), e.list_cost, e.billed_list_cost)) AS billed_list_cost,
        countIf(isNull(if(isNull(e.repriced_at), e.cost, e.billed_cost))) AS billed_unpriced_calls,
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
CREATE OR REPLACE VIEW usage_by_day ${on_cluster} AS
SELECT
    tenant, day,
    team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status,
    price_status, calls, unpriced_calls, input_tokens, cache_read_tokens, cache_write_tokens,
    cache_write_1h_tokens, input_audio_tokens, input_image_tokens, output_tokens, reasoning_tokens,
    output_audio_tokens, output_image_tokens, cost, list_cost, billed_cost, billed_list_cost,
    billed_unpriced_calls, duration_calls, duration_sum_ms, duration_quantiles_ms, ttft_calls, ttft_sum_ms,
    ttft_quantiles_ms
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
    sum(e.billed_cost) AS billed_cost,
    sum(e.billed_list_cost) AS billed_list_cost,
    sum(e.billed_unpriced_calls) AS billed_unpriced_calls,
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
