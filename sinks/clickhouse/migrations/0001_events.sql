-- The ledger's own table: every report of every billed call, of which the best one stands.
--
-- ORDER BY (tenant, toStartOfMinute(time), id): a panel reads one tenant and a range of time, so these come first,
-- and the whole key of one call in one minute (its "place") is equal in all its reports, so that the engine itself
-- replaces a poorer report by a fuller one. The month of the partition follows from the minute, hence all reports
-- of one place are in one partition. Reports of one call that disagree about the minute lie in several places;
-- the sink settles those (sinks/clickhouse/settle.py) by writing a tombstone into every place but the winner's.
--
-- rank: the version, and behind it whether the row is a tombstone. A tombstone thus outranks the report it
-- retires, and a later, fuller report in the same place outranks the tombstone.
-- block: the insert's deduplication token, the name of the block that a row came with.
-- LowCardinality only for what nearly every question groups by: building a dictionary costs an insert about 5 µs an
-- event when every text column has one, and the rollups, which panels read, have them all.
CREATE TABLE IF NOT EXISTS events${local} ${on_cluster}
(
    id String,
    source String,
    time DateTime64(6, 'UTC'),
    tenant LowCardinality(String) DEFAULT 'default',
    team LowCardinality(String),
    project LowCardinality(String),
    service LowCardinality(String),
    environment String,
    user String,
    api_key String,
    session String,
    tags Map(String, String),
    vendor LowCardinality(String),
    model LowCardinality(String),
    requested_model String,
    operation String DEFAULT 'chat',
    region String,
    service_tier String DEFAULT 'standard',
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
    units Map(String, Decimal(38, 12)),
    status String DEFAULT 'ok',
    error_code String,
    attempt UInt16 DEFAULT 1,
    duration_ms Nullable(Float64),
    ttft_ms Nullable(Float64),
    streaming Bool,
    reported_cost Nullable(Decimal(38, 12)),
    reported_currency String,
    cost Nullable(Decimal(38, 12)),
    list_cost Nullable(Decimal(38, 12)),
    native_cost Nullable(Decimal(38, 12)),
    currency String DEFAULT 'USD',
    fx_rate Nullable(Decimal(38, 12)),
    cost_parts Map(String, Decimal(38, 12)),
    price_id String,
    price_status String DEFAULT 'unpriced',
    unpriced_reason String,
    metered_at DateTime64(6, 'UTC'),
    version UInt64,
    is_deleted UInt8 DEFAULT 0,
    rank UInt128 MATERIALIZED bitShiftLeft(toUInt128(version), 1) + is_deleted,
    block String DEFAULT getSetting('insert_deduplication_token')
)
ENGINE = ${replicated}ReplacingMergeTree(rank, is_deleted)
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, toStartOfMinute(time), id)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 268435456;
