"""Pieces of SQL about models that are going, by the table of models, which holds the catalog.

`GOING` is a common table expression, `going`: each model that has stopped, is deprecated, or stops within half a year
where no deprecation is known, as the detector of retirements has it; once for every name by which calls may name it.
Of several places at which a vendor offers a model, its own counts. A day begins at midnight UTC.
"""

from typing import Final

NOTICE_DAYS: Final = 180

GOING: Final = f"""
names AS
(
    SELECT
        vendor AS going_vendor,
        arrayJoin(arrayDistinct(arrayPushFront(aliases, model))) AS going_model,
        deprecated_at,
        retires_at,
        stated,
        stated_on,
        multiIf(replaced_by != '', replaced_by, empty(successors), '', splitByChar('/', successors[1], 2)[2])
            AS successor
    FROM @ledger.models FINAL
    ORDER BY going_model != model, platform != '', platform, model
    LIMIT 1 BY going_vendor, going_model
),
going AS
(
    SELECT *
    FROM names
    WHERE retires_at <= @now
        OR deprecated_at <= @now
        OR (deprecated_at IS NULL AND retires_at < @now + INTERVAL {NOTICE_DAYS} DAY)
        OR (stated IN ('deprecated', 'retired') AND ifNull(stated_on <= toDate(@now), 1))
)"""

DAYS_LEFT: Final = "dateDiff('day', toDate(@now), toDate(retires_at))"
"""Below 0 where it has stopped; null where no day is known."""

WEEK: Final = "day > toStartOfDay(@now) - INTERVAL 7 DAY AND day <= @now"
"""The last seven days by the calendar, the one that is not over among them."""

WEEK_SECONDS: Final = "(toUnixTimestamp(@now) - toUnixTimestamp(toStartOfDay(@now)) + 6 * 86400)"
"""How long that is up to now."""
