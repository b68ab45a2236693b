"""A period is found where something repeats, whatever shape it has, and nowhere else."""

import numpy as np
import pytest

from streams.detectors.periods import period_of
from streams.detectors.tails import Floats

LENGTH = 1_024


def waves(period: float, noise: float, seed: int = 1) -> Floats:
    dice = np.random.default_rng(seed)
    wave: Floats = np.sin(2 * np.pi * np.arange(LENGTH) / period) + noise * dice.normal(size=LENGTH)
    return wave


@pytest.mark.parametrize("period", [7.0, 24.0, 47.5, 151.3])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_period_of_a_wave_is_found(period: float, noise: float) -> None:
    found = period_of(waves(period, noise))
    assert found == pytest.approx(period, rel=0.01)


def test_the_period_of_teeth_and_of_peaks_is_found_whatever_grows_meanwhile() -> None:
    numbers = np.arange(LENGTH)
    assert period_of(numbers % 47 + 0.1 * numbers) == pytest.approx(47, rel=0.01)
    assert period_of(np.where(numbers % 12 == 0, 50.0, 1.0)) == pytest.approx(12, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_what_wanders_grows_or_only_makes_noise_has_none(seed: int) -> None:
    dice = np.random.default_rng(seed)
    noise = dice.normal(size=LENGTH)
    assert period_of(noise) is None
    assert period_of(np.arange(LENGTH) * 0.5 + noise) is None
    assert period_of(np.exp(noise)) is None
    assert period_of(np.full(LENGTH, 42.0)) is None


def test_a_period_that_was_not_seen_three_times_is_none() -> None:
    assert period_of(waves(LENGTH / 2.5, 0.1)) is None
