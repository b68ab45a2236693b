"""One tenant's minutes: partial sums put together, and each minute closed once, in order.

The clock is Kafka's time of the messages, so the same messages close the same minutes, whoever reads them and when.
A minute that was heard of in time is closed `close_after_ms` after its end. Where what arrives is older than that, a
backlog is being worked off or a month is being replayed, and the minutes themselves lead: one is closed `hold_ms`
after a later one was heard of. A silent minute is closed like any other, once it is clear that nothing comes.

It is clear where the tenant was up to date when it was last heard of. Else (its last minute was old then), or when the
clock has just leapt because nobody wrote for a while (a meter was down and now catches up), it takes longer:
a pipeline that stands must not look like a company that has stopped.

What comes for a closed minute is late, and is handed out with the next one.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from streams.detection.seen import Seen
from streams.detectors.minute import GroupRow, TenantMinute
from streams.groups import EPOCH, MINUTE
from streams.windows import GroupSums, MinuteWindow, group_values, sums_of
from tokenweir.usage.event import GROUP_FIELDS

MINUTE_MS: Final = 60_000
UP_TO_DATE_MS: Final = 10 * MINUTE_MS
"""A tenant whose last minute ended longer ago than this when it was heard of is behind."""

PATIENCE_MS: Final = 60 * MINUTE_MS
"""So long is one that is behind waited for."""

LEAP_MS: Final = 30_000
LEAP_GRACE_MS: Final = 60_000

NEVER_MS: Final = 2**62
_MOST_NAMES: Final = 200_000

_PlainSums = tuple[int, dict[str, int], list[int], int, int, dict[int, int], dict[int, int]]
_PlainRow = tuple[tuple[str, ...], int, _PlainSums]


class MinutesState(msgspec.Struct):
    """TenantMinutes as plain data. `rows` and `late`: (group, minute, sums)."""

    next_minute: int | None
    rows: list[_PlainRow]
    late: list[_PlainRow]
    heard: list[tuple[int, int]]
    last_heard_ms: int
    leapt_ms: int
    seen: dict[str, tuple[int, int, list[tuple[Any, ...]], list[tuple[int, int]]]]


class TenantMinutes:
    """The minutes of one tenant that are not closed yet."""

    def __init__(self, tenant: str, *, close_after_ms: int, hold_ms: int) -> None:
        self._tenant = tenant
        self._close_after_ms = close_after_ms
        self._hold_ms = hold_ms
        self._next: int | None = None
        """The minute that is closed next; None before the first."""
        self._rows: dict[int, dict[tuple[str, ...], GroupSums]] = {}
        self._late: dict[int, dict[tuple[str, ...], GroupSums]] = {}
        self._heard: list[tuple[int, int]] = []
        """(minute, clock at which it or a later one was first heard of), rising in both."""
        self._last_heard_ms = 0
        self._leapt_ms = 0
        self._seen = Seen()
        self._names: dict[tuple[str, ...], dict[str, str]] = {}

    def take(self, windows: Iterable[MinuteWindow], clock_ms: int) -> None:
        """Add partial sums of this tenant that are read at this clock; those that were taken before are dropped."""
        for window in windows:
            key = group_values(window)
            minute = (window.minute - EPOCH) // MINUTE
            if not self._seen.is_new(window.partial_id, (*key, minute)):
                continue
            is_late = self._next is not None and minute < self._next
            rows = (self._late if is_late else self._rows).setdefault(minute, {})
            sums = rows.get(key)
            if sums is None:
                rows[key] = sums_of(window)
            else:
                sums.merge(sums_of(window))
            if not is_late:
                self._last_heard_ms = clock_ms
                if not self._heard or minute > self._heard[-1][0]:
                    self._heard.append((minute, clock_ms))

    def leap(self, clock_ms: int) -> None:
        """The clock has come here after it had stood for longer than LEAP_MS."""
        self._leapt_ms = clock_ms

    def due_ms(self) -> int:
        """The clock at which the next minute is closed, as it looks now."""
        minute = self._next_minute()
        return NEVER_MS if minute is None else self._due_ms(minute)

    def close(self, clock_ms: int) -> Iterator[TenantMinute]:
        """The minutes that are closed by this clock, one after the other."""
        while (minute := self._next_minute()) is not None and self._due_ms(minute) <= clock_ms:
            rows = self._rows.pop(minute, {})
            late, self._late = self._late, {}
            self._next = minute + 1
            while self._heard and self._heard[0][0] < self._next and len(self._heard) > 1:
                self._heard.pop(0)
            yield TenantMinute(
                self._tenant,
                minute,
                [self._row(key, sums) for key, sums in rows.items()],
                late=[
                    (past, self._row(key, sums)) for past in sorted(late) for key, sums in late[past].items()
                ],
            )

    def forget(self) -> None:
        """Begin anew with whatever minute comes next."""
        self._next = None
        self._heard = [(minute, clock_ms) for minute, clock_ms in self._heard if minute in self._rows]
        if self._rows and not self._heard:
            self._heard = [(max(self._rows), self._last_heard_ms)]

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
            self._last_heard_ms,
            self._leapt_ms,
            self._seen.state(),
        )

    def restore(self, state: MinutesState) -> None:
        """Take up what `state` gave."""
        self._next = state.next_minute
        self._rows, self._late = _from_plain(state.rows), _from_plain(state.late)
        self._heard = list(state.heard)
        self._last_heard_ms, self._leapt_ms = state.last_heard_ms, state.leapt_ms
        self._seen = Seen.restored(state.seen)

    def _next_minute(self) -> int | None:
        return self._next if self._next is not None else min(self._rows, default=None)

    def _due_ms(self, minute: int) -> int:
        deadline = (minute + 1) * MINUTE_MS + self._close_after_ms
        first = later = None
        for heard, clock_ms in self._heard:
            if heard >= minute and first is None:
                first = clock_ms
            if heard > minute:
                later = clock_ms
                break
        if first is not None and first <= deadline:
            return deadline if self._leapt_ms < deadline else self._leapt_ms + LEAP_GRACE_MS
        if later is not None:
            return later + self._hold_ms
        silent = max(deadline, self._leapt_ms + LEAP_GRACE_MS)
        return max(silent, self._last_heard_ms + (self._hold_ms if self._is_up_to_date() else PATIENCE_MS))

    def _is_up_to_date(self) -> bool:
        latest = self._heard[-1][0]
        return self._last_heard_ms - (latest + 1) * MINUTE_MS <= UP_TO_DATE_MS

    def _row(self, key: tuple[str, ...], sums: GroupSums) -> GroupRow:
        names = self._names.get(key)
        if names is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            names = self._names[key] = dict(zip(GROUP_FIELDS, key, strict=True))
        return GroupRow(names, sums)


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
