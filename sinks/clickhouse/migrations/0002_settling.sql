-- What settles a call whose reports lie in several places.
--
-- claims: every (call, place) that any report ever named. ORDER BY (key, place): a block's keys are looked up, and
-- a hash is evenly spread, so the columns are sorted numbers that a merge join walks in order. The key is a 64-bit
-- hash and only nominates: what is retired is decided by the exact (tenant, id). Written at insert, so that of two
-- sinks that report one call in two places at least one finds both.
CREATE TABLE IF NOT EXISTS claims${local} ${on_cluster}
(
    key UInt64 CODEC(NONE),
    place DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (key, place)
PRIMARY KEY key
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 1024, min_bytes_for_wide_part = 1048576;

-- arrivals: which keys a block named. ORDER BY block: it is read by block, right after the insert and when the
-- block is delivered again; nobody needs it after Kafka has forgotten the block.
CREATE TABLE IF NOT EXISTS arrivals${local} ${on_cluster}
(
    block String,
    key UInt64 CODEC(NONE),
    arrived_at DateTime('UTC') DEFAULT now()
)
ENGINE = ${replicated}MergeTree
ORDER BY block
TTL arrived_at + INTERVAL 8 DAY
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;
