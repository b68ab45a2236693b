-- prices: what a person joins with. ORDER BY gets `digest`, a hash of the whole row, as its last column: a row that
-- differs in anything is a further row, so that nothing that was once known here is overwritten, and one that is
-- written again replaces itself.
ALTER TABLE prices${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS names Array(String) AFTER model,
    ADD COLUMN IF NOT EXISTS hours String AFTER service_tier,
    ADD COLUMN IF NOT EXISTS is_contract Bool AFTER currency,
    ADD COLUMN IF NOT EXISTS per Map(LowCardinality(String), UInt64) AFTER rates,
    ADD COLUMN IF NOT EXISTS terms String AFTER per,
    ADD COLUMN IF NOT EXISTS factor Nullable(Decimal(38, 12)) AFTER terms,
    ADD COLUMN IF NOT EXISTS factor_of Array(LowCardinality(String)) AFTER factor,
    ADD COLUMN IF NOT EXISTS no_price String AFTER factor_of,
    ADD COLUMN IF NOT EXISTS source_at Nullable(Date) AFTER source,
    ADD COLUMN IF NOT EXISTS confidence LowCardinality(String) AFTER source_at,
    ADD COLUMN IF NOT EXISTS written_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') AFTER confidence,
    ADD COLUMN IF NOT EXISTS digest UInt64,
    MODIFY ORDER BY (vendor, model, service_tier, region, valid_from, recorded_at, price_id, digest);

-- models: one row for each place at which a vendor offers a model. ORDER BY gets `platform` for that. The latest
-- record stands, and `digest` tells what is written already.
ALTER TABLE models${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS aliases Array(String) AFTER model,
    ADD COLUMN IF NOT EXISTS max_input_tokens Nullable(UInt64) AFTER context_tokens,
    ADD COLUMN IF NOT EXISTS max_output_tokens Nullable(UInt64) AFTER max_input_tokens,
    ADD COLUMN IF NOT EXISTS operations Array(LowCardinality(String)) AFTER max_output_tokens,
    ADD COLUMN IF NOT EXISTS input Array(LowCardinality(String)) AFTER operations,
    ADD COLUMN IF NOT EXISTS output Array(LowCardinality(String)) AFTER input,
    ADD COLUMN IF NOT EXISTS can Array(LowCardinality(String)) AFTER output,
    ADD COLUMN IF NOT EXISTS cannot Array(LowCardinality(String)) AFTER can,
    ADD COLUMN IF NOT EXISTS retires_not_before Nullable(DateTime64(6, 'UTC')) AFTER retires_at,
    ADD COLUMN IF NOT EXISTS stated LowCardinality(String) AFTER retires_not_before,
    ADD COLUMN IF NOT EXISTS stated_on Nullable(Date) AFTER stated,
    ADD COLUMN IF NOT EXISTS successors Array(String) AFTER replaced_by,
    ADD COLUMN IF NOT EXISTS sources Map(LowCardinality(String), String) AFTER successors,
    ADD COLUMN IF NOT EXISTS digest UInt64,
    ADD COLUMN IF NOT EXISTS platform LowCardinality(String),
    MODIFY ORDER BY (vendor, model, platform);
