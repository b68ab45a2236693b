-- Views have no ORDER BY; they read the table that has one.

-- vendor_bill_history: each snapshot that was ever read of a day of a report. Whole is one that has all its lines; the
-- whole one that was read last holds, among several read at once the one that sorts last.
CREATE VIEW IF NOT EXISTS vendor_bill_history ${on_cluster} AS
SELECT
    tenant, vendor, account, report, day, snapshot,
    readings.first_recorded_at AS first_recorded_at,
    readings.recorded_at AS recorded_at,
    content.lines AS lines, content.is_whole AS is_whole, content.refused_lines AS refused_lines,
    content.is_final AS is_final, content.is_detail AS is_detail, content.requests AS requests,
    content.input_tokens AS input_tokens, content.output_tokens AS output_tokens,
    content.amount AS amount, content.currency AS currency, content.amount_usd AS amount_usd
FROM
(
    SELECT
        b.tenant AS tenant,
        b.vendor AS vendor,
        b.account AS account,
        b.report AS report,
        b.day AS day,
        b.snapshot AS snapshot,
        max(b.lines) AS lines,
        countIf(b.line > 0) = max(b.lines) AS is_whole,
        max(b.refused_lines) AS refused_lines,
        min(b.is_final) AS is_final,
        max(b.is_detail) AS is_detail,
        sum(b.requests) AS requests,
        sum(b.input_tokens) AS input_tokens,
        sum(b.output_tokens) AS output_tokens,
        sum(b.amount) AS amount,
        any(b.currency) AS currency,
        sum(b.amount_usd) AS amount_usd
    FROM vendor_bill_lines AS b FINAL
    GROUP BY b.tenant, b.vendor, b.account, b.report, b.day, b.snapshot
) AS content
INNER JOIN
(
    SELECT
        r.tenant AS tenant, r.vendor AS vendor, r.account AS account, r.report AS report, r.day AS day,
        r.snapshot AS snapshot,
        min(r.first_recorded_at) AS first_recorded_at,
        max(r.recorded_at) AS recorded_at
    FROM vendor_bill_readings AS r
    GROUP BY r.tenant, r.vendor, r.account, r.report, r.day, r.snapshot
) AS readings
USING (tenant, vendor, account, report, day, snapshot);

-- vendor_bill_current: the lines of the snapshot that holds, of each day of each report.
CREATE VIEW IF NOT EXISTS vendor_bill_current ${on_cluster} AS
SELECT
    tenant, vendor, account, report, day, utc_offset_minutes, snapshot, line, lines, refused_lines,
    period_start, period_end, line_item, model, project, api_key, user, region, service_tier,
    requests, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    quantity, unit, amount, currency, amount_usd, is_final, is_detail, recorded_at
FROM vendor_bill_lines FINAL
WHERE line > 0 AND (tenant, vendor, account, report, day, snapshot) ${in}
(
    SELECT tenant, vendor, account, report, day, argMax(snapshot, (recorded_at, snapshot))
    FROM vendor_bill_history
    WHERE is_whole
    GROUP BY tenant, vendor, account, report, day
);

-- vendor_bills: what people query. What may be added up: no line of it is counted in another.
CREATE VIEW IF NOT EXISTS vendor_bills ${on_cluster} AS
SELECT * FROM vendor_bill_current WHERE NOT is_detail;

-- vendor_bill_details: reports that tell the same again in another cut, by key, by person or by call.
CREATE VIEW IF NOT EXISTS vendor_bill_details ${on_cluster} AS
SELECT * FROM vendor_bill_current WHERE is_detail;
