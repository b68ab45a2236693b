-- What an insert into events writes beside it. No ORDER BY of its own: each fills a table that has one.
-- A tombstone claims nothing; it does touch its periods.
CREATE MATERIALIZED VIEW IF NOT EXISTS claims_of_events${local} ${on_cluster} TO claims${local} AS
SELECT sipHash64(tenant, id) AS key, toStartOfMinute(time) AS place
FROM events${local}
WHERE is_deleted = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_of_events${local} ${on_cluster} TO arrivals${local} AS
SELECT block, sipHash64(tenant, id) AS key
FROM events${local}
WHERE is_deleted = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS minutes_of_events${local} ${on_cluster} TO minutes${local} AS
SELECT
    tenant,
    toStartOfMinute(time) AS minute,
    toUInt64(1) AS marks,
    count() AS written_events,
    now64(6, 'UTC') AS marked_at
FROM events${local}
GROUP BY tenant, minute;

CREATE MATERIALIZED VIEW IF NOT EXISTS hours_of_events${local} ${on_cluster} TO hours${local} AS
SELECT
    tenant,
    toStartOfHour(time) AS hour,
    toUInt64(1) AS marks,
    count() AS written_events,
    now64(6, 'UTC') AS marked_at
FROM events${local}
GROUP BY tenant, hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS days_of_events${local} ${on_cluster} TO days${local} AS
SELECT
    tenant,
    toStartOfDay(time) AS day,
    toUInt64(1) AS marks,
    count() AS written_events,
    now64(6, 'UTC') AS marked_at
FROM events${local}
GROUP BY tenant, day;
