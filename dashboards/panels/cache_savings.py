"""What caching saved at list prices: SQL that several panels share."""

from dashboards.panels.list_prices import SUMS, in_region, is_the_same, list_cost_of, prices_of_period


def cached_hours(by: str) -> str:
    """A query: the period's calls with anything cached, by hour, model and `by`, with what that saved in dollars.

    by: an expression over the usage columns. Columns: `name`, `vendor`, `model`, `read_sum`, `write_sum` (tokens),
    `saved` (null where the price is not known), `saved_by_reads`, `paid_for_writes`. What is read costs less
    than plain input, what is written more, at most vendors: `saved` is the one less the other.
    """
    return f"""
    SELECT
        name, vendor, model, hour,
        any(read_here) AS read_sum,
        any(write_here) AS write_sum,
        uniqExactIf((input_rate, cache_read_rate, output_rate), holds) AS ways,
        ifNull(argMinOrNullIf(reads, price_id, in_dollars), if(ways = 1, anyOrNullIf(reads, alone), NULL))
            AS saved_by_reads,
        ifNull(argMinOrNullIf(writes, price_id, in_dollars), if(ways = 1, anyOrNullIf(writes, alone), NULL))
            AS paid_for_writes,
        saved_by_reads - paid_for_writes AS saved
    FROM
    (
        SELECT
            u.name AS name, u.vendor AS vendor, u.model AS model, u.tier AS tier, u.place AS place, u.hour AS hour,
            u.read_sum AS read_here, u.write_sum AS write_here,
            {list_cost_of("u", "p")} AS native,
            p.price_id != '' AND p.valid_from <= u.hour AND p.valid_to >= u.hour + INTERVAL 1 HOUR
                AND {in_region("u.place", "p.region")} AS holds,
            holds AND p.currency = 'USD' AND {is_the_same("native", "u")} AS in_dollars,
            holds AND p.currency != 'USD' AND p.hours = '' AND p.terms = '' AND native > 0 AS alone,
            p.price_id AS price_id, p.input_rate AS input_rate, p.cache_read_rate AS cache_read_rate,
            p.output_rate AS output_rate,
            if(p.currency = 'USD' OR native = 0, toDecimal128(1, 12), u.listed / native) AS usd_per_unit,
            usd_per_unit * (toDecimal128(u.read_sum, 0) * (p.input_rate - p.cache_read_rate) / 1000000) AS reads,
            usd_per_unit * ((toDecimal128(u.write_sum, 0) - u.write_1h_sum) * (p.cache_write_rate - p.input_rate)
                + toDecimal128(u.write_1h_sum, 0) * (p.cache_write_1h_rate - p.input_rate)) / 1000000 AS writes
        FROM
        (
            SELECT {by} AS name, vendor, model, service_tier AS tier, region AS place, hour, {SUMS}
            FROM @ledger.usage_by_hour
            WHERE hour >= @since AND hour < @until AND @chosen
                AND cost IS NOT NULL AND (cache_read_tokens > 0 OR cache_write_tokens > 0)
            GROUP BY name, vendor, model, tier, place, hour
        ) AS u
        LEFT JOIN ({prices_of_period()}) AS p
            ON p.vendor = u.vendor AND p.model = u.model AND p.service_tier = u.tier
    )
    GROUP BY name, vendor, model, tier, place, hour
"""
