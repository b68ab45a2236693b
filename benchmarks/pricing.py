"""The price book: how many prices one core finds, and how many events it prices, in a second.

Beside it genai-prices' own calculation on the same events. The events are those of the other benchmarks: fourteen
models of nine vendors, one of them billed in yuan, one without a price.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from genai_prices import Usage, calc_price

from benchmarks.measure import PER_CORE, Measurement, best_rate, clock, in_parts, mean_rate
from benchmarks.workload import BATCH_EVENTS, WORKLOADS, usage_message
from streams.groups import Span, groups_of
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent

ROUNDS: Final = 400
BASELINE_EVENTS: Final = 8_000
PARTS: Final = 10
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
    columns = {name: [getattr(event, name) for event in events] for name in UsageEvent.model_fields}
    span = Span(min(columns["time"]), max(columns["time"]))
    groups = [
        (group.names, {name: group.of(column) for name, column in columns.items()}, len(group.places))
        for group in groups_of(columns, span)
    ]
    keys = [(event.vendor, event.model, event.time) for event in events]

    def look_up(_: int) -> int:
        for vendor, model, moment in keys:
            lookup(vendor, model, moment)
        return len(keys)

    def price_each(_: int) -> int:
        for event in events:
            price(event)
        return len(events)

    def price_together(_: int) -> int:
        for names, counts, _ in groups:
            book.price_group(names, *span, counts)
        return sum(calls for *_, calls in groups)

    priced = [event for event in events if price(event).cost_picos is not None][:baseline]
    plain = best_rate(in_parts(lambda number: _plain(priced[number]), range(len(priced)), PARTS))
    return [
        _measurement(
            "pricing_lookup", look_up, rounds, plain, "which row holds for a vendor, a model, a time"
        ),
        _measurement(
            "pricing_price", price_each, rounds // 10 + 1, plain, "lookup and exact cost by component"
        ),
        _measurement(
            "pricing_price_group",
            price_together,
            rounds // 10 + 1,
            plain,
            "the same, a group of calls at once",
        ),
    ]


def _measurement(name: str, work: Callable[[int], int], rounds: int, plain: float, note: str) -> Measurement:
    with clock() as taken:
        parts = in_parts(work, range(rounds), PARTS)
    is_lookup = name == "pricing_lookup"
    return Measurement(
        name=name,
        value=best_rate(parts),
        mean=mean_rate(parts),
        unit="lookups/s per core" if is_lookup else PER_CORE,
        bar=1_000_000 if is_lookup else None,
        baseline=plain,
        baseline_is="genai_prices.calc_price, which finds the price and calculates",
        cpu_seconds=taken.cpu_seconds,
        wall_seconds=taken.wall_seconds,
        note=note,
    )


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
