-- The same columns for the names that views and sinks use. No ORDER BY: these tables hold nothing.
ALTER TABLE events ${on_cluster}
    ADD COLUMN IF NOT EXISTS repriced_at Nullable(DateTime64(6, 'UTC')) AFTER version,
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) AFTER repriced_at,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_price_id String AFTER billed_list_cost;

ALTER TABLE rollup_minute ${on_cluster}
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) DEFAULT cost AFTER list_cost,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) DEFAULT list_cost AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_unpriced_calls UInt64 DEFAULT unpriced_calls AFTER billed_list_cost;

ALTER TABLE rollup_hour ${on_cluster}
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) DEFAULT cost AFTER list_cost,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) DEFAULT list_cost AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_unpriced_calls UInt64 DEFAULT unpriced_calls AFTER billed_list_cost;

ALTER TABLE rollup_day ${on_cluster}
    ADD COLUMN IF NOT EXISTS billed_cost Nullable(Decimal(38, 12)) DEFAULT cost AFTER list_cost,
    ADD COLUMN IF NOT EXISTS billed_list_cost Nullable(Decimal(38, 12)) DEFAULT list_cost AFTER billed_cost,
    ADD COLUMN IF NOT EXISTS billed_unpriced_calls UInt64 DEFAULT unpriced_calls AFTER billed_list_cost;
