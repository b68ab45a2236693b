"""What reporting one event costs the application, and how many events a second reach Kafka.

Beside it the plain way: one KafkaProducer in the application, one event a message, `send` from the caller's thread.
Both use the same broker and the same events. And beside it what an application pays anyway: a line of `logging` into a
file, and a span of the OpenTelemetry SDK with the same facts as attributes, batched to an exporter that does nothing.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from kafka import KafkaProducer
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.brokers import BROKERS, RunningBroker, running_brokers
from benchmarks.measure import Clock, Measurement, clock
from producers.delivery.connection import producer_options
from producers.emitter import Emitter
from streams.topic_admin import ensure_topics
from tokenweir.local.broker import HOST, free_port
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import USAGE
from tokenweir.usage import UsageEvent

_Item = TypeVar("_Item")

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
    answered, answered_clock = _with_answers(settings, plain_events)
    called, called_clock = _with_calls(settings, plain_events)
    logged = _logging_calls(plain_events)
    spans = _spans(plain_events)
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
        _beside_spans(f"{median}_beside_span", ours, spans, ours_clock),
        _beside_spans(f"emitter_record_answer_{broker.name}_median", answered, spans, answered_clock),
        _beside_spans(f"emitter_call_{broker.name}_median", called, spans, called_clock),
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


def _beside_spans(name: str, ours: list[float], spans: list[float], taken: Clock) -> Measurement:
    return replace(
        _measurement(name, statistics.median(ours), statistics.median(spans), "µs", taken, bar=RECORD_BAR_US),
        baseline_is="a span of the OpenTelemetry SDK with eight attributes, started and ended",
        note=f"p99 {statistics.quantiles(ours, n=100)[-1]:.1f} µs, of the span "
        f"{statistics.quantiles(spans, n=100)[-1]:.1f} µs",
    )


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
        _flush(emitter, len(events))
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


def _answer(number: int) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number:032x}",
        "object": "chat.completion",
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "…"}}],
        "usage": {
            "prompt_tokens": 1_800 + number % 700,
            "completion_tokens": number % 900,
            "prompt_tokens_details": {"cached_tokens": 1_024},
        },
    }


def _with_answers(settings: KafkaSettings, count: int) -> tuple[list[float], Clock]:
    with clock() as taken, Emitter(settings) as emitter:
        calls = _timed(
            lambda answer: emitter.record(answer, vendor="openai", team="team-1", duration_ms=1_234.5),
            [_answer(number) for number in range(count)],
        )
        _flush(emitter, count)
    return calls, taken


def _with_calls(settings: KafkaSettings, count: int) -> tuple[list[float], Clock]:
    with clock() as taken, Emitter(settings) as emitter:

        def call(answer: dict[str, Any]) -> None:
            with emitter.call(vendor="openai", model="gpt-4o", team="team-1") as one:
                one.answer(answer)

        calls = _timed(call, [_answer(number) for number in range(count)])
        _flush(emitter, count)
    return calls, taken


def _flush(emitter: Emitter, count: int) -> None:
    if not emitter.flush(_PATIENCE_SECONDS) or emitter.statistics.confirmed != count:
        raise RuntimeError(f"not everything was delivered: {emitter.statistics}")


class _NoExporter(SpanExporter):
    """Takes spans and does nothing, so that the span alone is measured."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def _spans(count: int) -> list[float]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_NoExporter()))
    tracer = provider.get_tracer("benchmark")

    def span(answer: dict[str, Any]) -> None:
        usage = answer["usage"]
        with tracer.start_as_current_span("chat gpt-4o") as one:
            one.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.response.id": answer["id"],
                    "gen_ai.response.model": answer["model"],
                    "gen_ai.usage.input_tokens": usage["prompt_tokens"],
                    "gen_ai.usage.output_tokens": usage["completion_tokens"],
                    "team": "team-1",
                }
            )

    try:
        return _timed(span, [_answer(number) for number in range(count)])
    finally:
        provider.shutdown()


def _logging_calls(count: int) -> list[float]:
    logger = logging.Logger("benchmark")
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        handler = logging.FileHandler(Path(directory) / "calls.log")
        logger.addHandler(handler)
        with closing(handler):
            return _timed(
                lambda event: logger.info("call %s: %s tokens", event.id, event.input_tokens), _events(count)
            )


def _timed(call: Callable[[_Item], object], items: Iterable[_Item]) -> list[float]:
    """Microseconds of each call."""
    times = []
    now = time.perf_counter_ns
    for item in items:
        started = now()
        call(item)
        times.append((now() - started) / 1_000)
    return times
