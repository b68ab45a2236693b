"""Conditions and minutes for the tests of what is made of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from streams.detectors.detector import Condition
from streams.detectors.minute import TenantMinute
from streams.groups import EPOCH, MINUTE

TENANT = "acme"
NOON = (datetime(2026, 11, 23, 12, tzinfo=UTC) - EPOCH) // MINUTE


def a_condition(**changes: Any) -> Condition:
    """A cost spike of one team, said at noon."""
    fields: dict[str, Any] = {
        "kind": "cost_spike",
        "subject": "up",
        "scope": {"team": "search"},
        "severity": "warning",
        "started_at": EPOCH + NOON * MINUTE - timedelta(minutes=2),
        "value": 40.0,
        "baseline": 1.0,
        "unit": "usd_per_hour",
        "impact_usd_per_day": Decimal(900),
        "title": "search costs forty times the usual",
        "explanation": "A loop.",
        "quiet_minutes": 5,
    }
    return Condition(**(fields | changes))


def a_minute(number: int = 0, **changes: Any) -> TenantMinute:
    """A whole and silent minute, so many after noon."""
    return TenantMinute(TENANT, NOON + number, ())._replace(**changes)
