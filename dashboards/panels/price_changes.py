"""Which price of the book is in force for a model, and when it changes: SQL that the price boards share.

Of the rows that may mean a model the company's own goes first, then the project's before the feed's, a row that names
the model before a rule, and the later known. Only prices of the standard tier, in dollars a million tokens, of all
hours; of a price by length of input its lowest tier counts.
"""

from typing import Final

from dashboards.panels.list_prices import prices_of

RANK: Final = "(is_contract, NOT startsWith(price_id, 'genai:'), is_named, recorded_at, valid_from, price_id)"
"""The row with the greatest of these is in force."""

MOST_USED: Final = """
    SELECT vendor, model, lower(model) AS lower_name, argMax(region, calls) AS place, sum(cost) AS spent
    FROM @ledger.usage_by_day
    WHERE day >= toStartOfDay(@since) AND day < @until AND @chosen
    GROUP BY vendor, model
    ORDER BY spent DESC NULLS LAST, vendor, model
"""
"""The models of the period, the dearest first, each with a region that it is used in."""


def standing_prices(limit: int) -> str:
    """A query: the rows of the book that may be in force for the `limit` dearest models. Columns of `prices_of`."""
    return f"""
    SELECT prices.*
    FROM ({prices_of(f"{MOST_USED} LIMIT {limit}")}) AS prices
    WHERE service_tier = 'standard' AND currency = 'USD' AND hours = '' AND isNull(factor) AND no_price = ''
        AND is_by_million
"""


def price_changes() -> str:
    """A query: each change of a price in force within the period, of the 40 dearest models.

    Columns: `vendor`, `model`, `changed_at`, `ends_at` (the next change, or the end of the period), and for `old` and
    `new` the rates of a million tokens (`old_input`, `old_read`, `old_write`, `old_write_1h`, `old_output`, and so
    with new), `is_flat` (the old price does not depend on length).
    """
    rates = "(input_rate, cache_read_rate, cache_write_rate, cache_write_1h_rate, output_rate, terms = '')"
    return f"""
    SELECT
        vendor, model, changed_at,
        ifNull(leadInFrame(toNullable(changed_at)) OVER (PARTITION BY vendor, model ORDER BY changed_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), toDateTime64(@until, 6, 'UTC')) AS ends_at,
        old.1 AS old_input, old.2 AS old_read, old.3 AS old_write, old.4 AS old_write_1h, old.5 AS old_output,
        old.6 AS is_flat, new.1 AS new_input, new.2 AS new_read, new.5 AS new_output
    FROM
    (
        SELECT
            vendor, model, changed_at,
            argMaxIf({rates}, {RANK}, valid_from < changed_at AND valid_to >= changed_at) AS old,
            argMaxIf({rates}, {RANK}, valid_from <= changed_at AND valid_to > changed_at) AS new,
            countIf(valid_from < changed_at AND valid_to >= changed_at) AS had,
            countIf(valid_from <= changed_at AND valid_to > changed_at) AS has
        FROM
        (
            SELECT
                *,
                arrayJoin(arrayDistinct(arrayConcat(
                    groupArray(valid_from) OVER (PARTITION BY vendor, model),
                    groupArray(valid_to) OVER (PARTITION BY vendor, model)))) AS changed_at
            FROM ({standing_prices(40)})
        )
        WHERE changed_at > @since AND changed_at < @until AND changed_at <= @now
        GROUP BY vendor, model, changed_at
    )
    WHERE had > 0 AND has > 0 AND (old.1, old.2, old.5) != (new.1, new.2, new.5)
"""
