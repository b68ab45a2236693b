-- The columns of 0060 in the table over all shards. No ORDER BY: it holds nothing.
ALTER TABLE signals ${on_cluster}
    ADD COLUMN IF NOT EXISTS incident String AFTER fingerprint,
    ADD COLUMN IF NOT EXISTS subject String AFTER kind,
    ADD COLUMN IF NOT EXISTS change LowCardinality(String) AFTER state,
    ADD COLUMN IF NOT EXISTS unit LowCardinality(String) AFTER baseline,
    ADD COLUMN IF NOT EXISTS acknowledged_by String AFTER evidence,
    ADD COLUMN IF NOT EXISTS muted_until Nullable(DateTime64(6, 'UTC')) AFTER acknowledged_by;
