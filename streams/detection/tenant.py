"""One tenant's detection: its minutes, its detectors, its incidents, and all of that as plain data.

Invariant: what comes out depends on what is taken and on the clock that comes with it, and on nothing else. So a state
and what was taken since give the same signals again, with the same ids.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from streams.detection.minutes import NEVER_MS, MinutesState, TenantMinutes
from streams.detectors.detector import Condition, Detector
from streams.detectors.incidents import Incidents
from streams.detectors.minute import TenantMinute
from streams.detectors.packing import pack, unpack
from streams.groups import EPOCH
from streams.windows import MinuteWindow
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal, SignalRequest

log = logging.getLogger("tokenweir.streams.detect")

_VERSION: Final = 1
_MINUTES_A_DAY: Final = 1440
_MOST_SILENT_WITHOUT_CALLS: Final = _MINUTES_A_DAY
"""A tenant of which only refused lines were ever heard is forgotten sooner: whoever can write a line can name one."""

MakeDetectors = Callable[[], Sequence[Detector]]


class _State(msgspec.Struct):
    version: int
    clock_ms: int
    early_slot: int
    silent_minutes: int
    minutes: MinutesState
    incidents: bytes
    detectors: dict[str, bytes]


class TenantDetection:
    """Windows in, signals out. make: gives a set of detectors, for the beginning and for a new beginning."""

    def __init__(self, tenant: str, make: MakeDetectors, settings: DetectionSettings) -> None:
        self._tenant = tenant
        self._make = make
        self._detectors = make()
        self._incidents = Incidents(tenant)
        self._settings = settings
        self._minutes = self._fresh_minutes()
        self._early_ms = round(settings.early_seconds * 1000)
        self._most_silent = settings.forget_days * _MINUTES_A_DAY
        self._early_slot = 0
        self._silent_minutes = 0
        self._clock_ms = 0
        self.is_forgotten = False
        """Nothing is known of it any more: it may be dropped."""
        self.failures = 0
        """How often a detector has raised."""

    def _fresh_minutes(self) -> TenantMinutes:
        return TenantMinutes(
            self._tenant,
            close_after_ms=round(self._settings.close_after_seconds * 1000),
            hold_ms=round(self._settings.hold_seconds * 1000),
            most_names=self._settings.most_names,
        )

    def take(self, windows: Sequence[MinuteWindow], clock_ms: int) -> int:
        """Add partial sums of this tenant, read at this clock. Returns how many were of too many groups."""
        self._clock_ms = max(self._clock_ms, clock_ms)
        before = self._minutes.too_many
        if self._minutes.take(windows, self._clock_ms):
            self._detectors = self._make()
            self._silent_minutes = 0
        return self._minutes.too_many - before

    @property
    def has_calls(self) -> bool:
        """Whether any call of it was heard of, and not only lines that were refused."""
        return self._minutes.has_calls

    def ask(self, request: SignalRequest, clock_ms: int) -> list[Signal]:
        """What a person wants of an incident."""
        self._clock_ms = max(self._clock_ms, clock_ms)
        at = EPOCH + timedelta(milliseconds=self._clock_ms)
        return self._incidents.take_request(request, self._clock_ms // 60_000, at)

    def certify(self, clock_ms: int) -> None:
        """What was reported until this clock has come."""
        self._minutes.certify(clock_ms)

    def is_due(self, clock_ms: int) -> bool:
        """Whether `advance` would do anything."""
        return self._minutes.due_ms() <= clock_ms or clock_ms // self._early_ms > self._early_slot

    def closes_by(self, clock_ms: int) -> bool:
        """Whether a minute is closed by this clock."""
        return self._minutes.due_ms() <= clock_ms

    def deadline_ms(self) -> int:
        """When the next minute would be closed if it had been heard of in time."""
        return self._minutes.deadline_ms()

    def pass_over_gap(self) -> None:
        """Go on with whatever minute comes next. Of those before nothing is known, not even that they were silent."""
        self._minutes = self._fresh_minutes()

    def advance(self, clock_ms: int) -> tuple[list[Signal], bool]:
        """Close what is to be closed by this clock, or else look at the open minute.

        Gives signals, and whether a minute was closed, so that `state` may be asked for.
        """
        self._clock_ms = clock_ms = max(self._clock_ms, clock_ms)
        signals: list[Signal] = []
        closed = False
        for minute in self._minutes.close(clock_ms):
            closed = True
            signals += self._incidents.tick(minute, self._observe(minute, self._detectors))
            self._silent_minutes = 0 if minute.rows or minute.refused.lines else self._silent_minutes + 1
            if self._silent_minutes > (
                self._most_silent
                if self._minutes.has_calls
                else min(self._most_silent, _MOST_SILENT_WITHOUT_CALLS)
            ):
                signals += self._forget(minute)
                break
        slot = clock_ms // self._early_ms
        if closed or slot == self._early_slot:
            return signals, closed
        self._early_slot = slot
        open_minute = self._minutes.open_minute(clock_ms)
        if open_minute is not None:
            early = [detector for detector in self._detectors if detector.early]
            signals += self._incidents.tick(open_minute, self._observe(open_minute, early))
        return signals, False

    def _observe(self, minute: TenantMinute, detectors: Sequence[Detector]) -> list[Condition]:
        conditions: list[Condition] = []
        for detector in detectors:
            try:
                conditions += detector.observe(minute)
            except Exception:
                # One detector's mistake must not keep the others, nor other tenants, from being heard.
                self.failures += 1
                log.exception("The detector of %s failed in minute %s", detector.kind, minute.start)
        return conditions

    def _forget(self, minute: TenantMinute) -> list[Signal]:
        self._silent_minutes = 0
        self._minutes.forget()
        self.is_forgotten = self._minutes.due_ms() == NEVER_MS
        self._detectors = self._make()
        return self._incidents.end(minute.minute, minute.end)

    def open_fingerprints(self) -> Sequence[str]:
        """What is open now."""
        return self._incidents.open_fingerprints()

    def state(self) -> bytes:
        """All of it. To be asked for right after a minute was closed."""
        return pack(
            _State(
                _VERSION,
                self._clock_ms,
                self._early_slot,
                self._silent_minutes,
                self._minutes.state(),
                self._incidents.state(),
                {detector.kind: detector.state() for detector in self._detectors},
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. A detector that does not know its part of it begins anew.

        Raises ValueError for a form that is not known; nothing has changed then.
        """
        read = unpack(state, _State)
        if read.version != _VERSION:
            raise ValueError(f"the state of {self._tenant} has version {read.version}, known is {_VERSION}")
        self._incidents = Incidents.restored(read.incidents)
        self._clock_ms, self._early_slot = read.clock_ms, read.early_slot
        self._silent_minutes = read.silent_minutes
        self._minutes.restore(read.minutes)
        for detector in self._detectors:
            kept = read.detectors.get(detector.kind)
            if kept is None:
                continue
            try:
                detector.restore(kept)
            except ValueError as error:
                log.warning("The detector of %s begins anew for %s: %s", detector.kind, self._tenant, error)
