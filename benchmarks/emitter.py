"""What reporting one event costs the application, and how many events a second reach Kafka.

Beside it the plain way: one KafkaProducer in the application, one event a message, `send` from the caller's thread.
Both use the same broker and the same events. `python -m benchmarks.emitter host:port` measures on a Kafka that runs.
"""

import logging
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

from kafka import KafkaProducer

from benchmarks.measure import Clock, Measurement, clock
from producers.connection import producer_options
from producers.emitter import Emitter
from streams.topic_admin import ensure_topics
from tests.kafka.apache import ApacheKafka
from tests.kafka.provision import KafkaNotToBeHad, find_java, resolve_jars
from tokenweir.local.broker import EmbeddedBroker
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import USAGE
from tokenweir.usage import UsageEvent

EVENTS: Final = 60_000
PLAIN_EVENTS: Final = 10_000
RECORD_BAR_US: Final = 10.0
_PATIENCE_SECONDS: Final = 120.0
_START: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(bootstrap_servers: str | None = None) -> list[Measurement]:
    """Measurements on the Kafka named, else on the embedded broker and, where it can be had, on Apache Kafka."""
    if bootstrap_servers is not None:
        return _measurements(bootstrap_servers, "kafka")
    with EmbeddedBroker() as embedded:
        found = _measurements(embedded.bootstrap_servers, "embedded")
    try:
        find_java()
        resolve_jars()
    except KafkaNotToBeHad as reason:
        found[-1].note += f"; not measured on Apache Kafka: {reason.message}"
        return found
    with ApacheKafka() as apache:
        return found + _measurements(apache.bootstrap_servers, "kafka")


def _measurements(bootstrap_servers: str, kind: str) -> list[Measurement]:
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=f"bench{time.time_ns()}.")
    ensure_topics(settings, topics=[USAGE])
    ours, ours_clock = _with_emitter(settings, _events(EVENTS))
    plain, plain_clock = _with_plain_producer(settings, _events(PLAIN_EVENTS))
    logged = statistics.median(_logging_calls(PLAIN_EVENTS))
    return [
        _measurement(
            f"emitter_record_{kind}_median",
            statistics.median(ours),
            statistics.median(plain),
            "µs",
            ours_clock,
            bar=RECORD_BAR_US,
            note=f"in the caller's thread, at full speed; a logging call to a null handler takes {logged:.1f} µs",
        ),
        _measurement(
            f"emitter_record_{kind}_p99",
            statistics.quantiles(ours, n=100)[-1],
            statistics.quantiles(plain, n=100)[-1],
            "µs",
            ours_clock,
        ),
        _measurement(
            f"emitter_delivery_{kind}",
            EVENTS / ours_clock.wall_seconds,
            PLAIN_EVENTS / plain_clock.wall_seconds,
            "events/s",
            ours_clock,
            note=f"recorded to confirmed, connecting included; {EVENTS / ours_clock.cpu_seconds:,.0f} events a CPU "
            f"second, the plain way {PLAIN_EVENTS / plain_clock.cpu_seconds:,.0f}",
        ),
    ]


def _measurement(
    name: str,
    value: float,
    baseline: float,
    unit: str,
    taken: Clock,
    *,
    bar: float | None = None,
    note: str = "",
) -> Measurement:
    return Measurement(
        name,
        value,
        unit,
        baseline=baseline,
        baseline_is="KafkaProducer.send of one event a call",
        bar=bar,
        higher_is_better=unit != "µs",
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        note=note,
    )


def _events(count: int) -> list[UsageEvent]:
    return [
        UsageEvent(
            id=f"openai:chatcmpl-{number:032x}",
            source="sdk",
            time=_START + timedelta(milliseconds=number),
            tenant="acme",
            team=f"team-{number % 8}",
            service="assistant-api",
            environment="production",
            user=f"user-{number % 4_000}",
            vendor="openai",
            model="gpt-4o-2024-11-20",
            input_tokens=1_800 + number % 700,
            cache_read_tokens=1_024,
            output_tokens=number % 900,
            duration_ms=1_234.5,
        )
        for number in range(count)
    ]


def _with_emitter(settings: KafkaSettings, events: list[UsageEvent]) -> tuple[list[float], Clock]:
    with clock() as taken, Emitter(settings) as emitter:
        calls = _timed(emitter.record, events)
        if not emitter.flush(_PATIENCE_SECONDS) or emitter.statistics.confirmed != len(events):
            raise RuntimeError(f"not everything was delivered: {emitter.statistics}")
    return calls, taken


def _with_plain_producer(settings: KafkaSettings, events: list[UsageEvent]) -> tuple[list[float], Clock]:
    topic = topic_name(settings, USAGE.name)
    options = producer_options(settings)
    with clock() as taken, closing(KafkaProducer(**options)) as producer:

        def send(event: UsageEvent) -> None:
            producer.send(topic, value=event.model_dump_json().encode(), key=event.team.encode())

        calls = _timed(send, events)
        producer.flush(_PATIENCE_SECONDS)
    return calls, taken


def _logging_calls(count: int) -> list[float]:
    logger = logging.Logger("benchmark")
    logger.addHandler(logging.NullHandler())
    return _timed(lambda event: logger.info("call %s", event.id), _events(count))


def _timed(call: Callable[[UsageEvent], object], events: list[UsageEvent]) -> list[float]:
    """Microseconds of each call."""
    times = []
    now = time.perf_counter_ns
    for event in events:
        started = now()
        call(event)
        times.append((now() - started) / 1_000)
    return times


if __name__ == "__main__":
    for found in run(sys.argv[1] if len(sys.argv) > 1 else None):
        print(
            f"{found.name}: {found.value:,.1f} {found.unit} (plain: {found.baseline or 0:,.1f}). {found.note}"
        )
