"""A stream worker as a process of its own: one role, until SIGTERM or SIGINT, with a drain before it ends."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from streams.app import RoleName, StreamApp, build_app
from streams.block import BlockSink
from streams.detection.tenant import MakeDetectors
from streams.meter import Book
from streams.notify_role import NotificationOutbox
from streams.observe import build_observer_app
from streams.role import Clock, utc_now
from tokenweir.errors import TokenweirError
from tokenweir.settings import Settings

log = logging.getLogger("tokenweir.streams.worker")

DRAIN_SECONDS: Final = 20.0
_GARBAGE_THRESHOLDS: Final = (50_000, 20, 50)
"""Allocations before a young collection; young ones before a middle one; middle ones before a full one."""

_SWITCH_SECONDS: Final = 0.05
"""How long a thread may keep the interpreter when another waits for it.

Faust consumes in a thread of its own. At Python's 5 ms that thread breaks into nearly every message's step, whose data
is then out of the caches: a quarter of the worker's CPU time. It has seconds to spare before Kafka misses it.
"""


class WorkerFailed(TokenweirError):
    """A worker could not go on. Nothing is lost: what it had not committed is read again by its successor."""


async def run_worker(
    settings: Settings,
    role: RoleName,
    *,
    sink_factory: Callable[[], BlockSink] | None = None,
    book_factory: Callable[[], Book] | None = None,
    detectors_factory: Callable[[], MakeDetectors] | None = None,
    outbox: NotificationOutbox | None = None,
    registry: CollectorRegistry | None = None,
    clock: Clock = utc_now,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Run one role until SIGTERM or SIGINT; then finish what is taken, commit, leave the group.

    sink_factory: makes the store's writer, for the sink role. book_factory: makes the price book, for the meter
    role. detectors_factory: gives what makes a tenant's detectors, for the detect role. outbox: for the notify role.
    on_ready: called once with the address of /health and /metrics. Raises WorkerFailed when the worker cannot go on,
    and what the factories raise.
    """
    registry = registry if registry is not None else CollectorRegistry()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        worker = build_app(
            settings,
            role,
            sink=sink_factory() if sink_factory is not None else None,
            book=book_factory() if book_factory is not None else None,
            detectors=detectors_factory() if detectors_factory is not None else None,
            outbox=outbox,
            registry=registry,
            clock=clock,
        )
        collect_garbage_seldom()
        sys.setswitchinterval(_SWITCH_SECONDS)
        async with _observer(settings, worker, registry) as address:
            await worker.start()
            on_ready(address)
            await _either(stop, worker.failed)
            drained = await worker.stop(drain_seconds=DRAIN_SECONDS if not worker.failed.is_set() else 0.0)
            if not drained and worker.failure is None:
                log.warning("Not all that was taken could be finished; it will be read again")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    if worker.failure is not None:
        raise WorkerFailed(
            f"the {role} worker cannot go on: {worker.failure}",
            hint="Start it again once the cause is gone; it goes on where it had committed",
        ) from worker.failure


def collect_garbage_seldom() -> None:
    """Keep Python's garbage collector from walking through a worker's lasting objects, and from running every message.

    A message makes tens of thousands of short-lived containers, none of them in a cycle; what has cycles (tasks,
    exceptions) is rare and still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def _observer(
    settings: Settings, worker: StreamApp, registry: CollectorRegistry
) -> AbstractAsyncContextManager[str]:
    """Serve /health and /metrics; gives the address."""

    @asynccontextmanager
    async def serve() -> Any:
        runner = web.AppRunner(build_observer_app(registry, [worker.health]), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.worker.metrics_host, settings.worker.metrics_port)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    return serve()
