"""Runs a benchmark in a process of its own: memory, an embedded engine and threads of one are not those of the next."""

import logging
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from benchmarks.measure import Measurement


def run_apart(name: str, **sizes: Any) -> list[Measurement]:
    """What `run(**sizes)` of the module `benchmarks.<name>` finds.

    Raises what it raises, BrokenProcessPool where its process dies.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, name, sizes).result()


def _run(name: str, sizes: dict[str, Any]) -> list[Measurement]:
    logging.basicConfig(level=logging.ERROR)  # below that, what clients say while a broker comes and goes
    measurements: list[Measurement] = import_module(f"benchmarks.{name}").run(**sizes)
    return measurements
