"""The events of one message sorted into groups that are priced and summed together.

A group agrees in GROUP_FIELDS, in the minute, and in whether tokens were read from a cache and written to one, so
that one rule prices all of it. Its members are named by where they stand in the message; a column of the message gives
the group's part of it in C. Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter, truth
from typing import Any, Final, NamedTuple

from streams.records import Columns
from tokenweir.usage.event import GROUP_FIELDS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)

Take = Callable[[Sequence[Any]], Sequence[Any]]


class Group(NamedTuple):
    """Some events of a message.

    names: the values of GROUP_FIELDS, by field. minute: counted since the Unix epoch. places: where the events stand
    in the message, ascending. of: picks their values from a column of the message, in that order.
    """

    names: dict[str, str]
    minute: int
    places: Sequence[int]
    of: Take


def groups_of(columns: Columns) -> list[Group]:
    """The groups of a message's events. columns: the fields of UsageEvent, times in UTC."""
    times = columns["time"]
    count = len(times)
    if not count:
        return []
    # The events of a message are much alike: what is the same in all of them is neither compared nor hashed.
    first = {name: columns[name][0] for name in GROUP_FIELDS}
    differing = [name for name in GROUP_FIELDS if columns[name].count(first[name]) != count]
    cached = [map(truth, columns[name]) for name in ("cache_read_tokens", "cache_write_tokens")]
    keys = zip(_minute_numbers(times), *cached, *(columns[name] for name in differing), strict=True)
    places: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key].append(place)
    return [
        Group(first | dict(zip(differing, values, strict=True)), minute, members, _taking(members, count))
        for (minute, _, _, *values), members in places.items()
    ]


def _taking(places: list[int], count: int) -> Take:
    if len(places) == count:
        return _all_of
    if len(places) == 1:
        return lambda column: (column[places[0]],)
    return itemgetter(*places)


def _all_of(column: Sequence[Any]) -> Sequence[Any]:
    return column


def _minute_numbers(times: Sequence[datetime]) -> list[int]:
    """The minute of each time, counted since the Unix epoch."""
    earliest, latest = min(times), max(times)
    first = (earliest - EPOCH) // MINUTE
    if latest - earliest < 59 * MINUTE:  # then the minute of the hour tells, and is faster to have
        start = earliest.minute
        return [first + (moment.minute - start) % 60 for moment in times]
    return [(moment - EPOCH) // MINUTE for moment in times]
