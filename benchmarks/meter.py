"""The meter's step: decode, check, price, combine and encode, in events a second on one core.

Beside it the plain way of doing the same: one event a message, pydantic for each, genai-prices' own calculation for
each. Both work on events of the same making and neither touches Kafka (`benchmarks.roles` does).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from pydantic import TypeAdapter

from benchmarks.measure import PER_CORE, Measurement, best_rate, clock, in_parts, mean_rate
from benchmarks.price_books import plain_cost
from benchmarks.workload import BATCH_EVENTS, usage_message
from streams.meter import Meter
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import HEADERS

MESSAGES: Final = 400
WARM_MESSAGES: Final = 48
PLAIN_EVENTS: Final = 6_000
PARTS: Final = 10
NOW: Final = datetime(2026, 11, 23, 12, 0, 10, tzinfo=UTC)


def run(
    messages: int = MESSAGES, warm: int = WARM_MESSAGES, plain_events: int = PLAIN_EVENTS
) -> list[Measurement]:
    """One measurement: events a second through `Meter.step`, each message once and of 500 events."""
    values = [usage_message(number, NOW).value for number in range(messages)]
    meter = Meter(PriceBook.default())

    def step(number: int) -> int:
        output = meter.step(
            values[number],
            headers=HEADERS,
            topic="usage",
            partition=0,
            offset=number,
            reported_at_ms=1_795_435_200_000,
            now=NOW,
        )
        return output.event_count

    for number in range(warm):
        step(number)
    with clock() as taken:
        parts = in_parts(step, range(warm, messages), PARTS)
    lines = [line for value in values for line in value.split(b"\n")][:plain_events]
    plain = in_parts(_plain_of(lines), range(len(lines)), PARTS)
    return [
        Measurement(
            name="meter_step",
            value=best_rate(parts),
            mean=mean_rate(parts),
            unit=PER_CORE,
            bar=100_000,
            baseline=best_rate(plain),
            baseline_is="one event a message, pydantic and genai-prices for each",
            cpu_seconds=taken.cpu_seconds,
            wall_seconds=taken.wall_seconds,
            note=f"in memory, messages of {BATCH_EVENTS} events: decode, check, price, combine, encode",
        )
    ]


def _plain_of(lines: list[bytes]) -> Callable[[int], int]:
    adapter = TypeAdapter(UsageEvent)

    def work(number: int) -> int:
        event = adapter.validate_json(lines[number])
        event.model_copy(update={"cost": plain_cost(event)}).model_dump_json()
        return 1

    return work
