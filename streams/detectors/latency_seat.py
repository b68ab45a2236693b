"""Where slow calls sit: at a vendor, in one of its regions, at a model, or in a single workload. Pure.

Levels and series are those of failing calls (`streams.detectors.failure_seat`). A series is told when what lies below
it is slow as a whole. It is not told when something narrower holds the slow calls and the rest is as fast as ever, or
has hardly called, nor when models with most of its calls are as fast as ever. A narrower series is told once what lies
around it is seen to be fine, or after PATIENCE_MINUTES. Where there are no others at all, the broadest is told.

What is told goes on at a broader level when the calls around it are seen to be slow, too, and at a narrower one when
the others within it are seen to be fine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from streams.detectors.failure_seat import CELL_FIELDS, WORKLOAD, Cell, Series, series_of
from streams.detectors.slowness import ENOUGH, LEAST_CALLS, LEAST_RISE

PATIENCE_MINUTES: Final = 5

_STRAYS: Final = 0.02
"""The variance of any mean besides that of its calls: even many calls are not quite alike."""
_SAYS: Final = 4.0
"""So much has to speak for one of two, as a logarithm, to be taken for it."""
_DOMINATES: Final = 0.7
_MOVES: Final = 6.0
"""So much more has to speak for another level than for the one that is told; no cell says more than that."""
_LIKE: Final = 0.7
"""The part of a rise that calls have to have to count as slow with it."""
_FIELDS: Final = len(CELL_FIELDS)
_MODEL: Final = 2


class SlowTally(NamedTuple):
    """Calls of one cell in the minutes that are looked at; none, where it has called lately but not in them.

    precision: the sum of its calls' precisions. product: that of their rises at least, each times its precision.
    plain: that of their rises. What lies between the two is how far the expectation itself may be off.
    """

    cell: Cell
    calls: int
    precision: float
    product: float
    plain: float


class _Sum(NamedTuple):
    cells: int
    calls: int
    precision: float
    product: float
    plain: float

    @property
    def rise(self) -> float:
        return self.product / self.precision if self.precision else 0.0


def seats(
    waiting: Mapping[Series, int], tallies: Sequence[SlowTally], told: Sequence[Series] = ()
) -> list[Series]:
    """Those that are to be told, of one vendor.

    waiting: suspects, and for how many minutes they have been slow. told: what is told already; around it, something
    broader is told only if the rest of it is slow, too.
    """
    found: list[Series] = []
    for suspect in sorted(waiting):
        seat = _seat(suspect, tallies, told, is_patient=waiting[suspect] < PATIENCE_MINUTES)
        if seat is not None and not any(covers(other, seat, tallies) for other in found):
            found.append(seat)
    return found


def moved(seat: Series, tallies: Sequence[SlowTally]) -> Series:
    """The level at which what is told at `seat` is seen to be by now; the same where nothing speaks for another."""
    whole = _sum([one for one in tallies if seat.holds(one.cell)])
    rise = _LIKE * max(whole.rise, LEAST_RISE)
    best, most = seat, _MOVES
    speaks: dict[Series, float] = {}
    inside: dict[Series, list[SlowTally]] = {}
    for one in tallies:
        gain = _gain(one, rise) if one.calls else 0.0
        most += gain if seat.holds(one.cell) else 0.0
        for series in series_of(one.cell[:_FIELDS]):
            speaks[series] = speaks.get(series, 0.0) + gain
            inside.setdefault(series, []).append(one)
    for series in sorted(series for series, gain in speaks.items() if gain >= most and series != seat):
        part = _sum(inside[series])
        if speaks[series] < most or part.calls < LEAST_CALLS or part.rise < LEAST_RISE:
            continue
        if series.level < seat.level and _fine_share(inside[series], part) > 0.5:
            continue
        best, most = series, speaks[series]
    return best


def _gain(one: SlowTally, rise: float) -> float:
    """How much more a cell's calls speak for this rise than for none, within bounds."""
    return min(max(-_speaks_for_none(one, rise), -_MOVES), _MOVES)


def covers(broader: Series, seat: Series, tallies: Sequence[SlowTally]) -> bool:
    """Whether all calls of the seat are the broader one's, too."""
    return seat.lies_within(broader) or all(
        broader.holds(one.cell) for one in tallies if seat.holds(one.cell)
    )


def explain(told: Sequence[Series], seat: Series, tallies: Sequence[SlowTally]) -> bool:
    """Whether what is told already leaves no calls of the seat of which it is clear that they are slow, too."""
    if any(seat.lies_within(other) for other in told):
        return True
    inside = [one for one in tallies if seat.holds(one.cell)]
    rest = [one for one in inside if not any(other.holds(one.cell) for other in told)]
    return len(rest) < len(inside) and not _is_slow(_sum(rest), _sum(inside).rise, _SAYS)


def _seat(
    suspect: Series, tallies: Sequence[SlowTally], told: Sequence[Series], *, is_patient: bool
) -> Series | None:
    inside = [one for one in tallies if suspect.holds(one.cell)]
    whole = _sum(inside)
    if whole.rise < LEAST_RISE:
        return None
    within = {
        series for one in inside for series in series_of(one.cell[:_FIELDS]) if series.level > suspect.level
    }
    narrower: dict[Series, tuple[_Sum, _Sum]] = {}
    for series in sorted(within):
        part, rest = _parted(inside, series.holds)
        if part.calls and rest.cells:
            narrower[series] = part, rest
    for series, (part, rest) in narrower.items():
        if part.rise >= LEAST_RISE and _is_fine(rest, part.rise):
            is_certain = part.calls >= LEAST_CALLS and part.precision * part.rise**2 / 2 >= ENOUGH
            # A workload has no series of its own that would be a suspect.
            return series if series.level == WORKLOAD and is_certain else None
    if _fine_share(inside, whole) > 0.5:
        return None
    for series, (part, rest) in narrower.items():
        # Whether it is all of it, or this part alone, only the others can say.
        is_open = series in told or (
            part.product > _DOMINATES * whole.product and (is_patient or series.level < WORKLOAD)
        )
        if is_open and not _is_slow(rest, part.rise):
            return None
    return suspect if not is_patient or _is_set_apart(suspect, tallies, whole) else None


def _fine_share(inside: Sequence[SlowTally], whole: _Sum) -> float:
    """The share of calls that go to models that are as fast as ever."""
    models = {Series(_MODEL, one.cell[4:6]) for one in inside}
    sums = [_parted(inside, model.holds)[0] for model in sorted(models)]
    return sum(one.calls for one in sums if _is_fine(one, max(whole.rise, LEAST_RISE))) / whole.calls


def _is_set_apart(seat: Series, tallies: Sequence[SlowTally], whole: _Sum) -> bool:
    """Whether at each broader level the others call, too, and are fine; or there are none."""
    inside = [one for one in tallies if seat.holds(one.cell)]
    broader = {
        series for one in inside for series in series_of(one.cell[:_FIELDS]) if series.level < seat.level
    }
    for level in broader:
        rest = _parted([one for one in tallies if level.holds(one.cell)], seat.holds)[1]
        if rest.cells and not _is_fine(rest, whole.rise):
            return False
    return True


def _is_fine(calls: _Sum, rise: float) -> bool:
    return _speaks_for_none(calls, rise) >= _SAYS


def _is_slow(calls: _Sum, rise: float, says: float = _SAYS / 3) -> bool:
    return _speaks_for_none(calls, rise) <= -says


def _speaks_for_none(calls: SlowTally | _Sum, rise: float) -> float:
    """How much more these calls speak for no rise than for this one, as a logarithm.

    Calls of which it is hardly known what they usually take speak for little.
    """
    if not calls.precision:
        return 0.0
    plain = calls.plain / calls.precision
    unsure = plain - calls.product / calls.precision
    return rise * (rise / 2 - plain) / (1 / calls.precision + _STRAYS + unsure * unsure)


def _parted(tallies: Iterable[SlowTally], holds: Callable[[Cell], bool]) -> tuple[_Sum, _Sum]:
    part: list[SlowTally] = []
    rest: list[SlowTally] = []
    for one in tallies:
        (part if holds(one.cell) else rest).append(one)
    return _sum(part), _sum(rest)


def _sum(tallies: Sequence[SlowTally]) -> _Sum:
    return _Sum(
        len(tallies),
        sum(one.calls for one in tallies),
        sum(one.precision for one in tallies),
        sum(one.product for one in tallies),
        sum(one.plain for one in tallies),
    )
