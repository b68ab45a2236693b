"""Both roles on real brokers: everything arrives once kept, whatever the store and the workers do meanwhile."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from prometheus_client import CollectorRegistry

from streams.app import StreamApp, build_app, consumer_group
from streams.refused import UNKNOWN_TENANT
from streams.topic_admin import ensure_topics, topic_lag
from streams.windows import decode_windows, merge_windows
from tests.kafka.fixtures import Broker
from tests.streams.making import FlatBook, a_line
from tests.streams.stores import MemoryStore
from tokenweir.settings import ClickHouseSettings, KafkaSettings, Settings, WorkerSettings, topic_name
from tokenweir.topics import METERED, REJECTED, USAGE, WINDOWS
from tokenweir.usage import Rejection
from tokenweir.usage.wire import HEADERS

_PATIENCE_SECONDS = 120
_PARTITIONS = 3


@pytest.fixture
def settings(broker: Broker, unique_prefix: str, tmp_path: Path) -> Settings:
    kafka = broker.settings(unique_prefix).model_copy(update={"partitions": _PARTITIONS})
    ensure_topics(kafka)
    return Settings(
        kafka=kafka,
        clickhouse=ClickHouseSettings(flush_events=2_000, flush_seconds=0.2),
        worker=WorkerSettings(state_dir=tmp_path / "state"),
    )


@pytest.fixture
def send(settings: Settings) -> Iterator[Callable[..., None]]:
    """Sends messages of lines to the usage topic."""
    with sending(settings) as send_all:
        yield send_all


@contextmanager
def sending(settings: Settings) -> Iterator[Callable[..., None]]:
    """Gives a function that sends messages of lines to the usage topic, each under one of nine keys."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, acks="all", linger_ms=5)
    name = topic_name(settings.kafka, USAGE.name)

    def send_all(messages: list[bytes | None]) -> None:
        sent = [
            producer.send(name, key=b"workload-%d" % (number % 9), value=message, headers=list(HEADERS))
            for number, message in enumerate(messages)
        ]
        for one in sent:
            one.get(timeout=_PATIENCE_SECONDS)

    with closing(producer):
        yield send_all


def messages_of(first: int, count: int, events: int = 20) -> list[bytes | None]:
    """`count` messages of `events` events each, numbered from `first`."""
    return [
        b"\n".join(a_line(first + number * events + index) for index in range(events))
        for number in range(count)
    ]


def ids(first: int, count: int) -> set[tuple[str, str]]:
    """The identities of so many events."""
    return {("acme", f"openai:chatcmpl-{number:08d}") for number in range(first, first + count)}


async def until(reached: Callable[[], bool], *workers: StreamApp) -> None:
    """Wait for it; fail early when a worker does."""
    for _ in range(_PATIENCE_SECONDS * 20):
        if reached():
            return
        for worker in workers:
            assert worker.failure is None
        await asyncio.sleep(0.05)
    pytest.fail("it did not happen in time")


@asynccontextmanager
async def running(*workers: StreamApp) -> AsyncIterator[None]:
    """Start them in this loop; stop them afterwards."""
    await asyncio.gather(*(worker.start() for worker in workers))
    try:
        yield
    finally:
        await asyncio.gather(*(worker.stop(drain_seconds=30) for worker in workers))


def lag(settings: Settings, role: str) -> int:
    """Messages that a role's group has not committed."""
    topics = {"meter": (USAGE,), "sink": (METERED, REJECTED)}[role]
    names = [topic_name(settings.kafka, topic.name) for topic in topics]
    return sum(topic_lag(settings.kafka, consumer_group(settings.kafka, role), names).values())


def values_of(kafka: KafkaSettings, name: str) -> list[bytes]:
    """All that a topic holds now."""
    consumer = KafkaConsumer(
        topic_name(kafka, name),
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=3_000,
    )
    with closing(consumer):
        return [record.value for record in consumer]


async def test_events_go_through_both_roles_in_one_loop(
    settings: Settings, send: Callable[..., None]
) -> None:
    store, registry = MemoryStore(), CollectorRegistry()
    meter = build_app(settings, "meter", book=FlatBook(), registry=registry)
    sink = build_app(settings, "sink", sink=store, registry=registry)
    await asyncio.to_thread(send, [*messages_of(0, 40), b"nonsense\n" + a_line(5_000), None, b""])
    async with running(meter, sink):
        await until(lambda: len(store.events) == 801 and len(store.rejections) == 3, meter, sink)
        await asyncio.to_thread(send, messages_of(800, 10))
        await until(lambda: len(store.events) == 1_001, meter, sink)
        await until(lambda: store.keeps > 0, meter, sink)
        assert meter.health()["state"] == "running"
        assert sink.health()["healthy"]
    assert meter.health()["state"] == "stopped"
    assert set(store.events) == ids(0, 1_000) | ids(5_000, 1)
    assert {one.reason for one in store.rejections.values()} == {"invalid_json", "empty_batch"}
    assert await asyncio.to_thread(lag, settings, "meter") == 0
    assert await asyncio.to_thread(lag, settings, "sink") == 0
    assert registry.get_sample_value("tokenweir_meter_sent_events_total") == 1_001
    assert registry.get_sample_value("tokenweir_sink_sent_events_total") == 1_001
    assert registry.get_sample_value("tokenweir_meter_discarded_events_total", {"reason": "empty_batch"}) == 2
    windows = [
        window
        for value in await asyncio.to_thread(values_of, settings.kafka, WINDOWS.name)
        for window in decode_windows(value)
    ]
    assert sum(group.calls for group in merge_windows(windows).values()) == 1_001
    refused = Counter(one.reason for one in store.rejections.values())
    told = [window for window in windows if window.refused_lines]
    assert sum((Counter(window.refused_lines) for window in told), Counter()) == refused
    assert {(window.tenant, window.calls) for window in told} == {(UNKNOWN_TENANT, 0)}


async def test_a_store_that_is_away_holds_offsets_and_memory(
    settings: Settings, send: Callable[..., None]
) -> None:
    store = MemoryStore()
    store.away = True
    meter = build_app(settings, "meter", book=FlatBook())
    sink = build_app(settings, "sink", sink=store)
    await asyncio.to_thread(send, messages_of(0, 600))  # 12,000 events, six blocks
    async with running(meter, sink):
        await until(lambda: store.offered >= 4, meter, sink)
        await until(lambda: sink.health()["in_flight_messages"] > 0, meter, sink)
        assert sink.health()["in_flight_messages"] * 20 <= 2 * 2_000 + 40
        assert not store.events
        assert await asyncio.to_thread(lag, settings, "sink") > 0
        store.away = False
        await until(lambda: len(store.events) == 12_000, meter, sink)
    assert store.longest_block <= 2_000 + 20
    assert await asyncio.to_thread(lag, settings, "sink") == 0


async def test_a_sink_stopped_while_the_store_is_away_leaves_its_messages(
    settings: Settings, send: Callable[..., None]
) -> None:
    store = MemoryStore()
    store.away = True
    meter = build_app(settings, "meter", book=FlatBook())
    sink = build_app(settings, "sink", sink=store)
    await asyncio.to_thread(send, messages_of(0, 20))
    await meter.start()
    await sink.start()
    await until(lambda: store.offered >= 2, meter, sink)
    assert not await sink.stop(drain_seconds=0.2)
    store.away = False
    again = build_app(settings, "sink", sink=store)
    async with running(again):
        await until(lambda: set(store.events) == ids(0, 400), again)
    await meter.stop()


async def test_a_line_that_the_store_refuses_costs_that_line(
    settings: Settings, send: Callable[..., None]
) -> None:
    store = MemoryStore()
    store.refuses = b'"peculiar"'
    meter = build_app(settings, "meter", book=FlatBook())
    sink = build_app(settings, "sink", sink=store)
    bad = b"\n".join([a_line(1_000), a_line(1_001, model="peculiar"), a_line(1_002)])
    await asyncio.to_thread(send, [*messages_of(0, 10), bad])
    async with running(meter, sink):
        await until(lambda: len(store.events) == 202, meter, sink)
        values = await asyncio.to_thread(values_of, settings.kafka, REJECTED.name)
    (rejection,) = [Rejection.model_validate_json(value) for value in values]
    assert rejection.stage == "sink"
    assert rejection.reason == "store_refused"
    assert rejection.topic == topic_name(settings.kafka, METERED.name)
    assert rejection.line == 1
    assert json.loads(rejection.payload)["id"] == "openai:chatcmpl-00001001"


async def test_workers_that_come_and_go_lose_nothing(settings: Settings, send: Callable[..., None]) -> None:
    store = MemoryStore()
    sink = build_app(settings, "sink", sink=store)
    first = build_app(settings, "meter", book=FlatBook())
    second = build_app(settings, "meter", book=FlatBook())
    async with running(sink, first):
        await asyncio.to_thread(send, messages_of(0, 50))
        await until(lambda: len(store.events) > 0, sink, first)
        await second.start()
        await asyncio.to_thread(send, messages_of(1_000, 50))
        await until(lambda: second.health()["assigned_partitions"] > 0, sink, first, second)
        await asyncio.to_thread(send, messages_of(2_000, 50))
        await until(lambda: set(store.events) == ids(0, 3_000), sink, first, second)
        await second.stop()
        await asyncio.to_thread(send, messages_of(3_000, 50))
        await until(lambda: set(store.events) == ids(0, 4_000), sink, first)


async def test_meters_killed_under_load_lose_nothing(
    settings: Settings, send: Callable[..., None], tmp_path: Path
) -> None:
    store = MemoryStore()
    sink = build_app(settings, "sink", sink=store)

    def worker(name: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"{name}.log").open("wb")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.streams.meter_process", settings.model_dump_json()],
                stdout=log,
                stderr=log,
            )

    workers = [worker("one"), worker("two")]
    try:
        async with running(sink):
            for number in range(12):
                await asyncio.to_thread(send, messages_of(number * 1_000, 50))
                if number == 3:
                    await until(lambda: len(store.events) > 0, sink)
                    workers[0].kill()
                    workers.append(worker("three"))
                if number == 7:
                    workers[1].kill()
            await until(lambda: set(store.events) == ids(0, 12_000), sink)
            workers[2].send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(workers[2].wait, _PATIENCE_SECONDS) == 0
        assert await asyncio.to_thread(lag, settings, "meter") == 0
    finally:
        for process in workers:
            process.kill()
            process.wait()


@pytest.mark.parametrize("broker", ["apache"], indirect=True)
async def test_a_kafka_that_dies_and_comes_back_is_waited_for(
    new_broker: Callable[[], Broker], unique_prefix: str, tmp_path: Path
) -> None:
    kafka = new_broker()
    settings = Settings(
        kafka=kafka.settings(unique_prefix).model_copy(update={"partitions": _PARTITIONS}),
        clickhouse=ClickHouseSettings(flush_events=2_000, flush_seconds=0.2),
        worker=WorkerSettings(state_dir=tmp_path / "state"),
    )
    ensure_topics(settings.kafka)
    store = MemoryStore()
    meter = build_app(settings, "meter", book=FlatBook())
    sink = build_app(settings, "sink", sink=store)
    async with running(meter, sink):
        with sending(settings) as send:
            await asyncio.to_thread(send, messages_of(0, 50))
        await until(lambda: len(store.events) > 0, meter, sink)
        if kafka.durable:  # what stands in for Kafka where there is none forgets everything when it dies
            kafka.server.kill()
            await asyncio.to_thread(kafka.server.start)
        with sending(settings) as send:
            await asyncio.to_thread(send, messages_of(1_000, 50))
        await until(lambda: set(store.events) == ids(0, 2_000), meter, sink)


async def test_a_meter_that_cannot_price_stops_without_committing(
    settings: Settings, send: Callable[..., None]
) -> None:
    class BrokenBook(FlatBook):
        def price(self, event: Any) -> Any:
            raise ZeroDivisionError("a mistake in the book")

    await asyncio.to_thread(send, messages_of(0, 3))
    meter = build_app(settings, "meter", book=BrokenBook())
    await meter.start()
    await asyncio.wait_for(meter.failed.wait(), _PATIENCE_SECONDS)
    assert isinstance(meter.failure, ZeroDivisionError)
    assert not meter.health()["healthy"]
    await meter.stop(drain_seconds=0)
    assert await asyncio.to_thread(lag, settings, "meter") == 3
