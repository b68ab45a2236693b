"""Errors and rate limits: a vendor, region, model or workload of which far more calls fail than usually do.

`streams.detectors.failures` says whether more calls fail, `streams.detectors.failure_seat` at which level that is to
be told. An incident goes on while calls fail, and is over when enough are answered again, or when none has failed for
some time: a workload that has given up its model calls no more. Open minutes are looked at too, so that a busy vendor
that fails is told within seconds.

Invariants: nothing is said of a series in its first day; what comes late teaches what is usual and is never judged.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Final

import msgspec

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.failure_counts import by_cell, by_series, cell_of, counts_of
from streams.detectors.failure_report import Failing, condition_of
from streams.detectors.failure_seat import (
    CELL_FIELDS,
    WORKLOAD,
    Cell,
    Series,
    Tally,
    covers,
    seats,
    series_of,
)
from streams.detectors.failures import MEASURES, PRIOR_SHARE, STEP_MINUTES, Burst, Counts, FailureSeries
from streams.detectors.minute import TenantMinute

_FORM: Final = "errors 1"
_FORGET_MINUTES: Final = 21 * 24 * 60
_FORGET_CELLS_MINUTES: Final = 24 * 60
_LEAST_FAILED: Final = 3
"""So many failing calls it takes: of several workloads; one that fails alone may be repeating itself."""
_LEAST_FAILED_OF_WORKLOAD: Final = 4
_SILENT_MINUTES: Final = 60
_SILENT_GAPS: Final = 6
"""So many times what usually lies between two failing calls; seldom is it more."""
_MOST_SILENT_MINUTES: Final = 360
_ANSWERED: Final = 3
_ANSWERED_BY_LUCK: Final = 0.005
_NO_PRIORS: Final = (0.0, 0.0)
"""Where nobody asks for them."""


_Suspects = dict[tuple[int, str], dict[Series, Burst]]


class _Open(msgspec.Struct):
    """What is being told. begins: the minute of its first failing call."""

    measure: int
    level: int
    values: tuple[str, ...]
    begins: int
    usual: float
    last_failed: int

    @property
    def series(self) -> Series:
        return Series(self.level, self.values)


class _State(msgspec.Struct):
    form: str
    series: list[tuple[int, tuple[str, ...], FailureSeries]]
    cells: list[tuple[tuple[str, ...], FailureSeries]]
    open: list[_Open]
    over: list[tuple[int, str, int]]


class Errors:
    """One tenant's detector of failing calls."""

    kind: ClassVar[str] = "errors"
    early: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self._series: dict[Series, FailureSeries] = {}
        self._vendors: dict[Series, FailureSeries] = {}
        """Of them, the vendors'."""
        self._cells: dict[Cell, FailureSeries] = {}
        self._cells_of: dict[str, set[Cell]] = {}
        self._open: dict[tuple[int, Series], _Open] = {}
        self._over: dict[tuple[int, str], int] = {}
        """(measure, vendor): when an incident was over; what failed before that is not told again."""

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """Who fails."""
        now = minute.minute
        cells = by_cell(minute.rows)
        levels = by_series(cells)
        self._know(now, cells, levels)
        if not minute.is_whole:
            return self._look(minute, cells, levels)
        self._add(now, cells, levels)
        self._open.update(self._opened(now, self._suspects(levels)))
        said = self._go_on(now)
        self._learn(now, cells, levels)
        for late_minute, row in minute.late:
            counts = counts_of(row)
            for series in series_of(cell_of(row)):
                known = self._known(series, late_minute)
                known.learn(now, counts, self._priors(series))
        if now % (24 * 60) == 0:
            self._forget(now)
        return [self._condition(one, minute) for one in said]

    def _look(
        self, minute: TenantMinute, cells: dict[Cell, Counts], levels: dict[Series, Counts]
    ) -> list[Condition]:
        """What begins to be told in an open minute, of which nothing is kept.

        It is looked at a dozen times, and mostly nothing is wrong: so only series with failing calls are touched, and
        the others only where what they did decides at which level it is told.
        """
        now = minute.minute
        failing = {series: counts for series, counts in levels.items() if any(counts.failed)}
        self._add(now, {}, failing)
        suspects = self._suspects(failing)
        if not suspects:
            self._undo((), failing)
            return []
        self._add(now, cells, {series: levels[series] for series in levels if series not in failing})
        conditions = [self._condition(one, minute) for one in self._opened(now, suspects).values()]
        self._undo(cells, levels)
        return conditions

    def state(self) -> bytes:
        """All that it knows."""
        return msgspec.msgpack.encode(
            _State(
                _FORM,
                [(*series, known) for series, known in sorted(self._series.items(), key=lambda one: one[0])],
                sorted(self._cells.items(), key=lambda one: one[0]),
                [self._open[key] for key in sorted(self._open)],
                [(*key, over) for key, over in sorted(self._over.items())],
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no state of the detector of errors: {error}") from error
        if read.form != _FORM:
            raise ValueError(f"a state of form {read.form!r}, known is {_FORM!r}")
        self._series = {Series(level, values): known for level, values, known in read.series}
        self._vendors = {series: known for series, known in self._series.items() if series.level == 0}
        self._cells = dict(read.cells)
        self._cells_of = {}
        for cell in self._cells:
            self._cells_of.setdefault(_vendor_of(cell), set()).add(cell)
        self._open = {(one.measure, one.series): one for one in read.open}
        self._over = {(measure, vendor): over for measure, vendor, over in read.over}

    def _know(self, now: int, cells: Iterable[Cell], levels: Iterable[Series]) -> None:
        """Begin what was never seen."""
        for cell in cells:
            if cell not in self._cells:
                self._cells[cell] = FailureSeries(now)
                self._cells_of.setdefault(_vendor_of(cell), set()).add(cell)
        for series in levels:
            self._known(series, now)

    def _add(self, now: int, cells: dict[Cell, Counts], levels: dict[Series, Counts]) -> None:
        """Add a minute to what is known."""
        for cell, counts in cells.items():
            self._cells[cell].add(now, counts)
        for series, counts in levels.items():
            self._series[series].add(now, counts)

    def _undo(self, cells: Iterable[Cell], levels: Iterable[Series]) -> None:
        for cell in cells:
            self._cells[cell].undo()
        for series in levels:
            self._series[series].undo()

    def _learn(self, now: int, cells: Iterable[Cell], levels: dict[Series, Counts]) -> None:
        for series, counts in levels.items():
            known = self._series[series]
            known.learn(now, counts, self._priors(series) if known.ends_step(now) else _NO_PRIORS)
        for cell in cells:
            self._cells[cell].trim()

    def _suspects(self, levels: dict[Series, Counts]) -> _Suspects:
        """The series of which more calls fail than usual, by measure and vendor."""
        suspects: _Suspects = {}
        for series, counts in levels.items():
            for measure, failed in enumerate(counts.failed):
                if not failed:
                    continue
                vendor = series.scope.get("vendor", "")
                burst = self._series[series].burst(
                    measure,
                    self._priors(series)[measure],
                    self._over.get((measure, vendor), 0),
                    _LEAST_FAILED_OF_WORKLOAD if series.level == WORKLOAD else _LEAST_FAILED,
                )
                if burst is not None:
                    suspects.setdefault((measure, vendor), {})[series] = burst
        return suspects

    def _opened(self, now: int, suspects: _Suspects) -> dict[tuple[int, Series], _Open]:
        """What begins to be told: nothing that lies within what is told already."""
        opened: dict[tuple[int, Series], _Open] = {}
        for (measure, vendor), bursts in suspects.items():
            worst = min(bursts.values(), key=lambda burst: burst.log10)
            # Others are fine, or not, in the minutes in which it certainly fails.
            tallies = self._tallies(measure, vendor, worst.begins)
            # What is open may happen not to fail in this very minute.
            told = [one.series for one in self._open.values() if one.measure == measure]
            suspects_and_told = [
                *bursts,
                *(series for series in told if series.scope.get("vendor", "") == vendor),
            ]
            for seat in seats(suspects_and_told, tallies, now - worst.begins):
                burst = bursts.get(seat, worst)
                if not any(covers(series, seat, tallies) for series in told):
                    opened[measure, seat] = _Open(
                        measure, *seat, begins=burst.begins, usual=burst.usual, last_failed=now
                    )
        return opened

    def _go_on(self, now: int) -> list[_Open]:
        """What is open and not over; what lies within something broader is told there."""
        for key, one in list(self._open.items()):
            measure, series = key
            if any(
                other is not one and other.measure == measure and series.lies_within(other.series)
                for other in self._open.values()
            ):
                del self._open[key]
                continue
            known = self._series.get(series)
            if known is None or self._is_over(one, known, now):
                del self._open[key]
                self._over[measure, series.scope.get("vendor", "")] = now + 1
        return [self._open[key] for key in sorted(self._open)]

    def _is_over(self, one: _Open, known: FailureSeries, now: int) -> bool:
        if known.last == now and known.failed[-1][one.measure]:
            one.last_failed = now
            return False
        during, after = known.since(one.begins), known.since(one.last_failed + 1)
        share = during.failed[one.measure] / max(1, during.calls - after.calls)
        if after.calls >= _ANSWERED and (1 - share) ** after.calls < _ANSWERED_BY_LUCK:
            return True
        gap = (one.last_failed - one.begins) / max(1, during.failed[one.measure] - 1)
        return now - one.last_failed > min(max(_SILENT_MINUTES, _SILENT_GAPS * gap), _MOST_SILENT_MINUTES)

    def _tallies(self, measure: int, vendor: str, begins: int) -> list[Tally]:
        found = []
        for cell in sorted(self._cells_of.get(vendor, ())):
            counts = self._cells[cell].since(begins)
            if counts.calls:
                found.append(Tally(cell, counts.calls, counts.failed[measure]))
        return found

    def _condition(self, one: _Open, minute: TenantMinute) -> Condition:
        vendor = one.series.scope.get("vendor", "")
        others = [
            known.since(one.begins)
            for series, known in self._vendors.items()
            if series.scope.get("vendor", "") != vendor
        ]
        usual_calls = sum(known.usual_calls for known in self._vendors.values())
        return condition_of(
            Failing(
                kind=self.kind,
                measure=one.measure,
                series=one.series,
                started_at=minute.start - timedelta(minutes=minute.minute - one.begins),
                usual=one.usual,
                tallies=self._tallies(one.measure, vendor, one.begins),
                other_vendors=(
                    sum(counts.calls for counts in others),
                    sum(counts.failed[one.measure] for counts in others),
                ),
                share_of_traffic=self._series[one.series].usual_calls / usual_calls if usual_calls else 0.0,
            )
        )

    def _known(self, series: Series, minute: int) -> FailureSeries:
        known = self._series.get(series)
        if known is None:
            known = self._series[series] = FailureSeries(minute, step=minute // STEP_MINUTES)
            if series.level == 0:
                self._vendors[series] = known
        return known

    def _priors(self, series: Series) -> tuple[float, float]:
        """The usual shares of the series' vendor; of a vendor, what is taken for usual of any."""
        if series.level == 0:
            return PRIOR_SHARE, PRIOR_SHARE
        of_vendor = self._series[Series(0, (series.scope.get("vendor", ""),))]
        errors, limits = (of_vendor.usual(measure, PRIOR_SHARE) for measure in range(len(MEASURES)))
        return errors, limits

    def _forget(self, now: int) -> None:
        told = {series for _, series in self._open}
        for series, known in list(self._series.items()):
            # A vendor is what its models and workloads are compared with, and is never silent longer than they.
            if now - known.last > _FORGET_MINUTES and series not in told:
                del self._series[series]
                self._vendors.pop(series, None)
        for cell, known in list(self._cells.items()):
            if now - known.last > _FORGET_CELLS_MINUTES:
                del self._cells[cell]
                self._cells_of[_vendor_of(cell)].discard(cell)
        self._over = {key: over for key, over in self._over.items() if now - over < _FORGET_CELLS_MINUTES}


def _vendor_of(cell: Cell) -> str:
    return cell[CELL_FIELDS.index("vendor")]


DETECTOR: Final = Errors
