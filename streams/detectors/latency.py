"""Slow answers: a vendor, a region or a model whose calls take far longer than the same calls usually do.

Each minute's calls of a workload are held against what the very same calls are expected to take
(`streams.detectors.call_habits`): with their tokens, at their model, at this hour. So longer prompts, a move to a
slower model and a daily rhythm are no rise. The rises of all calls of a vendor, region or model add up to evidence
(`streams.detectors.slowness`), of the time to first token and of the duration; `streams.detectors.latency_seat` says
at which level it is told. It is over when calls speak clearly for the usual again, or when there are none for some
time.

Invariants: nothing is said of a series or a model in its first day, and calls of tiers that promise no speed (batch,
flex) are passed over; what comes late teaches what is usual and is never judged.
"""

from collections.abc import Iterable
from typing import ClassVar, Final

import msgspec

from streams.detectors import call_habits
from streams.detectors.call_habits import (
    JUDGED_AFTER_MINUTES,
    THEN_EACH,
    WELL_KNOWN_CALLS,
    Rise,
)
from streams.detectors.call_times import (
    DURATION,
    MEASURES,
    TTFT,
    CallTimes,
    add_coarsely,
    answered_durations,
    call_times,
    mean_ms,
)
from streams.detectors.call_watch import DOMINATES, Key, Known, tallies_of
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.failure_seat import Series
from streams.detectors.known_cells import (
    KEY_FIELDS,
    VENDOR,
    KeptCells,
    KeptRhythms,
    KeptRoutes,
    KeptWatches,
    KnownCells,
)
from streams.detectors.latency_report import SlowCalls, condition_of, is_worth_telling
from streams.detectors.latency_seat import SlowTally, explain, moved, seats
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.slow_calls import Entry, Open, Sums
from streams.detectors.slowness import RISE, Slowness

_FORM: Final = "latency 1"
_NO_PROMISE: Final = frozenset(("batch", "flex"))
_SETTLES_AFTER_MINUTES: Final = 24 * 60
_SPEAKS: Final = RISE / 2
"""A rise that speaks for its series to be slow, where nothing has so far."""
_MOST_TIMES: Final = 8.0
"""So many times what is expected a single one of many calls counts for at most."""


class _State(msgspec.Struct):
    form: str
    routes: KeptRoutes
    cells: KeptCells
    rhythms: KeptRhythms
    watches: KeptWatches
    open: list[Open]


class Latency:
    """One tenant's detector of slow answers."""

    kind: ClassVar[str] = "latency"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings | None = None) -> None:
        self._cells = KnownCells()
        self._open: dict[Series, Open] = {}

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """Who is slow."""
        if not minute.is_whole:
            return []
        now = minute.minute
        rises: dict[Series, list[Sums]] = {}
        touched: dict[Key, Known] = {}
        for row in minute.rows:
            known = self._take(now, row, rises)
            if known is not None:
                touched[known.key] = known
        self._weigh(now, rises)
        for known in touched.values():
            known.trim(now)
        for late_minute, row in minute.late:
            self._take(late_minute, row, None)
        self._begin(now, rises)
        self._go_on(now, touched.values())
        if now % (24 * 60) == 0:
            self._cells.forget(now, {one.series.scope.get("vendor", "") for one in self._open.values()})
        return [condition_of(self._slow_calls(self._open[series])) for series in sorted(self._open)]

    def state(self) -> bytes:
        """All that it knows."""
        kept = self._cells.kept()
        return msgspec.msgpack.encode(
            _State(_FORM, *kept, [self._open[series] for series in sorted(self._open)])
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no state of the detector of latency: {error}") from error
        if read.form != _FORM:
            raise ValueError(f"a state of form {read.form!r}, known is {_FORM!r}")
        self._cells = KnownCells()
        self._cells.take_up(read.routes, read.cells, read.rhythms, read.watches)
        self._open = {one.series: one for one in read.open}

    def _take(self, now: int, row: GroupRow, rises: dict[Series, list[Sums]] | None) -> Known | None:
        """Learn from a row, and add how much slower its calls were to `rises`; None for a late row: only learn."""
        names = row.names
        if names["service_tier"] in _NO_PROMISE:
            return None
        times = call_times(row.sums)
        if times is None:
            return None
        known = self._cells.at(tuple([names[field] for field in KEY_FIELDS]), now)
        is_quiet = not any(watch.is_rising for watch in known.watches)
        is_steady = is_quiet or not any(watch.is_suspect for watch in known.watches)
        is_settling = bool(self._open) and self._is_settling(now, known)
        first = self._measure(now, known, TTFT, times, row, is_steady, is_settling)
        whole = self._measure(now, known, DURATION, times, row, is_steady, is_settling)
        known.cell.rows += 1
        known.cell.learn_tokens(times)
        if rises is None:
            return None
        known.cell.last = max(known.cell.last, now)
        if now - known.route.born < JUDGED_AFTER_MINUTES:
            return known
        entry: Entry | None = None
        vendor_is_told = bool(self._open) and any(
            one.values[0] == known.key[VENDOR] for one in self._open.values()
        )
        for measure, found in ((TTFT, first), (DURATION, whole)):
            if found is None:
                continue
            rise, mean = found
            calls = times.counts[measure]
            if not is_quiet or rise.rise > _SPEAKS or vendor_is_told:
                entry = entry or Entry.of(now, times)
                entry.time(measure, calls, rise, mean, row.sums)
            for series in known.series:
                sums = rises.get(series)
                if sums is None:
                    sums = rises[series] = [Sums() for _ in MEASURES]
                sums[measure].add(calls, rise)
        if entry is not None:
            known.entries.append(entry)
        return known

    def _measure(
        self,
        now: int,
        known: Known,
        measure: int,
        times: CallTimes,
        row: GroupRow,
        is_steady: bool,
        is_settling: bool,
    ) -> tuple[Rise, float] | None:
        """The rise of some calls and their mean ms, both to be judged; then they are learnt from."""
        calls = times.counts[measure]
        if not calls:
            return None
        habit, own = known.route.habits[measure], known.cell.own[measure]
        rhythm = known.rhythms[measure]
        if habit.hour != now // 60:
            habit.go_to(now, rhythm)
        buckets = row.sums.ttfts if measure == TTFT else answered_durations(row.sums)
        expected = call_habits.expected_ms(habit, own, measure, times)
        rise = None
        if expected is None:
            mean = mean_ms(buckets)
        else:
            mean = mean_ms(buckets, _MOST_TIMES * expected)
            rise = call_habits.rise_of(habit, own, measure, times, expected, mean)
        times_over = 1
        if own.offset.held > WELL_KNOWN_CALLS:
            if known.cell.rows % THEN_EACH:
                return (rise, mean) if rise is not None and rise.is_judged else None
            times_over = THEN_EACH
        if is_steady:
            add_coarsely(known.route.usual[measure], buckets, times_over)
        call_habits.learn(
            habit,
            own,
            rhythm,
            measure,
            now,
            times,
            rise,
            mean,
            is_steady=is_steady,
            is_settling=is_settling,
            times_over=times_over,
        )
        return (rise, mean) if rise is not None and rise.is_judged else None

    def _is_settling(self, now: int, known: Known) -> bool:
        return any(
            now - one.begins >= _SETTLES_AFTER_MINUTES and one.series.holds(known.key)
            for one in self._open.values()
        )

    def _weigh(self, now: int, rises: dict[Series, list[Sums]]) -> None:
        """Add the minute to the evidence of its series."""
        for series, by_measure in rises.items():
            watch = self._cells.watches[series]
            watch.last = now
            if now - watch.born < JUDGED_AFTER_MINUTES:
                continue
            for slowness, sums in zip(watch.slowness, by_measure, strict=True):
                if sums.precision:
                    slowness.add(now, sums.calls, sums.precision, sums.product)
                    slowness.learn(now, sums.precision, sums.plain)
            watch.look(now)

    def _begin(self, now: int, rises: dict[Series, list[Sums]]) -> None:
        """What begins to be told: nothing that lies within what is told already."""
        suspects: dict[str, list[Series]] = {}
        for series in rises:
            if self._cells.watches[series].slow_since >= 0:
                suspects.setdefault(series.values[0], []).append(series)
        for vendor, its in sorted(suspects.items()):
            told = [one for one in self._open.values() if one.series.scope.get("vendor", "") == vendor]
            for measure in range(len(MEASURES)):
                slow = {
                    one: self._cells.watches[one]
                    for one in its
                    if self._cells.watches[one].slowness[measure].is_slow
                }
                if not slow:
                    continue
                begins = max(watch.slowness[measure].begins for watch in slow.values())
                tallies = self._tallies(vendor, now, measure, begins)
                waiting = {series: now - watch.slow_since for series, watch in slow.items()}
                for seat in seats(waiting, tallies, [one.series for one in told]):
                    if explain([one.series for one in told], seat, tallies):
                        continue
                    watch = slow.get(seat)
                    since = watch.slowness[measure].begins if watch else begins
                    one = self._opened(now, seat, measure, since)
                    if is_worth_telling(self._slow_calls(one)):
                        for other in [other for other in told if explain([seat], other.series, tallies)]:
                            one.take_over(self._open.pop(other.series))
                            told.remove(other)
                        self._open[seat] = one
                        told.append(one)

    def _tallies(self, vendor: str, now: int, measure: int, begins: int) -> list[SlowTally]:
        return tallies_of(
            self._cells.of_vendor(vendor), now, measure, lambda known, its: known.tally(its, begins)
        )

    def _opened(self, now: int, seat: Series, measure: int, begins: int) -> Open:
        one = Open(measure, *seat, begins=begins, opened=now, last=now)
        by_minute: dict[int, list[tuple[Key, Entry]]] = {}
        for known in self._cells.of_vendor(seat.scope.get("vendor", "")):
            for entry in known.entries:
                if entry.minute >= begins:
                    by_minute.setdefault(entry.minute, []).append((known.key, entry))
        for minute in sorted(by_minute):
            one.take(minute, by_minute[minute])
        one.name_measure()
        return one

    def _go_on(self, now: int, touched: Iterable[Known]) -> None:
        """Follow what is open, and end what is over; what lies within something broader is told there."""
        for series, one in list(self._open.items()):
            if any(series != other and series.lies_within(other) for other in self._open):
                del self._open[series]
                continue
            if one.opened == now:
                continue
            vendor = series.scope.get("vendor", "")
            entries = [
                (known.key, entry)
                for known in touched
                if known.key[VENDOR] == vendor
                for entry in known.entries
                if entry.minute == now
            ]
            asked = self._asked(one)
            one.take(now, entries, asked)
            watch = self._cells.watches.get(series)
            for measure in range(len(MEASURES)):
                sums = Sums()
                for key, entry in entries:
                    if series.holds(key) and (measure != DURATION or not asked or key in asked):
                        sums.precision += entry.timed[measure].precision
                        sums.product += entry.timed[measure].product
                        sums.plain += entry.timed[measure].plain
                if sums.precision:
                    slowness = watch.slowness[measure] if watch else Slowness()
                    one.weigh(measure, sums, slowness.variance(sums.precision))
            if one.is_over(now):
                del self._open[series]
                self._clear(series)
            elif entries:
                self._move(now, one)

    def _asked(self, one: Open) -> set[Key]:
        """Cells whose answers are long, where it is those that take longer: others cannot say how it stands.

        Empty where all can.
        """
        cells = [known for known in self._cells.of_vendor(one.series.scope.get("vendor", "")) if known.writes]
        writing = {known.key for known in cells}
        slow = {cell: max(0.0, entry.timed[DURATION].product) for cell, entry in one.cells.items()}
        long = sum(product for cell, product in slow.items() if cell in writing)
        return writing if one.measure == DURATION and long > DOMINATES * sum(slow.values()) else set()

    def _move(self, now: int, one: Open) -> None:
        """Tell it at the level where it is seen to be by now."""

        def tally(known: Known, measure: int) -> SlowTally:
            timed = one.tally(known.key, measure)
            return SlowTally(known.key, timed.calls, timed.precision, timed.product, timed.plain)

        before = one.series
        cells = self._cells.of_vendor(before.scope.get("vendor", ""))
        seat = moved(before, tallies_of(cells, now, one.measure, tally))
        if seat != before and seat not in self._open:
            del self._open[before]
            one.move(seat)
            self._open[seat] = one

    def _clear(self, series: Series) -> None:
        """What spoke for what is over speaks for nothing new."""
        vendor = series.scope.get("vendor", "")
        for other, watch in self._cells.watches.items():
            if other.values[0] == vendor:
                watch.forget()

    def _slow_calls(self, one: Open) -> SlowCalls:
        vendor = one.series.scope.get("vendor", "")
        cells = {known.key: known.cell for known in self._cells.of_vendor(vendor)}
        others = [
            (series.values[0], any(slow.is_slow for slow in watch.slowness))
            for series, watch in sorted(self._cells.watches.items(), key=lambda item: item[0])
            if series.level == 0 and series.values[0] != vendor and watch.last >= one.begins
        ]
        calls = sum(known.cell.tokens_held for known in self._cells.every())
        its = sum(
            known.cell.tokens_held for known in self._cells.of_vendor(vendor) if one.series.holds(known.key)
        )
        return SlowCalls(
            kind=self.kind,
            open=one,
            usual=self._cells.usual(vendor),
            usual_tokens={key: (cell.tokens[0], cell.tokens[1]) for key, cell in cells.items()},
            other_vendors=others,
            share_of_traffic=its / calls if calls else 0.0,
        )


DETECTOR: Final = Latency
