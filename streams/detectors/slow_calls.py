"""What is known of slow calls while they are looked at and while they are told. Plain data.

An Entry is what the calls of one cell in one minute took, kept for as long as something speaks for a rise. An Open is
what is being told: how much slower its calls were, whose they were, and whether they are as fast as ever again.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from streams.detectors.call_habits import Rise
from streams.detectors.call_times import DURATION, MEASURES, TTFT, CallTimes, add_coarsely, answered_durations
from streams.detectors.failure_seat import Series
from streams.detectors.slowness import LEAST_RISE
from streams.windows import GroupSums

_OVER: Final = 7.0
"""So much has to speak for the usual, as a logarithm, before it is over."""
_MOST_A_MINUTE: Final = _OVER / 3
_MOST_RISE: Final = 1.0
_SILENT_MINUTES: Final = 60
_SILENT_GAPS: Final = 6
"""So many times what usually lies between two minutes with calls; seldom is it more."""
_MOST_SILENT_MINUTES: Final = 360
_LEAST_OUTPUT_TOKENS: Final = 30
_CLEARLY_MORE: Final = 0.2
_ENOUGH_CALLS: Final = 4
_OUTPUT_RATIO: Final = 1.3
_TTFT_RATIO: Final = 1.25


class Sums(msgspec.Struct):
    """Calls of one minute and measure. product: of rises at least, each times its precision; plain: of rises."""

    calls: int = 0
    precision: float = 0.0
    product: float = 0.0
    plain: float = 0.0

    def add(self, calls: int, rise: Rise) -> None:
        """Add some calls."""
        self.calls += calls
        self.precision += rise.precision
        self.product += rise.precision * rise.at_least
        self.plain += rise.precision * rise.rise


class Timed(msgspec.Struct, array_like=True):
    """Calls that were timed by one measure: what they took and were expected to take in all, and counts by bucket.

    product: of rises at least, each times its precision; plain: of rises.
    """

    calls: int = 0
    taken_ms: float = 0.0
    expected_ms: float = 0.0
    precision: float = 0.0
    product: float = 0.0
    buckets: dict[int, float] = {}
    plain: float = 0.0

    def add(self, other: "Timed") -> None:
        """Add what an Entry has."""
        self.calls += other.calls
        self.taken_ms += other.taken_ms
        self.expected_ms += other.expected_ms
        self.precision += other.precision
        self.product += other.product
        self.plain += other.plain
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0.0) + count


class Entry(msgspec.Struct, array_like=True):
    """One cell's calls, of one minute or since they are slow. timed: by measure."""

    minute: int
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    timed: list[Timed] = msgspec.field(default_factory=lambda: [Timed() for _ in MEASURES])

    @classmethod
    def of(cls, minute: int, times: CallTimes) -> "Entry":
        """An entry to which the measures are to be added."""
        return cls(minute, times.calls, *times.tokens)

    def time(self, measure: int, calls: int, rise: Rise, mean_ms: float, sums: GroupSums) -> None:
        """Add what calls took by one measure."""
        buckets: dict[int, float] = {}
        add_coarsely(buckets, sums.ttfts if measure == TTFT else answered_durations(sums))
        self.timed[measure] = Timed(
            calls,
            mean_ms * calls,
            rise.mean_ms * calls,
            rise.precision,
            rise.precision * rise.at_least,
            buckets,
            rise.precision * rise.rise,
        )

    def add(self, other: "Entry") -> None:
        """Add another entry of the cell."""
        self.calls += other.calls
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        for mine, its in zip(self.timed, other.timed, strict=True):
            mine.add(its)


class Open(msgspec.Struct):
    """What is being told.

    measure: by which it is told. cells: its calls since it begins. low: by measure, what speaks for its end.
    """

    measure: int
    level: int
    values: tuple[str, ...]
    begins: int
    opened: int
    last: int
    minutes: int = 0
    low: list[float] = msgspec.field(default_factory=lambda: [0.0 for _ in MEASURES])
    is_of_output: bool = False
    cells: dict[tuple[str, ...], Entry] = {}
    other_cells: dict[tuple[str, ...], Entry] = {}
    """The vendor's calls that are not the seat's."""
    told_before: list[tuple[int, tuple[str, ...]]] = []
    """Level and values of the series at which it was told before."""

    @property
    def series(self) -> Series:
        """Where it is told."""
        return Series(self.level, self.values)

    @property
    def others(self) -> Entry:
        """The vendor's calls that are not the seat's, added up."""
        found = Entry(self.begins)
        for entry in self.other_cells.values():
            found.add(entry)
        return found

    def take_over(self, other: "Open") -> None:
        """What was told elsewhere is told here."""
        self.told_before = [*self.told_before, *other.told_before, (other.level, other.values)]

    def tally(self, cell: tuple[str, ...], measure: int) -> Timed:
        """What a cell's calls took by a measure since it begins."""
        entry = self.cells.get(cell) or self.other_cells.get(cell)
        return entry.timed[measure] if entry else Timed()

    def move(self, series: Series) -> None:
        """It is told at another level from now on."""
        self.told_before = [*self.told_before, (self.level, self.values)]
        every = {**self.cells, **self.other_cells}
        self.level, self.values = series
        self.cells = {cell: entry for cell, entry in every.items() if series.holds(cell)}
        self.other_cells = {cell: entry for cell, entry in every.items() if not series.holds(cell)}
        self.low = [0.0 for _ in MEASURES]
        self.name_measure()

    def take(
        self,
        minute: int,
        entries: Sequence[tuple[tuple[str, ...], Entry]],
        asked: Collection[tuple[str, ...]] = (),
    ) -> None:
        """Add entries of the vendor's cells of one minute. asked: cells that can say how it stands; empty for all."""
        series = self.series
        has_any = False
        for cell, entry in entries:
            is_its = series.holds(cell)
            is_asked = is_its and (not asked or cell in asked)
            has_any = has_any or (is_asked and any(timed.calls for timed in entry.timed))
            cells = self.cells if is_its else self.other_cells
            if cell not in cells:
                cells[cell] = Entry(minute)
            cells[cell].add(entry)
        if has_any:
            self.last = max(self.last, minute)
            self.minutes += 1

    def weigh(self, measure: int, sums: Sums, variance: float) -> None:
        """Whether a minute's calls speak for the usual. variance: of their mean."""
        rise = min(max(rise_of(self.cells.values(), measure), LEAST_RISE), _MOST_RISE)
        plain = sums.plain / sums.precision
        unsure = plain - sums.product / sums.precision
        gain = rise * (rise / 2 - plain) / (variance + unsure * unsure)
        self.low[measure] = max(0.0, self.low[measure] + min(max(gain, -_MOST_A_MINUTE), _MOST_A_MINUTE))

    def is_over(self, now: int) -> bool:
        """Whether its calls are as fast as ever again, or there are none any more."""
        gap = (self.last - self.begins) / max(1, self.minutes - 1)
        silent = min(max(_SILENT_MINUTES, _SILENT_GAPS * gap), _MOST_SILENT_MINUTES)
        return now - self.last > silent or all(
            low >= _OVER or (measure != self.measure and not self._is_slow_by(measure))
            for measure, low in enumerate(self.low)
        )

    def name_measure(self) -> None:
        """Tell it by what it shows in most: the first token, the speed of output after it, or the whole duration."""
        first, whole = (rise_of(self.cells.values(), measure) for measure in (TTFT, DURATION))
        if self.measure == DURATION and first > whole + _CLEARLY_MORE and self._is_slow_by(TTFT):
            self.measure = TTFT
        self.is_of_output = self.is_output_slower()

    def _is_slow_by(self, measure: int) -> bool:
        timed = total(self.cells.values(), measure)
        return timed.calls >= _ENOUGH_CALLS and rise_of(self.cells.values(), measure) >= LEAST_RISE

    def is_output_slower(self) -> bool:
        """Whether what takes longer is the output, after a first token that comes as ever."""
        if self.measure != DURATION:
            return False
        first = total(self.cells.values(), TTFT)
        seconds, expected, tokens = output_times(self.cells.values())
        return (
            tokens > 0
            and seconds >= _OUTPUT_RATIO * expected
            and first.taken_ms <= _TTFT_RATIO * first.expected_ms
        )


def total(entries: Iterable[Entry], measure: int) -> Timed:
    """The entries' calls by one measure, added up."""
    found = Timed()
    for entry in entries:
        found.add(entry.timed[measure])
    return found


def rise_of(entries: Iterable[Entry], measure: int) -> float:
    """By how much calls were slower, as a logarithm."""
    found = total(entries, measure)
    return found.product / found.precision if found.precision else 0.0


def output_times(entries: Iterable[Entry]) -> tuple[float, float, float]:
    """Seconds from first to last token, those expected, and the tokens meanwhile; of cells with calls that stream.

    Cells whose calls put out next to nothing are left out: what they take says nothing about the speed of output.
    """
    seconds = expected = tokens = 0.0
    for entry in entries:
        first, whole = entry.timed
        if not first.calls or not whole.calls or entry.output_tokens < _LEAST_OUTPUT_TOKENS * entry.calls:
            continue
        its = whole.taken_ms / whole.calls - first.taken_ms / first.calls
        usual = whole.expected_ms / whole.calls - first.expected_ms / first.calls
        if its <= 0 or usual <= 0:
            continue
        seconds += its * entry.calls / 1000
        expected += usual * entry.calls / 1000
        tokens += entry.output_tokens
    return seconds, expected, tokens
