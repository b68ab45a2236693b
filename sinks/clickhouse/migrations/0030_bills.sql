-- What vendors' own usage and cost reports say (tokenweir/bills). The first table of that name, into which nothing
-- was ever written, gives its name to the view that people query.
DROP TABLE IF EXISTS vendor_bills ${on_cluster};

DROP TABLE IF EXISTS vendor_bills${local} ${on_cluster};

-- vendor_bill_lines: every line of every snapshot of every day of a report.
--
-- ORDER BY (tenant, vendor, account, report, day, snapshot, line): bills are compared with the ledger for one tenant and
-- vendor. A snapshot is named by its content, so all rows of one key say the same and differ only in when they were
-- read and whether the day was final by then, of which the latest stands. A redelivered line, and a day that is read
-- again unchanged, thus add nothing; a restated day adds a snapshot beside the former.
CREATE TABLE IF NOT EXISTS vendor_bill_lines${local} ${on_cluster}
(
    tenant LowCardinality(String) DEFAULT 'default',
    vendor LowCardinality(String),
    account LowCardinality(String),
    report LowCardinality(String),
    day Date,
    utc_offset_minutes Int32,
    snapshot String,
    line UInt64,
    lines UInt64,
    refused_lines UInt64,
    period_start DateTime64(6, 'UTC'),
    period_end DateTime64(6, 'UTC'),
    line_item String,
    model LowCardinality(String),
    project LowCardinality(String),
    api_key LowCardinality(String),
    user String,
    region LowCardinality(String),
    service_tier LowCardinality(String),
    requests Nullable(UInt64),
    input_tokens Nullable(UInt64),
    cache_read_tokens Nullable(UInt64),
    cache_write_tokens Nullable(UInt64),
    output_tokens Nullable(UInt64),
    reasoning_tokens Nullable(UInt64),
    quantity Nullable(Decimal(38, 12)),
    unit LowCardinality(String),
    amount Nullable(Decimal(38, 12)),
    currency LowCardinality(String) DEFAULT 'USD',
    amount_usd Nullable(Decimal(38, 12)),
    is_final Bool,
    is_detail Bool,
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(recorded_at)
ORDER BY (tenant, vendor, account, report, day, snapshot, line)
SETTINGS non_replicated_deduplication_window = 1000;

-- vendor_bill_readings: when each snapshot was read first and last. ORDER BY what names it.
CREATE TABLE IF NOT EXISTS vendor_bill_readings${local} ${on_cluster}
(
    tenant LowCardinality(String),
    vendor LowCardinality(String),
    account LowCardinality(String),
    report LowCardinality(String),
    day Date,
    snapshot String,
    first_recorded_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    recorded_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (tenant, vendor, account, report, day, snapshot)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS readings_of_bill_lines${local} ${on_cluster} TO vendor_bill_readings${local} AS
SELECT
    tenant, vendor, account, report, day, snapshot,
    min(b.recorded_at) AS first_recorded_at,
    max(b.recorded_at) AS recorded_at
FROM vendor_bill_lines${local} AS b
GROUP BY tenant, vendor, account, report, day, snapshot;
