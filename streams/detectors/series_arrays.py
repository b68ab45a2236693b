"""Arrays that hold a figure, or some, of each of many series: how they grow, are cleared, and are written down. Pure.

The series are the last axis. Who looks at one figure of all series at one moment so reads what lies side by side, and
the time of a series stays the same however many there are; with the series first each would be a cache miss.

As bytes a series' figures stand together, the first series' first. That form outlives the layout in memory.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 4_096
"""So many series are worked on at once: what that takes fits a processor's cache. Even: pairs stay together."""

_FEWEST: Final = 16

Array = NDArray[Any]


def blocks(count: int) -> Iterator[slice]:
    """The parts of so many series that are worked on one after the other."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def capacity(array: Array) -> int:
    """For how many series there is room."""
    return int(array.shape[-1])


def grown(array: Array, count: int) -> Array:
    """The same with room for `count` series and some more; those that come are zero."""
    room = capacity(array)
    if count <= room:
        return array
    larger = np.zeros((*array.shape[:-1], max(_FEWEST, 2 * room, count)), array.dtype)
    larger[..., :room] = array
    return larger


def to_bytes(array: Array, count: int) -> bytes:
    """The figures of the first `count` series, series by series."""
    return np.moveaxis(array[..., :count], -1, 0).tobytes()


def from_bytes(kept: bytes, like: Array, count: int) -> Array:
    """What `to_bytes` gave of such an array. Raises ValueError where it is of another."""
    shape = (count, *like.shape[:-1])
    if len(kept) != like.dtype.itemsize * int(np.prod(shape)):
        raise ValueError(f"{len(kept)} bytes are not {count} series of {like.shape[:-1]} {like.dtype}")
    return np.moveaxis(np.frombuffer(kept, like.dtype).reshape(shape), 0, -1).copy(order="C")
