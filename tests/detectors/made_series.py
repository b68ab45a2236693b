"""Series of many characters, made with a seed, and what can be planted in them: nothing here is of any real file."""

import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Final

STEP_SECONDS: Final = 300.0
START_SECONDS: Final = 1_700_000_000.0
LENGTH: Final = 4_032
"""Two weeks."""


def _angle(second: float) -> float:
    return 2 * math.pi * (second % 86_400) / 86_400


def _weekend(second: float) -> bool:
    return int(second // 86_400) % 7 in (2, 3)


def _steady(dice: random.Random, second: float, before: float) -> float:
    return 50 + 5 * dice.gauss(0, 1)


def _daily(dice: random.Random, second: float, before: float) -> float:
    return 100 + 50 * math.sin(_angle(second)) + 6 * dice.gauss(0, 1)


def _office(dice: random.Random, second: float, before: float) -> float:
    exponent = 3 + math.sin(_angle(second)) - 1.2 * _weekend(second) + 0.25 * dice.gauss(0, 1)
    return math.exp(exponent)


def _bursts(dice: random.Random, second: float, before: float) -> float:
    return math.exp(1 + 0.8 * dice.gauss(0, 1)) if dice.random() < 0.7 else 0.0


def _heavy(dice: random.Random, second: float, before: float) -> float:
    return 10 * abs(dice.gauss(0, 1) / max(0.15, abs(dice.gauss(0, 1)))) + 5


def _walk(dice: random.Random, second: float, before: float) -> float:
    return (before or 100) + 0.5 * dice.gauss(0, 1)


def _flat(dice: random.Random, second: float, before: float) -> float:
    return 42.0


def _whole_numbers(dice: random.Random, second: float, before: float) -> float:
    return float(round(3 + 1.2 * dice.gauss(0, 1)))


def _rare_calls(dice: random.Random, second: float, before: float) -> float:
    chance = 0.1 * (1.5 + math.sin(_angle(second)))
    return float(sum(dice.random() < chance for _ in range(20)))


def _working_hours(dice: random.Random, second: float, before: float) -> float:
    return (80.0 if 9 <= second % 86_400 / 3_600 < 18 else 20.0) + dice.gauss(0, 1)


def _sluggish(dice: random.Random, second: float, before: float) -> float:
    return 50 + 0.95 * ((before or 50) - 50) + 2 * dice.gauss(0, 1)


def _hourly_batch(dice: random.Random, second: float, before: float) -> float:
    return 10 + dice.gauss(0, 1) + (200 if second % 3_600 < STEP_SECONDS else 0)


CHARACTERS: Final[dict[str, Callable[[random.Random, float, float], float]]] = {
    "steady": _steady,
    "daily": _daily,
    "office": _office,
    "bursts": _bursts,
    "heavy": _heavy,
    "walk": _walk,
    "flat": _flat,
    "whole_numbers": _whole_numbers,
    "rare_calls": _rare_calls,
    "working_hours": _working_hours,
    "sluggish": _sluggish,
    "hourly_batch": _hourly_batch,
}


def times(length: int = LENGTH) -> list[float]:
    """Unix seconds of each value."""
    return [START_SECONDS + number * STEP_SECONDS for number in range(length)]


def series(character: str, seed: int, length: int = LENGTH) -> list[float]:
    """A series in which nothing happens."""
    dice = random.Random(f"{character} {seed}")
    values: list[float] = []
    for second in times(length):
        values.append(CHARACTERS[character](dice, second, values[-1] if values else 0.0))
    return values


def planted(values: list[float], what: str, at: int, length: int) -> list[float]:
    """The series with something in it: spike, triple, shift, zero or ramp, over `length` values from `at` on."""
    steps = sorted(abs(one - other) for one, other in pairwise(values))
    step = steps[int(len(steps) * 0.9)] or 1.0
    high = sorted(values)[int(len(values) * 0.98)]
    result = list(values)
    for number in range(at, at + length):
        value = values[number]
        result[number] = {
            "spike": value * 10 + 3 * high,
            "triple": value * 3 + step,
            "shift": value + 6 * step,
            "zero": 0.0,
            "ramp": value + 8 * step * (number - at) / length,
        }[what]
    return result
