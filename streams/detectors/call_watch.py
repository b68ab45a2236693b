"""What is kept of each series and each cell whose calls are watched for slowness. Plain data."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from streams.detectors.call_habits import Cell, Rhythm, Route
from streams.detectors.call_times import DURATION, MEASURES, TTFT
from streams.detectors.failure_seat import Series
from streams.detectors.latency_seat import SlowTally
from streams.detectors.slow_calls import Entry
from streams.detectors.slowness import Slowness

_MOST_ENTRIES: Final = 12
_OLDEST_ENTRY_MINUTES: Final = 360
_LIVE_MINUTES: Final = 24 * 60
_WRITES_TOKENS: Final = 60
DOMINATES: Final = 0.7

Key = tuple[str, ...]
"""Values of names of a group, by their order."""


class Watch(msgspec.Struct, array_like=True):
    """One series. slowness: by measure. slow_since: the minute since which it is slow enough to be told; -1: not."""

    born: int
    last: int
    slowness: list[Slowness] = msgspec.field(default_factory=lambda: [Slowness() for _ in MEASURES])
    slow_since: int = -1
    is_suspect: bool = False
    """As its minutes so far leave it: whether its calls may well be slow, and whether anything speaks for it."""
    is_rising: bool = False

    def look(self, now: int) -> None:
        """Note where its minutes leave it."""
        one, other = self.slowness
        self.is_rising = one.minutes > 0 or other.minutes > 0
        self.is_suspect = self.is_rising and (one.is_suspect or other.is_suspect)
        if not self.is_suspect or not (one.is_slow or other.is_slow):
            self.slow_since = -1
        elif self.slow_since < 0:
            self.slow_since = now

    def forget(self) -> None:
        """Nothing speaks for anything."""
        self.slow_since = -1
        self.is_suspect = self.is_rising = False
        for slowness in self.slowness:
            slowness.forget()


class Known(msgspec.Struct):
    """What belongs to a cell, found once. entries: what its calls took, as long as something speaks for a rise."""

    key: Key
    cell: Cell
    route: Route
    rhythms: list[Rhythm]
    series: list[Series]
    watches: list[Watch]
    entries: list[Entry]

    def trim(self, now: int) -> None:
        """Keep the entries since which something speaks for a rise."""
        entries = self.entries
        if not entries or (len(entries) == 1 and entries[0].minute == now):
            return
        begun = [one.begins for watch in self.watches for one in watch.slowness if one.minutes]
        oldest = max(min(begun), now - _OLDEST_ENTRY_MINUTES) if begun else now
        self.entries = [entry for entry in entries if entry.minute >= oldest][-_MOST_ENTRIES:]

    def tally(self, measure: int, begins: int) -> SlowTally:
        """What its calls since then took by a measure."""
        timed = [entry.timed[measure] for entry in self.entries if entry.minute >= begins]
        return SlowTally(
            self.key,
            sum(one.calls for one in timed),
            sum(one.precision for one in timed),
            sum(one.product for one in timed),
            sum(one.plain for one in timed),
        )

    @property
    def writes(self) -> bool:
        """Whether its answers usually take longer to write than their first token takes to come."""
        return self.cell.tokens[1] >= _WRITES_TOKENS


def tallies_of(
    cells: Sequence[Known], now: int, measure: int, tally: Callable[[Known, int], SlowTally]
) -> list[SlowTally]:
    """What the calls of a vendor's live cells took, each by what can show the slowness that the measure shows.

    tally: gives what a cell's calls took by a measure.

    A first token that comes late hardly shows in the duration of a long answer, and output that comes slowly not in
    that of a short one. So where it is short answers that take longer, long ones are asked for their first token, and
    where it is long answers, short ones are not asked.
    """
    live = [known for known in cells if now - known.cell.last <= _LIVE_MINUTES]
    as_measured = {known.key: tally(known, measure) for known in live}
    product = sum(max(0.0, one.product) for one in as_measured.values())
    writing = sum(max(0.0, as_measured[known.key].product) for known in live if known.writes)
    if measure == DURATION and writing > DOMINATES * product:
        return [
            as_measured[known.key] if known.writes else SlowTally(known.key, 0, 0.0, 0.0, 0.0)
            for known in live
        ]
    if measure == DURATION and writing > (1 - DOMINATES) * product:
        return list(as_measured.values())
    found = []
    for known in live:
        first = tally(known, TTFT)
        if not first.calls and not known.writes:
            first = tally(known, DURATION)
        found.append(first)
    return found
