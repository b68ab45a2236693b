-- The table of budgets over all shards. No ORDER BY: it holds nothing. All records of a budget are on one shard, so
-- that FINAL is exact there.
CREATE TABLE IF NOT EXISTS budgets ${on_cluster} AS budgets_local
ENGINE = Distributed(${cluster}, ${database}, budgets_local, sipHash64(name));
