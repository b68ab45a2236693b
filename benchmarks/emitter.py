"""What reporting one event costs the application, and how many events a second reach Kafka.

Beside it the plain way: one KafkaProducer in the application, one event a message, `send` from the caller's thread.
Both use the same broker and the same events.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kafka import KafkaProducer

from benchmarks.brokers import BROKERS, RunningBroker, running_brokers
from benchmarks.measure import Clock, Measurement, clock
from producers.delivery.connection import producer_options
from producers.emitter import Emitter
from streams.topic_admin import ensure_topics
from tokenweir.local.broker import HOST, free_port
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import USAGE
from tokenweir.usage import UsageEvent

EVENTS: Final = 60_000
PLAIN_EVENTS: Final = 10_000
RECORD_BAR_US: Final = 10.0
_PATIENCE_SECONDS: Final = 120.0
_START: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(
    brokers: tuple[str, ...] = BROKERS, events: int = EVENTS, plain_events: int = PLAIN_EVENTS
) -> list[Measurement]:
    """Measurements on each broker, and while there is none."""
    found: list[Measurement] = []
    for broker in running_brokers(brokers):
        found += measure_on(broker, events, plain_events)
    return [*found, _broker_away(events)]


def measure_on(
    broker: RunningBroker, events: int = EVENTS, plain_events: int = PLAIN_EVENTS
) -> list[Measurement]:
    """Measurements on one broker; where there is none, one row that says so."""
    if broker.absence:
        name = f"emitter_record_{broker.name}_median"
        return [Measurement(name, None, "µs", bar=RECORD_BAR_US, note=broker.absence)]
    settings = KafkaSettings(
        bootstrap_servers=broker.bootstrap_servers, topic_prefix=f"bench{time.time_ns()}."
    )
    ensure_topics(settings, topics=[USAGE])
    ours, ours_clock = _with_emitter(settings, _events(events))
    plain, plain_clock = _with_plain_producer(settings, _events(plain_events))
    logged = _logging_calls(plain_events)
    median = f"emitter_record_{broker.name}_median"
    return [
        _measurement(
            median,
            statistics.median(ours),
            statistics.median(plain),
            "µs",
            ours_clock,
            bar=RECORD_BAR_US,
            note="in the caller's thread, at full speed",
        ),
        replace(
            _measurement(
                f"{median}_beside_logging",
                statistics.median(ours),
                statistics.median(logged),
                "µs",
                ours_clock,
            ),
            baseline_is="logger.info with two arguments, into a file",
        ),
        _measurement(
            f"emitter_record_{broker.name}_p99",
            statistics.quantiles(ours, n=100)[-1],
            statistics.quantiles(plain, n=100)[-1],
            "µs",
            ours_clock,
        ),
        _measurement(
            f"emitter_delivery_{broker.name}",
            events / ours_clock.wall_seconds,
            plain_events / plain_clock.wall_seconds,
            "events/s",
            ours_clock,
            note=f"recorded to confirmed, connecting included; {events / ours_clock.cpu_seconds:,.0f} events a CPU "
            f"second, the plain way {plain_events / plain_clock.cpu_seconds:,.0f}",
        ),
    ]


def _broker_away(events: int) -> Measurement:
    """What a call costs while nothing listens where Kafka should be, up to and past the bound on what may wait."""
    settings = KafkaSettings(bootstrap_servers=f"{HOST}:{free_port()}")
    with clock() as taken, Emitter(settings, max_pending_events=events // 2) as emitter:
        calls = _timed(emitter.record, _events(events))
        emitter.close(0.0)
    return Measurement(
        "emitter_record_no_broker_median",
        statistics.median(calls),
        "µs",
        bar=RECORD_BAR_US,
        higher_is_better=False,
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        note=f"half of the events find the queue full; p99 {statistics.quantiles(calls, n=100)[-1]:.1f} µs, "
        f"most {max(calls) / 1_000:.1f} ms",
    )


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
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        handler = logging.FileHandler(Path(directory) / "calls.log")
        logger.addHandler(handler)
        with closing(handler):
            return _timed(
                lambda event: logger.info("call %s: %s tokens", event.id, event.input_tokens), _events(count)
            )


def _timed(call: Callable[[UsageEvent], object], events: list[UsageEvent]) -> list[float]:
    """Microseconds of each call."""
    times = []
    now = time.perf_counter_ns
    for event in events:
        started = now()
        call(event)
        times.append((now() - started) / 1_000)
    return times
