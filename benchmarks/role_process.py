"""One stream worker in a process of its own, measured from inside: `python -m benchmarks.role_process SPEC RESULT`.

It is the real worker (`streams.worker.run_worker`) with the real price book or ledger. What is counted begins when
`warm_events` are done and ends when `total_events` are: CPU seconds of this process with all its threads, an embedded
engine and its merges among them. Starting up, joining the group and shutting down are not in it.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from benchmarks.measure import Part, clock, peak_mib
from sinks.clickhouse import ClickHouseLedger, connect, migrate
from streams.app import RoleName
from streams.worker import run_worker
from tokenweir.pricing import PriceBook
from tokenweir.settings import Settings

_LOOK_SECONDS: Final = 0.02


class Spec(BaseModel):
    """What to run, and between which counts to measure."""

    role: RoleName
    settings: Settings
    warm_events: int
    total_events: int
    parts: int = 1
    patience_seconds: float = 240.0


class Result(BaseModel):
    """What one process did, also part by part.

    stored_calls: what the ledger holds at the end; None for a role without one.
    """

    events: int
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    parts: list[Part]
    stored_calls: int | None = None


async def measured(spec: Spec) -> Result:
    """Run the role until it has done all its events. Raises TimeoutError where it does not get there."""
    registry = CollectorRegistry()
    with ExitStack() as stack:
        client = None
        if spec.role == "sink":
            client = stack.enter_context(connect(spec.settings.clickhouse))
            migrate(client, spec.settings.clickhouse)
            ledger = ClickHouseLedger(client)
            work = run_worker(spec.settings, "sink", sink_factory=lambda: ledger, registry=registry)
        else:
            work = run_worker(spec.settings, "meter", book_factory=PriceBook.default, registry=registry)
        worker = asyncio.create_task(work)
        counting = asyncio.create_task(_count(spec, registry))
        try:
            done, _ = await asyncio.wait(
                {worker, counting}, timeout=spec.patience_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if worker in done:
                worker.result()
            if counting not in done:
                done_events = _sent_events(registry, spec.role)
                raise TimeoutError(f"the {spec.role} did {done_events} of {spec.total_events} events")
            result = counting.result()
        finally:
            counting.cancel()
            if not worker.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.gather(worker, counting, return_exceptions=True)
        if client is not None:
            result.stored_calls = int(client.query("SELECT count() FROM usage")[0][0])
        return result


async def _count(spec: Spec, registry: CollectorRegistry) -> Result:
    begun = done = await _reach(spec.warm_events, registry, spec.role)
    parts: list[Part] = []
    with clock() as taken:
        for number in range(1, spec.parts + 1):
            goal = begun + (spec.total_events - begun) * number // spec.parts
            with clock() as part:
                reached = await _reach(goal, registry, spec.role)
            if reached > done:
                parts.append(Part(reached - done, part.cpu_seconds))
            done = reached
    return Result(
        events=done - begun,
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        peak_mib=peak_mib(),
        parts=parts,
    )


async def _reach(events: int, registry: CollectorRegistry, role: str) -> int:
    """Look at the worker's own counter until it states so many; returns what it states then."""
    while (done := _sent_events(registry, role)) < events:  # noqa: ASYNC110 - a counter tells nobody when it rises
        await asyncio.sleep(_LOOK_SECONDS)
    return done


def _sent_events(registry: CollectorRegistry, role: str) -> int:
    """Asked of this one counter only: rendering all of them so often would be measured too."""
    name = f"tokenweir_{role}_sent_events_total"
    for metric in registry.restricted_registry([name]).collect():
        for sample in metric.samples:
            if sample.name == name:
                return int(sample.value)
    return 0


def main() -> None:
    """Writes the result where it is asked to."""
    spec = Spec.model_validate(json.loads(sys.argv[1]))
    result = asyncio.run(measured(spec))
    Path(sys.argv[2]).write_text(result.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
