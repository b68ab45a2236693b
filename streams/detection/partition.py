"""One partition of the windows topic: messages in their order in, signals and checkpoints out. Pure.

Invariants:
- the same messages from the same checkpoints give the same signals: the clock is the highest of the messages' times;
- a tenant's state holds all messages before its mark and none after it; what lies before is passed over when the
  partition is read again from `begin`, which is the lowest of the marks.
"""

import logging
import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from streams.detection.checkpoint import Checkpoint, Kept, Mark, next_number
from streams.detection.control import Headers, is_tick, request_in
from streams.detection.minutes import NEVER_MS
from streams.detection.reading import read_windows
from streams.detection.tenant import MakeDetectors, TenantDetection
from streams.refused import UNKNOWN_TENANT
from streams.windows import MinuteWindow
from tokenweir.errors import RejectedInput
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal

log = logging.getLogger("tokenweir.streams.detect")

NO_REQUEST: Final = "no_request"
TOO_MANY_GROUPS: Final = "too_many_groups"
"""A line whose sums count for its tenant as a whole or for a name "(other)", or, where they come late, not at all."""

_SECOND_MS: Final = 1000

MOST_WITHOUT_CALLS: Final = 50
"""So many tenants are made up of nothing but refused lines, at most; those of further ones are left to the ledger."""


class LogMessage(NamedTuple):
    """A message of the partition; `time_ms` is Kafka's."""

    offset: int
    time_ms: int
    headers: Headers
    value: bytes


class Outcome(NamedTuple):
    """What follows from a message. forgotten: tenants of which nothing is known any more. refused: a reason a line."""

    signals: list[Signal]
    checkpoints: list[Checkpoint]
    forgotten: list[str]
    refused: list[str]


class _Tenant:
    __slots__ = ("detection", "mark", "number", "save_at_ms")

    def __init__(self, detection: TenantDetection, mark: Mark, number: int, save_at_ms: int) -> None:
        self.detection = detection
        self.mark = mark
        self.number = number
        self.save_at_ms = save_at_ms


class PartitionDetection:
    """The tenants of one partition. kept: what a former worker left. fence: of whoever takes it up."""

    def __init__(
        self, make: MakeDetectors, settings: DetectionSettings, kept: Kept | None = None, *, fence: int = 0
    ) -> None:
        self._make = make
        self._settings = settings
        self._fence = fence
        self._save_every_ms = round(settings.checkpoint_seconds * 1000)
        self._tenants: dict[str, _Tenant] = {}
        self._clock_ms = 0
        self._next_offset = 0
        begin = kept.begin if kept is not None else None
        if kept is not None and begin is not None:
            self._clock_ms, self._next_offset = begin.clock_ms, begin.offset
            for checkpoint in kept.checkpoints:
                self._restore(checkpoint, is_of_another_log=kept.is_of_another_log)

    def _restore(self, checkpoint: Checkpoint, *, is_of_another_log: bool) -> None:
        detection = TenantDetection(checkpoint.tenant, self._make, self._settings)
        try:
            detection.restore(checkpoint.state)
        except (ValueError, msgspec.MsgspecError) as error:
            log.warning("What was known of %s is of no use; it begins anew: %s", checkpoint.tenant, error)
            return
        if is_of_another_log:
            detection.pass_over_gap()
        save_at_ms = self._next_save_ms(checkpoint.tenant, checkpoint.mark.clock_ms)
        self._tenants[checkpoint.tenant] = _Tenant(detection, checkpoint.mark, checkpoint.number, save_at_ms)

    def begin_at(self, offset: int) -> None:
        """The first message to be taken, where nothing is kept."""
        self._next_offset = offset

    @property
    def clock_ms(self) -> int:
        """The highest of the messages' times."""
        return self._clock_ms

    @property
    def next_offset(self) -> int:
        """Of the message after the last one that was taken."""
        return self._next_offset

    @property
    def begin(self) -> Mark:
        """Where another worker would have to begin to read."""
        # What has not been read yet may be of a tenant that is not known, however far the known ones are.
        read_to = Mark(self._next_offset, self._clock_ms)
        return min(
            [read_to, *(tenant.mark for tenant in self._tenants.values())], key=lambda mark: mark.offset
        )

    @property
    def failures(self) -> int:
        """How often a detector has raised."""
        return sum(tenant.detection.failures for tenant in self._tenants.values())

    def open_incidents(self) -> int:
        """How many are open now."""
        return sum(len(tenant.detection.open_fingerprints()) for tenant in self._tenants.values())

    def is_watching(self) -> bool:
        """Whether there is any tenant whose minutes have to be closed."""
        return bool(self._tenants)

    def is_behind(self, clock_ms: int) -> bool:
        """Whether a minute is open that would be closed by now if it had been heard of in time."""
        return self.deadline_ms() <= clock_ms

    def deadline_ms(self) -> int:
        """When the oldest minute that is open would be closed if it had been heard of in time."""
        return min((tenant.detection.deadline_ms() for tenant in self._tenants.values()), default=NEVER_MS)

    def closes_by(self, clock_ms: int) -> bool:
        """Whether any minute is closed by this clock: then taking a message may take a while."""
        return any(tenant.detection.closes_by(clock_ms) for tenant in self._tenants.values())

    def take(self, message: LogMessage) -> Outcome:
        """The next message. One that was taken before is passed over."""
        outcome = Outcome([], [], [], [])
        if message.offset < self._next_offset:
            return outcome
        before = Mark(message.offset, self._clock_ms)
        self._clock_ms = max(self._clock_ms, message.time_ms)
        self._next_offset = message.offset + 1
        if is_tick(message.headers):
            for tenant in self._tenants.values():
                if tenant.mark.offset <= message.offset:
                    tenant.detection.certify(message.time_ms)
        outcome.refused.extend(self._take_lines(message, before))
        self._ask(message, outcome)
        if self._clock_ms // _SECOND_MS > before.clock_ms // _SECOND_MS:
            self._advance(message.offset, outcome)
        return outcome

    def _take_lines(self, message: LogMessage, before: Mark) -> Sequence[str]:
        windows, refused = read_windows(message.value, self._clock_ms)
        if refused:
            log.error("%s lines at offset %s are no windows and are left out", len(refused), message.offset)
        by_tenant: dict[str, list[MinuteWindow]] = {}
        for window in windows:
            by_tenant.setdefault(window.tenant, []).append(window)
        for name, lines in by_tenant.items():
            tenant = self._tenants.get(name)
            if tenant is None and not self._is_taken_up(name, lines):
                continue
            if tenant is None:
                detection = TenantDetection(name, self._make, self._settings)
                save_at_ms = self._next_save_ms(name, self._clock_ms)
                tenant = self._tenants[name] = _Tenant(detection, before, 0, save_at_ms)
            if tenant.mark.offset <= message.offset:
                refused += [TOO_MANY_GROUPS] * tenant.detection.take(lines, self._clock_ms)
        return refused

    def _is_taken_up(self, name: str, lines: Sequence[MinuteWindow]) -> bool:
        """Whether a tenant that is not known yet is to be."""
        if name == UNKNOWN_TENANT or any(line.calls for line in lines):
            return True
        known = sum(not tenant.detection.has_calls for tenant in self._tenants.values())
        return known < MOST_WITHOUT_CALLS

    def _ask(self, message: LogMessage, outcome: Outcome) -> None:
        try:
            request = request_in(message.headers)
        except RejectedInput as error:
            outcome.refused.append(NO_REQUEST)
            log.warning("What is asked at offset %s is left out: %s", message.offset, error)
            return
        tenant = self._tenants.get(request.tenant) if request is not None else None
        if request is not None and tenant is not None and tenant.mark.offset <= message.offset:
            outcome.signals.extend(tenant.detection.ask(request, self._clock_ms))

    def _advance(self, offset: int, outcome: Outcome) -> None:
        for name, tenant in sorted(self._tenants.items()):
            detection = tenant.detection
            if tenant.mark.offset > offset or not detection.is_due(self._clock_ms):
                continue
            signals, closed = detection.advance(self._clock_ms)
            outcome.signals.extend(signals)
            if detection.is_forgotten:
                del self._tenants[name]
                outcome.forgotten.append(name)
            elif closed and self._clock_ms >= tenant.save_at_ms:
                tenant.mark = Mark(offset + 1, self._clock_ms)
                tenant.save_at_ms = self._next_save_ms(name, self._clock_ms)
                outcome.checkpoints.append(self._checkpoint(name, tenant))

    def checkpoints(self) -> list[Checkpoint]:
        """All that is known, before the first message is taken."""
        return [self._checkpoint(name, tenant) for name, tenant in sorted(self._tenants.items())]

    def _checkpoint(self, name: str, tenant: _Tenant) -> Checkpoint:
        tenant.number = next_number(tenant.number, self._fence)
        return Checkpoint(name, tenant.mark, tenant.number, tenant.detection.state())

    def _next_save_ms(self, tenant: str, clock_ms: int) -> int:
        """The next time for this tenant: each has its own within the period, so that not all come at once."""
        phase = zlib.crc32(tenant.encode()) % self._save_every_ms
        return clock_ms + self._save_every_ms - (clock_ms - phase) % self._save_every_ms
