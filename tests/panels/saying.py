"""Signals for panels to show."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tokenweir.signals import Contributor, Severity, Signal, SignalState

NOW: Final = datetime(2026, 11, 20, tzinfo=UTC)


def said(
    incident: str,
    state: SignalState,
    at: datetime,
    *,
    number: int = 0,
    kind: str = "cost_spike",
    subject: str = "up",
    severity: Severity = "warning",
    scope: dict[str, str] | None = None,
    usd_per_day: str | None = "10",
    contributors: tuple[Contributor, ...] = (),
    evidence: dict[str, Any] | None = None,
    value: float | None = None,
    began: datetime | None = None,
) -> Signal:
    """One signal. began: five minutes before `at` where it is not said."""
    return Signal(
        id=f"{incident}/{number}",
        fingerprint=incident,
        incident=incident,
        kind=kind,
        subject=subject,
        state=state,
        severity=severity,
        scope={"tenant": "default", **(scope or {})},
        started_at=began or at - timedelta(minutes=5),
        observed_at=at,
        value=value,
        impact_usd_per_day=None if usd_per_day is None else Decimal(usd_per_day),
        title=f"What {incident} is",
        explanation=f"Why {incident} is so.",
        contributors=contributors,
        evidence=evidence or {},
    )
