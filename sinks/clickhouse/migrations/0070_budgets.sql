-- budgets: what spend is held to, as the settings say it. ORDER BY name: a budget is looked up by its name, and the
-- latest record stands; one that was taken out of the settings is written once more, with is_removed. A value of the
-- scope is one of several that count. period_bounds are the moments at which one period of the budget ends and the next
-- begins, in rising order, so that no time zone has to be known here.
CREATE TABLE IF NOT EXISTS budgets${local} ${on_cluster}
(
    name String,
    amount_usd Decimal(38, 12),
    scope Map(LowCardinality(String), Array(String)),
    period LowCardinality(String),
    time_zone LowCardinality(String),
    thresholds_percent Array(Float64),
    forecast Bool,
    burn_rate Bool,
    is_removed Bool,
    period_bounds Array(DateTime('UTC')) CODEC(ZSTD(3)),
    written_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(written_at)
ORDER BY name;
