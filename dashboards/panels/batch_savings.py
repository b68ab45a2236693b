"""What the batch tier saved against the standard one, at list prices: SQL that several panels share."""

from typing import Final

from dashboards.panels.list_prices import SUMS, in_region, is_the_same, list_cost_of, prices_of

_IN_PERIOD: Final = "valid_from < @until AND valid_to > @since AND no_price = ''"


def batch_hours() -> str:
    """A query: the period's calls in the batch tier by hour and model, with what they would have cost beside.

    Columns: `vendor`, `model`, `call_count`, `paid`, `listed` (list cost by the ledger), `at_standard` (list cost of
    the same tokens in the standard tier; null where it is not known). A standard price is taken where the share that
    the price book charges for a batch of it reproduces the ledger's list cost. Only prices in dollars.
    """
    return f"""
    SELECT
        vendor, model, hour, place,
        any(calls_here) AS call_count,
        any(paid_here) AS paid,
        any(listed_here) AS listed,
        argMinOrNull(native, pair) AS at_standard
    FROM
    (
        SELECT
            u.vendor AS vendor, u.model AS model, u.hour AS hour, u.place AS place,
            u.call_count AS calls_here, u.paid AS paid_here, u.listed AS listed_here,
            {list_cost_of("u", "s")} AS native,
            if(isNotNull(b.factor), toDecimal128(ifNull(b.factor, 0), 12),
                b.input_rate / if(s.input_rate = 0, toDecimal128(1, 12), s.input_rate)) AS share,
            s.price_id != '' AND b.price_id != '' AND s.is_by_million AND s.currency = 'USD'
                AND s.valid_from <= u.hour AND s.valid_to >= u.hour + INTERVAL 1 HOUR
                AND b.valid_from <= u.hour AND b.valid_to >= u.hour + INTERVAL 1 HOUR
                AND {in_region("u.place", "s.region")} AND {in_region("u.place", "b.region")}
                AND {is_the_same("(native * share)", "u")} AS is_known,
            if(is_known, concat(s.price_id, ' ', b.price_id), NULL) AS pair
        FROM
        (
            SELECT vendor, model, region AS place, hour, toDecimal128(ifNull(sum(cost), 0), 12) AS paid, {SUMS}
            FROM @ledger.usage_by_hour
            WHERE hour >= @since AND hour < @until AND @chosen AND cost IS NOT NULL AND service_tier = 'batch'
            GROUP BY vendor, model, place, hour
        ) AS u
        LEFT JOIN (SELECT * FROM ({prices_of()}) WHERE service_tier = 'batch' AND {_IN_PERIOD}) AS b
            ON b.vendor = u.vendor AND b.model = u.model
        LEFT JOIN
        (
            SELECT * FROM ({prices_of()}) WHERE service_tier = 'standard' AND isNull(factor) AND NOT is_contract
                AND {_IN_PERIOD}
        ) AS s ON s.vendor = u.vendor AND s.model = u.model
    )
    GROUP BY vendor, model, hour, place
"""
