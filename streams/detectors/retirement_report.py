"""How a model that is going, and is still called, is told to a person."""

from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from streams.detectors.detector import Condition
from streams.detectors.model_use import OWNER_FIELDS, Owner, owner_name
from streams.groups import EPOCH, MINUTE
from tokenweir.signals import Contributor, Severity

_CENT: Final = Decimal("0.01")
_WARNING_DAYS: Final = 30
_CRITICAL_DAYS: Final = 7
_MOST_USERS: Final = 8
_NAMED: Final = 3
_FAILING: Final = 0.5
_QUIET_MINUTES: Final = 90
"""Conditions are said once an hour."""


class UserShare(NamedTuple):
    """What one workload does with the model a day. failed: share of the calls."""

    owner: Owner
    calls: float
    usd: float
    failed: float

    @property
    def name(self) -> str:
        """For a sentence."""
        return owner_name(self.owner)


class OnSuccessor(NamedTuple):
    """USD a day of the calls that can be reckoned: on the successor, and as they are."""

    usd: float
    now_usd: float


class Exposure(NamedTuple):
    """A model that is going and is called. users: the dearest first. since: the minute of the first call seen.

    settled_usd: a day's cost that does not follow the days of the first week.
    """

    vendor: str
    model: str
    day: date
    retires_on: date | None
    deprecated_on: date | None
    successor: tuple[str, str] | None
    since: int
    users: tuple[UserShare, ...]
    on_successor: OnSuccessor | None
    settled_usd: float

    @property
    def days_left(self) -> int | None:
        """Until it stops; below 0 where it has."""
        return (self.retires_on - self.day).days if self.retires_on is not None else None


def exposed(exposure: Exposure) -> Condition:
    """The model is still called."""
    left = exposure.days_left
    calls, usd = sum(user.calls for user in exposure.users), sum(user.usd for user in exposure.users)
    names = list(dict.fromkeys(user.name for user in exposure.users))
    sentences = [
        f"{_end(exposure)} {_count(names)} still call{'s' * (len(names) == 1)} it, {calls:,.0f} calls and "
        f"${usd:,.2f} a day: {_named(exposure.users)}.",
        _successor(exposure),
        *(
            f"{100 * user.failed:.0f} % of the calls of {user.name} fail."
            for user in exposure.users
            if user.failed >= _FAILING
        ),
    ]
    return Condition(
        kind="retirement",
        subject="",
        scope={"vendor": exposure.vendor, "model": exposure.model},
        severity=_severity(exposure),
        started_at=EPOCH + exposure.since * MINUTE,
        value=float(left) if left is not None else None,
        baseline=None,
        unit="days left",
        impact_usd_per_day=_money(exposure.settled_usd),
        title=f"{exposure.model} of {exposure.vendor} {_when(left)}; {_count(names)} still on it",
        explanation=" ".join(filter(None, sentences)),
        contributors=_contributors(exposure, usd),
        evidence={
            "deprecated_on": str(exposure.deprecated_on) if exposure.deprecated_on else None,
            "retires_on": str(exposure.retires_on) if exposure.retires_on else None,
            "successor": "/".join(exposure.successor) if exposure.successor else None,
            "workloads": len(names),
            "calls_per_day": round(calls, 1),
            "usd_per_day": round(usd, 2),
            "successor_usd_per_day": round(exposure.on_successor.usd, 2) if exposure.on_successor else None,
        },
        quiet_minutes=_QUIET_MINUTES,
    )


def _severity(exposure: Exposure) -> Severity:
    left = exposure.days_left
    if left is None or left > _WARNING_DAYS:
        return "info"
    if left > _CRITICAL_DAYS:
        return "warning"
    # Long after the day, calls that succeed say that the date is not as meant: nothing to wake anybody for.
    is_failing = any(user.failed >= _FAILING for user in exposure.users)
    return "critical" if left >= -_CRITICAL_DAYS or is_failing else "warning"


def _when(left: int | None) -> str:
    if left is None:
        return "is deprecated"
    if left > 0:
        return f"stops in {left} day{'s' * (left != 1)}"
    return "stops today" if left == 0 else f"stopped {-left} day{'s' * (left != -1)} ago"


def _end(exposure: Exposure) -> str:
    name = f"{exposure.vendor}'s {exposure.model}"
    if exposure.retires_on is None:
        since = f" since {exposure.deprecated_on}" if exposure.deprecated_on else ""
        return f"{name} is deprecated{since}; no day of its end is known."
    return f"{name} {_when(exposure.days_left)}, on {exposure.retires_on}."


def _successor(exposure: Exposure) -> str:
    if exposure.successor is None:
        return "The vendor names no successor."
    vendor, model = exposure.successor
    name = model if vendor == exposure.vendor else f"{model} of {vendor}"
    if exposure.on_successor is None:
        return f"Its successor is {name}; what that would cost cannot be told from its calls."
    new, now = exposure.on_successor
    return (
        f"Its successor is {name}: ${new:,.2f} a day instead of ${now:,.2f} at today's prices, if every call keeps its "
        "tokens (another model may count and answer otherwise)."
    )


def _count(names: list[str]) -> str:
    return f"{len(names)} workload{'s' * (len(names) != 1)}"


def _named(users: tuple[UserShare, ...]) -> str:
    named = ", ".join(f"{user.name} ({user.calls:,.0f} calls, ${user.usd:,.2f})" for user in users[:_NAMED])
    return named + (" and others" if len(users) > _NAMED else "")


def _contributors(exposure: Exposure, usd: float) -> tuple[Contributor, ...]:
    model = {"vendor": exposure.vendor, "model": exposure.model}
    found = [
        Contributor(component="model_mix", scope=model, usd_per_day=_money(usd), text=_end(exposure)),
    ]
    for user in exposure.users[:_MOST_USERS]:
        scope = {field: value for field, value in zip(OWNER_FIELDS, user.owner, strict=True) if value}
        component = "errors" if user.failed >= _FAILING else "calls"
        text = f"{user.name}: {user.calls:,.0f} calls and ${user.usd:,.2f} a day"
        found.append(
            Contributor(
                component=component,
                scope={**scope, **model},
                usd_per_day=_money(user.usd),
                text=f"{text}, {100 * user.failed:.0f} % failed." if component == "errors" else f"{text}.",
            )
        )
    return tuple(found)


def _money(usd: float) -> Decimal:
    return Decimal(usd).quantize(_CENT)
