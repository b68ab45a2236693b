"""Refused lines: a share of what a tenant sends cannot be taken, or far more than usual, so that figures lack it.

A tenant's refused lines are said for as long as they are a share of its lines above a setting, or many times their
usual share, over the shortest of three windows that holds enough of them to tell, as long as it goes on. Lines of no
known tenant (`streams.refused.UNKNOWN_TENANT`) have nothing to be a share of: they are said where there are enough
of them and, once a day has been seen, several times as many as usual. What the lines would have cost is not known,
so no dollars are said.

Invariants: what comes late counts for the minute in which it comes; fewer refused lines than the setting are not said.
Limits: counted is what the meter refuses. What the gateway, a file's reader or the store refuses is in the ledger and
in those parts' metrics. A call that is reported twice counts twice in what a share is of.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Final, NamedTuple

import msgspec

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import TenantMinute
from streams.groups import EPOCH
from streams.refused import NO_SOURCE, NOTHING_REFUSED, UNKNOWN_TENANT, RefusedLines
from tokenweir.signals import Contributor, Severity

_FORM: Final = "rejects 1"
_WINDOWS: Final = ((15, 3), (60, 15), (360, 60))
"""(minutes that are looked at, how many of the latest of them have to hold a refused line)."""

_OVER: Final = 5.0
"""It is over once so many refused lines would have been expected since the last one."""

_MOST_MINUTES: Final = _WINDOWS[-1][0]
_HOUR: Final = 60
_DAY: Final = 24 * 60
_KEPT_PER_HOUR: Final = 0.5 ** (1 / 72)
_FAR_ABOVE: Final = 10.0
"""Times the usual share: said below the setting, too, from a tenth of it on."""

_FAR_ABOVE_LINES: Final = 3.0
"""Times the usual lines, where there is no share."""

_CRITICAL_SHARE: Final = 0.2
_QUIET_MINUTES: Final = 15
_MOST_NAMED: Final = 5
_MOST_LEARNT_HOURS: Final = 30 * 24
_NOBODY: Final = "unnamed sources"


class _State(msgspec.Struct):
    """`calls`: of the latest minutes, this one last. `refused`: by minute. `usual`: lines, refused lines, hours."""

    form: str
    born: int = -1
    last: int = -1
    calls: list[int] = []
    refused: dict[int, RefusedLines] = {}
    hour: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    usual: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0, 0.0])
    since: int = -1
    said: int = -1


class _Seen(NamedTuple):
    """A window of so many minutes: all lines in it, calls and refused ones; of these how many, and since which minute.

    calls_since: after the minute of the last refused line.
    """

    minutes: int
    lines: int
    refused: int
    first: int
    calls_since: int

    @property
    def share(self) -> float:
        """Of the lines, what was refused."""
        return self.refused / self.lines


class Rejects:
    """One tenant's detector of refused lines."""

    kind: ClassVar[str] = "rejects"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self._least_share = surroundings.settings.rejects_share
        self._least_lines = surroundings.settings.rejects_min_lines
        self._state = _State(_FORM)

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """Whether too much is refused."""
        if not minute.is_whole:
            return []
        self._take(minute)
        refused = self._state.refused
        for minutes, latest in _WINDOWS:
            if not refused or max(refused) <= minute.minute - latest:
                continue
            seen = self._seen(minutes, minute.minute)
            if self._is_too_much(seen, minute.tenant):
                return [self._said(seen, minute)]
        return []

    def state(self) -> bytes:
        """All that it knows."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no state of the detector of refused lines: {error}") from error
        if read.form != _FORM:
            raise ValueError(f"a state of form {read.form!r}, known is {_FORM!r}")
        self._state = read

    def _take(self, minute: TenantMinute) -> None:
        state, now = self._state, minute.minute
        if now <= state.last:  # nothing that was counted is before this minute
            state = self._state = _State(_FORM)
        if state.born < 0:
            state.born, state.last = now, now - 1
        for _ in range(min(now // _HOUR - state.last // _HOUR, _MOST_LEARNT_HOURS)):
            state.usual = [
                (usual + count) * _KEPT_PER_HOUR
                for usual, count in zip(state.usual, (*state.hour, 1), strict=True)
            ]
            state.hour = [0, 0]
        silent = [0] * min(now - state.last - 1, _MOST_MINUTES)
        calls = sum(row.sums.calls for row in minute.rows) + sum(row.sums.calls for _, row in minute.late)
        state.calls = [*state.calls, *silent, calls][-_MOST_MINUTES:]
        state.last = now
        lines = minute.refused.lines
        state.hour = [state.hour[0] + calls + lines, state.hour[1] + lines]
        if lines:
            state.refused[now] = minute.refused
        state.refused = {one: found for one, found in state.refused.items() if one > now - _MOST_MINUTES}

    def _seen(self, minutes: int, now: int) -> _Seen:
        state = self._state
        found = [one for one in state.refused if one > now - minutes]
        refused = sum(state.refused[one].lines for one in found)
        lines = sum(state.calls[-minutes:]) + refused
        since = now - max(found)
        return _Seen(minutes, lines, refused, min(found), sum(state.calls[-since:]) if since else 0)

    @property
    def _usual(self) -> list[float] | None:
        """Lines, refused lines and hours that are usual; None before a day was seen."""
        state = self._state
        return state.usual if state.last - state.born >= _DAY and state.usual[0] else None

    def _is_too_much(self, seen: _Seen, tenant: str) -> bool:
        if seen.refused < self._least_lines:
            return False
        usual = self._usual
        if tenant == UNKNOWN_TENANT:
            hours = seen.minutes / _HOUR
            return usual is None or seen.refused >= _FAR_ABOVE_LINES * usual[1] / usual[2] * hours
        if seen.calls_since * seen.share >= _OVER:
            return False
        if seen.share >= self._least_share:
            return True
        return usual is not None and seen.share >= max(
            _FAR_ABOVE * usual[1] / usual[0], self._least_share / _FAR_ABOVE
        )

    def _said(self, seen: _Seen, minute: TenantMinute) -> Condition:
        state, usual, refused = self._state, self._usual, NOTHING_REFUSED
        for one in sorted(state.refused):
            if one >= seen.first:
                refused = refused.plus(state.refused[one])
        if state.since < 0 or minute.minute - state.said > _QUIET_MINUTES:
            state.since = seen.first
        state.said = minute.minute
        is_unknown = minute.tenant == UNKNOWN_TENANT
        severity: Severity = "critical" if not is_unknown and seen.share >= _CRITICAL_SHARE else "warning"
        period = f"{seen.minutes} minutes" if seen.minutes <= _HOUR else f"{seen.minutes // _HOUR} hours"
        if is_unknown:
            title = f"{refused.lines:,} lines of no known tenant were refused in {period}"
            value = refused.lines / seen.minutes * _HOUR
            baseline = usual[1] / usual[2] if usual else None
            much = f"{refused.lines:,} lines that name no tenant were refused in the last {period}"
        else:
            title = f"{seen.share:.1%} of the lines of {minute.tenant} are refused"
            value, baseline = seen.share, usual[1] / usual[0] if usual else None
            much = f"{refused.lines:,} of {seen.lines:,} lines of the last {period} were refused ({seen.share:.2%}"
            much += ")" if baseline is None else f", usually {baseline:.2%})"
        return Condition(
            kind=self.kind,
            subject="",
            scope={},
            severity=severity,
            started_at=EPOCH + timedelta(minutes=state.since),
            value=value,
            baseline=baseline,
            unit="lines an hour" if is_unknown else "share of lines",
            impact_usd_per_day=None,
            title=title,
            explanation=f"{much}: {_listed(refused.reasons)}; from {_listed(_sources(refused))}. They are in no "
            "figure. `weir rejected` shows each with the field at fault and what to do; once that is mended, what was "
            "refused can be sent again and counts once.",
            contributors=tuple(
                Contributor(
                    component="source",
                    scope={"source": name} if name != NO_SOURCE else {},
                    text=f"{count:,} refused lines from {name or _NOBODY}",
                )
                for name, count in _first(refused.sources)
            ),
            evidence={
                "minutes": seen.minutes,
                "lines": seen.lines,
                "refused_lines": refused.lines,
                "reasons": dict(_first(refused.reasons, len(refused.reasons))),
                "sources": dict(_first(refused.sources, len(refused.sources))),
            },
            quiet_minutes=_QUIET_MINUTES,
        )


def _sources(refused: RefusedLines) -> dict[str, int]:
    return {name or _NOBODY: count for name, count in refused.sources.items()}


def _first(counts: Mapping[str, int], most: int = _MOST_NAMED) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most]


def _listed(counts: Mapping[str, int]) -> str:
    """The largest of some counts: `shop 40, cron 2 and 3 of others`."""
    named = _first(counts)
    rest = sum(counts.values()) - sum(count for _, count in named)
    text = ", ".join(f"{name} {count:,}" for name, count in named)
    return f"{text} and {rest:,} of others" if rest else text


DETECTOR = Rejects
