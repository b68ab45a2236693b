-- rejected: what could not be taken, with the reason. ORDER BY id: the id says where the piece stood, so that a
-- redelivered rejection replaces itself. It is a small table that is read by time rarely and as a whole.
CREATE TABLE IF NOT EXISTS rejected${local} ${on_cluster}
(
    id String,
    rejected_at DateTime64(6, 'UTC'),
    stage LowCardinality(String),
    reason LowCardinality(String),
    field LowCardinality(String),
    detail String,
    topic LowCardinality(String),
    partition Int32 DEFAULT -1,
    offset Int64 DEFAULT -1,
    line Int64 DEFAULT -1,
    key String,
    size_bytes UInt64,
    payload String CODEC(ZSTD(3)),
    truncated Bool
)
ENGINE = ${replicated}ReplacingMergeTree(rejected_at)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000;

-- signals: what the detectors said. ORDER BY (fingerprint, observed_at, id): the story of one incident is read
-- from its opening to its resolution; a signal that is delivered twice replaces itself.
CREATE TABLE IF NOT EXISTS signals${local} ${on_cluster}
(
    id String,
    fingerprint String,
    kind LowCardinality(String),
    state LowCardinality(String),
    severity LowCardinality(String),
    scope Map(LowCardinality(String), String),
    started_at DateTime64(6, 'UTC'),
    observed_at DateTime64(6, 'UTC'),
    value Nullable(Float64),
    baseline Nullable(Float64),
    impact_usd_per_day Nullable(Decimal(38, 12)),
    title String,
    explanation String,
    contributors String,
    evidence String
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (fingerprint, observed_at, id)
SETTINGS non_replicated_deduplication_window = 1000;

-- prices: the price book as it was known, for people to join with. ORDER BY (vendor, model, …): a price is looked
-- up by what it prices, then by when it held, then by when it was learned; nothing is ever overwritten.
CREATE TABLE IF NOT EXISTS prices${local} ${on_cluster}
(
    price_id String,
    vendor LowCardinality(String),
    model LowCardinality(String),
    region LowCardinality(String),
    service_tier LowCardinality(String) DEFAULT 'standard',
    valid_from DateTime64(6, 'UTC'),
    valid_to Nullable(DateTime64(6, 'UTC')),
    recorded_at DateTime64(6, 'UTC'),
    currency LowCardinality(String) DEFAULT 'USD',
    rates Map(LowCardinality(String), Decimal(38, 12)),
    source LowCardinality(String)
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (vendor, model, service_tier, region, valid_from, recorded_at, price_id);

-- models: what is known of a model. ORDER BY (vendor, model): its name; the latest record stands.
CREATE TABLE IF NOT EXISTS models${local} ${on_cluster}
(
    vendor LowCardinality(String),
    model LowCardinality(String),
    family LowCardinality(String),
    context_tokens UInt64,
    released_at Nullable(DateTime64(6, 'UTC')),
    deprecated_at Nullable(DateTime64(6, 'UTC')),
    retires_at Nullable(DateTime64(6, 'UTC')),
    replaced_by LowCardinality(String),
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(recorded_at)
ORDER BY (vendor, model);

-- vendor_bills: what a vendor's own bill says. ORDER BY (tenant, vendor, period_start, …): a bill is compared with
-- the ledger for one tenant, vendor and period; a bill that is read again replaces itself.
CREATE TABLE IF NOT EXISTS vendor_bills${local} ${on_cluster}
(
    tenant LowCardinality(String),
    vendor LowCardinality(String),
    account LowCardinality(String),
    period_start DateTime64(6, 'UTC'),
    period_end DateTime64(6, 'UTC'),
    model LowCardinality(String),
    line_item String,
    quantity Nullable(Decimal(38, 12)),
    unit LowCardinality(String),
    amount Decimal(38, 12),
    currency LowCardinality(String) DEFAULT 'USD',
    amount_usd Nullable(Decimal(38, 12)),
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(recorded_at)
ORDER BY (tenant, vendor, period_start, account, model, line_item, period_end);
