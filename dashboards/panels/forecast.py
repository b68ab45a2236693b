"""What a calendar month will come to: the SQL that the boards' forecasts share.

Each hour to come is taken to cost what the same hour of the same weekday cost in the last 28 days, in the mean. That
knows weekends and nights, and neither growth nor holidays; what was out of the ordinary in those days is in the mean.
With less than a week of history there is no forecast.
"""


def months(by: str) -> str:
    """A query with a row for each value of `by`, an expression over the usage columns. It reads the hours once.

    Columns: `name`; `usd_so_far`, this month's spend; `usd_rest`, what is still to come of it, null with less than a
    week of history; `usd_last_month` and `usd_last_month_by_now`, last month's, whole and up to the same moment, null
    where nothing that is chosen is as old as that; `without_price`, this month's calls without a price.

    An hour is known by its slot: how many hours before this one it lies, counted from 1 to a week and then from 1
    again. So the hour that begins n hours after this one has the slot 168 - n % 168. 672 hours are four weeks.
    """
    return f"""
    SELECT
        name,
        toDecimal128(sum(so_far), 12) AS usd_so_far,
        if(any(hours_known) < 168, NULL,
            toDecimal128(sum(usual * seconds_left / (3600 * greatest(times, 1))), 12)) AS usd_rest,
        if(any(is_old_enough), toDecimal128(sum(last_month), 12), NULL) AS usd_last_month,
        if(any(is_old_enough), toDecimal128(sum(last_month_by_now), 12), NULL) AS usd_last_month_by_now,
        sum(unpriced_so_far) AS without_price
    FROM
    (
        SELECT
            *,
            min(first_hour) OVER () < toStartOfMonth(@now) - INTERVAL 1 MONTH + INTERVAL 1 DAY AS is_old_enough,
            least(672,
                intDiv(toUnixTimestamp(toStartOfHour(@now)) - toUnixTimestamp(
                    toStartOfDay(min(first_hour) OVER (PARTITION BY name))), 3600)) AS hours_known,
            intDiv(hours_known - slot, 168) + 1 AS times,
            intDiv(toUnixTimestamp(toStartOfMonth(@now) + INTERVAL 1 MONTH)
                - toUnixTimestamp(toStartOfHour(@now)), 3600) AS hours_left,
            if(hours_left <= 168 - slot, 0, 3600 * (intDiv(hours_left - 1 - (168 - slot),
                168) + 1))
                - if(slot = 168, toUnixTimestamp(@now) % 3600, 0) AS seconds_left
        FROM
        (
            SELECT
                {by} AS name,
                (intDiv(toUnixTimestamp(toStartOfHour(@now)) - toUnixTimestamp(hour), 3600) + 168 - 1)
                    % 168 + 1 AS slot,
                min(hour) AS first_hour,
                toDecimal256(ifNull(sumIf(cost, hour < toStartOfHour(@now)
                    AND hour >= toStartOfHour(@now) - INTERVAL 672 HOUR), 0), 12) AS usual,
                toDecimal256(ifNull(sumIf(cost, hour >= toStartOfMonth(@now)), 0), 12) AS so_far,
                toDecimal256(ifNull(sumIf(cost, hour < toStartOfMonth(@now)
                    AND hour >= toStartOfMonth(@now) - INTERVAL 1 MONTH), 0), 12) AS last_month,
                toDecimal256(ifNull(sumIf(cost, hour < toStartOfMonth(@now)
                    AND hour < toStartOfHour(@now) - INTERVAL 1 MONTH
                    AND hour >= toStartOfMonth(@now) - INTERVAL 1 MONTH), 0), 12) AS last_month_by_now,
                sumIf(unpriced_calls, hour >= toStartOfMonth(@now)) AS unpriced_so_far
            FROM @ledger.usage_by_hour
            WHERE hour >= least(toStartOfMonth(@now) - INTERVAL 1 MONTH, toStartOfHour(@now) - INTERVAL 672 HOUR)
                AND hour <= @now AND @chosen
            GROUP BY name, slot
        )
    )
    GROUP BY name
"""
