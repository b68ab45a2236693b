"""How a cost spike and a silence are told to a person."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from streams.detectors.cost_bridge import Step
from streams.detectors.detector import Condition
from streams.detectors.levels import LevelKey, name_of, scope_of
from streams.groups import EPOCH, MINUTE
from tokenweir.signals import Contributor, Severity

_QUIET_MINUTES: Final = 15
_MOST_CONTRIBUTORS: Final = 5
_SMALL_SHARE: Final = 0.02
_STATED_RATIO: Final = 10_000
_CENT: Final = Decimal("0.01")
_STEPS: Final = {
    "calls": "the number of calls",
    "model_mix": "which models are called",
    "tokens_per_call": "the tokens of a call",
    "cache_share": "what is read from the cache",
    "price": "the price of a token",
}


class Open(msgspec.Struct, array_like=True):
    """An incident under way. started_minute: since the Unix epoch. kind: "up" or "silent"."""

    started_minute: int
    kind: str
    cost_usd_per_hour: float
    usual_usd_per_hour: float


def silence(kind: str, key: LevelKey, incident: Open) -> Condition:
    """What usually costs something and costs nothing."""
    started_at = EPOCH + incident.started_minute * MINUTE
    name = name_of(key)
    return Condition(
        kind=kind,
        subject="silent",
        scope=scope_of(key),
        severity="warning",
        started_at=started_at,
        value=0.0,
        baseline=incident.usual_usd_per_hour,
        unit="USD/hour",
        impact_usd_per_day=None,
        title=f"{_capital(name)} has gone silent",
        explanation=f"{_capital(name)} usually costs ${incident.usual_usd_per_hour:,.2f} an hour at this time and "
        f"has made no calls since {started_at:%H:%M} UTC. Has it stopped, or has its reporting?",
        quiet_minutes=_QUIET_MINUTES,
        cause="silent",
    )


def spike(kind: str, key: LevelKey, incident: Open, steps: Sequence[Step], severity: Severity) -> Condition:
    """What costs more than is usual. steps: of an hour's bridge, the largest first."""
    started_at = EPOCH + incident.started_minute * MINUTE
    name = name_of(key)
    cost, usual = incident.cost_usd_per_hour, incident.usual_usd_per_hour
    impact = (cost - usual) * 24
    ratio = cost / usual if usual > 0 else 0.0
    times = "far above the usual"
    if 1 < ratio < _STATED_RATIO:
        times = f"{ratio:,.0f} times the usual" if ratio >= 2 else f"{ratio - 1:.0%} above the usual"
    contributors = tuple(
        Contributor(
            component=step.component,
            scope=scope_of(key),
            usd_per_day=_money(step.cost_usd * 24),
            text=_told(step),
        )
        for step in steps[:_MOST_CONTRIBUTORS]
        if abs(step.cost_usd) * 24 >= _SMALL_SHARE * abs(impact)
    )
    why = f" Mostly: {contributors[0].text}." if contributors else ""
    return Condition(
        kind=kind,
        subject="up",
        scope=scope_of(key),
        severity=severity,
        started_at=started_at,
        value=cost,
        baseline=usual,
        unit="USD/hour",
        impact_usd_per_day=_money(impact),
        title=f"{_capital(name)} costs {times}: ${impact:,.2f} a day more",
        explanation=f"Since {started_at:%H:%M} UTC {name} costs ${cost:,.2f} an hour where ${usual:,.2f} is usual; at "
        f"this rate ${impact:,.2f} a day more.{why}",
        contributors=contributors,
        quiet_minutes=_QUIET_MINUTES,
        cause="up",
    )


def _told(step: Step) -> str:
    direction = "more" if step.cost_usd > 0 else "less"
    return f"${abs(step.cost_usd) * 24:,.2f} a day {direction} by {_STEPS[step.component]}"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _money(usd: float) -> Decimal:
    return Decimal(usd).quantize(_CENT)
