"""Counts of calls and of failing ones of a minute's rows: by the cells they are of, and by their series. Pure."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final

from streams.detectors.failure_seat import CELL_FIELDS, Cell, Series, series_of
from streams.detectors.failures import Counts
from streams.detectors.minute import GroupRow

_NONE: Final = (0, 0)
"""Shared by nearly all minutes of all series."""

_cell_of: Final[Any] = itemgetter(*CELL_FIELDS)


def cell_of(row: GroupRow) -> Cell:
    """The cell that a row's calls are of."""
    cell: Cell = _cell_of(row.names)
    return cell


def counts_of(row: GroupRow) -> Counts:
    """A row's calls."""
    statuses: Mapping[str, int] = row.sums.statuses
    if len(statuses) == 1 and "ok" in statuses:
        return Counts(row.sums.calls, _NONE)
    errors = statuses.get("error", 0) + statuses.get("timeout", 0)
    return _counted(row.sums.calls, errors, statuses.get("rate_limited", 0))


def by_cell(rows: Iterable[GroupRow]) -> dict[Cell, Counts]:
    """All rows of each cell added up, in the order in which the cells come."""
    cells: dict[Cell, Counts] = {}
    for row in rows:
        cell, counts = cell_of(row), counts_of(row)
        before = cells.get(cell)
        cells[cell] = counts if before is None else _sum(before, counts)
    return cells


def by_series(cells: Mapping[Cell, Counts]) -> dict[Series, Counts]:
    """All cells of each series added up, in the order in which the series come."""
    sums: dict[Series, list[int]] = {}
    for cell, (calls, (errors, limited)) in cells.items():
        for series in series_of(cell):
            its = sums.get(series)
            if its is None:
                sums[series] = [calls, errors, limited]
            else:
                its[0] += calls
                its[1] += errors
                its[2] += limited
    return {series: _counted(*its) for series, its in sums.items()}


def _counted(calls: int, errors: int, limited: int) -> Counts:
    return Counts(calls, (errors, limited) if errors or limited else _NONE)


def _sum(one: Counts, other: Counts) -> Counts:
    errors, limited = (mine + its for mine, its in zip(one.failed, other.failed, strict=True))
    return _counted(one.calls + other.calls, errors, limited)
