"""One tenant's minutes: partial sums put together, and each minute closed once, in order.

The clock is Kafka's time of the messages, so the same messages close the same minutes, whoever reads them and when.
A tick among them (`streams.detection.control`) certifies more: what was reported until then has gone through the meter.

- A minute that was heard of in time, or that is silent, is closed `close_after_ms` after its end, once that is
  certified: a pipeline that stands must not look like a company that has stopped. Where nothing is certified, as the
  meter lags behind, it is closed LAG_PATIENCE_MS later.
- Where what arrives is older than that, a backlog is being worked off or a month is being replayed, and the minutes
  themselves lead: one is closed `hold_ms` after a later one was heard of, once that is certified, or once every
  partition of the usage topic that has lately brought anything is past it.

What comes for a closed minute is late, and is handed out with the next one; so are lines that were refused. Those do
not lead: which minutes there are, calls say. Only of a tenant that has had no call yet the clock's minutes are closed,
and its minutes begin anew with its first call where that is of an earlier one.

A minute that has not come yet (a sender's clock is ahead) is kept until it has; it says nothing of those before it.

Limits: of groups that wait at the same time, `most_groups` are told apart. What comes for others counts for the tenant
as a whole; of what comes late, nothing does. Of the names of a field, `most_names` are (`streams.detection.names`).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from streams.detection.names import KnownNames
from streams.detection.seen import Seen
from streams.detectors.minute import GroupRow, TenantMinute
from streams.groups import EPOCH, MINUTE
from streams.refused import NOTHING_REFUSED, RefusedLines, refused_in
from streams.windows import GroupSums, MinuteWindow, group_values, sums_of
from tokenweir.usage.event import GROUP_FIELDS

MINUTE_MS: Final = 60_000
UP_TO_DATE_MS: Final = 10 * MINUTE_MS
"""A tenant whose last minute ended longer ago than this when it was heard of is behind."""

PATIENCE_MS: Final = 60 * MINUTE_MS
"""So long is one that is behind waited for."""

LAG_PATIENCE_MS: Final = 60_000
QUIET_PARTITION_MS: Final = 60_000
"""A partition that has brought nothing for so long is not waited for."""

NEVER_MS: Final = 2**62
MOST_GROUPS: Final = 200_000
MOST_NAMES: Final = 10_000
_MOST_KEYS: Final = 200_000
_MOST_PARTITIONS: Final = 4096

_PlainSums = tuple[int, dict[str, int], list[int], int, int, dict[int, int], dict[int, int]]
_PlainRow = tuple[tuple[str, ...], int, _PlainSums]


class MinutesState(msgspec.Struct):
    """TenantMinutes as plain data. `rows` and `late`: (group, minute, sums)."""

    next_minute: int | None
    rows: list[_PlainRow]
    late: list[_PlainRow]
    heard: list[tuple[int, int]]
    passed: list[tuple[int, int]]
    partitions: dict[str, tuple[int, int]]
    last_heard_ms: int
    certified_ms: int
    seen: dict[str, tuple[int, int, list[tuple[Any, ...]], list[tuple[int, int]]]]
    refused: RefusedLines = NOTHING_REFUSED
    has_calls: bool = True
    names: tuple[int, int, list[dict[str, int]]] | None = None


class TenantMinutes:
    """The minutes of one tenant that are not closed yet."""

    def __init__(
        self,
        tenant: str,
        *,
        close_after_ms: int,
        hold_ms: int,
        most_groups: int = MOST_GROUPS,
        most_names: int = MOST_NAMES,
    ) -> None:
        self._tenant = tenant
        self._most_groups = most_groups
        self._groups = 0
        self._close_after_ms = close_after_ms
        self._hold_ms = hold_ms
        self._next: int | None = None
        """The minute that is closed next; None before the first."""
        self._rows: dict[int, dict[tuple[str, ...], GroupSums]] = {}
        self._late: dict[int, dict[tuple[str, ...], GroupSums]] = {}
        self._heard: list[tuple[int, int]] = []
        """(minute, clock at which it or a later one was first heard of), rising in both."""
        self._partitions: dict[str, tuple[int, int]] = {}
        """By partition of the usage topic: the latest minute that it brought, and when it last brought anything."""
        self._passed: list[tuple[int, int]] = []
        """(minute, clock at which all partitions had come to it or past it), rising in both."""
        self._last_heard_ms = 0
        self._certified_ms = 0
        self._seen = Seen()
        self._known = KnownNames(most_names)
        self._names: dict[tuple[str, ...], dict[str, str]] = {}
        self._refused = NOTHING_REFUSED
        self.has_calls = False
        """Whether any call was heard of, and not only lines that were refused."""
        self.too_many = 0
        """How many partial sums this process took that were of more groups, or names, than are told apart."""

    def take(self, windows: Iterable[MinuteWindow], clock_ms: int) -> bool:
        """Add partial sums of this tenant that are read at this clock; those that were taken before are dropped.

        True where the minutes begin anew, before some that were closed.
        """
        begins_anew = False
        for window in windows:
            key = group_values(window)
            minute = (window.minute - EPOCH) // MINUTE
            if not self._seen.is_new(window.partial_id, (*key, minute)):
                continue
            if window.refused_lines:
                self._refuse(window, clock_ms)
                continue
            if not self.has_calls:
                begins_anew = self._begin_with(minute) or begins_anew
            is_late = self._next is not None and minute < self._next
            folded = self._known.fold(key, min(minute, clock_ms // MINUTE_MS))
            is_added = self._add(self._late if is_late else self._rows, minute, folded, window)
            self.too_many += folded != key or not is_added
            self._hear(window.partial_id.rpartition("/")[0], minute, clock_ms, is_late=is_late)
        self._pass(clock_ms)
        return begins_anew

    def _refuse(self, window: MinuteWindow, clock_ms: int) -> None:
        self._refused = self._refused.plus(refused_in(window))
        minute = clock_ms // MINUTE_MS
        if not self.has_calls and (self._next is None or minute >= self._next):
            self._hear(window.partial_id.rpartition("/")[0], minute, clock_ms, is_late=False)

    def _begin_with(self, minute: int) -> bool:
        """The first call is of this minute. Whether minutes have been closed that are not before it."""
        self.has_calls = True
        closed = self._next is not None and minute < self._next
        if closed or (self._heard and minute < self._heard[-1][0]):
            self._next = None
            self._rows, self._heard, self._passed, self._partitions = {}, [], [], {}
            self._groups = sum(map(len, self._late.values()))
        return closed

    def _add(
        self,
        minutes: dict[int, dict[tuple[str, ...], GroupSums]],
        minute: int,
        key: tuple[str, ...],
        window: MinuteWindow,
    ) -> bool:
        """Add sums to a group of a minute; False where there are too many groups to tell it apart."""
        rows = minutes.get(minute, {})
        is_told_apart = key in rows or self._groups < self._most_groups
        if not is_told_apart:
            if minutes is self._late:
                return False
            key = (self._tenant, *("" for _ in GROUP_FIELDS[1:]))
        sums = rows.get(key)
        if sums is None:
            minutes.setdefault(minute, rows)[key] = sums_of(window)
            self._groups += 1
        else:
            sums.merge(sums_of(window))
        return is_told_apart

    def _hear(self, partition: str, minute: int, clock_ms: int, *, is_late: bool) -> None:
        minute = min(minute, clock_ms // MINUTE_MS)
        latest, _ = self._partitions.get(partition, (minute, 0))
        self._partitions[partition] = max(latest, minute), clock_ms
        if len(self._partitions) > _MOST_PARTITIONS:
            del self._partitions[min(self._partitions, key=lambda one: (self._partitions[one][1], one))]
        if is_late:
            return
        self._last_heard_ms = clock_ms
        if not self._heard or minute > self._heard[-1][0]:
            self._heard.append((minute, clock_ms))

    def _pass(self, clock_ms: int) -> None:
        """Note how far all partitions have come that have lately brought anything."""
        recent = clock_ms - QUIET_PARTITION_MS
        passed = min((latest for latest, at_ms in self._partitions.values() if at_ms >= recent), default=None)
        if passed is not None and (not self._passed or passed > self._passed[-1][0]):
            self._passed.append((passed, clock_ms))

    def certify(self, clock_ms: int) -> None:
        """What was reported until this clock has come."""
        self._certified_ms = max(self._certified_ms, clock_ms)

    def due_ms(self) -> int:
        """The clock at which the next minute is closed, as it looks now."""
        minute = self._next_minute()
        return NEVER_MS if minute is None else self._due_ms(minute)

    def deadline_ms(self) -> int:
        """When the next minute would be closed if it had been heard of in time."""
        minute = self._next_minute()
        return NEVER_MS if minute is None else self._deadline_ms(minute)

    def close(self, clock_ms: int) -> Iterator[TenantMinute]:
        """The minutes that are closed by this clock, one after the other."""
        while (minute := self._next_minute()) is not None and self._due_ms(minute) <= clock_ms:
            rows = self._rows.pop(minute, {})
            late, self._late = self._late, {}
            refused, self._refused = self._refused, NOTHING_REFUSED
            self._groups -= len(rows) + sum(map(len, late.values()))
            self._next = minute + 1
            for stairs in (self._heard, self._passed):
                while len(stairs) > 1 and stairs[0][0] < self._next:
                    stairs.pop(0)
            yield TenantMinute(
                self._tenant,
                minute,
                [self._row(key, sums) for key, sums in rows.items()],
                late=[
                    (past, self._row(key, sums)) for past in sorted(late) for key, sums in late[past].items()
                ],
                refused=refused,
            )

    def forget(self) -> None:
        """Begin anew with whatever minute comes next."""
        self._next = None
        self._partitions, self._passed = {}, []
        latest = min(max(self._rows, default=0), self._last_heard_ms // MINUTE_MS)
        self._heard = [(latest, self._last_heard_ms)] if self._rows else []
        self.has_calls = bool(self._rows)

    def open_minute(self, clock_ms: int) -> TenantMinute | None:
        """The next minute to be closed as it is by now; None where nothing of it is known or it is long past."""
        minute = self._next_minute()
        if minute is None or minute not in self._rows:
            return None
        seconds = (clock_ms - minute * MINUTE_MS) / 1000
        if not 0 <= seconds * 1000 < MINUTE_MS + self._close_after_ms:
            return None
        rows = [self._row(key, sums) for key, sums in self._rows[minute].items()]
        return TenantMinute(self._tenant, minute, rows, is_whole=False, seconds=min(seconds, 60.0))

    @property
    def last_heard_ms(self) -> int:
        """The clock at which something that was not late last came."""
        return self._last_heard_ms

    def state(self) -> MinutesState:
        """All of it, as plain data."""
        return MinutesState(
            self._next,
            _plain(self._rows),
            _plain(self._late),
            list(self._heard),
            list(self._passed),
            dict(self._partitions),
            self._last_heard_ms,
            self._certified_ms,
            self._seen.state(),
            self._refused,
            self.has_calls,
            self._known.state(),
        )

    def restore(self, state: MinutesState) -> None:
        """Take up what `state` gave."""
        self._next = state.next_minute
        self._rows, self._late = _from_plain(state.rows), _from_plain(state.late)
        self._groups = len(state.rows) + len(state.late)
        self._heard, self._passed = list(state.heard), list(state.passed)
        self._partitions = dict(state.partitions)
        self._last_heard_ms, self._certified_ms = state.last_heard_ms, state.certified_ms
        self._seen = Seen.restored(state.seen)
        self._refused, self.has_calls = state.refused, state.has_calls
        if state.names is not None:
            self._known.restore(state.names)

    def _next_minute(self) -> int | None:
        if self._next is not None:
            return self._next
        return min(self._rows, default=self._heard[0][0] if self._heard else None)

    def _deadline_ms(self, minute: int) -> int:
        return (minute + 1) * MINUTE_MS + self._close_after_ms

    def _due_ms(self, minute: int) -> int:
        deadline = self._deadline_ms(minute)
        first = _reached(self._heard, minute)
        if first is None or first <= deadline:
            due = deadline if first is not None else self._silent_due_ms(deadline)
            return due if self._certified_ms >= due else due + LAG_PATIENCE_MS
        later = _reached(self._heard, minute + 1)
        if later is None:
            return self._silent_due_ms(deadline)
        if self._certified_ms >= later + self._hold_ms:
            return later + self._hold_ms
        passed = _reached(self._passed, minute + 1)
        return self._last_heard_ms + PATIENCE_MS if passed is None else passed + self._hold_ms

    def _silent_due_ms(self, deadline_ms: int) -> int:
        """When to stop waiting for what was not heard of, or for more of the last that was."""
        patience_ms = self._hold_ms if self._is_up_to_date() else PATIENCE_MS
        return max(deadline_ms, self._last_heard_ms + patience_ms)

    def _is_up_to_date(self) -> bool:
        latest = self._heard[-1][0]
        return self._last_heard_ms - (latest + 1) * MINUTE_MS <= UP_TO_DATE_MS

    def _row(self, key: tuple[str, ...], sums: GroupSums) -> GroupRow:
        names = self._names.get(key)
        if names is None:
            if len(self._names) >= _MOST_KEYS:
                self._names.clear()
            names = self._names[key] = dict(zip(GROUP_FIELDS, key, strict=True))
        return GroupRow(names, sums)


def _reached(stairs: list[tuple[int, int]], minute: int) -> int | None:
    """The clock at which a minute, or a later one, was first reached; None where none was."""
    return next((clock_ms for reached, clock_ms in stairs if reached >= minute), None)


def _plain(minutes: dict[int, dict[tuple[str, ...], GroupSums]]) -> list[_PlainRow]:
    return [
        (
            key,
            minute,
            (
                sums.calls,
                dict(sums.statuses),
                sums.tokens,
                sums.cost_picos,
                sums.unpriced_calls,
                sums.durations,
                sums.ttfts,
            ),
        )
        for minute, rows in minutes.items()
        for key, sums in rows.items()
    ]


def _from_plain(plain: list[_PlainRow]) -> dict[int, dict[tuple[str, ...], GroupSums]]:
    minutes: dict[int, dict[tuple[str, ...], GroupSums]] = {}
    for key, minute, (calls, statuses, tokens, cost_picos, unpriced, durations, ttfts) in plain:
        sums = minutes.setdefault(minute, {})[tuple(key)] = GroupSums()
        sums.calls, sums.tokens, sums.cost_picos, sums.unpriced_calls = calls, tokens, cost_picos, unpriced
        sums.durations, sums.ttfts = durations, ttfts
        sums.statuses.update(statuses)
    return minutes
