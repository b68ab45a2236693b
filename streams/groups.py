"""The events of one message sorted into groups that are priced and summed together.

A group agrees in GROUP_FIELDS, in the minute, and in whether tokens were read from a cache and written to one, so
that one rule prices all of it. Its members are named by where they stand in the message; a column of the message gives
the group's part of it in C. Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import itemgetter, truth
from typing import Any, Final, NamedTuple

from streams.records import Columns
from tokenweir.usage.event import GROUP_FIELDS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)

CACHE_FIELDS: Final = ("cache_read_tokens", "cache_write_tokens")

Take = Callable[[Sequence[Any]], Sequence[Any]]


class Span(NamedTuple):
    """The first and the last time of some events."""

    earliest: datetime
    latest: datetime


def in_utc(span: Span) -> Span:
    """The same span, whatever zones its ends are told in."""
    return Span(span.earliest.astimezone(UTC), span.latest.astimezone(UTC))


class Group(NamedTuple):
    """Some events of a message.

    names: the values of GROUP_FIELDS, by field. minute: counted since the Unix epoch. places: where the events stand
    in the message, ascending. of: picks their values from a column of the message, in that order.
    """

    names: dict[str, str]
    minute: int
    places: Sequence[int]
    of: Take


def groups_of(columns: Columns, span: Span) -> list[Group]:
    """The groups of a message's events, of which there are some. columns: the fields of UsageEvent, times in UTC.

    span: of these times, in UTC.
    """
    count = len(columns["time"])
    # The events of a message are much alike: what is the same in all of them is neither compared nor hashed.
    first = {name: columns[name][0] for name in GROUP_FIELDS}
    differing = [name for name in GROUP_FIELDS if columns[name].count(first[name]) != count]
    cached = [map(truth, column) for name in CACHE_FIELDS if any(column := columns[name])]
    minutes = _minute_numbers(columns["time"], span)
    places: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(minutes, *(columns[name] for name in differing), *cached, strict=False)):
        places[key].append(place)
    return [
        Group(first | dict(zip(differing, names, strict=False)), minute, members, _taking(members, count))
        for (minute, *names), members in places.items()
    ]


def _taking(places: list[int], count: int) -> Take:
    if len(places) == count:
        return _all_of
    if len(places) == 1:
        return lambda column: (column[places[0]],)
    return itemgetter(*places)


def _all_of(column: Sequence[Any]) -> Sequence[Any]:
    return column


def _minute_numbers(times: Sequence[datetime], span: Span) -> Iterable[int]:
    """The minute of each time, counted since the Unix epoch."""
    first, last = ((moment - EPOCH) // MINUTE for moment in span)
    if first == last:
        return repeat(first, len(times))
    if last - first < 59:  # then the minute of the hour tells, and is faster to have
        start = span.earliest.minute
        return [first + (moment.minute - start) % 60 for moment in times]
    return [(moment - EPOCH) // MINUTE for moment in times]
