"""The alert life cycle: conditions in, signals out. One tenant's; pure; its state is plain data.

A condition that is new opens an incident; one that goes on may change it (`streams.detectors.incident` says when that
is told); one that has been unsaid for its `quiet_minutes` is over, and the incident is resolved. Who has taken an
incident up, and until when nobody wants to hear of a fingerprint, is kept here too.

Invariants:
- every incident is opened once and resolved once; of one fingerprint at most one is open at a time;
- what is told depends on the minutes and what was said in them, not on the order within a minute, nor on restarts;
- of what has one cause, one level is reported: below an incident that is open or opens, nothing of the same kind and
  cause opens; above one, only what is more than twice as bad; at its very place, it goes on, and where its conditions
  say so it goes on at another level.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from streams.detectors.detector import Condition
from streams.detectors.incident import FACTOR, Incident, Said, said
from streams.detectors.minute import TenantMinute
from tokenweir.signals import Signal, SignalRequest, SignalState, fingerprint
from tokenweir.signals.signal import SEVERITIES, Change

_VERSION: Final = 1


class _State(msgspec.Struct):
    version: int
    tenant: str
    incidents: list[Incident]
    mutes: dict[str, datetime]


class _Candidate(msgspec.Struct):
    fingerprint: str
    condition: Condition
    said: Said


class Incidents:
    """One tenant's incidents."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._incidents: dict[str, Incident] = {}
        self._mutes: dict[str, datetime] = {}

    def open_fingerprints(self) -> Sequence[str]:
        """What is open now, in order."""
        return sorted(name for name, incident in self._incidents.items() if not incident.is_event)

    def tick(self, minute: TenantMinute, conditions: Iterable[Condition]) -> list[Signal]:
        """What is to be told once these conditions are said in this minute, open or whole. Minutes come in order."""
        now = minute.minute
        observed_at = (
            minute.end
            if minute.is_whole
            else minute.start + (minute.end - minute.start) * (minute.seconds / 60.0)
        )
        self._mutes = {name: until for name, until in self._mutes.items() if until > observed_at}
        signals: list[Signal] = []
        opening: list[_Candidate] = []
        unsaid = set(self._incidents)
        for candidate in self._candidates(conditions):
            incident = self._incidents.get(candidate.fingerprint)
            if incident is None:
                opening.append(candidate)
                continue
            unsaid.discard(candidate.fingerprint)
            signals += self._go_on(incident, candidate, observed_at, minute)
        # From the top down: what is reported above is known when what lies below is looked at.
        for candidate in sorted(opening, key=lambda one: len(one.said.scope)):
            same = self._at_its_place(candidate)
            moved = self._moved(candidate, unsaid)
            if moved is not None:
                unsaid.discard(moved.fingerprint)
                signals += self._go_on(moved, candidate, observed_at, minute)
            elif same is not None:
                same.said_minute = now
            elif not self._is_covered(candidate):
                signals += self._open(candidate, observed_at, now)
        if minute.is_whole:
            signals += self._resolve(observed_at, now)
        return sorted(signals, key=lambda signal: (signal.incident, signal.id))

    def _go_on(
        self, incident: Incident, candidate: _Candidate, observed_at: datetime, minute: TenantMinute
    ) -> list[Signal]:
        """An open incident is said again: what is to be told of that."""
        now = minute.minute
        incident.take(candidate.said, candidate.condition.quiet_minutes, now)
        change: Change = "" if incident.is_event else incident.change(now, is_whole=minute.is_whole)
        return [self._signal(incident, "update", observed_at, now, change)] if change else []

    def take_request(self, request: SignalRequest, minute: int, at: datetime) -> list[Signal]:
        """Note what a person wants of a fingerprint, and tell of it where an incident of it is open.

        Muted is the fingerprint: nobody is to be told until then, whatever is opened meanwhile; the ledger is.
        """
        incident = self._incidents.get(request.fingerprint)
        if incident is not None and incident.is_event:
            incident = None
        change: Change = "acknowledged"
        if request.until is not None:
            if self._mutes.get(request.fingerprint) == request.until:
                return []
            self._mutes[request.fingerprint] = request.until
            change = "muted"
        if incident is None:
            return []
        if request.until is None:
            if incident.acknowledged_by == request.by:
                return []
            incident.acknowledged_by = request.by
        note = {str(change): {"by": request.by, "reason": request.reason}}
        return [self._signal(incident, "update", at, minute, change, note)]

    def end(self, minute: int, at: datetime) -> list[Signal]:
        """Resolve all that is open: the tenant is to be forgotten."""
        ending = [incident for incident in self._incidents.values() if not incident.is_event]
        self._incidents = {}
        return [
            self._signal(incident, "resolved", at, minute)
            for incident in sorted(ending, key=lambda one: one.name)
        ]

    def state(self) -> bytes:
        """All of it, as JSON; the same for the same incidents."""
        return msgspec.json.encode(
            _State(
                _VERSION,
                self._tenant,
                sorted(self._incidents.values(), key=lambda incident: incident.fingerprint),
                dict(sorted(self._mutes.items())),
            )
        )

    @classmethod
    def restored(cls, state: bytes) -> "Incidents":
        """The incidents whose `state` this was. Raises ValueError for a form that is not known."""
        read = msgspec.json.decode(state, type=_State)
        if read.version != _VERSION:
            raise ValueError(f"the state of incidents has version {read.version}, known is {_VERSION}")
        restored = cls(read.tenant)
        restored._incidents = {incident.fingerprint: incident for incident in read.incidents}
        restored._mutes = read.mutes
        return restored

    def _candidates(self, conditions: Iterable[Condition]) -> list[_Candidate]:
        """What is said, once for each fingerprint: the most severe, then the worst, of what is said twice."""
        best: dict[str, _Candidate] = {}
        for condition in conditions:
            name = fingerprint(condition.kind, self._tenant, condition.scope, condition.subject)
            candidate = _Candidate(name, condition, said(condition, self._tenant))
            other = best.get(name)
            if other is None or _weight(candidate) > _weight(other):
                best[name] = candidate
        return [best[name] for name in sorted(best)]

    def _at_its_place(self, candidate: _Candidate) -> Incident | None:
        """The incident of the same cause at the same place, which goes on though it shows in something else now."""
        cause = _cause(candidate.condition)
        for incident in self._incidents.values():
            latest = incident.latest
            is_there = latest.kind == candidate.said.kind and latest.scope == candidate.said.scope
            if is_there and incident.cause == cause and not incident.is_event:
                return incident
        return None

    def _moved(self, candidate: _Candidate, unsaid: Collection[str]) -> Incident | None:
        """The incident that goes on at the candidate's level: said there now, and no longer where it was."""
        if not candidate.condition.told_before:
            return None
        cause = _cause(candidate.condition)
        scopes = [{"tenant": self._tenant, **scope} for scope in candidate.condition.told_before]
        for name in sorted(unsaid):
            incident = self._incidents[name]
            is_alike = incident.latest.kind == candidate.said.kind and incident.cause == cause
            if (
                is_alike
                and not incident.is_event
                and incident.latest.scope in [candidate.said.scope, *scopes]
            ):
                return incident
        return None

    def _is_covered(self, candidate: _Candidate) -> bool:
        """Whether the cause is reported at another level."""
        cause, scope = _cause(candidate.condition), candidate.said.scope.items()
        for incident in self._incidents.values():
            if incident.latest.kind != candidate.said.kind or incident.cause != cause:
                continue
            other = incident.latest.scope.items()
            if other < scope or (incident.scope and incident.scope.items() < scope):
                return True
            if scope < other and candidate.said.magnitude <= FACTOR * incident.latest.magnitude:
                return True
        return False

    def _open(self, candidate: _Candidate, observed_at: datetime, minute: int) -> list[Signal]:
        condition = candidate.condition
        incident = Incident(
            fingerprint=candidate.fingerprint,
            opened_minute=minute,
            is_event=condition.is_event,
            cause=_cause(condition),
            quiet_minutes=condition.quiet_minutes,
            latest=candidate.said,
            said_minute=minute,
        )
        self._incidents[candidate.fingerprint] = incident
        opened = [self._signal(incident, "open", observed_at, minute)]
        if condition.is_event:
            opened.append(self._signal(incident, "resolved", observed_at, minute))
        return opened

    def _resolve(self, observed_at: datetime, minute: int) -> list[Signal]:
        over = [incident for incident in self._incidents.values() if incident.is_over(minute)]
        for incident in over:
            del self._incidents[incident.fingerprint]
        return [
            self._signal(incident, "resolved", observed_at, minute)
            for incident in over
            if not incident.is_event
        ]

    def _signal(
        self,
        incident: Incident,
        state: SignalState,
        observed_at: datetime,
        minute: int,
        change: Change = "",
        note: Mapping[str, Any] | None = None,
    ) -> Signal:
        muted_until = self._mutes.get(incident.fingerprint)
        return incident.signal(
            state, observed_at, minute, change=change, muted_until=muted_until, note=note or {}
        )


def _cause(condition: Condition) -> str:
    return condition.subject if condition.cause is None else condition.cause


def _weight(candidate: _Candidate) -> tuple[int, float, str]:
    said = candidate.said
    return SEVERITIES.index(said.severity), said.magnitude, repr(candidate.condition)
