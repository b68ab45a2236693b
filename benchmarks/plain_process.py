"""The plain way of a worker, in a process of its own: `python -m benchmarks.plain_process SPEC RESULT`.

One event a Kafka message, pydantic for each, genai-prices for each, and an insert of some hundred rows into a table
that deduplicates nothing. It does less than the worker that it stands beside: no check of times and subsets beyond
the model's, no minute sums, no rejected topic, no settling, no rollups.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import TypeAdapter

from benchmarks.measure import Part, clock, peak_mib
from benchmarks.price_books import plain_cost
from benchmarks.role_process import Result, Spec
from sinks.clickhouse import connect, migrate
from sinks.clickhouse.columns import EVENT_COLUMNS
from tokenweir.settings import topic_name
from tokenweir.topics import METERED, USAGE
from tokenweir.usage import MeteredEvent, UsageEvent

INSERT_ROWS: Final = 500
SOURCES: Final = {"meter": USAGE, "sink": METERED}


async def measured(spec: Spec) -> Result:
    """Work off `total_events` single-event messages. Raises TimeoutError."""
    kafka = spec.settings.kafka
    consumer: Any = _untyped(AIOKafkaConsumer)(
        topic_name(kafka, SOURCES[spec.role].name),
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=f"{kafka.topic_prefix}plain-{spec.role}",
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        rebalance_timeout_ms=6_000,
        heartbeat_interval_ms=1_000,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(spec.patience_seconds):
            return await (_meter if spec.role == "meter" else _sink)(spec, consumer)
    finally:
        await consumer.stop()


async def _meter(spec: Spec, consumer: Any) -> Result:
    producer: Any = _untyped(AIOKafkaProducer)(
        bootstrap_servers=spec.settings.kafka.bootstrap_servers, acks="all", linger_ms=20
    )
    topic = topic_name(spec.settings.kafka, METERED.name)
    adapter = TypeAdapter(UsageEvent)
    acknowledged: list[Any] = []
    async with producer:

        async def handle(message: Any) -> None:
            event = adapter.validate_json(message.value)
            metered = {**event.model_dump(mode="json"), "cost": plain_cost(event)}
            acknowledged.append(await producer.send(topic, json.dumps(metered).encode(), key=message.key))
            if len(acknowledged) >= INSERT_ROWS:
                await asyncio.gather(*acknowledged)
                acknowledged.clear()
                await consumer.commit()

        async def finish() -> None:
            await asyncio.gather(*acknowledged)

        return await _work_off(spec, consumer, handle, finish)


async def _sink(spec: Spec, consumer: Any) -> Result:
    adapter = TypeAdapter(MeteredEvent)
    rows: list[list[Any]] = []
    with connect(spec.settings.clickhouse) as ledger:
        migrate(ledger, spec.settings.clickhouse)
        ledger.command("CREATE TABLE plain AS events ENGINE = MergeTree ORDER BY (tenant, time)")
        with ledger.borrowed("measuring plain inserts") as driver:

            async def write() -> None:
                driver.insert("plain", rows, column_names=list(EVENT_COLUMNS))
                rows.clear()
                await consumer.commit()

            async def handle(message: Any) -> None:
                event = adapter.validate_json(message.value)
                rows.append([getattr(event, name) for name in EVENT_COLUMNS])
                if len(rows) >= INSERT_ROWS:
                    await write()

            async def finish() -> None:
                if rows:
                    await write()

            result = await _work_off(spec, consumer, handle, finish)
        result.stored_calls = int(ledger.query("SELECT count() FROM plain")[0][0])
        return result


async def _work_off(spec: Spec, consumer: Any, handle: Any, finish: Any) -> Result:
    for _ in range(spec.warm_events):
        await handle(await consumer.getone())
    parts: list[Part] = []
    size = (spec.total_events - spec.warm_events) // spec.parts
    with clock() as taken:
        for number in range(spec.parts):
            with clock() as part:
                for _ in range(size):
                    await handle(await consumer.getone())
                if number + 1 == spec.parts:
                    await finish()
            parts.append(Part(size, part.cpu_seconds))
    return Result(
        events=size * spec.parts,
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        peak_mib=peak_mib(),
        parts=parts,
    )


def _untyped(made: Any) -> Any:
    """aiokafka states no types."""
    return made


def main() -> None:
    """Writes the result where it is asked to."""
    spec = Spec.model_validate(json.loads(sys.argv[1]))
    result = asyncio.run(measured(spec))
    Path(sys.argv[2]).write_text(result.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
