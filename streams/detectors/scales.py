"""The scales on which values are held against each other, in units of the series' own usual step.

On LOG, which is asinh, ratios count, and it is linear near zero, so that zero is a value like any other. On LINEAR
distances count, which says more of a series that strays as far on either side, or about zero.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from streams.detectors.tails import Floats


class Scale(NamedTuple):
    """of: from units to the scale. back: the other way. stretch: how far a small step of the log goes at a place."""

    of: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    stretch: Callable[[Floats], Floats]


_FARTHEST: Final = 1e15
"""So many steps away, one is as improbable as ten times as many, and what is learnt of it can be held."""


def _near(values: Floats) -> Floats:
    near: Floats = np.clip(values, -_FARTHEST, _FARTHEST)
    return near


def _same(places: Floats) -> Floats:
    return places


def _one(places: Floats) -> Floats:
    return np.ones_like(places)


def _slope(places: Floats) -> Floats:
    return np.sqrt(1 + places * places)


LOG: Final = Scale(np.arcsinh, np.sinh, _one)
LINEAR: Final = Scale(_near, _same, _slope)


def _paired(one: Callable[[Floats], Floats], other: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    def both(values: Floats) -> Floats:
        result = np.empty_like(values)
        result[::2] = one(values[::2])
        result[1::2] = other(values[1::2])
        return result

    return both


PAIRED: Final = Scale(*(_paired(one, other) for one, other in zip(LOG, LINEAR, strict=True)))
"""LOG for the first and every other of the values, LINEAR for those between: to look at each series on both scales."""
