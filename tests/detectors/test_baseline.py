"""What a series usually is: quiet ones stay quiet, what is planted is found, and nothing depends on neighbours."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detectors.baseline import WARM_UP, Baselines, Surprise
from tests.detectors.made_series import CHARACTERS, LENGTH, STEP_SECONDS, planted, series, times

FLAGGED = -5.0
SEEDS = range(4)
AT = 2_700


def judged(columns: list[list[float]]) -> np.ndarray:
    """log10 of the probability of each value of each series, all judged side by side."""
    baselines = Baselines(STEP_SECONDS)
    indexes = baselines.open(len(columns))
    values = np.array(columns)
    found = np.zeros(values.shape)
    for number, second in enumerate(times(values.shape[1])):
        found[:, number] = baselines.judge(indexes, second, values[:, number]).log10_probability
    return found


def test_quiet_series_of_every_character_are_left_alone() -> None:
    names = list(product(CHARACTERS, SEEDS))
    found = judged([series(name, seed) for name, seed in names]) <= FLAGGED
    begun = (found[:, 1:] & ~found[:, :-1]).sum(axis=1)
    alarms = {name: int(begun[[n == name for n, _ in names]].sum()) for name in CHARACTERS}
    # The first day of what jumps by design cannot be known before it was seen once.
    after_a_day = found[:, 320:]
    later = (after_a_day[:, 1:] & ~after_a_day[:, :-1]).sum()
    assert later <= 4, alarms
    assert sum(alarms.values()) <= 16, alarms


PLANTED = {
    ("spike", 1): 0.75,
    ("spike", 12): 1.0,
    ("triple", 36): 0.9,
    ("shift", 36): 0.9,
    ("zero", 36): 0.75,
    ("ramp", 72): 0.85,
}
"""What is planted, over how many values, and the share of all characters and seeds in which it has to be found."""


@pytest.mark.parametrize(("what", "length"), PLANTED)
def test_what_is_planted_is_found_while_it_lasts(what: str, length: int) -> None:
    names = list(product(CHARACTERS, SEEDS))
    found = judged([planted(series(name, seed), what, AT, length) for name, seed in names]) <= FLAGGED
    hits = np.array([bool(row.any()) for row in found[:, AT : AT + length + 1]])
    missed = sorted({name for (name, _), hit in zip(names, hits, strict=True) if not hit})
    assert hits.mean() >= PLANTED[what, length], missed


def test_a_thousandfold_jump_is_seen_at_its_first_value() -> None:
    columns = [planted(series(name, 1), "spike", AT, 1) for name in CHARACTERS]
    for column in columns:
        column[AT] = 1_000 * (max(column[:AT]) + 1)
    assert (judged(columns)[:, AT] <= FLAGGED).all()


def test_what_lasts_becomes_usual() -> None:
    values = series("office", 2, LENGTH * 2)
    grown = [value * (10 if number >= AT else 1) for number, value in enumerate(values)]
    found = judged([grown])[0] <= FLAGGED
    assert found[AT : AT + 12].any()
    assert found[AT + 4 * 288 :].sum() <= 12


def test_a_ramp_over_weeks_is_no_incident() -> None:
    values = series("daily", 3, LENGTH * 2)
    grown = [value * 1.025 ** (number / 288) for number, value in enumerate(values)]
    assert (judged([grown])[0] <= FLAGGED).sum() <= 3


def test_nothing_is_said_while_a_series_is_new() -> None:
    values = [1.0, 1e9] * WARM_UP
    assert not judged([values])[0, :WARM_UP].any()


def test_what_is_expected_is_near_what_comes() -> None:
    values = series("daily", 5)
    baselines = Baselines(STEP_SECONDS)
    index = baselines.open(1)
    errors = []
    for second, value in zip(times(), values, strict=True):
        said = baselines.judge(index, second, np.array([value]))
        errors.append(abs(float(said.expected[0]) - value))
    assert np.mean(errors[-1_000:]) < 8  # the noise alone makes 4.8


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 400))
def test_neither_neighbours_nor_what_comes_later_matter(seed: int, cut: int) -> None:
    names = sorted(CHARACTERS)
    columns = [series(name, seed, 400) for name in names]
    together = judged(columns)
    alone = judged([columns[3][:cut]])
    assert np.array_equal(together[3, :cut], alone[0])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 399))
def test_a_state_goes_on_as_if_nothing_had_been(seed: int, cut: int) -> None:
    columns = np.array([series(name, seed, 400) for name in ("office", "bursts", "walk")])
    unbroken, first, second = (Baselines(STEP_SECONDS) for _ in range(3))
    indexes = unbroken.open(3)
    first.open(3)
    for number, moment in enumerate(times(400)):
        if number == cut:
            second.restore(first.state())
            assert second.state() == first.state()
            first = second
        said = unbroken.judge(indexes, moment, columns[:, number])
        again = first.judge(indexes, moment, columns[:, number])
        for one, other in zip(said, again, strict=True):
            assert np.array_equal(one, other)


def test_a_state_of_another_form_is_refused() -> None:
    state = Baselines(60.0).state()
    for other in (Baselines(300.0), Baselines(60.0, slots=96)):
        filled = Baselines(60.0)
        filled.open(1)
        with pytest.raises(ValueError, match="state of baselines"):
            other.restore(state if other.step_seconds == 300.0 else filled.state())
    with pytest.raises(ValueError, match="no state"):
        Baselines(60.0).restore(b"nothing")


def test_a_closed_series_is_forgotten_and_its_place_used_again() -> None:
    baselines = Baselines(STEP_SECONDS)
    first = baselines.open(2)
    for second, value in zip(times(100), series("steady", 1, 100), strict=True):
        baselines.judge(first, second, np.array([value, value]))
    baselines.close([int(first[0])])
    assert list(baselines.open(2)) == [first[0], 2]
    fresh: Surprise = baselines.judge(np.array([first[0]]), times(1)[0], np.array([1e9]))
    assert fresh.log10_probability[0] == 0


def test_rows_without_a_calendar_have_shifts_too() -> None:
    baselines = Baselines(1.0, has_seasons=False)
    index = baselines.open(1)
    values = planted(series("steady", 4, 900), "shift", 700, 60)
    found = [
        baselines.judge(index, float(row), np.array([value])).log10_probability[0]
        for row, value in enumerate(values)
    ]
    assert min(found[:700]) > FLAGGED
    assert min(found[700:720]) <= FLAGGED
