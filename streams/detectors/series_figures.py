"""What is kept of a series beside its season and its tails: one number each, by the place of its name in FIGURES. Pure.

- seen: values, counted; born: Unix seconds of the first;
- last, steps, log_steps, size: of the warm-up, from which the unit comes;
- level: what is usual without the season's offset;
- fast: follows the last values; followed: their offset from the usual; fast_error, usual_error: how well each foretold;
- few, many: the mean distance from the usual, of a few values and of five times as many;
- run: for how many values in a row it has been far from it, with its sign.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.detectors.tails import Floats

FIGURES: Final = (
    "seen",
    "born",
    "last",
    "steps",
    "log_steps",
    "size",
    "unit",
    "level",
    "fast",
    "followed",
    "fast_error",
    "usual_error",
    "few",
    "many",
    "run",
)
(
    SEEN,
    BORN,
    LAST,
    STEPS,
    LOG_STEPS,
    SIZE,
    UNIT,
    LEVEL,
    FAST,
    FOLLOWED,
    FAST_ERROR,
    USUAL_ERROR,
    FEW,
    MANY,
    RUN,
) = range(len(FIGURES))


def expected_next(known: Floats, usual: Floats, seen: NDArray[np.bool_]) -> Floats:
    """What is expected next, on the scale: the last values, and the season with its latest offset, by their merits."""
    last = known[FAST]
    seasonal = usual + known[FOLLOWED]
    trust_last = (known[FAST_ERROR] ** 2 + 1e-12) ** -2
    trust_season = (known[USUAL_ERROR] ** 2 + 1e-12) ** -2
    both = (trust_last * last + trust_season * seasonal) / (trust_last + trust_season)
    expected: Floats = np.where(seen & (known[USUAL_ERROR] > 0), both, last)
    return expected
