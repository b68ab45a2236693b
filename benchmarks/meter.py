"""The meter's step: decode, check, price, combine and encode, in events a second on one core.

Beside it the plain way of doing the same: one event a message, pydantic for each, genai-prices' own calculation for
each. Both work on the same events and neither touches Kafka.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from genai_prices import Usage, calc_price
from pydantic import TypeAdapter

from benchmarks.measure import Measurement, clock, peak_mib
from streams.meter import Meter
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import HEADERS, encode_batch

BATCH_EVENTS: Final = 500
BATCHES: Final = 120
WARM_UP: Final = 20
CHUNK: Final = 10
BASELINE_EVENTS: Final = 4_000
NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# vendor, model, share of calls, typical input and output tokens, share of input that is cached
_MODELS: Final = (
    ("openai", "gpt-4o-mini-2024-07-18", 0.34, 1_800, 350, 0.2),
    ("openai", "gpt-4o-2024-11-20", 0.16, 3_200, 500, 0.3),
    ("anthropic", "claude-sonnet-4-5", 0.26, 12_000, 700, 0.6),
    ("google", "gemini-2.5-flash", 0.16, 2_500, 400, 0.0),
    ("deepseek", "deepseek-chat", 0.08, 2_000, 600, 0.3),
)


def events(batch: int, count: int = BATCH_EVENTS) -> list[UsageEvent]:
    """The events of one message: one workload, a few models, two minutes."""
    dice = random.Random(batch)
    weights = [model[2] for model in _MODELS]
    made = []
    for number in range(count):
        vendor, name, _, typical_input, typical_output, cached = dice.choices(_MODELS, weights)[0]
        input_tokens = int(dice.lognormvariate(0, 0.8) * typical_input)
        output_tokens = int(dice.lognormvariate(0, 0.7) * typical_output)
        duration = dice.lognormvariate(0, 0.5) * 12 * output_tokens**0.8
        made.append(
            UsageEvent(
                id=f"{vendor}:chatcmpl-{batch:06x}{dice.getrandbits(72):018x}{number:04x}",
                source="sdk",
                time=NOW - timedelta(milliseconds=dice.randrange(90_000)),
                tenant="acme",
                team=f"team-{batch % 24}",
                project=f"project-{batch % 60}",
                service="assistant-api",
                environment="production",
                user=f"user-{dice.randrange(4000)}",
                api_key="assistant-key-2",
                tags={"feature": "search", "release": "2026.46"},
                vendor=vendor,
                model=name,
                requested_model=name,
                region="us-east-1",
                input_tokens=input_tokens,
                cache_read_tokens=int(input_tokens * cached) if dice.random() < cached else 0,
                output_tokens=output_tokens,
                duration_ms=round(duration, 2),
                ttft_ms=round(duration * 0.2, 2),
                streaming=True,
            )
        )
    return made


def run() -> list[Measurement]:
    """One measurement: events a second through `Meter.step` in batches of 500."""
    batches = [encode_batch(events(batch)) for batch in range(BATCHES)]
    meter = Meter(PriceBook.default())

    def step(batch: int) -> int:
        output = meter.step(
            batches[batch],
            headers=HEADERS,
            topic="usage",
            partition=0,
            offset=batch,
            reported_at_ms=1_763_900_000_000,
            now=NOW,
        )
        return output.event_count

    for batch in range(WARM_UP):
        step(batch)
    best = 0.0
    with clock() as taken:  # each batch once: nothing is remembered from an earlier round
        for first in range(WARM_UP, BATCHES, CHUNK):
            with clock() as part:
                done = sum(step(batch) for batch in range(first, first + CHUNK))
            best = max(best, done / part.cpu_seconds)
    mean = (BATCHES - WARM_UP) * BATCH_EVENTS / taken.cpu_seconds
    baseline = _baseline()
    return [
        Measurement(
            name="meter_step",
            value=best,
            unit="events/s per core",
            bar=100_000,
            baseline=baseline,
            baseline_is="one event a message, pydantic, genai-prices",
            cpu_seconds=taken.cpu_seconds,
            wall_seconds=taken.wall_seconds,
            peak_mib=peak_mib(),
            note=f"the best of ten parts, as for the baseline; {mean:,.0f} on average",
        )
    ]


def _baseline() -> float:
    """Events a second, CPU time, of the plain way."""
    messages = [
        event.model_dump_json(exclude_defaults=True).encode()
        for batch in range(BASELINE_EVENTS // BATCH_EVENTS)
        for event in events(batch)
    ]
    adapter = TypeAdapter(UsageEvent)
    best = 0.0
    part_messages = len(messages) // 10
    for first in range(0, len(messages), part_messages):
        with clock() as taken:
            for message in messages[first : first + part_messages]:
                event = adapter.validate_json(message)
                price = calc_price(
                    Usage(
                        input_tokens=event.input_tokens,
                        cache_read_tokens=event.cache_read_tokens,
                        output_tokens=event.output_tokens,
                    ),
                    model_ref=event.model,
                    provider_id=event.vendor,
                    genai_request_timestamp=event.time,
                )
                event.model_dump_json()
                str(price.total_price).encode()
        best = max(best, part_messages / taken.cpu_seconds)
    return best


if __name__ == "__main__":
    for measurement in run():
        print(measurement)
