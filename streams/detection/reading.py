"""Reading the windows topic with distrust: what is no window of ours costs its line, and neither the worker nor others.

What is refused could not have come from a meter: no JSON or another shape, names and counts that no event can have, a
minute before there were such events or further ahead than a clock may run. Pure; time is Kafka's, so that whoever
reads a message again refuses the same.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple, get_args

import msgspec

from streams.groups import EPOCH
from streams.histogram import SCALE, ZERO_BUCKET
from streams.refused import MAX_SOURCES
from streams.windows import MinuteWindow, decode_windows, group_values
from tokenweir.usage.event import EARLIEST_TIME, LATEST_AHEAD
from tokenweir.usage.rejection import Reason

NO_WINDOW: Final = "no_window"
"""It cannot be read as a window."""

IMPLAUSIBLE: Final = "implausible_window"
"""It can be read, and is none that a meter writes."""

_MOST: Final = 10**12
_MOST_STATUSES: Final = 64
_MOST_BUCKET: Final = 64 * 2**SCALE
_LONGEST_NAME: Final = 512
_REASONS: Final = frozenset(get_args(Reason))
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_COST: Final = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class Lines(NamedTuple):
    """The windows of a message, and why lines beside them are refused, a reason a line."""

    windows: list[MinuteWindow]
    refused: list[str]


def read_windows(value: bytes, clock_ms: int) -> Lines:
    """Read a message that comes at this clock. Raises nothing."""
    refused: list[str] = []
    try:
        windows = decode_windows(value)
    except _UNREADABLE:
        windows = list(_one_by_one(value, refused))
    latest = EPOCH + timedelta(milliseconds=clock_ms) + LATEST_AHEAD
    sound = [window for window in windows if _is_plausible(window, latest)]
    refused += [IMPLAUSIBLE] * (len(windows) - len(sound))
    return Lines(sound, refused)


def _one_by_one(value: bytes, refused: list[str]) -> Iterable[MinuteWindow]:
    for line in value.split(b"\n"):
        try:
            yield from decode_windows(line)
        except _UNREADABLE:
            refused.append(NO_WINDOW)


def _is_plausible(window: MinuteWindow, latest: datetime) -> bool:
    names = (*group_values(window), window.partial_id)
    by_name = (window.calls_by_status, window.tokens, window.refused_lines, window.refused_sources)
    counts = (window.calls, window.unpriced_calls, *chain.from_iterable(one.values() for one in by_name))
    return (
        EARLIEST_TIME <= _in_utc(window.minute) <= latest
        and max(map(len, names)) <= _LONGEST_NAME
        and _CONTROL.search("".join(names)) is None
        and _COST.fullmatch(window.cost) is not None
        and _are_counts(counts)
        and len(window.calls_by_status) <= _MOST_STATUSES
        and _REASONS.issuperset(window.refused_lines)
        and len(window.refused_sources) <= MAX_SOURCES
        and max(map(len, window.refused_sources), default=0) <= _LONGEST_NAME
        and window.latency_scale == SCALE
        and all(
            ZERO_BUCKET not in latency.buckets
            and _are_counts((*latency.buckets.values(), latency.zeros))
            and (not latency.buckets or max(map(abs, latency.buckets)) <= _MOST_BUCKET)
            for latency in (window.duration_ms, window.ttft_ms)
        )
    )


def _are_counts(counts: tuple[int, ...]) -> bool:
    return min(counts) >= 0 and max(counts) <= _MOST


def _in_utc(moment: datetime) -> datetime:
    """The moment, or one that is too late where it has none in UTC: at either end of the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
