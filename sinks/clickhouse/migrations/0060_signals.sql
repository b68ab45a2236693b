-- What a signal says besides: which incident it belongs to and its number in it, what an update is about, in what unit
-- its figures are, who has taken the incident up, until when nobody is told. No ORDER BY changes: an incident's signals
-- stay side by side, in the order in which they were seen.
ALTER TABLE signals${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS incident String AFTER fingerprint,
    ADD COLUMN IF NOT EXISTS subject String AFTER kind,
    ADD COLUMN IF NOT EXISTS change LowCardinality(String) AFTER state,
    ADD COLUMN IF NOT EXISTS unit LowCardinality(String) AFTER baseline,
    ADD COLUMN IF NOT EXISTS acknowledged_by String AFTER evidence,
    ADD COLUMN IF NOT EXISTS muted_until Nullable(DateTime64(6, 'UTC')) AFTER acknowledged_by;
