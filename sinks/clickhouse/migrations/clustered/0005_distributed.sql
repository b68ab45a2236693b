-- A cluster's tables: each shard keeps its part in the table of the same name with `_local` behind it. No ORDER BY:
-- these hold nothing. The sharding key of events is the call's identity, so that all reports of one call, its claims
-- and its tombstones are on one shard and FINAL is exact there.
CREATE TABLE IF NOT EXISTS events ${on_cluster} AS events_local
ENGINE = Distributed(${cluster}, ${database}, events_local, sipHash64(tenant, id));

CREATE TABLE IF NOT EXISTS claims ${on_cluster} AS claims_local
ENGINE = Distributed(${cluster}, ${database}, claims_local, key);

CREATE TABLE IF NOT EXISTS arrivals ${on_cluster} AS arrivals_local
ENGINE = Distributed(${cluster}, ${database}, arrivals_local, key);

CREATE TABLE IF NOT EXISTS minutes ${on_cluster} AS minutes_local
ENGINE = Distributed(${cluster}, ${database}, minutes_local, sipHash64(tenant, minute));

CREATE TABLE IF NOT EXISTS hours ${on_cluster} AS hours_local
ENGINE = Distributed(${cluster}, ${database}, hours_local, sipHash64(tenant, hour));

CREATE TABLE IF NOT EXISTS days ${on_cluster} AS days_local
ENGINE = Distributed(${cluster}, ${database}, days_local, sipHash64(tenant, day));

CREATE TABLE IF NOT EXISTS rolls ${on_cluster} AS rolls_local
ENGINE = Distributed(${cluster}, ${database}, rolls_local, roll);

CREATE TABLE IF NOT EXISTS rollup_minute ${on_cluster} AS rollup_minute_local
ENGINE = Distributed(${cluster}, ${database}, rollup_minute_local, sipHash64(tenant, minute));

CREATE TABLE IF NOT EXISTS rollup_hour ${on_cluster} AS rollup_hour_local
ENGINE = Distributed(${cluster}, ${database}, rollup_hour_local, sipHash64(tenant, hour));

CREATE TABLE IF NOT EXISTS rollup_day ${on_cluster} AS rollup_day_local
ENGINE = Distributed(${cluster}, ${database}, rollup_day_local, sipHash64(tenant, day));

CREATE TABLE IF NOT EXISTS rejected ${on_cluster} AS rejected_local
ENGINE = Distributed(${cluster}, ${database}, rejected_local, sipHash64(id));

CREATE TABLE IF NOT EXISTS signals ${on_cluster} AS signals_local
ENGINE = Distributed(${cluster}, ${database}, signals_local, sipHash64(fingerprint));

CREATE TABLE IF NOT EXISTS prices ${on_cluster} AS prices_local
ENGINE = Distributed(${cluster}, ${database}, prices_local, sipHash64(vendor, model));

CREATE TABLE IF NOT EXISTS models ${on_cluster} AS models_local
ENGINE = Distributed(${cluster}, ${database}, models_local, sipHash64(vendor, model));

CREATE TABLE IF NOT EXISTS vendor_bills ${on_cluster} AS vendor_bills_local
ENGINE = Distributed(${cluster}, ${database}, vendor_bills_local, sipHash64(tenant, vendor));
