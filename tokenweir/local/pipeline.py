"""The whole pipeline in one process: broker, meter, sink, detectors, ledger, and the doors for visitors.

Started and stopped in one event loop. On the way down the order is: no new input, store what waits, stop the roles,
the broker, the ledger, and give the data directory back.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from producers.delivery import Delivery
from sinks.clickhouse.client import LedgerClient, connect
from sinks.clickhouse.ledger import ClickHouseLedger
from sinks.clickhouse.migrate import migrate
from tokenweir.errors import StoreUnavailable, TokenweirError
from tokenweir.local.budget_tables import fill_budgets
from tokenweir.local.clock import utc_now
from tokenweir.local.data_dir import DataDir, RunningPipeline
from tokenweir.local.detectors import detectors_of
from tokenweir.local.drain import Undrained
from tokenweir.local.embedded_streams import EmbeddedStreams
from tokenweir.local.notifications import notifier_of
from tokenweir.local.price_tables import fill_price_tables
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.local.server import LocalServer
from tokenweir.local.watched_store import WatchedStore
from tokenweir.pricing import PriceBook
from tokenweir.settings import ClickHouseSettings, Settings

log = logging.getLogger("tokenweir.local")

_T = TypeVar("_T")

_DRAIN_SECONDS: Final = 60.0
_HURRIED_DRAIN_SECONDS: Final = 2.0
_STORE_PATIENCE_SECONDS: Final = 20.0
_WATCH_SECONDS: Final = 0.5
_SIGNALLED_SECONDS: Final = 300.0
"""A month that detection works off on a busy machine; where nothing moves, the wait ends sooner."""
_LOCK_WAIT_SECONDS: Final = 5.0
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where visitors come in. A port of 0 takes a free one; None as port means the default, or a free one.

    page_stands_at: what the page takes for now, UTC; None for the clock.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    clickhouse_port: int | None = None
    page_stands_at: datetime | None = None


def embedded_store(settings: ClickHouseSettings, data_dir: DataDir) -> ClickHouseSettings:
    """The settings by which this process itself opens the ledger of a data directory."""
    return settings.model_copy(update={"dsn": SecretStr(f"chdb://{data_dir.ledger}"), "cluster": ""})


class LocalPipeline:
    """One embedded run over one data directory.

    doors: None for a run that takes no visitors (a command that needs the pipeline for itself). overlay: a price
    file over the built-in book, in place of the settings'. detects: whether the detectors run; a run that ends when its
    input does would end in the middle of what they have to say. notifies: whether people are told, where there
    are channels.
    """

    def __init__(
        self,
        data_dir: DataDir,
        settings: Settings,
        *,
        doors: Doors | None,
        overlay: Path | None = None,
        detects: bool = False,
        notifies: bool = False,
        drain_seconds: float = _DRAIN_SECONDS,
    ) -> None:
        self.data_dir = data_dir
        self.registry = CollectorRegistry()
        self.undrained = Undrained()
        self._settings = settings
        self._doors = doors
        self._detects = detects
        self._notifies = notifies
        self.overlay = overlay or settings.pricing.overlay
        self.recorded_prices = settings.pricing.recorded_in(data_dir.path)
        self._drain_seconds = drain_seconds
        self._stack = AsyncExitStack()
        self._client: LedgerClient | None = None
        self._streams: EmbeddedStreams | None = None
        self._delivery: Delivery | None = None
        self._server: LocalServer | None = None
        self._failure: asyncio.Task[TokenweirError] | None = None
        self._store: WatchedStore | None = None

    @property
    def client(self) -> LedgerClient:
        """The ledger, for reading from this process."""
        return _running(self._client)

    @property
    def delivery(self) -> Delivery:
        """The way to this run's Kafka, from this process."""
        return _running(self._delivery)

    @property
    def settings(self) -> Settings:
        """The settings with this run's Kafka and ledger in them."""
        return _running(self._streams).settings

    @property
    def server(self) -> LocalServer:
        """The doors, where there are any."""
        return _running(self._server)

    async def start(self) -> None:
        """Brings everything up, or nothing. Raises what stands in the way, typed."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        self._stack.enter_context(self.data_dir.locked(wait_seconds=_LOCK_WAIT_SECONDS))
        store = embedded_store(self._settings.clickhouse, self.data_dir)
        book, client = await asyncio.gather(
            asyncio.to_thread(
                PriceBook.default,
                self.overlay,
                self.recorded_prices,
                cache_dir=self._settings.pricing.cache_dir,
            ),
            asyncio.to_thread(connect, store),
        )
        self._client = client
        self._stack.push_async_callback(asyncio.to_thread, client.close)
        await asyncio.to_thread(migrate, client, store)
        self._store = WatchedStore(ClickHouseLedger(client))
        detectors = None
        if self._detects:
            detectors = await asyncio.to_thread(
                detectors_of, self._settings, overlay=self.overlay, recorded_prices=self.recorded_prices
            )
        outbox = None
        if self._notifies and self._settings.notifications.channels:
            outbox = await asyncio.to_thread(
                notifier_of,
                self._settings.notifications,
                self.data_dir.path,
                # The page's address is known once it is open; what is told before would not point to it.
                page=None if self._doors is not None else "",
            )
            self._stack.push_async_callback(asyncio.to_thread, outbox.close)
        self._streams = EmbeddedStreams(
            self._settings.model_copy(update={"clickhouse": store}),
            self.data_dir,
            book=book,
            sink=self._store,
            detectors=detectors,
            outbox=outbox,
            registry=self.registry,
        )
        self._stack.push_async_callback(self._stop_streams)
        await self._streams.start()
        self._delivery = Delivery(self._streams.settings.kafka)
        self._stack.push_async_callback(self._close_delivery)
        if self._doors is not None:
            await self._open_doors(self._doors, store)
            if outbox is not None:
                outbox.show_on(_incident_page(self._doors.host, self.server.port))
            self._fill_tables(client)
        self._failure = asyncio.create_task(self._streams.failure(), name="tokenweir-failure")
        self._stack.push_async_callback(_cancel, self._failure)

    def _fill_tables(self, client: LedgerClient) -> None:
        """Lets the tables for people be filled meanwhile: nothing else waits for them, and nothing rests on them."""

        async def fill() -> None:
            try:
                budgets = await asyncio.to_thread(
                    fill_budgets, client, self._settings.detection.budgets, datetime.now(UTC)
                )
                log.info("%s budgets are new, changed or taken out in the ledger", budgets)
                filled = await asyncio.to_thread(
                    fill_price_tables,
                    client,
                    self.overlay,
                    self.recorded_prices,
                    self._settings.pricing.cache_dir,
                )
            except TokenweirError as error:
                log.warning("the tables of budgets, prices and models could not be filled: %s", error)
            else:
                log.info("%s prices and %s models are new in the ledger", *filled)

        filling = asyncio.create_task(fill(), name="tokenweir-tables")
        # A thread cannot be stopped: the ledger stays open until it has ended.
        self._stack.push_async_callback(asyncio.wait, {filling})

    async def _open_doors(self, doors: Doors, store: ClickHouseSettings) -> None:
        reader = ReadOnlyLedger(self.data_dir.ledger, database=store.database)
        self._stack.push_async_callback(asyncio.to_thread, reader.close)
        streams = _running(self._streams)
        self._server = LocalServer(
            self._settings,
            reader=reader,
            delivery=self.delivery,
            registry=self.registry,
            health=self._health,
            database=store.database,
            page_clock=utc_now if doors.page_stands_at is None else _standing(doors.page_stands_at),
        )
        await self._server.start(doors.host, doors.port, doors.clickhouse_port)
        self._stack.push_async_callback(self._server.stop)
        self.data_dir.announce(
            RunningPipeline(
                pid=os.getpid(),
                started_at=datetime.now(UTC).isoformat(timespec="seconds"),
                host=doors.host,
                port=self._server.port,
                clickhouse_port=self._server.clickhouse_port,
                kafka_bootstrap_servers=streams.settings.kafka.bootstrap_servers,
            )
        )

    def _health(self) -> list[dict[str, Any]]:
        return [app.health() for app in _running(self._streams).apps]

    async def failed(self) -> TokenweirError:
        """Returns when the pipeline cannot go on, with why."""
        return await asyncio.shield(_running(self._failure))

    async def wait_until_stored(self, timeout_seconds: float = 3600.0) -> Undrained:
        """Waits until everything that was sent is in the ledger. Raises as `check` does."""
        streams = _running(self._streams)
        stored = asyncio.create_task(streams.wait_until_stored(timeout_seconds))
        try:
            while not (await asyncio.wait({stored}, timeout=_WATCH_SECONDS))[0]:
                self.check()
            return stored.result()
        finally:
            await _cancel(stored)

    async def wait_until_signalled(self) -> None:
        """Waits until what the detectors say of all that was sent is in the ledger. After `wait_until_stored`."""
        detection = self._settings.detection
        await _running(self._streams).wait_until_signalled(detection.hold_seconds + _SIGNALLED_SECONDS)
        await self.wait_until_stored()

    def check(self) -> None:
        """For a run that ends by itself: raises what keeps it from ever ending well, and then stops in a hurry.

        That is a part that cannot go on, or a ledger that has refused everything for a while (a full disk). Any
        thread may call it.
        """
        failure = _running(self._failure)
        if failure.done() and not failure.cancelled():
            raise failure.result()
        trouble = _running(self._store).trouble_lasting(_STORE_PATIENCE_SECONDS)
        if trouble is not None:
            self.hurry()
            raise StoreUnavailable(
                trouble.message,
                hint="Mend that, then do the same again: what was stored is not counted twice",
            ) from trouble

    def hurry(self) -> None:
        """From now on, `stop` gives what waits only a moment."""
        self._drain_seconds = _HURRIED_DRAIN_SECONDS

    async def stop(self) -> Undrained:
        """Stores what waits, then closes everything. Tells what could not be stored."""
        await self._stack.aclose()
        return self.undrained

    async def _stop_streams(self) -> None:
        streams = _running(self._streams)
        self.undrained = await streams.stop(drain_seconds=self._drain_seconds)
        if self.undrained.total:
            log.warning(
                "%s messages could not be stored before the end (usage %s, metered %s, rejected %s, signals %s)",
                self.undrained.total,
                self.undrained.usage_messages,
                self.undrained.metered_messages,
                self.undrained.rejected_messages,
                self.undrained.signals_messages,
            )

    async def _close_delivery(self) -> None:
        if not await asyncio.to_thread(self.delivery.close, self._drain_seconds):
            log.warning("Kafka did not confirm all that was sent")


def _standing(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def _incident_page(host: str, port: int) -> str:
    """The local page with one incident chosen, for the person before this machine."""
    host = "127.0.0.1" if host in _EVERYWHERE else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/?board=signals&incident={{incident}}"


async def _cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _running(part: _T | None) -> _T:
    if part is None:
        raise RuntimeError("the pipeline is not running")
    return part
