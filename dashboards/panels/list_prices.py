"""Which list prices held for the calls that the rollups sum up: SQL that several panels share.

The rollups do not say which row of the price book a call was charged by. So every row that could mean the model is
tried: a row is taken for the price in force where its rates reproduce the list cost that the ledger has, but for
rounding. What no row reproduces is not known, and is said to be so: prices by length of input, by the hour where an
hour holds two, calls with audio, images or tools.

A price in another currency cannot be held against dollars. It is taken where it is the only one that holds, at the
exchange rate that its calls were priced at.

Limits: rules that are regular expressions, or that join others by "and", are not read.
"""

from typing import Final

USED_MODELS: Final = """
    SELECT DISTINCT vendor, model, lower(model) AS lower_name
    FROM @ledger.usage_by_day
    WHERE day >= toStartOfDay(@since) AND day < @until AND @chosen
"""
"""The models of the period."""

_LATEST: Final = """
    SELECT *, model AS rule
    FROM @ledger.prices
    WHERE recorded_at <= @now
    ORDER BY written_at DESC, digest
    LIMIT 1 BY price_id
"""

_MEANS: Final = """(
    arrayExists(name -> lower(name) = used.lower_name, book.names)
    OR arrayExists(
        rule -> multiIf(
            startsWith(rule, 'starts_with '), startsWith(used.lower_name, lower(substring(rule, 13))),
            startsWith(rule, 'ends_with '), endsWith(used.lower_name, lower(substring(rule, 11))),
            startsWith(rule, 'contains '), position(used.lower_name, lower(substring(rule, 10))) > 0,
            0),
        splitByString(' or ',
            if(startsWith(book.rule, '('), substring(book.rule, 2, length(book.rule) - 2), book.rule)))
)"""
"""Whether a row of the book means a model. Names are compared without regard to case."""


def prices_of(used: str = USED_MODELS) -> str:
    """A query: every row of the price book that may be for one of the models.

    used: a query with `vendor`, `model`, `lower_name`. Columns: the model as it is called (`vendor`, `model`), whether
    the row names it or has a rule for it (`is_named`), `price_id`, `service_tier`, `region`, `hours`, `terms`,
    `valid_from`, `valid_to` (2100 where there is no end), `recorded_at`, `currency`, `is_contract`, `factor`,
    `no_price`, and the rates of a million tokens: `input_rate`, `output_rate`, `cache_read_rate`, `cache_write_rate`,
    `cache_write_1h_rate`, where what has no rate of its own is charged as what is around it, as the meter does.
    `is_by_million` is 0 where a token rate is not stated so.
    """
    return f"""
    SELECT
        used.vendor AS vendor,
        used.model AS model,
        arrayExists(name -> lower(name) = used.lower_name, book.names) AS is_named,
        book.price_id AS price_id,
        book.service_tier AS service_tier,
        book.region AS region,
        book.hours AS hours,
        book.terms AS terms,
        book.valid_from AS valid_from,
        ifNull(book.valid_to, toDateTime64('2100-01-01 00:00:00', 6, 'UTC')) AS valid_to,
        book.recorded_at AS recorded_at,
        book.currency AS currency,
        book.is_contract AS is_contract,
        book.factor AS factor,
        book.no_price AS no_price,
        toDecimal128(book.rates['input'], 12) AS input_rate,
        toDecimal128(book.rates['output'], 12) AS output_rate,
        if(mapContains(book.rates, 'cache_read'), toDecimal128(book.rates['cache_read'], 12), input_rate)
            AS cache_read_rate,
        if(mapContains(book.rates, 'cache_write'), toDecimal128(book.rates['cache_write'], 12), input_rate)
            AS cache_write_rate,
        if(mapContains(book.rates, 'cache_write_1h'), toDecimal128(book.rates['cache_write_1h'], 12), cache_write_rate)
            AS cache_write_1h_rate,
        book.per['input'] = 1000000 AND book.per['output'] IN (0, 1000000) AS is_by_million
    FROM ({used}) AS used
    INNER JOIN ({_LATEST}) AS book ON book.vendor = used.vendor
    WHERE {_MEANS}
"""


def prices_of_period() -> str:
    """The rows of `prices_of` that may have priced calls of the period: public ones, flat and by the million."""
    return f"""
    SELECT *
    FROM ({prices_of()})
    WHERE valid_from < @until AND valid_to > @since
        AND is_by_million AND no_price = '' AND isNull(factor) AND NOT is_contract
    """


def in_region(region: str, regions: str) -> str:
    """A condition: a price for `regions` (names joined by commas, a star for what begins so) is for `region`."""
    return (
        f"({regions} = '' OR arrayExists(each -> if(endsWith(each, '*'), "
        f"startsWith({region}, substring(each, 1, length(each) - 1)), each = {region}), splitByChar(',', {regions})))"
    )


def list_cost_of(usage: str, price: str) -> str:
    """What the tokens of `usage` cost at the rates of `price`, both aliases; in the price's currency."""
    return (
        f"((toDecimal128({usage}.input_sum, 0) - {usage}.read_sum - {usage}.write_sum) * {price}.input_rate"
        f" + toDecimal128({usage}.read_sum, 0) * {price}.cache_read_rate"
        f" + (toDecimal128({usage}.write_sum, 0) - {usage}.write_1h_sum) * {price}.cache_write_rate"
        f" + toDecimal128({usage}.write_1h_sum, 0) * {price}.cache_write_1h_rate"
        f" + toDecimal128({usage}.output_sum, 0) * {price}.output_rate) / 1000000"
    )


SUMS: Final = """
    sum(calls) AS call_count,
    sum(input_tokens) AS input_sum,
    sum(cache_read_tokens) AS read_sum,
    sum(cache_write_tokens) AS write_sum,
    sum(cache_write_1h_tokens) AS write_1h_sum,
    sum(output_tokens) AS output_sum,
    toDecimal128(ifNull(sum(list_cost), 0), 12) AS listed
"""
"""What `list_cost_of` needs of some calls, and what they cost by the ledger."""


def is_the_same(cost: str, usage: str) -> str:
    """A condition: a cost equals what the ledger has of `usage`, but for what each call was rounded by."""
    return f"abs({cost} - {usage}.listed) * 1000000 <= {usage}.listed + toDecimal128({usage}.call_count, 12) / 100000"
