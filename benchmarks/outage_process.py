"""An application that reports calls at a steady pace across an outage of Kafka.

`python -m benchmarks.outage_process SPEC RESULT`

It is a process of its own, so that its memory and its latencies are its own. Its way to Kafka goes through the relay
at `relay_port`, which the benchmark cuts and restores at the times that both know.
"""

import json
import resource
import sys
import time
from array import array
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from kafka import KafkaProducer
from pydantic import BaseModel

from benchmarks.measure import peak_mib
from producers.delivery.connection import Producer, producer_options
from producers.emitter import Emitter
from tokenweir.settings import KafkaSettings
from tokenweir.usage import UsageEvent

_PATIENCE_SECONDS: Final = 300.0
_CONNECT_SECONDS: Final = 2.0
SOURCE: Final = "outage"
PHASES: Final = ("before", "during", "after")


class Spec(BaseModel):
    """What to report and when; times by the machine's monotonic clock."""

    kafka: KafkaSettings
    relay_port: int
    spool_dir: Path
    calls_per_second: int
    begins_at: float
    cut_at: float
    restored_at: float
    ends_at: float


class Result(BaseModel):
    """What was met. Latencies are microseconds of `record`, in order, by phase; memory is of the whole process."""

    calls: int
    input_tokens: int
    latencies_us: dict[str, list[float]]
    most_mib: dict[str, float]
    spooled_mib: float
    drained_seconds: float
    cpu_seconds: float
    dropped: dict[str, int]


def measured(spec: Spec) -> Result:
    """Report until `ends_at`, then wait until Kafka has confirmed everything. Raises TimeoutError."""
    latencies = {phase: array("d") for phase in PHASES}  # compact: memory is measured here
    most_mib = dict.fromkeys(PHASES, 0.0)
    emitter = Emitter(spec.kafka, spool_dir=spec.spool_dir, connect=partial(_connect, spec.relay_port))
    input_tokens = number = spooled_bytes = 0
    drained_at: float | None = None
    phase = PHASES[0]
    # A call belongs to the time for which it was due, so that the same calls do in every run.
    first_during, first_after = (
        round((moment - spec.begins_at) * spec.calls_per_second) for moment in (spec.cut_at, spec.restored_at)
    )
    while (due_at := spec.begins_at + number / spec.calls_per_second) < spec.ends_at:
        time.sleep(max(0.0, due_at - time.monotonic()))
        now = time.monotonic()
        following = PHASES[(number >= first_during) + (number >= first_after)]
        if following != phase or number % spec.calls_per_second == 0:
            phase = following
            most_mib[phase] = max(most_mib[phase], _resident_mib())
            found = emitter.statistics
            spooled_bytes = max(spooled_bytes, found.spooled_bytes)
            if phase == "after" and drained_at is None and found.pending < spec.calls_per_second:
                drained_at = now
        event = _event(number)
        input_tokens += event.input_tokens
        began = time.perf_counter_ns()
        emitter.record(event)
        latencies[phase].append((time.perf_counter_ns() - began) / 1_000)
        number += 1
    _wait_until_confirmed(emitter)
    drained_seconds = (drained_at or time.monotonic()) - spec.restored_at
    found = emitter.statistics
    emitter.close()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Result(
        calls=number,
        input_tokens=input_tokens,
        latencies_us={phase: list(values) for phase, values in latencies.items()},
        most_mib=most_mib,
        spooled_mib=spooled_bytes / 1024 / 1024,
        drained_seconds=drained_seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        dropped=dict(found.dropped),
    )


def _wait_until_confirmed(emitter: Emitter) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while emitter.statistics.pending:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not everything was delivered: {emitter.statistics}")
        time.sleep(0.05)


def _resident_mib() -> float:
    """What the process holds now. Its peak, where the system tells no more."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return peak_mib()
    return int(status.read_text().split()[1]) * resource.getpagesize() / 1024 / 1024


def _connect(relay_port: int, settings: KafkaSettings) -> Producer:
    options = producer_options(settings) | {"bootstrap_timeout_ms": int(_CONNECT_SECONDS * 1_000)}
    producer: Producer = KafkaProducer(**options, proxy_url=f"http://127.0.0.1:{relay_port}")
    return producer


def _event(number: int) -> UsageEvent:
    return UsageEvent(
        id=f"openai:outage-{number}",
        source=SOURCE,
        time=datetime.now(UTC),
        tenant="acme",
        team=f"team-{number % 8}",
        service="assistant-api",
        vendor="openai",
        model="gpt-4o-mini-2024-07-18",
        user=f"user-{number % 4_000}",
        input_tokens=1_000 + number % 700,
        output_tokens=number % 900,
        duration_ms=1_234.5,
    )


def main() -> None:
    """Writes the result where it is asked to."""
    spec = Spec.model_validate(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(measured(spec).model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
