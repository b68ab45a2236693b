"""Calls sorted into groups that are alike in all that decides which price holds, so that each is priced together.

A group agrees in vendor, model, service tier, region, operation and workload, in whether tokens were cached, and in
whether anything beyond plain tokens was counted. Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import compress
from operator import itemgetter, truth
from typing import Any, Final, NamedTuple

from tokenweir.usage.event import TOKEN_FIELDS

Columns = Mapping[str, Sequence[Any]]

_NAMES: Final = ("vendor", "model", "service_tier", "region", "operation")
_VALUES: Final = ("time", *TOKEN_FIELDS, "units", "tags", "status", "billed_cost")
COLUMNS: Final = (*_NAMES, *_VALUES)
"""The fields of MeteredEvent that calls must have, besides those of their workload."""

_CACHED: Final = ("cache_read_tokens", "cache_write_tokens")
_BEYOND_PLAIN: Final = (
    "units",
    "cache_write_1h_tokens",
    *(name for name in TOKEN_FIELDS if "audio" in name or "image" in name),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PriceKey(NamedTuple):
    """What a price is looked up by, besides the time."""

    vendor: str
    model: str
    service_tier: str
    region: str


class Group(NamedTuple):
    """Some calls. workload: the values of the dimensions asked for. columns: what differs from call to call."""

    key: PriceKey
    operation: str
    workload: tuple[str, ...]
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["time"])


def groups_of(columns: Columns, by: Sequence[str], *, by_day: bool) -> Iterator[Group]:
    """The groups of some calls. by: the dimensions of a workload. by_day: no group is of two days (UTC)."""
    count = len(columns["time"])
    if not count:
        return
    stated = [name for name in _VALUES if name in ("time", "billed_cost") or any(columns[name])]
    marks: list[Any] = [map(truth, columns[name]) for name in _CACHED if name in stated]
    if beyond := [columns[name] for name in _BEYOND_PLAIN if name in stated]:
        marks.append(map(any, zip(*beyond, strict=True)))
    if by_day:
        marks.append([(moment - _EPOCH).days for moment in columns["time"]])
    names = [columns[name] for name in (*_NAMES, *by)]
    places: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(*names, *marks, strict=True)):
        places[key].append(place)
    for key, members in places.items():
        take = _taking(members, count)
        values = {
            name: take(columns[name]) if name in stated else _nothing(name, len(members)) for name in _VALUES
        }
        yield Group(PriceKey(*key[:4]), key[4], key[len(_NAMES) : len(names)], values)


def kept(columns: Columns, mask: Sequence[bool]) -> Columns:
    """The calls for which `mask` is true."""
    return {name: tuple(compress(column, mask)) for name, column in columns.items()}


def _taking(places: list[int], count: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) == count:
        return lambda column: column
    if len(places) == 1:
        return lambda column: (column[places[0]],)
    return itemgetter(*places)


def _nothing(name: str, count: int) -> Sequence[Any]:
    """What is in a column in which nothing is stated."""
    return ({} if name in ("units", "tags") else "" if name == "status" else 0,) * count
