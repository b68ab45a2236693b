"""`weir worker`: one stream worker as a process of its own, put together from the price book or the ledger."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing

from sinks.clickhouse.client import connect
from sinks.clickhouse.ledger import ClickHouseLedger
from streams.worker import run_worker
from tokenweir.local.detectors import detectors_of
from tokenweir.local.notifications import notifier_of
from tokenweir.pricing import PriceBook
from tokenweir.settings import Settings

log = logging.getLogger("tokenweir.local")


def serve_worker(settings: Settings, role: str, *, say: Callable[[str], None]) -> None:
    """Runs one role until SIGTERM or SIGINT. Raises WorkerFailed where it cannot go on, and what stands in its way."""

    def ready(address: str) -> None:
        say(f"{role} worker: health and metrics at {address}")

    if role == "meter":
        asyncio.run(
            run_worker(
                settings,
                "meter",
                book_factory=lambda: PriceBook.default(
                    settings.pricing.overlay, settings.recorded_prices, cache_dir=settings.pricing.cache_dir
                ),
                on_ready=ready,
            )
        )
        return
    if role == "detect":
        asyncio.run(
            run_worker(
                settings,
                "detect",
                detectors_factory=lambda: detectors_of(
                    settings, overlay=settings.pricing.overlay, recorded_prices=settings.recorded_prices
                ),
                on_ready=ready,
            )
        )
        return
    if role == "notify":
        with closing(notifier_of(settings.notifications, settings.local.data_dir)) as outbox:
            asyncio.run(run_worker(settings, "notify", outbox=outbox, on_ready=ready))
        return
    with connect(settings.clickhouse) as client:
        asyncio.run(
            run_worker(settings, "sink", sink_factory=lambda: ClickHouseLedger(client), on_ready=ready)
        )
