"""The price book: how many prices one core finds, and how many events it prices, in a second.

Beside it genai-prices' own calculation on the same events. The events are those of the other benchmarks: fourteen
models of nine vendors, one of them billed in yuan, one without a price.
"""

from datetime import UTC, datetime
from typing import Final

from genai_prices import Usage, calc_price

from benchmarks.measure import Measurement, clock
from benchmarks.workload import BATCH_EVENTS, WORKLOADS, usage_message
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent

ROUNDS: Final = 400
BASELINE_EVENTS: Final = 8_000
AT: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(
    workloads: int = WORKLOADS, rounds: int = ROUNDS, baseline: int = BASELINE_EVENTS
) -> list[Measurement]:
    """Lookups and calculations a second."""
    events = [
        UsageEvent.model_validate_json(line)
        for number in range(workloads)
        for line in usage_message(number, AT, BATCH_EVENTS // 5).value.split(b"\n")
    ]
    book = PriceBook.default()
    lookup, price = book.lookup, book.price
    for event in events:
        price(event)
    keys = [(event.vendor, event.model, event.time) for event in events]
    with clock() as looking_up:
        for _ in range(rounds):
            for vendor, model, moment in keys:
                lookup(vendor, model, moment)
    with clock() as pricing:
        for _ in range(rounds // 10 + 1):
            for event in events:
                price(event)
    priced = [event for event in events if price(event).cost_picos is not None][:baseline]
    with clock() as plain:
        found = sum(_plain(event) for event in priced)
    beside = "genai_prices.calc_price, which finds the price and calculates"
    return [
        Measurement(
            name="pricing_lookup",
            value=len(keys) * rounds / looking_up.cpu_seconds,
            unit="lookups/s per core",
            bar=1_000_000,
            baseline=found / plain.cpu_seconds,
            baseline_is=beside,
            cpu_seconds=looking_up.cpu_seconds,
            wall_seconds=looking_up.wall_seconds,
            note="which row of the book holds for a vendor, a model and a time",
        ),
        Measurement(
            name="pricing_price",
            value=len(events) * (rounds // 10 + 1) / pricing.cpu_seconds,
            unit="events/s per core",
            baseline=found / plain.cpu_seconds,
            baseline_is=beside,
            cpu_seconds=pricing.cpu_seconds,
            wall_seconds=pricing.wall_seconds,
            note="lookup and exact cost by component",
        ),
    ]


def _plain(event: UsageEvent) -> int:
    """Prices one event the plain way. 1 where genai-prices knows the model, else 0."""
    return plain_cost(event) is not None


def plain_cost(event: UsageEvent) -> str | None:
    """What genai-prices makes of an event; None where it does not know the vendor or the model."""
    try:
        calculated = calc_price(
            Usage(
                input_tokens=event.input_tokens,
                cache_read_tokens=event.cache_read_tokens or None,
                output_tokens=event.output_tokens,
            ),
            model_ref=event.model,
            provider_id=event.vendor,
            genai_request_timestamp=event.time,
        )
    except LookupError:
        return None
    return str(calculated.total_price)
