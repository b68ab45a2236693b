"""Where failing calls sit: at a vendor, in one of its regions, at a model, or in a single workload. Pure.

A level is told when what lies below it fails as a whole. It is not told when one narrower level holds the failing
calls and the rest is answered, nor when most of its calls belong to workloads that are answered. Where only one
workload calls at all, the others cannot be asked; it is told after some minutes, as a workload.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

CELL_FIELDS: Final = ("team", "project", "service", "environment", "vendor", "model", "region")
"""The finest level at which calls are counted: one workload at one model in one region."""

LEVELS: Final = (
    ("vendor",),
    ("vendor", "region"),
    ("vendor", "model"),
    ("vendor", "model", "region"),
    ("team", "project", "service", "environment", "vendor", "model"),
)
"""Those that can be told, from the broadest to the narrowest."""

WORKLOAD: Final = len(LEVELS) - 1

_PLACES: Final = tuple(tuple(CELL_FIELDS.index(field) for field in level) for level in LEVELS)
_NUMBERED: Final = tuple(enumerate(_PLACES))
_WITHOUT_REGION: Final = tuple(one for one in _NUMBERED if "region" not in LEVELS[one[0]])
_PATIENCE_MINUTES: Final = 10
"""So long is waited for others to call, and so to say whether they fail, too."""
_UNHURT: Final = 0.25
"""Of the calls so many at most may be those of workloads that have not failed, where nothing more is known of them."""
_FINE: Final = 0.2
"""What fails this much more seldom than the worst is fine."""
_ENOUGH: Final = 4.0
"""So many failing calls have to be expected before their lack says anything."""

Cell = tuple[str, ...]
"""The values of CELL_FIELDS."""


class Series(NamedTuple):
    """One series of one level."""

    level: int
    values: tuple[str, ...]

    @property
    def scope(self) -> dict[str, str]:
        """Names of event fields and their values."""
        return {field: value for field, value in zip(LEVELS[self.level], self.values, strict=True) if value}

    def holds(self, cell: Cell) -> bool:
        """Whether the cell's calls are among its own."""
        return tuple(cell[place] for place in _PLACES[self.level]) == self.values

    def lies_within(self, other: "Series") -> bool:
        """Whether it is the other one, or narrower."""
        mine = dict(zip(LEVELS[self.level], self.values, strict=True))
        return all(
            mine.get(field) == value for field, value in zip(LEVELS[other.level], other.values, strict=True)
        )


class Tally(NamedTuple):
    """Calls of one cell in the minutes that are looked at."""

    cell: Cell
    calls: int
    failed: int


def series_of(cell: Cell) -> list[Series]:
    """The series that a cell's calls count for; without regions where none is stated."""
    levels = _NUMBERED if cell[-1] else _WITHOUT_REGION
    return [Series(level, tuple([cell[place] for place in places])) for level, places in levels]


def seats(suspects: Iterable[Series], tallies: Sequence[Tally], minutes: int) -> list[Series]:
    """Those of the suspects, all of one vendor, that are to be told. minutes: how long calls have been failing.

    A workload can be told that is no suspect, where it alone calls what one of them names.
    """
    ordered = sorted(set(suspects))
    found: list[Series] = []
    for suspect in ordered:
        seat = _seat(suspect, ordered, tallies, minutes)
        if seat is not None and not any(covers(other, seat, tallies) for other in found):
            found.append(seat)
    return found


def covers(broader: Series, seat: Series, tallies: Sequence[Tally]) -> bool:
    """Whether the seat's failing calls are the broader one's, too."""
    return seat.lies_within(broader) or all(
        broader.holds(one.cell) for one in tallies if one.failed and seat.holds(one.cell)
    )


def _seat(
    suspect: Series, suspects: Sequence[Series], tallies: Sequence[Tally], minutes: int
) -> Series | None:
    """The suspect, or the one workload that calls it; None where another is to be told, or it is too early to say."""
    inside = [one for one in tallies if suspect.holds(one.cell)]
    calls, failed = _sum(inside)
    if not failed:
        return None
    workloads = by_workload(inside)
    seat = next(iter(workloads)) if len(workloads) == 1 else suspect
    if minutes < _PATIENCE_MINUTES and not _is_set_apart(seat, tallies):
        return None
    if len(workloads) == 1:
        return seat
    if any(
        _holds_it(narrower, inside, calls, failed) for narrower in suspects if narrower.level > suspect.level
    ):
        return None
    worst = max(its_failed / its_calls for its_calls, its_failed in workloads.values())
    answered = sum(
        its_calls for its_calls, its_failed in workloads.values() if is_fine(its_calls, its_failed, worst)
    )
    unhurt = sum(its_calls for its_calls, its_failed in workloads.values() if not its_failed)
    if minutes < _PATIENCE_MINUTES and unhurt > _UNHURT * calls:
        return None
    failing = sum(1 for _, its_failed in workloads.values() if its_failed)
    return suspect if failing > 1 and answered * 2 <= calls else None


def _is_set_apart(seat: Series, tallies: Sequence[Tally]) -> bool:
    """Whether at each broader level the others call, too, and are fine."""
    inside = [one for one in tallies if seat.holds(one.cell)]
    calls, failed = _sum(inside)
    broader = {series for one in inside for series in series_of(one.cell) if series.level < seat.level}
    for level in broader - {seat}:
        all_calls, all_failed = _sum(one for one in tallies if level.holds(one.cell))
        if not is_fine(all_calls - calls, all_failed - failed, failed / calls):
            return False
    return True


def _holds_it(narrower: Series, inside: Sequence[Tally], calls: int, failed: int) -> bool:
    """Whether the calls that fail are the narrower one's, and the others are fine."""
    its_calls, its_failed = _sum(one for one in inside if narrower.holds(one.cell))
    return its_failed > 0 and is_fine(calls - its_calls, failed - its_failed, its_failed / its_calls)


def by_workload(tallies: Iterable[Tally]) -> Mapping[Series, tuple[int, int]]:
    """(calls, failed) of each workload and model."""
    sums: dict[Series, tuple[int, int]] = {}
    for one in tallies:
        series = Series(WORKLOAD, tuple(one.cell[place] for place in _PLACES[WORKLOAD]))
        calls, failed = sums.get(series, (0, 0))
        sums[series] = (calls + one.calls, failed + one.failed)
    return sums


def is_fine(calls: int, failed: int, share: float) -> bool:
    """Whether these calls fail far more seldom than `share`, and are enough to say so."""
    return calls * share >= _ENOUGH and failed <= _FINE * calls * share


def _sum(tallies: Iterable[Tally]) -> tuple[int, int]:
    calls = failed = 0
    for one in tallies:
        calls += one.calls
        failed += one.failed
    return calls, failed
