-- What was billed, beside what the ledger holds now. No ORDER BY changes.
--
-- In events only a call that was priced anew has these: everywhere else they would repeat cost, list_cost and price_id,
-- and the meter's rows would be that much longer. The views put the two together.
-- In the rollups every row has them. Rolls from before hold calls that were never priced anew, so that their default
-- is what those calls cost.
ALTER TABLE events${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS repriced_at Nullable(DateTime64(6, 'UTC')) AFTER version,
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) AFTER repriced_at,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_price_id String AFTER billed_list_cost;

ALTER TABLE rollup_minute${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) DEFAULT cost AFTER list_cost,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) DEFAULT list_cost AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_unpriced_calls UInt64 DEFAULT unpriced_calls AFTER billed_list_cost;

ALTER TABLE rollup_hour${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) DEFAULT cost AFTER list_cost,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) DEFAULT list_cost AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_unpriced_calls UInt64 DEFAULT unpriced_calls AFTER billed_list_cost;

ALTER TABLE rollup_day${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) DEFAULT cost AFTER list_cost,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) DEFAULT list_cost AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_unpriced_calls UInt64 DEFAULT unpriced_calls AFTER billed_list_cost;
