"""The registry of detectors: each module of this folder that has a `DETECTOR` is one.

A new detector is one new file and its test. `DETECTOR` is called with the Surroundings, once for each tenant; a class
whose `__init__` takes them will do.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

import streams.detectors
from streams.detectors.detector import Detector, Surroundings

MakeDetector = Callable[[Surroundings], Detector]


@cache
def registered() -> tuple[MakeDetector, ...]:
    """What makes the detectors, by the name of the module."""
    found: list[MakeDetector] = []
    for module in sorted(pkgutil.iter_modules(streams.detectors.__path__), key=lambda module: module.name):
        make = getattr(importlib.import_module(f"streams.detectors.{module.name}"), "DETECTOR", None)
        if make is not None:
            found.append(make)
    return tuple(found)


def detectors(surroundings: Surroundings) -> list[Detector]:
    """One set of all detectors, for one tenant. Raises ValueError where two are of one kind."""
    made = [make(surroundings) for make in registered()]
    kinds = [detector.kind for detector in made]
    if len(set(kinds)) != len(kinds):
        raise ValueError(f"two detectors are of one kind: {sorted(kinds)}")
    return made
