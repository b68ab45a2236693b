-- Rollups that are recomputed, never added to.
--
-- minutes, hours, days: how often a period of a tenant was written to. ORDER BY (tenant, period): one row a period,
-- once merged. The number of marks is the period's generation: a roll that was computed after N marks were seen holds
-- everything that those N marks announced, and a mark that comes later makes the period dirty by being N + 1. Each
-- level counts its own, so that a view of days need not look at minutes to know that a day is clean.
CREATE TABLE IF NOT EXISTS minutes${local} ${on_cluster}
(
    tenant LowCardinality(String),
    minute DateTime('UTC'),
    marks SimpleAggregateFunction(sum, UInt64),
    written_events SimpleAggregateFunction(sum, UInt64),
    marked_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (tenant, minute)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS hours${local} ${on_cluster}
(
    tenant LowCardinality(String),
    hour DateTime('UTC'),
    marks SimpleAggregateFunction(sum, UInt64),
    written_events SimpleAggregateFunction(sum, UInt64),
    marked_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, hour)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS days${local} ${on_cluster}
(
    tenant LowCardinality(String),
    day DateTime('UTC'),
    marks SimpleAggregateFunction(sum, UInt64),
    written_events SimpleAggregateFunction(sum, UInt64),
    marked_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, day)
SETTINGS non_replicated_deduplication_window = 1000;

-- rolls: what a roll is about to compute, so that no other sink begins the same. ORDER BY (roll, …): it is read by
-- its roll, it is small, and it is forgotten after a day.
CREATE TABLE IF NOT EXISTS rolls${local} ${on_cluster}
(
    roll UInt64,
    level LowCardinality(String),
    tenant LowCardinality(String),
    period_start DateTime('UTC'),
    marks UInt64,
    planned_at DateTime('UTC') DEFAULT now()
)
ENGINE = ${replicated}MergeTree
ORDER BY (roll, tenant, period_start)
TTL planned_at + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1;

-- rollup_minute, rollup_hour, rollup_day: one row a group of a roll, and one seal a period, written after the
-- groups, which says that the roll is whole and how many marks it covers. ORDER BY (tenant, period, roll, …): a
-- query reads one tenant and a range of periods, and of each period one roll. The seals have partitions of their
-- own, so that finding the current rolls reads them and nothing else. Rows are never changed: which roll counts is
-- decided by the seals, so a period changes over at once; superseded rolls are deleted an hour later.
CREATE TABLE IF NOT EXISTS rollup_minute${local} ${on_cluster}
(
    tenant LowCardinality(String),
    minute DateTime('UTC'),
    roll UInt64,
    is_seal UInt8,
    marks UInt64,
    rolled_at DateTime('UTC') DEFAULT now(),
    team LowCardinality(String),
    project LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    api_key LowCardinality(String),
    vendor LowCardinality(String),
    model LowCardinality(String),
    region LowCardinality(String),
    operation LowCardinality(String),
    service_tier LowCardinality(String),
    status LowCardinality(String),
    price_status LowCardinality(String),
    calls UInt64,
    unpriced_calls UInt64,
    input_tokens UInt64,
    cache_read_tokens UInt64,
    cache_write_tokens UInt64,
    cache_write_1h_tokens UInt64,
    input_audio_tokens UInt64,
    input_image_tokens UInt64,
    output_tokens UInt64,
    reasoning_tokens UInt64,
    output_audio_tokens UInt64,
    output_image_tokens UInt64,
    cost Nullable(Decimal(38, 12)),
    list_cost Nullable(Decimal(38, 12)),
    duration_calls UInt64,
    duration_sum_ms Float64,
    duration_quantiles_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), Nullable(Float64)),
    ttft_calls UInt64,
    ttft_sum_ms Float64,
    ttft_quantiles_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), Nullable(Float64))
)
ENGINE = ${replicated}MergeTree
PARTITION BY (is_seal, toYYYYMM(minute))
ORDER BY (tenant, minute, roll, team, project, service, environment, api_key, vendor, model)
SETTINGS min_bytes_for_wide_part = 134217728;

CREATE TABLE IF NOT EXISTS rollup_hour${local} ${on_cluster}
(
    tenant LowCardinality(String),
    hour DateTime('UTC'),
    roll UInt64,
    is_seal UInt8,
    marks UInt64,
    rolled_at DateTime('UTC') DEFAULT now(),
    team LowCardinality(String),
    project LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    api_key LowCardinality(String),
    vendor LowCardinality(String),
    model LowCardinality(String),
    region LowCardinality(String),
    operation LowCardinality(String),
    service_tier LowCardinality(String),
    status LowCardinality(String),
    price_status LowCardinality(String),
    calls UInt64,
    unpriced_calls UInt64,
    input_tokens UInt64,
    cache_read_tokens UInt64,
    cache_write_tokens UInt64,
    cache_write_1h_tokens UInt64,
    input_audio_tokens UInt64,
    input_image_tokens UInt64,
    output_tokens UInt64,
    reasoning_tokens UInt64,
    output_audio_tokens UInt64,
    output_image_tokens UInt64,
    cost Nullable(Decimal(38, 12)),
    list_cost Nullable(Decimal(38, 12)),
    duration_calls UInt64,
    duration_sum_ms Float64,
    duration_quantiles_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), Nullable(Float64)),
    ttft_calls UInt64,
    ttft_sum_ms Float64,
    ttft_quantiles_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), Nullable(Float64))
)
ENGINE = ${replicated}MergeTree
PARTITION BY (is_seal, toYYYYMM(hour))
ORDER BY (tenant, hour, roll, team, project, service, environment, api_key, vendor, model)
SETTINGS min_bytes_for_wide_part = 134217728;

CREATE TABLE IF NOT EXISTS rollup_day${local} ${on_cluster}
(
    tenant LowCardinality(String),
    day DateTime('UTC'),
    roll UInt64,
    is_seal UInt8,
    marks UInt64,
    rolled_at DateTime('UTC') DEFAULT now(),
    team LowCardinality(String),
    project LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    api_key LowCardinality(String),
    vendor LowCardinality(String),
    model LowCardinality(String),
    region LowCardinality(String),
    operation LowCardinality(String),
    service_tier LowCardinality(String),
    status LowCardinality(String),
    price_status LowCardinality(String),
    calls UInt64,
    unpriced_calls UInt64,
    input_tokens UInt64,
    cache_read_tokens UInt64,
    cache_write_tokens UInt64,
    cache_write_1h_tokens UInt64,
    input_audio_tokens UInt64,
    input_image_tokens UInt64,
    output_tokens UInt64,
    reasoning_tokens UInt64,
    output_audio_tokens UInt64,
    output_image_tokens UInt64,
    cost Nullable(Decimal(38, 12)),
    list_cost Nullable(Decimal(38, 12)),
    duration_calls UInt64,
    duration_sum_ms Float64,
    duration_quantiles_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), Nullable(Float64)),
    ttft_calls UInt64,
    ttft_sum_ms Float64,
    ttft_quantiles_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), Nullable(Float64))
)
ENGINE = ${replicated}MergeTree
PARTITION BY (is_seal, toYYYYMM(day))
ORDER BY (tenant, day, roll, team, project, service, environment, api_key, vendor, model)
SETTINGS min_bytes_for_wide_part = 134217728;
