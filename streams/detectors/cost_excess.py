"""When a series of cost has so much too much that it is told at once. Pure.

Told is what is dear and weighs, and what its own past says cannot be chance: a bucket of many times the usual, a minute
that none of the last days comes near, or more calls in some minutes than ever fell together.

Limit: fewer than six calls are never a rush, so a loop of a call or two a minute takes some minutes to be one.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from streams.detectors.call_rush import GREAT_RUSH_LOG10, RUSH_LOG10, log10_rush
from streams.detectors.cost_readings import Reading
from streams.detectors.cost_series import BUCKET_MINUTES, BUCKETS_A_DAY, LATELY_MINUTES, MINUTES_A_DAY

AT_ONCE_RATIO: Final = 8.0
GREAT_RECORD_RATIO: Final = 3.0
LASTING_RATIO: Final = 2.0

_JUMP_LOG10: Final = -7.0
_RECORD_RATIO: Final = 2.0
_MINUTE_RATIO: Final = 5.0
_DEARER_RATIO: Final = 1.5
_MANY_CALLS: Final = 15
_MOST_TO_WHOLE: Final = 1.5
"""Calls of a moment need not go on: two thirds of a minute have to be over."""
_RECORD_RUSH_LOG10: Final = -5.0
"""Of calls that are more than twice as many as ever, too."""


class Usual(NamedTuple):
    """What is usual of the series that was read, besides what the reading says.

    least_usd_per_day: what it has to have too much to be told. is_known: whether every day of the week was seen, so
    that its records say what it may come to. calls: how many are usual where they cost so many USD, in so many minutes.
    """

    least_usd_per_day: float
    is_known: bool
    calls: Callable[[float, float], float]


def too_dear_a_bucket(reading: Reading, usual: Usual) -> float | None:
    """USD a day too much, where a bucket or two minutes are so dear that nothing else is waited for; else None."""
    more = reading.cost_usd - reading.usual_usd
    usual_per_minute = reading.usual_usd / BUCKET_MINUTES
    per_day = max(more * BUCKETS_A_DAY, (reading.usd_per_minute - usual_per_minute) * MINUTES_A_DAY)
    is_many_times = reading.cost_usd >= AT_ONCE_RATIO * reading.usual_usd
    is_great_record = reading.of_highest >= GREAT_RECORD_RATIO and usual.is_known
    is_dear = is_many_times or (is_great_record and reading.cost_usd >= LASTING_RATIO * reading.usual_usd)
    if per_day < usual.least_usd_per_day or not is_dear:
        return None
    minutes = LATELY_MINUTES if reading.lately_usd == reading.cost_usd else BUCKET_MINUTES
    rush = log10_rush(reading.calls, usual.calls(reading.usual_usd, minutes))
    is_unseen = rush <= GREAT_RUSH_LOG10 and reading.of_highest * BUCKET_MINUTES >= minutes
    if is_many_times and not is_unseen:
        is_surprising = reading.log10_probability <= _JUMP_LOG10 and reading.direction > 0
        is_unseen = is_surprising or reading.of_highest >= _RECORD_RATIO
    if is_unseen and (rush <= RUSH_LOG10 or weighs(reading.calls, more, usual.least_usd_per_day)):
        return per_day
    return None


def too_full_a_minute(reading: Reading, usual: Usual) -> float | None:
    """USD a day too much, where the last minute or minutes have far more calls, or far dearer ones; else None."""
    usual_usd = reading.usual_usd / BUCKET_MINUTES
    per_day = (reading.usd_per_minute - usual_usd) * MINUTES_A_DAY
    if per_day < usual.least_usd_per_day or reading.usd_per_minute < _DEARER_RATIO * usual_usd:
        return None
    return per_day if _is_record_minute(reading, usual) or _is_rush(reading, usual) else None


def _is_record_minute(reading: Reading, usual: Usual) -> bool:
    """A minute of so many more calls, or of so much dearer ones, that none of the last days comes near it."""
    latest = reading.latest
    if latest is None or latest.of_dearest < 1:
        return False
    usual_usd = reading.usual_usd / BUCKET_MINUTES
    calls = usual.calls(usual_usd, 1)
    ratio = _MINUTE_RATIO if usual.is_known else AT_ONCE_RATIO
    # A few calls in a row need not go on.
    whole = latest.to_whole if latest.calls >= _MANY_CALLS else 1.0
    is_dear = latest.usd * whole >= ratio * usual_usd and latest.of_dearest * whole >= _RECORD_RATIO
    is_full = latest.calls * whole >= ratio * calls and latest.of_fullest * whole >= _RECORD_RATIO
    return (is_dear or is_full) and (
        latest.calls >= _MANY_CALLS or log10_rush(latest.calls, calls) <= RUSH_LOG10
    )


def _is_rush(reading: Reading, usual: Usual) -> bool:
    """So many more calls than usual, and than ever in so many minutes, that it matters little what each costs."""
    latest = reading.latest
    if latest is None or not usual.is_known:
        return False
    goes_on = latest.calls >= _MANY_CALLS and latest.to_whole <= _MOST_TO_WHOLE
    for rush in reading.rushes:
        whole = latest.to_whole if rush.minutes == 1 and goes_on else 1.0
        calls = usual.calls(reading.usual_usd / BUCKET_MINUTES * rush.minutes, rush.minutes)
        is_full = rush.of_fullest * whole >= _RECORD_RATIO and rush.calls * whole >= _MINUTE_RATIO * calls
        if is_full and log10_rush(rush.calls, calls) <= _RECORD_RUSH_LOG10:
            return True
    return False


def weighs(calls: int, more_usd: float, least_usd_per_day: float) -> bool:
    """Whether it is more than a few calls that happened to fall together, or they are dear in themselves."""
    return calls >= _MANY_CALLS or more_usd >= least_usd_per_day
