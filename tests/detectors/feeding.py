"""The simulated fleet as detectors see it: its reports priced and summed by minute, late ones delivered late.

`fleet(seed)` gives a month; metering it costs some seconds of CPU the first time and is kept in a temporary folder
after that (`TOKENWEIR_FEED_CACHE` names another; empty keeps nothing). A report is on time when it arrives within its
minute, which is stricter than the pipeline, where a minute is waited for.

Prices and sums are those of the meter: `price_group` and `GroupSums`, over whole days of a group where the meter takes
a message's minute. tests/detectors/test_feeding.py holds them to `Meter.step`.
"""

import gc
import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

import producers.simulation
import tokenweir.pricing
from producers.simulation import FleetSimulation, Story
from streams.detectors.detector import Condition, Detector, Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from streams.groups import EPOCH, MINUTE, Span, groups_of
from streams.windows import GroupKey, GroupSums
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.pricing.plain import GroupCost
from tokenweir.settings import DetectionSettings
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS

END: Final = datetime(2026, 11, 20, tzinfo=UTC)
"""Of a month in which the clocks of Europe and of America are put back."""

_MOST_AT_ONCE: Final = 20_000
_RARE: Final = ("units", "tags", *TOKEN_FIELDS)
_NAMES: Final = (*GROUP_FIELDS, "time", "status", "duration_ms", "ttft_ms", "reported_cost", *_RARE)
_values: Final = attrgetter(*_NAMES)


class Arrived(NamedTuple):
    """What arrives in one minute: what belongs to it, and what belonged to minutes before."""

    minute: int
    rows: list[GroupRow]
    late: list[tuple[int, GroupRow]]


class Feed(NamedTuple):
    """A simulated run. `minutes` gives each minute from the run's begin to its end, silent ones too."""

    story: Story
    price_file: str
    arrived: list[Arrived]

    def minutes(self) -> Iterator[TenantMinute]:
        """Whole minutes in order. Can be called again."""
        by_minute = {one.minute: one for one in self.arrived}
        first = (self.story.started_at - EPOCH) // MINUTE
        last = (self.story.ended_at - EPOCH) // MINUTE
        for minute in range(first, last):
            one = by_minute.get(minute)
            rows, late = (one.rows, one.late) if one else ([], [])
            yield TenantMinute(self.story.tenant, minute, rows, late=late)

    def surroundings(self, settings: DetectionSettings | None = None) -> Surroundings:
        """The run's price book, the catalog, and the settings of detection."""
        return Surroundings(
            book=book_of(self.price_file),
            catalog=Catalog.default(),
            settings=settings or DetectionSettings(),
        )


def fleet(
    seed: int, *, days: int = 30, end: datetime = END, calls_scale: float = 1.0, quiet: bool = False
) -> Feed:
    """The simulated fleet's minutes."""
    simulation = FleetSimulation(seed=seed, end=end, days=days, calls_scale=calls_scale, quiet=quiet)
    kept = _kept_at(simulation, quiet)
    with _without_garbage_collection():
        if kept is not None and kept.exists():
            return Feed(simulation.story, simulation.price_file, _decode(kept.read_bytes()))
        arrived = arrivals(simulation.events(), book_of(simulation.price_file))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            fresh = kept.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(_encode(arrived))
            fresh.replace(kept)
    return Feed(simulation.story, simulation.price_file, arrived)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Half a million objects are made, none in a cycle; walking through them takes longer than making them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def book_of(price_file: str) -> PriceBook:
    """The built-in book with a run's own prices over it."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(price_file)
        file.flush()
        return PriceBook.default(Path(file.name))


def observe(
    detectors: Sequence[Detector], minutes: Iterable[TenantMinute], *, open_minutes: bool = False
) -> Iterator[tuple[TenantMinute, list[Condition]]]:
    """Each minute with what all detectors say in it.

    open_minutes: with each minute shown half full, to those that are `early`, before it is whole.
    """
    for minute in minutes:
        said: list[Condition] = []
        if open_minutes:
            growing = TenantMinute(
                minute.tenant, minute.minute, minute.rows[::2], is_whole=False, seconds=30.0
            )
            for detector in detectors:
                if detector.early:
                    said += detector.observe(growing)
            yield growing, said
            said = []
        for detector in detectors:
            said += detector.observe(minute)
        yield minute, said


def arrivals(batches: Iterable[list[UsageEvent]], book: PriceBook) -> list[Arrived]:
    """The minutes of some reports. batches: those of one minute of arrival each, in order."""
    summed: dict[tuple[int, GroupKey], GroupSums] = {}
    gathered: list[UsageEvent] = []
    arrivals_of: list[int] = []
    arrival = 0
    for batch in batches:
        # A batch does not say when it arrives; one that holds but late reports is taken for the one before it.
        arrival = max(arrival, *((event.time - EPOCH) // MINUTE for event in batch))
        gathered += batch
        arrivals_of += [arrival] * len(batch)
        if len(gathered) >= _MOST_AT_ONCE:
            _sum_up(gathered, arrivals_of, book, summed)
            gathered, arrivals_of = [], []
    if gathered:
        _sum_up(gathered, arrivals_of, book, summed)
    names: dict[tuple[str, ...], dict[str, str]] = {}
    found: dict[int, Arrived] = {}
    for (arrival, (*values, minute)), sums in summed.items():
        group = tuple(values)
        row = GroupRow(names.setdefault(group, dict(zip(GROUP_FIELDS, group, strict=True))), sums)
        one = found.setdefault(arrival, Arrived(arrival, [], []))
        if minute == arrival:
            one.rows.append(row)
        else:
            one.late.append((minute, row))
    return [found[arrival] for arrival in sorted(found)]


def _sum_up(
    events: list[UsageEvent],
    arrivals_of: list[int],
    book: PriceBook,
    summed: dict[tuple[int, GroupKey], GroupSums],
) -> None:
    columns: dict[str, Sequence[Any]] = dict(
        zip(_NAMES, zip(*map(_values, events), strict=True), strict=True)
    )
    times = columns["time"]
    span = Span(min(times), max(times))
    # Priced without regard to the minute: a group is then long, and pricing it is cheap.
    together = {**columns, "time": [span.earliest] * len(events)}
    rare = tuple(name for name in _RARE if any(columns[name]))
    figures_of = ("status", "duration_ms", "ttft_ms", "reported_cost", *rare)
    not_stated: dict[str, Sequence[Any]] = dict.fromkeys(_RARE, ())
    for group in groups_of(together, Span(span.earliest, span.earliest)):
        figures = {name: group.of(columns[name]) for name in figures_of}
        priced = book.price_group(group.names, *span, not_stated | figures)
        costs: Sequence[int | None]
        if isinstance(priced, GroupCost):
            costs = priced.cost_picos
        elif priced is not None:
            costs = [priced.cost_picos] * len(group.places)
        else:
            costs = [book.price(events[place]).cost_picos for place in group.places]
        places: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for number, place in enumerate(group.places):
            places[arrivals_of[place], (times[place] - EPOCH) // MINUTE].append(number)
        values = tuple(group.names.values())
        for (arrival, minute), numbers in places.items():
            part = {name: [column[number] for number in numbers] for name, column in figures.items()}
            sums = GroupSums.of(part, [costs[number] for number in numbers])
            key = (arrival, (*values, minute))
            if key in summed:
                summed[key].merge(sums)
            else:
                summed[key] = sums


def _kept_at(simulation: FleetSimulation, quiet: bool) -> Path | None:
    folder = os.environ.get("TOKENWEIR_FEED_CACHE", str(Path(tempfile.gettempdir()) / "tokenweir-feeds"))
    if not folder:
        return None
    story = simulation.story
    digest = hashlib.blake2b(digest_size=8)
    made_by = [Path(__file__)]
    for package, files in ((producers.simulation, "*.py"), (tokenweir.pricing, "**/*.*")):
        made_by += sorted(Path(package.__path__[0]).glob(files))
    for path in made_by:
        if "__pycache__" not in path.parts:
            digest.update(path.read_bytes())
    name = f"{story.seed}-{story.days}-{story.calls_scale:g}-{story.ended_at:%Y%m%d%H%M}{'-quiet' * quiet}"
    return Path(folder) / digest.hexdigest() / name


_Sums = tuple[int, dict[str, int], list[int], int, int, dict[int, int], dict[int, int]]
_Row = tuple[int, int, int, _Sums]


class _Kept(msgspec.Struct):
    groups: list[tuple[str, ...]]
    rows: list[_Row]
    """(arrival, minute, number of the group, sums)."""


def _encode(arrived: list[Arrived]) -> bytes:
    numbers: dict[tuple[str, ...], int] = {}
    rows: list[_Row] = []
    for one in arrived:
        for minute, row in [*((one.minute, row) for row in one.rows), *one.late]:
            sums = row.sums
            rows.append(
                (
                    one.minute,
                    minute,
                    numbers.setdefault(row.key, len(numbers)),
                    (
                        sums.calls,
                        sums.statuses,
                        sums.tokens,
                        sums.cost_picos,
                        sums.unpriced_calls,
                        sums.durations,
                        sums.ttfts,
                    ),
                )
            )
    return msgspec.msgpack.encode(_Kept(list(numbers), rows))


def _decode(kept: bytes) -> list[Arrived]:
    read = msgspec.msgpack.decode(kept, type=_Kept)
    names = [dict(zip(GROUP_FIELDS, group, strict=True)) for group in read.groups]
    arrived: list[Arrived] = []
    for arrival, minute, number, (calls, statuses, tokens, cost, unpriced, durations, ttfts) in read.rows:
        sums = GroupSums()
        sums.calls, sums.tokens, sums.cost_picos, sums.unpriced_calls = calls, tokens, cost, unpriced
        sums.durations, sums.ttfts = durations, ttfts
        sums.statuses.update(statuses)
        if not arrived or arrived[-1].minute != arrival:
            arrived.append(Arrived(arrival, [], []))
        row = GroupRow(names[number], sums)
        if minute == arrival:
            arrived[-1].rows.append(row)
        else:
            arrived[-1].late.append((minute, row))
    return arrived


__all__ = ["END", "Arrived", "Feed", "arrivals", "book_of", "fleet", "observe"]
