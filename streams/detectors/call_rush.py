"""Whether so many calls, where few are usual, are more than calls that happened to fall together.

Calls come in clusters (an answer that is asked for again, a report that comes twice), so each is taken for half an
independent one. The bound is Chernoff's for a Poisson count.

Limit: it says that there are more calls, not that they matter; that is for whoever asks to say in dollars.
"""

import math
from typing import Final

LEAST_CALLS: Final = 6
RUSH_LOG10: Final = -4.0
"""More than fell together."""

GREAT_RUSH_LOG10: Final = -6.0
"""So many more that it says by itself that something is wrong."""

_CLUSTER: Final = 2.0
_LEAST_USUAL: Final = 0.01
"""What is never seen is taken for this many: one call in a hundred looks."""


def log10_rush(calls: int, usual_calls: float) -> float:
    """log10 of the probability of as many calls where `usual_calls` are the mean; 0 below LEAST_CALLS."""
    usual = max(usual_calls, _LEAST_USUAL)
    if calls < LEAST_CALLS or calls <= usual:
        return 0.0
    return -(calls * math.log(calls / usual) - calls + usual) / _CLUSTER / math.log(10)
