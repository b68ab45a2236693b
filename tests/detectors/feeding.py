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
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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
_CLOSELY_MINUTES: Final = 10
_STEP_SECONDS: Final = 5
_TOKENS: Final = ("input_tokens", "output_tokens")
_RARE: Final = ("units", "tags", *(field for field in TOKEN_FIELDS if field not in _TOKENS))
_NAMES: Final = (*GROUP_FIELDS, "time", "status", "duration_ms", "ttft_ms", "reported_cost", *_TOKENS, *_RARE)
_values: Final = attrgetter(*_NAMES)


class Arrived(NamedTuple):
    """What arrives in one minute: what belongs to it, and what belonged to minutes before.

    growing: of a minute that is looked at closely, what belongs to it after so many seconds.
    """

    minute: int
    rows: list[GroupRow]
    late: list[tuple[int, GroupRow]]
    growing: list[tuple[float, list[GroupRow]]]


class Feed(NamedTuple):
    """A simulated run. `minutes` gives each minute from the run's begin to its end, silent ones too."""

    story: Story
    price_file: str
    arrived: list[Arrived]

    def minutes(self, *, growing: bool = False) -> Iterator[TenantMinute]:
        """Whole minutes in order. Can be called again.

        growing: with each minute before it is whole: every five seconds in the first minutes of a runaway loop, as
        its reports have come by then, and else once, with half of its groups.
        """
        by_minute = {one.minute: one for one in self.arrived}
        first = (self.story.started_at - EPOCH) // MINUTE
        last = (self.story.ended_at - EPOCH) // MINUTE
        for minute in range(first, last):
            one = by_minute.get(minute) or Arrived(minute, [], [], [])
            if growing:
                for seconds, rows in one.growing or [(30.0, one.rows[::2])]:
                    yield TenantMinute(self.story.tenant, minute, rows, is_whole=False, seconds=seconds)
            yield TenantMinute(self.story.tenant, minute, one.rows, late=one.late)

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
        closely = {
            (loop.started_at - EPOCH) // MINUTE + number
            for loop in simulation.story.of_kind("runaway_loop")
            for number in range(_CLOSELY_MINUTES)
        }
        arrived = arrivals(simulation.events(), book_of(simulation.price_file), closely)
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
    detectors: Sequence[Detector], minutes: Iterable[TenantMinute]
) -> Iterator[tuple[TenantMinute, list[Condition]]]:
    """Each minute with what all detectors say in it; in open ones those that are `early`."""
    for minute in minutes:
        said: list[Condition] = []
        for detector in detectors:
            if minute.is_whole or detector.early:
                said += detector.observe(minute)
        yield minute, said


def arrivals(
    batches: Iterable[list[UsageEvent]], book: PriceBook, closely: Collection[int] = ()
) -> list[Arrived]:
    """The minutes of some reports. batches: those of one minute of arrival each, in order.

    closely: minutes of which is also said how they grow.
    """
    grown: dict[int, list[UsageEvent]] = {minute: [] for minute in closely}
    summed: dict[tuple[int, GroupKey], GroupSums] = {}
    gathered: list[UsageEvent] = []
    arrivals_of: list[int] = []
    arrival = 0
    for batch in batches:
        # A batch does not say when it arrives; one that holds but late reports is taken for the one before it.
        arrival = max(arrival, *((event.time - EPOCH) // MINUTE for event in batch))
        if arrival in grown:
            grown[arrival] += [event for event in batch if (event.time - EPOCH) // MINUTE == arrival]
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
        one = found.setdefault(arrival, Arrived(arrival, [], [], []))
        if minute == arrival:
            one.rows.append(row)
        else:
            one.late.append((minute, row))
    for arrival, events in grown.items():
        if arrival in found:
            found[arrival].growing.extend(_growth(arrival, events, book))
    return [found[arrival] for arrival in sorted(found)]


def _growth(minute: int, events: list[UsageEvent], book: PriceBook) -> Iterator[tuple[float, list[GroupRow]]]:
    """What a minute holds after each of its steps, by the times of its events."""
    start = EPOCH + minute * MINUTE
    for seconds in range(_STEP_SECONDS, 60, _STEP_SECONDS):
        until = start + timedelta(seconds=seconds)
        so_far = [event for event in events if event.time < until]
        yield float(seconds), [row for one in arrivals([so_far] if so_far else [], book) for row in one.rows]


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
    figures_of = ("status", "duration_ms", "ttft_ms", "reported_cost", *_TOKENS, *rare)
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
_Grown = tuple[int, float, int, _Sums]


class _Kept(msgspec.Struct):
    groups: list[tuple[str, ...]]
    rows: list[_Row]
    """(arrival, minute, number of the group, sums)."""
    growing: list[_Grown]
    """(minute, seconds, number of the group, sums)."""


def _encode(arrived: list[Arrived]) -> bytes:
    numbers: dict[tuple[str, ...], int] = {}

    def number_of(row: GroupRow) -> int:
        return numbers.setdefault(row.key, len(numbers))

    rows: list[_Row] = []
    growing: list[_Grown] = []
    for one in arrived:
        for minute, row in [*((one.minute, row) for row in one.rows), *one.late]:
            rows.append((one.minute, minute, number_of(row), _plain(row.sums)))
        for seconds, so_far in one.growing:
            growing += [(one.minute, seconds, number_of(row), _plain(row.sums)) for row in so_far]
            # Of a step without calls nothing else would say that it was looked at.
            growing += [] if so_far else [(one.minute, seconds, -1, _plain(GroupSums()))]
    return msgspec.msgpack.encode(_Kept(list(numbers), rows, growing))


def _plain(sums: GroupSums) -> _Sums:
    return (
        sums.calls,
        sums.statuses,
        sums.tokens,
        sums.cost_picos,
        sums.unpriced_calls,
        sums.durations,
        sums.ttfts,
    )


def _decode(kept: bytes) -> list[Arrived]:
    read = msgspec.msgpack.decode(kept, type=_Kept)
    names = [dict(zip(GROUP_FIELDS, group, strict=True)) for group in read.groups]
    arrived: list[Arrived] = []
    for arrival, minute, number, sums in read.rows:
        if not arrived or arrived[-1].minute != arrival:
            arrived.append(Arrived(arrival, [], [], []))
        row = GroupRow(names[number], _sums(sums))
        if minute == arrival:
            arrived[-1].rows.append(row)
        else:
            arrived[-1].late.append((minute, row))
    by_minute = {one.minute: one for one in arrived}
    for minute, seconds, number, sums in read.growing:
        steps = by_minute[minute].growing
        if not steps or steps[-1][0] != seconds:
            steps.append((seconds, []))
        if number >= 0:
            steps[-1][1].append(GroupRow(names[number], _sums(sums)))
    return arrived


def _sums(plain: _Sums) -> GroupSums:
    calls, statuses, tokens, cost, unpriced, durations, ttfts = plain
    sums = GroupSums()
    sums.calls, sums.tokens, sums.cost_picos, sums.unpriced_calls = calls, tokens, cost, unpriced
    sums.durations, sums.ttfts = durations, ttfts
    sums.statuses.update(statuses)
    return sums


__all__ = ["END", "Arrived", "Feed", "arrivals", "book_of", "fleet", "observe"]
