"""Kafka away while an application reports calls: what the application notices, and what is in the ledger afterwards.

The whole embedded pipeline runs all the time; the application, a process of its own with a spool, reaches its broker
through a relay that is cut for `seconds`. Ten minutes as the design has it: `python -m benchmarks emitter_outage
--seconds 600`.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Measurement
from benchmarks.outage_process import SOURCE, Result, Spec
from benchmarks.relay import Relay
from sinks.clickhouse.client import LedgerClient
from tokenweir.errors import StoreUnavailable
from tokenweir.local.broker import free_port
from tokenweir.local.data_dir import DataDir
from tokenweir.local.pipeline import LocalPipeline
from tokenweir.local.thread import running
from tokenweir.settings import Settings

SECONDS: Final = 20.0
CALLS_PER_SECOND: Final = 1_000
SECONDS_AROUND: Final = 10.0
RECORD_BAR_US: Final = 10.0
_START_SECONDS: Final = 4.0
_PATIENCE_SECONDS: Final = 300.0


def run(
    seconds: float = SECONDS,
    calls_per_second: int = CALLS_PER_SECOND,
    seconds_around: float = SECONDS_AROUND,
) -> list[Measurement]:
    """The application's side and the ledger's. Raises StoreUnavailable where calls do not appear in five minutes."""
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        pipeline = LocalPipeline(DataDir(Path(directory) / "ledger"), Settings(), doors=None)
        with running(pipeline), Relay(free_port()) as relay:
            begins_at = time.monotonic() + _START_SECONDS
            spec = Spec(
                kafka=pipeline.settings.kafka,
                relay_port=relay.port,
                spool_dir=Path(directory) / "spool",
                calls_per_second=calls_per_second,
                begins_at=begins_at,
                cut_at=begins_at + seconds_around,
                restored_at=begins_at + seconds_around + seconds,
                ends_at=begins_at + 2 * seconds_around + seconds,
            )
            began = time.monotonic()
            result = _application(spec, relay, Path(directory) / "result.json")
            calls, input_tokens = _in_the_ledger(pipeline.client, result)
            wall_seconds = time.monotonic() - began
    return _measurements(result, calls, input_tokens, seconds, wall_seconds)


def _application(spec: Spec, relay: Relay, path: Path) -> Result:
    command = [sys.executable, "-m", "benchmarks.outage_process", spec.model_dump_json(), str(path)]
    with subprocess.Popen(command) as process:
        try:
            _sleep_until(spec.cut_at)
            relay.cut()
            _sleep_until(spec.restored_at)
            relay.restore()
            status = process.wait(spec.ends_at - time.monotonic() + _PATIENCE_SECONDS + 30)
        finally:
            process.kill()
    if status:
        raise StoreUnavailable(f"the application ended with exit status {status}")
    return Result.model_validate_json(path.read_text(encoding="utf-8"))


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _in_the_ledger(client: LedgerClient, result: Result) -> tuple[int, int]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        ((calls, input_tokens),) = client.query(
            "SELECT count(), sum(input_tokens) FROM usage WHERE source = {source:String}", {"source": SOURCE}
        )
        if calls >= result.calls or time.monotonic() > deadline:
            return int(calls), int(input_tokens)
        time.sleep(0.5)


def _measurements(
    result: Result, calls: int, input_tokens: int, seconds: float, wall_seconds: float
) -> list[Measurement]:
    during = result.latencies_us["during"]
    outside = result.latencies_us["before"] + result.latencies_us["after"]
    peak = max(result.most_mib.values())
    shared: dict[str, Any] = {
        "cpu_seconds": result.cpu_seconds,
        "wall_seconds": wall_seconds,
        "peak_mib": peak,
    }
    without = "the same application while Kafka is there"
    where = f"Kafka away for {seconds:g} s, {len(during):,} calls meanwhile"
    missing = result.calls - calls
    return [
        Measurement(
            "emitter_outage_record_median",
            statistics.median(during),
            "µs",
            baseline=statistics.median(outside),
            baseline_is=without,
            bar=RECORD_BAR_US,
            higher_is_better=False,
            note=where,
            **shared,
        ),
        Measurement(
            "emitter_outage_record_p99",
            statistics.quantiles(during, n=100)[-1],
            "µs",
            baseline=statistics.quantiles(outside, n=100)[-1],
            baseline_is=without,
            higher_is_better=False,
            note=f"p99.9 {statistics.quantiles(during, n=1_000)[-1]:.0f} µs in the outage, "
            f"{statistics.quantiles(outside, n=1_000)[-1]:.0f} µs outside of it; the most "
            f"{max(during) / 1_000:.1f} ms and {max(outside) / 1_000:.1f} ms",
            **shared,
        ),
        Measurement(
            "emitter_outage_memory",
            peak,
            "MiB",
            baseline=result.most_mib["before"],
            baseline_is="the most before the outage",
            higher_is_better=False,
            note=f"the most that the application's process held; up to {result.spooled_mib:.0f} MiB were on disk, "
            f"and gone {result.drained_seconds:.0f} s after the outage",
            **shared,
        ),
        Measurement(
            "emitter_outage_missing_calls",
            abs(missing),
            "calls",
            bar=0.0,
            higher_is_better=False,
            note=f"of {result.calls:,} recorded, {calls:,} are in the ledger, each once; their input tokens "
            f"{'are exact' if input_tokens == result.input_tokens else 'differ'}; dropped {result.dropped or 'none'}",
            **shared,
        ),
    ]
