"""How the prices of what is used moved."""

from dashboards.panels.panel import Field, Kind, Panel, Unit
from dashboards.panels.price_changes import MOST_USED, RANK, standing_prices

PANEL = Panel(
    name="history",
    title="How did the prices of our models move?",
    description=(
        "Dollars for a million tokens in and out, by the price book, of eight models: those whose price moved in the "
        "period, then those that cost most. It is the price in force at each moment, the company's own before the "
        "public one. Only prices in dollars, of the standard tier and of all hours; of prices by length the lowest."
    ),
    kind=Kind.TIMESERIES,
    place=10,
    width=12,
    height=8,
    sql=f"""
SELECT
    toDateTime(moment, 'UTC') AS time,
    if(uniqExact(vendor) OVER (PARTITION BY model) > 1, concat(vendor, ' / ', model), model) AS name,
    toDecimal128(input_now, 12) AS usd_in,
    toDecimal128(output_now, 12) AS usd_out
FROM
(
    SELECT *, dense_rank() OVER (ORDER BY has_moved DESC, spent DESC, vendor, model) AS row
    FROM
    (
        SELECT
            vendor,
            model,
            moment,
            argMax(input_rate, {RANK}) AS input_now,
            argMax(output_rate, {RANK}) AS output_now,
            uniqExact((input_now, output_now)) OVER (PARTITION BY vendor, model) > 1 AS has_moved
        FROM
        (
            SELECT
                *,
                arrayJoin(range(toUnixTimestamp(@since), toUnixTimestamp(least(@until, @now + INTERVAL 1 SECOND)),
                    toUInt32(@step_seconds))) AS moment
            FROM ({standing_prices(40)})
        )
        WHERE valid_from <= toDateTime(moment, 'UTC') AND valid_to > toDateTime(moment, 'UTC')
        GROUP BY vendor, model, moment
    ) AS prices
    INNER JOIN (SELECT vendor, model, ifNull(spent, 0) AS spent FROM ({MOST_USED})) AS used
        ON used.vendor = prices.vendor AND used.model = prices.model
)
WHERE row <= 8
ORDER BY time, name
""",
    fields=(
        Field("time", "Time", Unit.TIME),
        Field("name", "Model", Unit.TEXT),
        Field("usd_in", "A million tokens in", Unit.USD_PER_MILLION_TOKENS),
        Field("usd_out", "A million tokens out", Unit.USD_PER_MILLION_TOKENS),
    ),
    empty="The price book has no price in dollars for the models of this period.",
)
