"""Model migrations: a workload's calls that go from one model, or vendor, to another, followed from first to last.

A move is one incident of the workload, its subject `from>to`: started, half-way, complete, or reversed. It is looked at
once an hour, because calls by the hour are what it shows in (`streams.detectors.share_change` says what is a move and
what is none). It is over three days after it is complete, half a day after it is reversed, and when it has got no
further for five days.

Names of one model are one model, by the catalog as it is on the day: an alias that comes to mean another model, or a
dated name instead of the plain one, is no migration and is not said. The same model at another vendor is one.

A move is information, or a warning where calls became clearly dearer or fail more. Limits: it is seen hours after its
beginning, and where it takes days about when a third has moved.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import ClassVar, Final

import msgspec
import numpy as np

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import TenantMinute
from streams.detectors.move import Move
from streams.detectors.move_causes import likely_causes, same_model
from streams.detectors.packing import pack, unpack
from streams.detectors.share_change import SPANS_HOURS, Mix, ShareChange, changes, failing_hours, moved_now
from streams.detectors.traffic import (
    KEPT_HOURS,
    WORKLOAD_NAMES,
    Figures,
    Traffic,
    Workload,
    WorkloadKey,
    model_key,
    vendor_and_model,
)
from streams.groups import EPOCH
from streams.windows import GroupSums

_VERSION: Final = 1
_DAY_HOURS: Final = 24
_OTHERS_HOURS: Final = 30 * _DAY_HOURS
_FAILS_SHARE: Final = 0.2
_FAILS_CALLS: Final = 20

_Found = tuple[int, str, WorkloadKey]
"""The hour in which a move was found, from>to, the workload."""


class _State(msgspec.Struct):
    version: int
    hour: int
    workloads: list[tuple[WorkloadKey, Workload]]
    moves: list[Move]
    found: list[_Found]


class MigrationDetector:
    """One tenant's migrations."""

    kind: ClassVar[str] = "migration"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self._book = surroundings.book
        self._catalog = surroundings.catalog
        self._hour = 0
        self._workloads: dict[WorkloadKey, Workload] = {}
        self._moves: list[Move] = []
        self._found: list[_Found] = []
        self._meant: tuple[date, dict[str, str]] = (date.min, {})
        """What names mean on the day that was last asked about."""

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """The moves that are followed."""
        hour = minute.minute // 60
        if self._hour and hour > self._hour:
            self._look(hour - 1)
        self._hour = hour
        for row in minute.rows:
            self._add(hour, row.names, row.sums)
        for belonged, row in minute.late:
            self._add(belonged // 60, row.names, row.sums)
        return [move.condition(self.kind) for move in self._moves]

    def state(self) -> bytes:
        """All that it knows."""
        return pack(_State(_VERSION, self._hour, list(self._workloads.items()), self._moves, self._found))

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. Raises ValueError for a form that it does not know."""
        read = unpack(state, _State)
        if read.version != _VERSION:
            raise ValueError(f"the state of migrations has version {read.version}, known is {_VERSION}")
        self._hour = read.hour
        self._workloads = dict(read.workloads)
        self._moves, self._found = read.moves, read.found

    def _add(self, hour: int, names: Mapping[str, str], sums: GroupSums) -> None:
        key = tuple(names[name] for name in WORKLOAD_NAMES)
        workload = self._workloads.get(key)
        if workload is None:
            workload = self._workloads[key] = Workload(hour)
        workload.add(hour, model_key(names["vendor"], names["model"]), sums)

    def _look(self, hour: int) -> None:
        """Find moves and follow those that are found, now that `hour` is over."""
        if hour % _DAY_HOURS == 0:
            self._forget(hour)
        following: list[Move] = []
        for move in self._moves:
            self._follow(move, hour)
            if move.is_over(hour):
                # What the workload calls from here on is its habit.
                self._workloads[move.workload].since_hour = hour
            else:
                following.append(move)
        self._moves = following
        followed = {(move.workload, move.change.target) for move in following}
        fleet = _Fleet(self._workloads.values(), self._model, hour)
        for key, workload in self._workloads.items():
            if sum(hour - traffic.calls.newest < SPANS_HOURS[-1] for traffic in workload.models.values()) < 2:
                continue
            for change in changes(self._mix(workload, hour), fleet):
                is_back = (key, change.source) in followed
                if (key, change.target) not in followed and not is_back:
                    self._open(key, change, hour)

    def _open(self, key: WorkloadKey, change: ShareChange, hour: int) -> None:
        workload = self._workloads[key]
        source, target = (self._written(workload, model, hour) for model in (change.source, change.target))
        path = f"{change.source}>{change.target}"
        mix = self._mix(workload, hour)
        onset_ago = hour - change.onset_hour
        failed = [
            ago for ago in _failing_hours(mix, change.source, onset_ago + _DAY_HOURS) if ago >= onset_ago
        ]
        onset = EPOCH + timedelta(hours=change.onset_hour)
        moved = moved_now(mix, change)
        moved = change.moved if moved is None else moved
        move = Move(
            workload=key,
            change=change,
            source=source,
            target=target,
            names_operation=any(other[:-1] == key[:-1] and other != key for other in self._workloads),
            before=self._figures(workload, change.source, hour),
            causes=likely_causes(self._book, self._catalog, source, target, onset, len(failed)),
            others=len({other for _, way, other in self._found if way == path and other != key}),
            stage="started",
            stage_hour=hour,
            most_moved=moved,
            further_hour=hour,
        )
        move.advance(hour, moved, may_reverse=False)
        move.tell(moved, self._figures(workload, change.target, hour), _calls_per_day(mix))
        self._moves.append(move)
        self._found.append((hour, path, key))

    def _follow(self, move: Move, hour: int) -> None:
        workload = self._workloads[move.workload]
        mix = self._mix(workload, hour)
        moved = moved_now(mix, move.change)
        if moved is None:
            return
        # A target that is out of order is not given up by that.
        may_reverse = not _failing_hours(mix, move.change.target, _DAY_HOURS)
        if move.advance(hour, moved, may_reverse=may_reverse):
            move.tell(moved, self._figures(workload, move.change.target, hour), _calls_per_day(mix))

    def _mix(self, workload: Workload, hour: int) -> Mix:
        """The workload's calls, the names of one model put together as they mean one on that day."""
        together: dict[str, list[Traffic]] = {}
        for name, traffic in workload.models.items():
            together.setdefault(self._model(name, hour), []).append(traffic)
        models = sorted(together)
        calls = np.zeros((len(models), KEPT_HOURS))
        failed = np.zeros((len(models), KEPT_HOURS))
        for row, model in enumerate(models):
            for traffic in together[model]:
                calls[row] += traffic.calls.until(hour)
                if any(traffic.failed.counts):
                    failed[row] += traffic.failed.until(hour)
        return Mix(models, calls, failed, min(KEPT_HOURS, hour - workload.since_hour + 1), hour)

    def _figures(self, workload: Workload, model: str, hour: int) -> Figures:
        figures = Figures()
        for name, traffic in workload.models.items():
            if self._model(name, hour) == model:
                figures = figures.merged(traffic.figures())
        return figures

    def _written(self, workload: Workload, model: str, hour: int) -> str:
        """The name by which the workload has called the model most."""
        calls = {
            name: sum(traffic.calls.until(hour))
            for name, traffic in sorted(workload.models.items())
            if self._model(name, hour) == model
        }
        return max(calls, key=lambda name: calls[name])

    def _model(self, name: str, hour: int) -> str:
        day = (EPOCH + timedelta(hours=hour)).date()
        if day != self._meant[0]:
            self._meant = day, {}
        meant = self._meant[1]
        model = meant.get(name)
        if model is None:
            model = meant[name] = same_model(self._catalog, name, day)
        return model

    def _forget(self, hour: int) -> None:
        """Drop what has not been called for as long as hours are kept, unless a move is followed there."""
        kept = {move.workload for move in self._moves}
        for workload in self._workloads.values():
            workload.forget_before(hour - KEPT_HOURS)
        self._workloads = {
            key: workload for key, workload in self._workloads.items() if workload.models or key in kept
        }
        self._found = [found for found in self._found if found[0] > hour - _OTHERS_HOURS]


class _Fleet:
    """All workloads' calls of a model in one hour's look, summed when asked for. See `share_change.Fleet`."""

    def __init__(self, workloads: Iterable[Workload], name_of: Callable[[str, int], str], hour: int) -> None:
        self._workloads = workloads
        self._name_of = name_of
        self._hour = hour

    def failing_hours(self, model: str) -> list[int]:
        """The hours of the last day in which much of what the model was asked failed."""
        vendor, _ = vendor_and_model(model)
        of_model = [traffic for name, traffic in self._of_vendor(vendor) if name == model]
        calls, failed = (np.zeros(KEPT_HOURS) for _ in range(2))
        for traffic in of_model:
            calls += traffic.calls.until(self._hour)
            failed += traffic.failed.until(self._hour)
        return failing_hours(calls, failed)

    def fails_alone(self, model: str) -> bool:
        """Whether its vendor's other models have answered in the last day."""
        vendor, _ = vendor_and_model(model)
        others = [traffic for name, traffic in self._of_vendor(vendor) if name != model]
        calls = sum(sum(traffic.calls.until(self._hour)[-_DAY_HOURS:]) for traffic in others)
        failed = sum(sum(traffic.failed.until(self._hour)[-_DAY_HOURS:]) for traffic in others)
        return calls >= _FAILS_CALLS and failed < _FAILS_SHARE * calls

    def _of_vendor(self, vendor: str) -> Iterator[tuple[str, Traffic]]:
        for workload in self._workloads:
            for name, traffic in workload.models.items():
                if name.startswith(f"{vendor}/"):
                    yield self._name_of(name, self._hour), traffic


def _failing_hours(mix: Mix, model: str, hours: int) -> list[int]:
    if model not in mix.models:
        return []
    row = mix.models.index(model)
    return failing_hours(mix.calls[row], mix.failed[row], hours)


def _calls_per_day(mix: Mix) -> float:
    """Over the last week, or as much of it as is known."""
    hours = max(_DAY_HOURS, min(7 * _DAY_HOURS, mix.known_hours))
    return float(mix.calls[:, -hours:].sum()) * _DAY_HOURS / hours


DETECTOR = MigrationDetector
