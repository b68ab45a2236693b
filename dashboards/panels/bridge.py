"""The cost bridge between two periods of one length, over the rollups and in exact decimals.

From the period before to the period: calls, mix, tokens per call, cache share and price, in this order. Each step is
the change in cost when that factor alone goes from what it was to what it is, those before it having gone and those
after it not. So the steps add up to the whole difference, to the last digit, whatever an intermediate was rounded to.

It goes by vendor, model and service tier; what is new has no earlier figures, so all of its cost is mix, as is what is
gone. A token of output weighs as four of plain input and a cached one as a tenth, as most vendors charge; what is off
by that is in the price step. Calls without a price are in none of it.
"""


def bridge(by: str) -> str:
    """A query with a row for each value of `by`, an expression over the usage columns.

    Columns, in dollars: `name`, `before`, `by_calls`, `by_mix`, `by_tokens_per_call`, `by_cache_share`, `by_price`,
    `after`.
    """
    return f"""
    SELECT
        name,
        toDecimal128(sum(was_usd), 12) AS before,
        toDecimal128(with_calls, 12) - before AS by_calls,
        toDecimal128(sum(with_mix), 12) - toDecimal128(with_calls, 12) AS by_mix,
        toDecimal128(sum(with_tokens), 12) - toDecimal128(sum(with_mix), 12) AS by_tokens_per_call,
        toDecimal128(sum(with_cache), 12) - toDecimal128(sum(with_tokens), 12) AS by_cache_share,
        toDecimal128(sum(is_usd), 12) - toDecimal128(sum(with_cache), 12) AS by_price,
        toDecimal128(sum(is_usd), 12) AS after,
        if(sum(was_calls) = 0, toDecimal256(0, 12), sum(was_usd) * sum(is_calls) / greatest(sum(was_calls), 1))
            AS with_calls
    FROM
    (
        SELECT
            name,
            toDecimal256(was_calls_sum, 0) AS was_calls,
            toDecimal256(is_calls_sum, 0) AS is_calls,
            was_usd,
            is_usd,
            10 * toDecimal256(was_input, 0) - 9 * toDecimal256(was_cached, 0) + 40 * toDecimal256(was_output, 0)
                AS was_weight,
            10 * toDecimal256(is_input, 0) - 9 * toDecimal256(is_cached, 0) + 40 * toDecimal256(is_output, 0)
                AS is_weight,
            greatest(toDecimal256(was_input, 0), 1) AS was_input_or_one,
            10 * toDecimal256(is_input, 0) * was_input_or_one - 9 * toDecimal256(is_input, 0) * was_cached
                + 40 * toDecimal256(is_output, 0) * was_input_or_one AS is_weight_cached_as_before,
            is_calls_sum > 0 AND was_calls_sum > 0 AS has_both,
            multiIf(is_calls_sum = 0, 0, NOT has_both, is_usd,
                was_usd * is_calls / greatest(was_calls, 1)) AS with_mix,
            if(has_both AND was_weight > 0,
                was_usd * is_weight_cached_as_before / (was_input_or_one * greatest(was_weight, 1)), with_mix)
                AS with_tokens,
            if(has_both AND was_weight > 0, was_usd * is_weight / greatest(was_weight, 1), with_mix) AS with_cache
        FROM
        (
            SELECT
                {by} AS name,
                sumIf(calls, @before_period) AS was_calls_sum,
                sumIf(calls, @in_period) AS is_calls_sum,
                toDecimal256(ifNull(sumIf(cost, @before_period), 0), 12) AS was_usd,
                toDecimal256(ifNull(sumIf(cost, @in_period), 0), 12) AS is_usd,
                sumIf(input_tokens, @before_period) AS was_input,
                sumIf(input_tokens, @in_period) AS is_input,
                sumIf(cache_read_tokens, @before_period) AS was_cached,
                sumIf(cache_read_tokens, @in_period) AS is_cached,
                sumIf(output_tokens, @before_period) AS was_output,
                sumIf(output_tokens, @in_period) AS is_output
            FROM @usage
            WHERE (@in_period OR @before_period) AND @chosen AND cost IS NOT NULL
            GROUP BY name, vendor, model, service_tier
        )
    )
    GROUP BY name
"""
