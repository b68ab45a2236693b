"""How few calls are enough to say that there are more than usual."""

import pytest

from streams.detectors.call_rush import GREAT_RUSH_LOG10, LEAST_CALLS, RUSH_LOG10, log10_rush


@pytest.mark.parametrize(
    ("calls", "usual", "is_rush", "is_great"),
    [
        (5, 0.01, False, False),  # too few of anything
        (6, 0.05, True, False),
        (8, 1.4, False, False),
        (9, 1.0, False, False),
        (9, 0.4, True, False),
        (13, 0.4, True, True),
        (15, 9.8, False, False),
        (34, 0.8, True, True),
        (3_000, 2_900, False, False),
        (3_000, 300, True, True),
    ],
)
def test_what_is_a_rush(calls: int, usual: float, is_rush: bool, is_great: bool) -> None:
    log10 = log10_rush(calls, usual)
    assert (log10 <= RUSH_LOG10) == is_rush
    assert (log10 <= GREAT_RUSH_LOG10) == is_great


def test_more_calls_are_less_probable_and_more_usual_ones_more_so() -> None:
    assert log10_rush(LEAST_CALLS, 0.0) < 0
    assert log10_rush(20, 1.0) < log10_rush(10, 1.0) < log10_rush(10, 2.0) <= 0
    assert log10_rush(10, 10.0) == log10_rush(10, 30.0) == 0
