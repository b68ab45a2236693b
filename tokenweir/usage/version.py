"""Which of several reports of one call is kept: the fuller report first, then the later.

A version is a 64-bit number, compared as it is: 8 bits of fullness, 44 bits of the time of the report in
milliseconds (Kafka's own time of the message, which a redelivery does not change), 12 bits that number the
re-pricings of one report. So redelivery changes nothing, a correction replaces what it corrects, a new price
replaces the old one, and none of these lets a poorer report displace a fuller one.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import add, attrgetter
from typing import Any, Final, cast

_REPORT_BITS: Final = 44
_REVISION_BITS: Final = 12

# What a report may or may not know of a call. Identity and model are always there and say nothing of fullness.
FULLNESS_FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "units",
    "duration_ms",
    "ttft_ms",
    "team",
    "project",
    "service",
    "user",
    "api_key",
    "session",
    "requested_model",
    "region",
)
_facets = cast("Callable[[Any], tuple[object, ...]]", attrgetter(*FULLNESS_FIELDS))


def fullness(event: Any) -> int:
    """How many of FULLNESS_FIELDS the event states (0 to 16). Takes UsageEvent or the hot path's struct."""
    return len(list(filter(None, _facets(event))))


def fullness_by_column(columns: Mapping[str, Sequence[object]]) -> list[int]:
    """`fullness` of many events, given column by column: each of FULLNESS_FIELDS with its values, all of one length."""
    known = 0
    partly: list[Sequence[object]] = []
    for name in FULLNESS_FIELDS:
        column = columns[name]
        if all(column):
            known += 1
        elif any(column):
            partly.append(column)
    total = [known] * len(columns[FULLNESS_FIELDS[0]])
    for column in partly:
        total = list(map(add, total, map(bool, column)))
    return total


FULLNESS_STEP: Final = 1 << (_REPORT_BITS + _REVISION_BITS)
"""What one more stated field adds to a version."""


def report_stamp(reported_at_ms: int, revision: int = 0) -> int:
    """The part of a version that is the same for all events of one Kafka message."""
    moment = min(max(reported_at_ms, 0), (1 << _REPORT_BITS) - 1)
    number = min(max(revision, 0), (1 << _REVISION_BITS) - 1)
    return (moment << _REVISION_BITS) | number


def report_version(event: Any, reported_at_ms: int, revision: int = 0) -> int:
    """The version of a report.

    reported_at_ms: Unix milliseconds of the Kafka message that carried it. revision: 0 when first metered, one
    more at each re-pricing.
    """
    return fullness(event) * FULLNESS_STEP + report_stamp(reported_at_ms, revision)


MAX_REVISION: Final = (1 << _REVISION_BITS) - 1
"""How often one report can be priced anew."""


def next_revision(version: int) -> int | None:
    """The version of the same report, priced once more; None where it has been priced anew MAX_REVISION times."""
    return None if version & MAX_REVISION == MAX_REVISION else version + 1
