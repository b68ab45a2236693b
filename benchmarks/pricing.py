"""The price book: how many prices one core finds, how many events it prices, how soon it is there, how large it may be.

Beside it genai-prices and model-prices on the same events in the same run, with how many each can price and how many it
prices as is known. The events are those of the other benchmarks: fourteen models of nine vendors, one of them billed in
yuan, one without a price.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from benchmarks.known_costs import KNOWN_CNY_PICOS, known_costs, shared_data
from benchmarks.large_book import ROWS, generated_models, large_book
from benchmarks.measure import PER_CORE, Clock, Measurement, Part, best_rate, clock, in_parts, mean_rate
from benchmarks.price_books import GENAI_PRICES, MODEL_PRICES, answers, known_picos, ours
from benchmarks.pricing_start import STARTS, starts
from benchmarks.workload import BATCH_EVENTS, WORKLOADS, usage_message
from streams.groups import Span, groups_of
from tokenweir.pricing import PriceBook
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates
from tokenweir.pricing.price import BEGINNING, END
from tokenweir.usage import UsageEvent

ROUNDS: Final = 400
FIRST_LOOKUPS: Final = 2_000
FIRST_LOOKUP_BAR_US: Final = 1_000.0
PARTS: Final = 10
AT: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
_LOOKUPS_BAR: Final = 1_000_000
_LOOKUPS: Final = "lookups/s per core"

_Key = tuple[str, str, datetime]


def run(
    workloads: int = WORKLOADS,
    rounds: int = ROUNDS,
    rows: int = ROWS,
    process_starts: int = STARTS,
) -> list[Measurement]:
    """Lookups and calculations a second, of the default book and of a large one; the time to a first price."""
    events = [
        UsageEvent.model_validate_json(line)
        for number in range(workloads)
        for line in usage_message(number, AT, BATCH_EVENTS // 5).value.split(b"\n")
    ]
    book = PriceBook.default()
    return [
        *_beside_others(book, events, rounds),
        *of_known_costs(book),
        _groups(book, events, rounds // 10 + 1),
        *_of_many_rows(book, events, rounds, rows),
        *starts(process_starts),
    ]


def _beside_others(book: PriceBook, events: Sequence[UsageEvent], rounds: int) -> list[Measurement]:
    price = book.price
    keys = [(event.vendor, event.model, event.time) for event in events]

    def price_each(_: int) -> int:
        for event in events:
            price(event)
        return len(events)

    asked = [(event, known_picos(event)) for event in events]
    own = answers(ours(book), asked)
    finding, pricing = _work(_looking_up(book, keys), rounds), _work(price_each, rounds // 10 + 1)
    found = []
    for other in (GENAI_PRICES, MODEL_PRICES):
        name = other.name.replace("-", "_")
        note = f"ours: {own}; {other.name}: {answers(other, asked)}"
        found += [
            finding.measurement(
                f"pricing_lookup_beside_{name}",
                _LOOKUPS,
                f"which row holds for a vendor, a model, a time; {note}",
                bar=_LOOKUPS_BAR,
                baseline=_rate(other.look_up, events),
                baseline_is=f"{other.name} finding the price of the same events",
            ),
            pricing.measurement(
                f"pricing_price_beside_{name}",
                PER_CORE,
                f"lookup and exact cost by component; {note}",
                baseline=_rate(other.price, events),
                baseline_is=f"{other.name} pricing the same events",
            ),
        ]
    return found


def of_known_costs(book: PriceBook) -> list[Measurement]:
    """How many of the known costs each book finds; nothing where they are not at hand."""
    known = known_costs(shared_data())
    if not known:
        return []
    yuan = ExchangeRate("CNY", BEGINNING, END, KNOWN_CNY_PICOS, BEGINNING, "the rate of the known costs")
    asked = [(case.event, case.cost_picos) for case in known]
    own = answers(ours(PriceBook(book.sources, ExchangeRates([yuan]))), asked)
    return [
        Measurement(
            f"pricing_known_costs_beside_{other.name.replace('-', '_')}",
            value=own.right,
            unit=f"right of {own.known}",
            baseline=found.right,
            baseline_is=f"{other.name}: {found}",
            bar=own.known,
            note=f"ours: {own}",
        )
        for other in (GENAI_PRICES, MODEL_PRICES)
        for found in [answers(other, asked)]
    ]


def _groups(book: PriceBook, events: Sequence[UsageEvent], rounds: int) -> Measurement:
    columns = {name: [getattr(event, name) for event in events] for name in UsageEvent.model_fields}
    span = Span(min(columns["time"]), max(columns["time"]))
    groups = [
        (group.names, {name: group.of(column) for name, column in columns.items()}, len(group.places))
        for group in groups_of(columns, span)
    ]

    def price_together(_: int) -> int:
        for names, counts, _ in groups:
            book.price_group(names, *span, counts)
        return sum(calls for *_, calls in groups)

    return _work(price_together, rounds).measurement(
        "pricing_price_group",
        PER_CORE,
        "the same, a group of calls at once",
        baseline=_rate(GENAI_PRICES.price, events),
        baseline_is="genai-prices pricing the same events",
    )


def _of_many_rows(book: PriceBook, events: Sequence[UsageEvent], rounds: int, rows: int) -> list[Measurement]:
    """Lookups in a book of so many rows more, beside those in `book`: the same events, under names of the large one."""
    source = large_book(rows)
    large = PriceBook([*book.sources, source])
    models = generated_models(rows)
    called = sorted({(event.vendor, event.model) for event in events})
    renamed = {each: models[place * (len(models) // len(called))] for place, each in enumerate(called)}
    keys = {
        book: [(event.vendor, event.model, event.time) for event in events],
        large: [(*renamed[event.vendor, event.model], event.time) for event in events],
    }

    parts: dict[PriceBook, list[Part]] = {book: [], large: []}
    with clock() as taken:
        for _ in range(PARTS):  # in turns, so that both meet the same machine
            for asked, found in parts.items():
                found += in_parts(_looking_up(asked, keys[asked]), range(rounds // PARTS + 1), 1)
    names = models[:: max(1, len(models) // FIRST_LOOKUPS)]
    first = _first_lookups(large, [(*model, AT) for model in names])
    named = {(row.vendor, row.match.text) for row in book.rows() if row.match.operation == "equals"}
    plain_first = _first_lookups(PriceBook.default(), [(*name, AT) for name in sorted(named)])
    return [
        Measurement(
            "pricing_lookup_large_book",
            value=best_rate(parts[large]),
            mean=mean_rate(parts[large]),
            unit=_LOOKUPS,
            bar=_LOOKUPS_BAR,
            baseline=best_rate(parts[book]),
            baseline_is="the default book, in turns",
            cpu_seconds=taken.cpu_seconds,
            wall_seconds=taken.wall_seconds,
            note=f"the same with {rows:,} rows more",
        ),
        Measurement(
            "pricing_first_lookup_large_book",
            value=first,
            unit="µs CPU",
            bar=FIRST_LOOKUP_BAR_US,
            baseline=plain_first,
            baseline_is="the default book",
            higher_is_better=False,
            note=f"the first time a name is asked for, mean of {len(names):,} names, with making ready their vendors",
        ),
    ]


def _looking_up(book: PriceBook, keys: Sequence[_Key]) -> Callable[[int], int]:
    """Looks up every key; what it gives is how many that was."""
    lookup = book.lookup

    def look_up(_: int) -> int:
        for vendor, model, moment in keys:
            lookup(vendor, model, moment)
        return len(keys)

    return look_up


def _first_lookups(book: PriceBook, keys: Sequence[_Key]) -> float:
    """CPU microseconds a lookup of names that were not asked for before."""
    with clock() as taken:
        for key in keys:
            book.lookup(*key)
    return taken.cpu_seconds / len(keys) * 1_000_000


class _Work(NamedTuple):
    """Parts of some work, and how long all of it took."""

    parts: list[Part]
    taken: Clock

    def measurement(
        self, name: str, unit: str, note: str, *, baseline: float, baseline_is: str, bar: float | None = None
    ) -> Measurement:
        return Measurement(
            name=name,
            value=best_rate(self.parts),
            mean=mean_rate(self.parts),
            unit=unit,
            bar=bar,
            baseline=baseline,
            baseline_is=baseline_is,
            cpu_seconds=self.taken.cpu_seconds,
            wall_seconds=self.taken.wall_seconds,
            note=note,
        )


def _work(work: Callable[[int], int], rounds: int) -> _Work:
    with clock() as taken:
        parts = in_parts(work, range(rounds), PARTS)
    return _Work(parts, taken)


def _rate(ask: Callable[[UsageEvent], object], events: Sequence[UsageEvent]) -> float:
    def ask_one(number: int) -> int:
        ask(events[number])
        return 1

    return best_rate(in_parts(ask_one, range(len(events)), PARTS))
