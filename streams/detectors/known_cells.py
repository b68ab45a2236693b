"""The cells whose calls are watched for slowness: what is known of each, of its route and of its series. Plain data.

A cell is one workload at one model, region, operation and service tier; its route is that model and region without the
workload. What belongs to a cell is found once and kept with it, as each minute asks for it.

Memory is linear in the cells; those without a call for three weeks are forgotten.
"""

from bisect import insort
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from streams.detectors.call_habits import Cell, Rhythm, Route
from streams.detectors.call_times import MEASURES
from streams.detectors.call_watch import Key, Known, Watch
from streams.detectors.failure_seat import CELL_FIELDS, Series, series_of
from streams.detectors.slow_calls import Entry

KEY_FIELDS: Final = (*CELL_FIELDS, "operation", "service_tier")
"""Names of a group whose values are a cell's key."""
VENDOR: Final = KEY_FIELDS.index("vendor")

_ROUTE_PLACES: Final = tuple(
    KEY_FIELDS.index(field) for field in ("vendor", "model", "region", "operation", "service_tier")
)
_SHORT: Final = len(CELL_FIELDS)
_WATCHED: Final = 4
"""Levels with evidence of their own: all but the workload."""
_FORGET_MINUTES: Final = 21 * 24 * 60

KeptRoutes = list[tuple[Key, Route]]
KeptCells = list[tuple[Key, Cell, list[Entry]]]
KeptRhythms = list[tuple[str, list[Rhythm]]]
KeptWatches = list[tuple[int, Key, Watch]]


class Kept(NamedTuple):
    """All of it, in order."""

    routes: KeptRoutes
    cells: KeptCells
    rhythms: KeptRhythms
    watches: KeptWatches


class KnownCells:
    """One tenant's. watches: by series."""

    def __init__(self) -> None:
        self._routes: dict[Key, Route] = {}
        self._known: dict[Key, Known] = {}
        self._rhythms: dict[str, list[Rhythm]] = {}
        self._by_vendor: dict[str, list[Key]] = {}
        """In order."""
        self.watches: dict[Series, Watch] = {}

    def at(self, key: Key, now: int) -> Known:
        """What is known of a cell, which may be new."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._knowing(key, Cell(now), [])
            insort(self._by_vendor.setdefault(key[VENDOR], []), key)
        return known

    def every(self) -> Collection[Known]:
        """All cells, in no order."""
        return self._known.values()

    def of_vendor(self, vendor: str) -> Sequence[Known]:
        """A vendor's cells, in order."""
        return [self._known[key] for key in self._by_vendor.get(vendor, ())]

    def usual(self, vendor: str) -> dict[Key, list[dict[int, float]]]:
        """What calls of the vendor's routes usually take: their number by coarse bucket, by measure."""
        return {key: route.usual for key, route in self._routes.items() if key[0] == vendor}

    def forget(self, now: int, told: Collection[str]) -> None:
        """A day is over: forget what is long silent. told: vendors of which something is told; they are kept."""
        for route in self._routes.values():
            route.pass_a_day()
        for key, known in list(self._known.items()):
            if now - known.cell.last > _FORGET_MINUTES and key[VENDOR] not in told:
                del self._known[key]
        self._index()
        routes = {tuple(key[place] for place in _ROUTE_PLACES) for key in self._known}
        series = {one for known in self._known.values() for one in known.series}
        vendors = {key[VENDOR] for key in self._known}
        self._routes = {key: route for key, route in self._routes.items() if key in routes}
        self.watches = {one: watch for one, watch in self.watches.items() if one in series}
        self._rhythms = {vendor: its for vendor, its in self._rhythms.items() if vendor in vendors}

    def kept(self) -> Kept:
        """All of it, as plain data."""
        return Kept(
            sorted(self._routes.items(), key=lambda one: one[0]),
            [(key, self._known[key].cell, self._known[key].entries) for key in sorted(self._known)],
            sorted(self._rhythms.items(), key=lambda one: one[0]),
            [(*series, self.watches[series]) for series in sorted(self.watches)],
        )

    def take_up(
        self,
        routes: Iterable[tuple[Key, Route]],
        cells: Iterable[tuple[Key, Cell, list[Entry]]],
        rhythms: Iterable[tuple[str, list[Rhythm]]],
        watches: Iterable[tuple[int, Key, Watch]],
    ) -> None:
        """Take up what `kept` gave."""
        self._routes, self._rhythms = dict(routes), dict(rhythms)
        self.watches = {Series(level, values): watch for level, values, watch in watches}
        self._known = {key: self._knowing(key, cell, entries) for key, cell, entries in cells}
        self._index()

    def _index(self) -> None:
        self._by_vendor = {}
        for key in sorted(self._known):
            self._by_vendor.setdefault(key[VENDOR], []).append(key)

    def _knowing(self, key: Key, cell: Cell, entries: list[Entry]) -> Known:
        route_key = tuple(key[place] for place in _ROUTE_PLACES)
        route = self._routes.get(route_key)
        if route is None:
            route = self._routes[route_key] = Route(cell.last)
        rhythms = self._rhythms.setdefault(key[VENDOR], [])
        if not rhythms:
            rhythms += [Rhythm() for _ in MEASURES]
        series = [one for one in series_of(key[:_SHORT]) if one.level < _WATCHED]
        for one in series:
            if one not in self.watches:
                self.watches[one] = Watch(cell.last, cell.last)
        return Known(key, cell, route, rhythms, series, [self.watches[one] for one in series], entries)
