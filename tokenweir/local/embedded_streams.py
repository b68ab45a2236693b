"""The broker and the roles of an embedded run, in the caller's event loop.

Invariant: what Kafka has accepted is either stored when `stop` returns, or counted in what it returns. The broker
keeps its topics in memory, so it goes last.
"""

import asyncio
import contextlib
import logging
import os
import threading
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from streams.app import StreamApp, build_app
from streams.block import BlockSink
from streams.detect_role import TICK_SECONDS, DetectRole
from streams.detection.tenant import MakeDetectors
from streams.notify_role import NotificationOutbox
from streams.topic_admin import end_offsets, ensure_topics
from tokenweir.errors import BrokerUnavailable, TokenweirError
from tokenweir.local.broker import EmbeddedBroker
from tokenweir.local.data_dir import DataDir
from tokenweir.local.drain import Undrained, wait_until_stored
from tokenweir.local.kept_states import FileKeeper
from tokenweir.pricing import PriceBook
from tokenweir.settings import Settings, topic_name
from tokenweir.topics import WINDOWS

log = logging.getLogger("tokenweir.local")

PARTITIONS: Final = 4
"""One process serves them all; more would only make more, smaller blocks."""

_KEEP_SECONDS: Final = 60.0
"""What the detectors learn in between is lost when a run ends: nothing can be read again then."""

_SESSION_SECONDS: Final = 6.0

_REBALANCE_SECONDS: Final = 1.0
"""The embedded broker lets a group wait half of this before its first member may begin; no other one comes."""

_STALL_SECONDS: Final = 2 * TICK_SECONDS
"""Two ticks after what a minute is held for, it is closed if it ever will be."""


class EmbeddedStreams:
    """Broker, meter, sink, detectors and notifier. `start` and `stop` once each, in one event loop.

    detectors: makes one tenant's set; None for a run without. outbox: tells people of signals; None for a run
    that tells nobody.
    """

    def __init__(
        self,
        settings: Settings,
        data_dir: DataDir,
        *,
        book: PriceBook,
        sink: BlockSink,
        detectors: MakeDetectors | None,
        outbox: NotificationOutbox | None = None,
        registry: CollectorRegistry,
    ) -> None:
        self._broker = EmbeddedBroker(log=data_dir.broker_log)
        self._book = book
        self._sink = sink
        self._detectors = detectors
        self._keeper = FileKeeper(data_dir.kept_states)
        self._outbox = outbox
        self._registry = registry
        self._apps: list[StreamApp] = []
        Gauge(
            "tokenweir_broker_memory_bytes",
            "Memory of the embedded broker, which keeps every message until it ends.",
            registry=registry,
        ).set_function(self.broker_memory_bytes)
        keep_seconds = min(settings.detection.checkpoint_seconds, _KEEP_SECONDS)
        self.settings = settings.model_copy(
            update={
                "worker": settings.worker.model_copy(update={"state_dir": data_dir.worker_state}),
                "detection": settings.detection.model_copy(update={"checkpoint_seconds": keep_seconds}),
            }
        )

    @property
    def apps(self) -> list[StreamApp]:
        """The roles, once started."""
        return self._apps

    def broker_memory_bytes(self) -> int:
        """What the broker holds in memory; 0 where it does not run or this system does not tell."""
        pid = self._broker.pid
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def start(self) -> None:
        """Starts all of it. Raises BrokerUnavailable."""
        await asyncio.to_thread(self._broker.start)
        kafka = self.settings.kafka.model_copy(
            update={
                "bootstrap_servers": self._broker.bootstrap_servers,
                "security_protocol": "PLAINTEXT",
                "sasl_mechanism": None,
                "partitions": self.settings.kafka.partitions or PARTITIONS,
                "replication_factor": 1,
                "session_timeout_seconds": _SESSION_SECONDS,
                "rebalance_timeout_seconds": _REBALANCE_SECONDS,
            }
        )
        self.settings = self.settings.model_copy(update={"kafka": kafka})
        await asyncio.to_thread(ensure_topics, kafka)
        self._apps = [
            build_app(self.settings, "meter", book=self._book, registry=self._registry),
            build_app(self.settings, "sink", sink=self._sink, registry=self._registry),
        ]
        if self._detectors is not None:
            self._apps.append(
                build_app(
                    self.settings,
                    "detect",
                    detectors=self._detectors,
                    keeper=self._keeper,
                    registry=self._registry,
                )
            )
        if self._outbox is not None:
            self._apps.append(
                build_app(self.settings, "notify", outbox=self._outbox, registry=self._registry)
            )
        await asyncio.gather(*(app.start() for app in self._apps))

    async def wait_until_stored(self, timeout_seconds: float) -> Undrained:
        """See `tokenweir.local.drain`. Raises BrokerUnavailable."""
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(
                wait_until_stored, self.settings.kafka, timeout_seconds=timeout_seconds, given_up=given_up
            )
        finally:
            # A thread cannot be cancelled: where the caller is, it has to be told.
            given_up.set()

    async def wait_until_signalled(self, timeout_seconds: float) -> None:
        """Waits until the detectors have seen every minute that is over of what Kafka holds at the call.

        Returns at the timeout too, and when all was read and nothing has moved for a while after minutes are held no
        longer: a tenant whose last minute is old is waited for in case more of it comes.
        """
        ends = await asyncio.to_thread(
            end_offsets, self.settings.kafka, [topic_name(self.settings.kafka, WINDOWS.name)]
        )
        read_to = {(place.topic, place.partition): end for place, end in ends.items()}
        for app in self._apps:
            if isinstance(role := app.role, DetectRole):
                await role.wait_until_through(
                    read_to,
                    timeout_seconds,
                    stall_seconds=self.settings.detection.hold_seconds + _STALL_SECONDS,
                )

    async def failure(self) -> TokenweirError:
        """Returns when one of them cannot go on, with why."""
        waits = [asyncio.create_task(app.failed.wait()) for app in self._apps]
        try:
            while True:
                done, _ = await asyncio.wait(waits, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    app = self._apps[waits.index(done.pop())]
                    return TokenweirError(f"the {app.role_name} cannot go on: {app.failure}")
                status = self._broker.exit_status()
                if status is not None:
                    return BrokerUnavailable(
                        f"the embedded broker ended with status {status}; what was not stored yet is lost",
                        hint="Start again, and read again what was being read: nothing is counted twice",
                    )
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def stop(self, *, drain_seconds: float) -> Undrained:
        """Stores what waits, for so long at the most, then stops all. Tells what was not stored."""
        undrained = Undrained()
        if self._apps and self._broker.exit_status() is None:
            try:
                undrained = await self.wait_until_stored(drain_seconds)
            except BrokerUnavailable as error:
                log.warning("What still waits is not known: %s", error)
        for app in self._apps:
            with contextlib.suppress(asyncio.CancelledError):
                await app.stop()
        self._apps = []
        await asyncio.to_thread(self._broker.stop)
        return undrained
