"""One incident: what was last said of it, what was last signalled of it, and when that is worth another signal.

It is worth an update when its severity goes up (at once) or has been down for a while, when it is a FACTOR worse or
better than at its last signal and that is not just past, when it has come to another of its stages or is seen at
another level, or when another cause has led its contributors for some minutes. Pure, and plain data.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import msgspec

from streams.detectors.detector import Condition
from streams.groups import EPOCH, MINUTE
from tokenweir.signals import Severity, Signal, SignalState, incident_name, signal_id
from tokenweir.signals.signal import SEVERITIES, Change

FACTOR: Final = 2.0
WORSE_PAUSE_MINUTES: Final = 15
BETTER_PAUSE_MINUTES: Final = 60
DOWN_AFTER_MINUTES: Final = 10
STEADY_MINUTES: Final = 3
"""So long another contributor has to be the first one; and so long after a signal another level is told."""

_MOST_TITLE: Final = 400
_MOST_TEXT: Final = 3_900
_PICO: Final = Decimal("1e-12")


class Said(msgspec.Struct, frozen=True):
    """A condition as plain data. `scope` has the tenant in it."""

    kind: str
    subject: str
    scope: dict[str, str]
    severity: Severity
    started_at: datetime
    value: float | None
    baseline: float | None
    unit: str
    impact_usd_per_day: Decimal | None
    title: str
    explanation: str
    contributors: list[dict[str, Any]]
    evidence: dict[str, Any]
    stage: str = ""

    @property
    def first_contributor(self) -> str:
        """Names the first cause; empty where there is none."""
        if not self.contributors:
            return ""
        first = self.contributors[0]
        return f"{first['component']} {sorted(first['scope'].items())}"

    @property
    def magnitude(self) -> float:
        """How bad it is, for comparing with itself: dollars where they are known, else the way from the usual."""
        if self.impact_usd_per_day is not None:
            return abs(float(self.impact_usd_per_day))
        return abs((self.value or 0.0) - (self.baseline or 0.0))


def said(condition: Condition, tenant: str) -> Said:
    """The condition as plain data; text that is too long is cut, what is no number is left out."""
    impact = condition.impact_usd_per_day
    return Said(
        kind=condition.kind,
        subject=condition.subject,
        scope={"tenant": tenant, **condition.scope},
        severity=condition.severity,
        started_at=condition.started_at,
        value=_finite(condition.value),
        baseline=_finite(condition.baseline),
        unit=condition.unit,
        impact_usd_per_day=impact.quantize(_PICO) if impact is not None and impact.is_finite() else None,
        title=_cut(condition.title, _MOST_TITLE),
        explanation=_cut(condition.explanation, _MOST_TEXT),
        contributors=[one.model_dump() for one in condition.contributors],
        evidence=condition.evidence,
        stage=condition.stage,
    )


class Incident(msgspec.Struct):
    """An incident that is open; or an event that was told, for as long as it is still said."""

    fingerprint: str
    opened_minute: int
    is_event: bool
    cause: str
    quiet_minutes: int
    latest: Said
    said_minute: int
    numbered: int = 0
    severity: Severity = "info"
    """As last signalled, as are the next five."""
    magnitude: float = 0.0
    first_contributor: str = ""
    signalled_minute: int = 0
    stage: str = ""
    scope: dict[str, str] = {}
    severe_minute: int = 0
    """When it was last said to be as severe as signalled."""
    other_first_since: int | None = None
    acknowledged_by: str = ""

    @property
    def name(self) -> str:
        """One incident among those of the fingerprint."""
        return incident_name(self.fingerprint, self.opened_minute)

    def take(self, latest: Said, quiet_minutes: int, minute: int) -> None:
        """It is said again."""
        if latest.subject != self.latest.subject:
            # Seconds to a first token and to the last are no better or worse than one another.
            self.magnitude = latest.magnitude
        self.latest = latest
        self.quiet_minutes = quiet_minutes
        self.said_minute = minute
        if _rank(latest.severity) >= _rank(self.severity):
            self.severe_minute = minute

    def change(self, minute: int, *, is_whole: bool) -> Change:
        """What is worth an update now; empty where nothing is. Only what gets more severe is told in an open minute."""
        if _rank(self.latest.severity) > _rank(self.severity):
            return "severity_up"
        if not is_whole:
            return ""
        if self.latest.stage != self.stage:
            return "stage"
        if (
            self.scope
            and self.latest.scope != self.scope
            and minute - self.signalled_minute >= STEADY_MINUTES
        ):
            return "scope"
        leads = self.latest.first_contributor
        if not leads or leads == self.first_contributor:
            self.other_first_since = None
        elif self.other_first_since is None:
            self.other_first_since = minute
        since = minute - self.signalled_minute
        if self.latest.severity != self.severity and minute - self.severe_minute >= DOWN_AFTER_MINUTES:
            return "severity_down"
        if since >= WORSE_PAUSE_MINUTES and self.latest.magnitude > FACTOR * self.magnitude:
            return "worse"
        if since >= BETTER_PAUSE_MINUTES and self.latest.magnitude * FACTOR < self.magnitude:
            return "better"
        other = self.other_first_since
        if since >= WORSE_PAUSE_MINUTES and other is not None and minute - other >= STEADY_MINUTES:
            return "first_contributor"
        return ""

    def is_over(self, minute: int) -> bool:
        """Whether it has been unsaid for long enough."""
        return minute - self.said_minute >= max(1, self.quiet_minutes)

    def signal(
        self,
        state: SignalState,
        observed_at: datetime,
        minute: int,
        *,
        change: Change = "",
        muted_until: datetime | None = None,
        note: Mapping[str, Any],
    ) -> Signal:
        """The incident's next signal, of what was last said. note: goes into its evidence."""
        latest = self.latest
        if change == "severity_up":
            self.acknowledged_by = ""  # what was taken up was less than this
        explanation, evidence = latest.explanation, {**latest.evidence, **note}
        if state == "resolved" and not self.is_event:
            ended_at = EPOCH + (self.said_minute + 1) * MINUTE
            lasted = ended_at - min(latest.started_at, ended_at)
            explanation = (
                f"Over since {ended_at:%Y-%m-%d %H:%M} UTC, after {_duration(lasted)}. {explanation}"
            )
            evidence = {**evidence, "ended_at": ended_at.isoformat()}
        signal = Signal(
            id=signal_id(self.name, self.numbered),
            fingerprint=self.fingerprint,
            incident=self.name,
            kind=latest.kind,
            subject=latest.subject,
            state=state,
            change=change,
            severity=latest.severity,
            scope=latest.scope,
            started_at=latest.started_at,
            observed_at=observed_at,
            value=latest.value,
            baseline=latest.baseline,
            unit=latest.unit,
            impact_usd_per_day=latest.impact_usd_per_day,
            title=latest.title,
            explanation=explanation,
            contributors=latest.contributors,
            evidence=evidence,
            acknowledged_by=self.acknowledged_by,
            muted_until=muted_until,
        )
        self.numbered += 1
        self.severity = latest.severity
        self.severe_minute = max(self.severe_minute, self.said_minute)
        self.magnitude = latest.magnitude
        self.first_contributor = latest.first_contributor
        self.other_first_since = None
        self.signalled_minute = minute
        self.stage, self.scope = latest.stage, latest.scope
        return signal


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _duration(lasted: timedelta) -> str:
    minutes = lasted // MINUTE
    if minutes < 120:
        return f"{minutes} minute{'s' * (minutes != 1)}"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
