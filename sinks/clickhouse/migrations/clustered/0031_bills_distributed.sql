-- A cluster's tables of bills. No ORDER BY: these hold nothing. All snapshots of one day of a report are on one
-- shard, so that FINAL is exact there.
CREATE TABLE IF NOT EXISTS vendor_bill_lines ${on_cluster} AS vendor_bill_lines_local
ENGINE = Distributed(${cluster}, ${database}, vendor_bill_lines_local, sipHash64(tenant, vendor, account, report, day));

CREATE TABLE IF NOT EXISTS vendor_bill_readings ${on_cluster} AS vendor_bill_readings_local
ENGINE = Distributed(
    ${cluster}, ${database}, vendor_bill_readings_local, sipHash64(tenant, vendor, account, report, day)
);
