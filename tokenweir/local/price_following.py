"""Giving calls that had no price the one that has become known meanwhile, for as long as a process runs.

A turn looks at the calls without a price: at all of them at first and whenever a file of prices has changed, else at
those of today and yesterday (UTC) where any of their models has a price, as a meter may not have read the file yet.
What has a price now is sent as `weir reprice` sends it. Nothing is noted: a turn that was killed is made up for by the
next.

Where the company's file has allowances, these are settled: all of them at first and whenever a file has changed, else
from the earliest minute on in which anything was stored since. Settling reads all calls on which that bears, so that it
rests for twenty times as long as it took.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sinks.clickhouse.balances import Marks, first_minute_marked, read_marks
from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.queries import Row, spend
from tokenweir.errors import TokenweirError
from tokenweir.local.pipeline import LocalPipeline
from tokenweir.local.repricing import KafkaOutlet, Outlet, at_known_prices, reprice_unnoted
from tokenweir.local.repricing_journal import JobTerms
from tokenweir.local.settling import settle_everywhere
from tokenweir.pricing import PriceBook
from tokenweir.pricing.repricing_report import RepricingReport

log = logging.getLogger("tokenweir.prices")

EVERY_SECONDS: Final = 60.0
_JOIN_SECONDS: Final = 30.0
_LATE_MARKS: Final = timedelta(minutes=2)
"""An insert may be seen so much later than the time that it bears."""

_PAUSES: Final = 20
"""For how many times as long as settling took nothing is settled."""

_PRICED_BY: Final = ("vendor", "model", "service_tier", "region")
UNPRICED: Final = {"price_status": ["unpriced"]}

FilesState = tuple[tuple[str, int, int], ...]


class PriceFollower:
    """Prices calls that have none. load: makes the price book anew. files: what it is made of; they may be missing.

    stopwatch: seconds that only ever go forward. For one thread.
    """

    def __init__(
        self,
        load: Callable[[], PriceBook],
        files: Callable[[], list[Path]],
        *,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopwatch = stopwatch
        self._load = load
        self._files = files
        self._book: PriceBook | None = None
        self._seen: FilesState | None = None
        self._settled: Marks | None = None
        self._settle_from: float = 0.0

    def turn(self, client: LedgerClient, outlet: Outlet, now: datetime) -> RepricingReport:
        """Look once; returns what changed, when that is stored. now: UTC.

        Raises WrongCall for a price file with a mistake, StoreUnavailable, BrokerUnavailable; the next turn then looks
        at the same again.
        """
        state = _state_of(self._files())
        changed = state != self._seen
        since = None if changed else _midnight(now) - timedelta(days=1)
        models = spend(client, by=_PRICED_BY, since=since, where=UNPRICED)
        if changed:
            # Without a file there are no allowances.
            self._book = self._load() if models or state else None
        elif models:
            self._book = self._book or self._load()
            models = _with_a_price(models, self._book, now)
        report = RepricingReport()
        if models and self._book is not None:
            terms = JobTerms(since, None, known_at=max(now, self._book.last_recorded_at), started_at=now)
            report = reprice_unnoted(client, outlet, at_known_prices(self._book, terms), terms, UNPRICED)
        if self._book is not None and self._book.contracts.allowances:
            report.add(self._settle(client, outlet, self._book, now, whole=changed))
        self._seen = state
        return report

    def _settle(
        self, client: LedgerClient, outlet: Outlet, book: PriceBook, now: datetime, *, whole: bool
    ) -> RepricingReport:
        """Settle what allowances make of calls: of all, or of those on which what was stored since bears."""
        report = RepricingReport()
        marks = read_marks(client)
        if not whole and (marks == self._settled or self._stopwatch() < self._settle_from):
            return report
        started = self._stopwatch()
        since = None
        if not whole and self._settled is not None and self._settled.last_at is not None:
            since = first_minute_marked(client, self._settled.last_at - _LATE_MARKS)
        terms = JobTerms(since, None, known_at=max(now, book.last_recorded_at), started_at=now)
        for job in settle_everywhere(client, book, terms):
            report.add(reprice_unnoted(client, outlet, job.price, job.terms, job.where))
        ended = self._stopwatch()
        self._settle_from = ended + _PAUSES * (ended - started)
        self._settled = marks
        return report


def follow_prices(
    follower: PriceFollower,
    client: LedgerClient,
    outlet: Outlet,
    *,
    clock: Callable[[], datetime],
    stopped: threading.Event,
    tell: Callable[[RepricingReport], None],
    every_seconds: float = EVERY_SECONDS,
) -> None:
    """Take turns until `stopped` is set. tell: is told of each turn that ended well.

    What keeps a turn from ending well, a mistake in a price file too, is logged, and the next one tries again.
    """
    while True:
        try:
            report = follower.turn(client, outlet, clock())
        except TokenweirError as error:
            if not stopped.is_set():
                log.warning("Calls without a price are looked at again later: %s", error)
        else:
            tell(report)
        if stopped.wait(every_seconds):
            return


@contextmanager
def prices_followed(pipeline: LocalPipeline) -> Iterator[None]:
    """Follow prices beside a running pipeline, in a thread of its own, for as long as the context lasts."""
    stopped = threading.Event()
    pricing = pipeline.settings.pricing
    follower = PriceFollower(
        load=lambda: PriceBook.default(
            pipeline.overlay, pipeline.recorded_prices, cache_dir=pricing.cache_dir
        ),
        files=lambda: price_files(pipeline.overlay, pipeline.recorded_prices),
    )

    def tell(report: RepricingReport) -> None:
        if report.total.newly_priced_calls:
            log.info("%s calls that had no price have one now", report.total.newly_priced_calls)

    def nothing() -> None:
        """A run goes on whatever is held up, and what a turn sent twice counts once."""

    thread = threading.Thread(
        target=follow_prices,
        args=(follower, pipeline.client, KafkaOutlet(pipeline.delivery, check=nothing, wait=nothing)),
        kwargs={"clock": lambda: datetime.now(UTC), "stopped": stopped, "tell": tell},
        name="tokenweir-prices",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_JOIN_SECONDS)


def price_files(overlay: Path | None, recorded: Path) -> list[Path]:
    """The files of prices that may change while a process runs: the company's, and recorded updates."""
    updates = sorted(recorded.iterdir()) if recorded.is_dir() else []
    return [*([overlay] if overlay is not None else []), *updates]


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _with_a_price(models: Sequence[Row], book: PriceBook, now: datetime) -> list[Row]:
    """Those that have any price now: calls of what nobody prices are not looked at again every minute."""
    return [
        row
        for row in models
        if book.lookup(
            row["vendor"], row["model"], now, service_tier=row["service_tier"], region=row["region"]
        )
    ]


def _state_of(files: list[Path]) -> FilesState:
    found = []
    for path in files:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
