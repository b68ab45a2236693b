"""A series from anywhere: what it is shows in its own past, and what is not as ever is flagged."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detectors.series_judge import SeriesJudge, Verdict
from tests.detectors.made_series import CHARACTERS, START_SECONDS, STEP_SECONDS, series, times
from tests.examples import few


def judged(values: Sequence[float], seconds: Sequence[float] | None = None) -> list[Verdict]:
    """What is said of each value; rows without a calendar, if nothing else is said."""
    judge = SeriesJudge()
    return [judge.judge(at, value) for at, value in zip(seconds or range(len(values)), values, strict=True)]


def flagged(verdicts: Sequence[Verdict]) -> list[int]:
    return [number for number, verdict in enumerate(verdicts) if verdict.flag]


def test_quiet_series_of_every_character_are_left_alone() -> None:
    found = {
        character: flagged(judged(series(character, 7, 2_000), times(2_000))) for character in CHARACTERS
    }
    # The first day of what jumps by design cannot be known before it was seen once.
    assert sum(number > 320 for numbers in found.values() for number in numbers) <= 3, found


def test_a_spike_of_two_and_a_half_times_the_season_is_found() -> None:
    dice = random.Random(5)
    values = [
        (100 + 60 * math.sin(2 * math.pi * number / 24)) * math.exp(0.1 * dice.gauss(0, 1))
        for number in range(24 * 30)
    ]
    quiet = flagged(judged(values))
    at = 24 * 25 + 14
    spiked = [*values[:at], 2.5 * values[at], *values[at + 1 :]]
    verdict = judged(spiked)[at]
    assert not quiet
    assert verdict.flag
    assert verdict.direction == 1
    assert verdict.expected == pytest.approx(values[at], rel=0.4)


def test_a_counter_is_judged_by_how_much_it_rises_also_over_its_resets() -> None:
    dice = random.Random(3)
    total, values = 0.0, []
    for number in range(1_500):
        total = 0.0 if number in (400, 900) else total + dice.randint(40, 60)
        values.append(total)
    assert not flagged(judged(values))
    at = 1_200
    faster = [value + max(0, number - at) * 150 for number, value in enumerate(values)]
    verdicts = judged(faster)
    assert at < flagged(verdicts)[0] <= at + 2
    assert verdicts[at - 1].expected == pytest.approx(values[at - 1], abs=30)


def test_what_only_rose_at_first_is_no_counter_once_it_falls() -> None:
    dice = random.Random(4)
    values = [
        100 + 50 * math.sin(2 * math.pi * number / 200) + 0.01 * dice.random() for number in range(1_000)
    ]
    assert not flagged(judged(values))[1:]


def test_a_series_about_zero_is_judged_by_distances() -> None:
    dice = random.Random(6)
    values = [3 * dice.gauss(0, 1) for _ in range(800)]
    assert not flagged(judged(values))
    assert judged([*values, 40.0])[-1].flag
    assert judged([*values, -40.0])[-1].direction == -1


def test_a_period_that_is_no_day_is_learnt() -> None:
    dice = random.Random(8)
    values = [(number % 47) * 2 + dice.gauss(0, 1) for number in range(1_200)]
    found = flagged(judged(values))
    assert not [number for number in found if number > 256]
    at = 1_010
    values[at] += 40
    assert judged(values[: at + 1])[at].flag


def test_what_is_seldom_but_recurs_becomes_usual() -> None:
    dice = random.Random(9)
    values = [math.exp(3 + dice.gauss(0, 1)) if dice.random() < 0.02 else 0.0 for _ in range(4_000)]
    found = flagged(judged(values))
    events = sum(value > 0 for value in values[2_000:])
    assert len([number for number in found if number >= 2_000]) <= events / 5


def _at_the_end(end: float, number: int, dice: random.Random) -> list[float]:
    ordinary = [1 + dice.random() for _ in range(299)]
    return [
        [*ordinary, end, *ordinary],
        [*ordinary, -end, *ordinary],
        [5.0] * 299 + [end] * 300,
        [end * dice.uniform(-1, 1) for _ in range(600)],
        [end * (number / 600) for number in range(600)],
        [(-1) ** number * end for number in range(300)],
    ][number]


@pytest.mark.parametrize("end", [1.7e308, 1e200, 1e30, 1e-30, 1e-310])
@pytest.mark.parametrize("number", range(6))
def test_numbers_of_any_size_are_judged(end: float, number: int) -> None:
    verdicts = judged(_at_the_end(end, number, random.Random(1)))
    assert all(0 <= verdict.score <= 1 for verdict in verdicts)
    assert all(verdict.expected is None or math.isfinite(verdict.expected) for verdict in verdicts)
    if number < 3 and end > 10:
        assert verdicts[299].flag


@settings(max_examples=few(5), deadline=None)
@given(st.sampled_from(sorted(CHARACTERS)), st.integers(0, 1_000), st.integers(40, 299))
def test_what_comes_later_changes_nothing(character: str, seed: int, cut: int) -> None:
    values = series(character, seed, 300)
    seconds = [START_SECONDS + number * STEP_SECONDS for number in range(300)]
    assert judged(values[:cut], seconds[:cut]) == judged(values, seconds)[:cut]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        SeriesJudge().judge(0.0, value)
