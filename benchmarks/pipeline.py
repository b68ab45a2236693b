"""Freshness: from `emitter.record` in an application to a row that a query on the ledger returns.

The whole embedded pipeline runs (broker, meter, sink, ledger), an emitter in the same process reports calls at a
steady pace, and a reader asks the view `usage` over and over for those it has not seen. A call's latency ends when the
answer that holds it has arrived, so the reader's own pace and the query are in it.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.measure import Clock, Measurement, clock, peak_mib
from producers.emitter import Emitter
from sinks.clickhouse.client import LedgerClient
from tokenweir.errors import StoreUnavailable
from tokenweir.local.data_dir import DataDir
from tokenweir.local.pipeline import LocalPipeline
from tokenweir.local.thread import running
from tokenweir.settings import Settings
from tokenweir.usage import UsageEvent

CALLS_PER_SECOND: Final = 500
SECONDS: Final = 20.0
FRESHNESS_BAR_SECONDS: Final = 5.0
_WORKLOADS: Final = 8
_LOOK_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 60.0


def run(calls_per_second: int = CALLS_PER_SECOND, seconds: float = SECONDS) -> list[Measurement]:
    """The 99th percentile. Raises StoreUnavailable where calls do not appear within a minute."""
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        pipeline = LocalPipeline(DataDir(Path(directory)), Settings(), doors=None)
        with running(pipeline), Emitter(pipeline.settings.kafka) as emitter:
            _report(emitter, _Reader(pipeline.client), calls_per_second, 1.0)  # connecting is not in it
            reader = _Reader(pipeline.client)
            with clock() as taken:
                _report(emitter, reader, calls_per_second, seconds)
    return [_measurement(reader.latencies_seconds, taken, calls_per_second)]


class _Reader:
    """Looks for calls in the ledger until it has seen them all."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[float, datetime]] = {}
        self._ended = threading.Event()
        self.latencies_seconds: list[float] = []
        self.failure: BaseException | None = None

    def expect(self, event: UsageEvent) -> None:
        """Note that `event` is being recorded now."""
        with self._lock:
            self._waiting[event.id] = time.monotonic(), event.time

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look in a thread; leaving waits until all are seen. Raises what stopped it."""
        thread = threading.Thread(target=self._look, name="bench-reader")
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
        if self.failure is not None:
            raise self.failure

    def _look(self) -> None:
        try:
            self._look_on()
        except Exception as error:  # noqa: BLE001 - the thread's boundary: raised again where it is waited for
            self.failure = error

    def _look_on(self) -> None:
        give_up_at = float("inf")
        while True:
            if self._ended.is_set():
                give_up_at = min(give_up_at, time.monotonic() + _PATIENCE_SECONDS)
                if not self._waiting:
                    return
            if time.monotonic() > give_up_at:
                raise StoreUnavailable(f"{len(self._waiting)} calls did not appear in the ledger")
            with self._lock:
                since = min((moment for _, moment in self._waiting.values()), default=None)
            if since is not None:
                self._see(since)
            time.sleep(_LOOK_SECONDS)

    def _see(self, since: datetime) -> None:
        rows = self._client.query(
            "SELECT id FROM usage WHERE time >= fromUnixTimestamp64Micro({since:Int64})",
            {"since": int(since.timestamp() * 1_000_000) - 1_000},
        )
        now = time.monotonic()
        with self._lock:
            for (identity,) in rows:
                recorded = self._waiting.pop(identity, None)
                if recorded is not None:
                    self.latencies_seconds.append(now - recorded[0])


def _report(emitter: Emitter, reader: _Reader, calls_per_second: int, seconds: float) -> None:
    began = time.monotonic()
    with reader.looking():
        for number in range(int(calls_per_second * seconds)):
            time.sleep(max(0.0, began + number / calls_per_second - time.monotonic()))
            event = _event(number, began)
            reader.expect(event)
            emitter.record(event)


def _event(number: int, run: float) -> UsageEvent:
    return UsageEvent(
        id=f"openai:chatcmpl-{run:.6f}-{number}",
        source="sdk",
        time=datetime.now(UTC) - timedelta(microseconds=1),
        tenant="acme",
        service=f"service-{number % _WORKLOADS}",
        vendor="openai",
        model="gpt-4o-mini-2024-07-18",
        input_tokens=1_000 + number,
        output_tokens=200,
    )


def _measurement(latencies_seconds: list[float], taken: Clock, calls_per_second: int) -> Measurement:
    return Measurement(
        name="freshness_p99",
        value=statistics.quantiles(latencies_seconds, n=100)[-1],
        unit="s",
        bar=FRESHNESS_BAR_SECONDS,
        higher_is_better=False,
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        peak_mib=peak_mib(),
        note=f"recorded to queryable, {len(latencies_seconds):,} calls at {calls_per_second:,}/s through the embedded "
        f"pipeline; median {statistics.median(latencies_seconds):.2f} s, most {max(latencies_seconds):.2f} s",
    )
