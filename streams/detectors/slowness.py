"""Whether calls of a series have become slow: evidence added up minute by minute. Pure; statistics in float.

What comes in is how much longer calls took than was expected of them, as a natural logarithm, with the precision that
so many calls give. The evidence is a cumulative sum of log-likelihood ratios (Page's): a rise by half against none. It
begins at nothing again whenever nothing speaks for a rise, so that it also says since when calls are slow, and a minute
adds no more than a fourth of what is needed: it takes four minutes at least, however many calls they hold. A
series that strays from what is expected for minutes at a time has that taken for its habit, and needs longer.
"""

import math
from typing import Final

import msgspec

RISE: Final = math.log(1.5)
ENOUGH: Final = 16.0
LEAST_RISE: Final = math.log(1.4)
"""A smaller one is not told."""
LEAST_CALLS: Final = 6
LEAST_MINUTES: Final = 4

_MOST_EVIDENCE: Final = 24.0
_MOST_A_MINUTE: Final = ENOUGH / 4
_FADES: Final = 0.97
"""A minute with calls: the mean is that of half an hour or so."""
_STEP_MINUTES: Final = 10
_STRAYS_BEFORE: Final = 0.01
_STEPS_BEFORE: Final = 20.0
_STEPS_KEPT: Final = 600.0
_MOST_STRAYED: Final = 6.0


class Slowness(msgspec.Struct, array_like=True):
    """The evidence of one series and measure. begins: the minute since which something speaks for a rise."""

    evidence: float = 0.0
    begins: int = 0
    precision: float = 0.0
    product: float = 0.0
    calls: int = 0
    minutes: int = 0
    strays: float = _STRAYS_BEFORE
    """The variance with which the mean of some minutes strays, besides what the number of calls explains."""
    steps: float = _STEPS_BEFORE
    step: int = 0
    step_precision: float = 0.0
    step_product: float = 0.0

    @property
    def rise(self) -> float:
        """By how much calls are slower, as a logarithm, since it begins."""
        return self.product / self.precision if self.precision else 0.0

    @property
    def is_suspect(self) -> bool:
        """Whether it may well be slow; nothing is then taken for usual."""
        return self.evidence > ENOUGH / 2

    @property
    def is_slow(self) -> bool:
        """Whether it is slow, and by enough to be told."""
        return (
            self.evidence >= ENOUGH
            and self.calls >= LEAST_CALLS
            and self.minutes >= LEAST_MINUTES
            and self.rise >= LEAST_RISE
        )

    def variance(self, precision: float) -> float:
        """That of a minute's mean, where its neighbours stray with it."""
        return 1 / precision + _STEP_MINUTES * self.strays

    def add(self, minute: int, calls: int, precision: float, product: float) -> None:
        """Add a minute: the sum of its calls' precisions, and that of their rises, each times its precision."""
        gain = RISE * (product / precision - RISE / 2) / (1 / precision + _STEP_MINUTES * self.strays)
        evidence = self.evidence + min(gain, _MOST_A_MINUTE)
        if evidence <= 0:
            if self.minutes:
                self.forget()
            return
        self.evidence = evidence if evidence < _MOST_EVIDENCE else _MOST_EVIDENCE
        if not self.minutes:
            self.begins = minute
        self.minutes += 1
        self.calls += calls
        self.precision = self.precision * _FADES + precision
        self.product = self.product * _FADES + product

    def forget(self) -> None:
        """Begin at nothing."""
        self.evidence = self.precision = self.product = 0.0
        self.calls = self.minutes = 0

    def learn(self, minute: int, precision: float, product: float) -> None:
        """Learn how far it usually strays: as `add`, but from what is expected at this very hour."""
        if minute // _STEP_MINUTES != self.step:
            step = minute // _STEP_MINUTES
            if self.step_precision and not self.is_suspect:
                mean = self.step_product / self.step_precision
                excess = mean * mean - 1 / self.step_precision
                most = _MOST_STRAYED * (self.strays + 1 / self.step_precision)
                # Few calls say little about what lies beyond their number.
                weight = self.strays / (self.strays + 1 / self.step_precision)
                self.steps = min(self.steps + weight, _STEPS_KEPT)
                self.strays = max(1e-4, self.strays + (min(excess, most) - self.strays) * weight / self.steps)
            self.step, self.step_precision, self.step_product = step, 0.0, 0.0
        self.step_precision += precision
        self.step_product += product
