"""With which period a series repeats, found in its past: the lag at which it resembles itself most.

Limits: a period has to be seen three times, and has to explain a third of what the series does; one of fewer than four
values is none. Of a series that only grows or wanders, nothing is said.
"""

from typing import Final

import numpy as np

from streams.detectors.tails import Floats

_LEAST_LAG: Final = 4
_CYCLES: Final = 3
_RESEMBLES: Final = 0.33
_RISES: Final = 0.2
_AS_GOOD: Final = 0.9
_SAME: Final = 0.1
_ENOUGH: Final = 5
_CUT: Final = (0.01, 0.99)


def period_of(values: Floats) -> float | None:
    """The period in steps, as exactly as so many cycles show it; None where nothing repeats."""
    resembles = _autocorrelation(values)
    if resembles is None:
        return None
    last = len(values) // _CYCLES
    inner = resembles[1:-1]
    is_peak = (inner > resembles[:-2]) & (inner >= resembles[2:])
    lags = np.flatnonzero(is_peak) + 1
    # It has to have become unlike itself in between, or it is only slow.
    lowest = np.minimum.accumulate(resembles)
    lags = lags[(lags >= _LEAST_LAG) & (lags <= last)]
    lags = lags[(resembles[lags] >= _RESEMBLES) & (resembles[lags] >= lowest[lags] + _RISES)]
    if not lags.size:
        return None
    # A multiple of the period resembles as well.
    first = int(lags[resembles[lags] >= _AS_GOOD * resembles[lags].max()][0])
    period = _peak(resembles, float(first), first)
    for cycles in range(2, last // first + 1):
        best = _peak(resembles, cycles * period, first)
        if abs(best / cycles - first) > _SAME * first or resembles[round(best)] < _AS_GOOD * _RESEMBLES:
            break
        period = best / cycles
    return period


def _peak(resembles: Floats, lag: float, period: int) -> float:
    """Where the peak about `lag` is, which noise hides from whoever looks for the highest point."""
    half = max(1, period // 8)
    around = np.arange(max(1, round(lag) - half), min(len(resembles), round(lag) + half + 1))
    if len(around) < _ENOUGH:
        return float(around[resembles[around].argmax()])
    bend, slope, _ = np.polyfit(around - lag, resembles[around], 2)
    if bend >= 0:
        return float(around[resembles[around].argmax()])
    return float(np.clip(lag - slope / bend / 2, around[0], around[-1]))


def _autocorrelation(values: Floats) -> Floats | None:
    """By lag, up to a little more than a third of the length; None for what does not change."""
    low, high = np.quantile(values, _CUT)
    cut = np.clip(values, low, high) / max(abs(float(low)), abs(float(high)), 1e-300)
    numbers = np.arange(len(cut))
    slope, level = np.polyfit(numbers, cut, 1)
    rest = cut - (slope * numbers + level)
    power = float(rest @ rest)
    if power <= 1e-12 * float(cut @ cut):
        return None
    size = 2 ** int(np.ceil(np.log2(2 * len(rest))))
    spectrum = np.abs(np.fft.rfft(rest, size)) ** 2
    lags = len(rest) // _CYCLES + 2
    found = np.fft.irfft(spectrum, size)[:lags] / power
    # Fewer pairs are at a longer lag.
    unbiased: Floats = found * len(rest) / (len(rest) - np.arange(lags))
    return unbiased
