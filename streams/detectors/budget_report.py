"""How what is so of a budget is told to a person: dollars, percent, the day it runs out, and who has spent it."""

from typing import Any, Final, NamedTuple

from streams.detectors.budget_period import Period, day_of, period_of
from streams.detectors.budget_spend import DAY_MINUTES, SPENDER_FIELDS, BudgetSpend, Spenders
from streams.detectors.detector import Condition
from streams.groups import EPOCH, MINUTE
from tokenweir.money import PICOS_PER_UNIT, decimal_from_picos, decimal_string, divide_half_even
from tokenweir.settings import BudgetSettings
from tokenweir.signals import Contributor, Severity

_KIND: Final = "budget"
_MOST_SPENDERS: Final = 5
_NAMED: Final = 3
_WARNING_PERCENT: Final = 75
_QUIET_MINUTES: Final = 90
_QUIET_MINUTES_OF_FORECAST: Final = 180
_QUIET_MINUTES_OF_BURN: Final = 30


class Standing(NamedTuple):
    """A budget at a minute that is over."""

    name: str
    settings: BudgetSettings
    spend: BudgetSpend
    period: Period
    now: int

    @property
    def minutes_left(self) -> int:
        """How much of the period is to come."""
        return self.period.end - self.now - 1

    @property
    def is_hour(self) -> bool:
        """Whether the minute ends an hour: then what lasts is said again."""
        return self.now % 60 == 59

    def percent(self, usd: float) -> float:
        """Of the budget."""
        return 100 * usd / float(self.settings.amount_usd)


def passed(standing: Standing, percent: float, since: int) -> Condition:
    """A threshold of what is spent is passed in this period."""
    spend = standing.spend
    per_day = spend.usd_picos_per_day(standing.now, standing.period)
    spent = spend.spent / PICOS_PER_UNIT
    severity: Severity = (
        "critical" if percent >= 100 else "warning" if percent >= _WARNING_PERCENT else "info"
    )
    expected = spend.forecast_usd(standing.now, standing.period)
    minutes = spend.counted_minutes(standing.now, standing.period)
    spenders = spend.first_spenders(_MOST_SPENDERS)
    return _condition(
        standing,
        subject=f"{standing.name} {percent:g}%",
        severity=severity,
        since=since,
        value=spent,
        baseline=float(standing.settings.amount_usd) * percent / 100,
        per_day=per_day,
        title=f"Budget {standing.name}: {percent:g} % spent",
        explanation=" ".join(
            (
                f"{_spent(standing)} Forecast for the {standing.settings.period}: ${expected:,.2f}.",
                _end(standing),
                _most(spenders, spend.spent),
            )
        ).strip(),
        contributors=_contributors(spenders, minutes),
        quiet_minutes=min(_QUIET_MINUTES, standing.period.end - standing.now),
    )


def passed_late(standing: Standing, percent: float) -> Condition:
    """What came late has brought the period before this one over a threshold."""
    settings, spend = standing.settings, standing.spend
    before = period_of(spend.start_before, settings.period, settings.time_zone)
    spent = spend.spent_before / PICOS_PER_UNIT
    return _condition(
        standing,
        subject=f"{standing.name} {percent:g}% {before.first_day}",
        severity="warning" if percent >= 100 else "info",
        since=standing.now,
        value=spent,
        baseline=float(settings.amount_usd) * percent / 100,
        per_day=divide_half_even(spend.spent_before * DAY_MINUTES, before.minutes),
        title=f"Budget {standing.name}: {percent:g} % of the {settings.period} from {before.first_day}, by late calls",
        explanation=f"Calls that were reported late belong to the {settings.period} from {before.first_day}, which is "
        f"over: it has cost ${spent:,.2f} of ${settings.amount_usd:,.2f} ({standing.percent(spent):.1f} %).",
        quiet_minutes=15,
        is_event=True,
    )


def forecast(standing: Standing, percent: float, since: int, expected: float) -> Condition:
    """The period is going to cost more than a threshold."""
    settings, spend = standing.settings, standing.spend
    per_day = spend.usd_picos_per_day(standing.now, standing.period)
    minutes = spend.counted_minutes(standing.now, standing.period)
    spenders = spend.first_spenders(_MOST_SPENDERS)
    return _condition(
        standing,
        subject=f"{standing.name} forecast {percent:g}%",
        severity="warning",
        since=since,
        value=expected,
        baseline=float(settings.amount_usd) * percent / 100,
        per_day=per_day,
        title=f"Budget {standing.name}: {standing.percent(expected):.0f} % of it by the {settings.period}'s end",
        explanation=" ".join(
            (
                f"At what its hours usually cost the {settings.period} comes to ${expected:,.2f}, of a budget of "
                f"${settings.amount_usd:,.2f}. {_spent(standing)}",
                _end(standing),
                _most(spenders, spend.spent),
            )
        ).strip(),
        contributors=_contributors(spenders, minutes),
        quiet_minutes=_QUIET_MINUTES_OF_FORECAST,
    )


def burning(standing: Standing, severity: Severity, minutes: int, picos: int, since: int) -> Condition:
    """The last minutes have cost so many picos, far more than the budget bears."""
    settings, spend = standing.settings, standing.spend
    even = float(settings.amount_usd) / standing.period.minutes
    cost = picos / PICOS_PER_UNIT
    times = cost / minutes / even
    left = float(settings.amount_usd) - spend.spent / PICOS_PER_UNIT
    lasts = (
        f"At this rate it is used up {_moment(standing, round(left / (cost / minutes)))}."
        if left > 0
        else "It is used up."
    )
    spenders = spend.recent_spenders(_MOST_SPENDERS)
    recent = sum([*spend.this_hour.values(), *spend.last_hour.values()])
    return _condition(
        standing,
        subject=f"{standing.name} burn",
        severity=severity,
        since=since,
        value=times,
        baseline=1.0,
        per_day=divide_half_even(picos * DAY_MINUTES, minutes),
        title=f"Budget {standing.name} is being spent {times:.0f} times as fast as it lasts",
        explanation=" ".join(
            (
                f"The last {_span(minutes)} cost ${cost:,.2f}, {standing.percent(cost):.1f} % of the "
                f"{settings.period}'s ${settings.amount_usd:,.2f}. {lasts} {_spent(standing)}",
                _most(spenders, recent),
            )
        ).strip(),
        contributors=_contributors(spenders, standing.now % 60 + 61),
        quiet_minutes=_QUIET_MINUTES_OF_BURN,
        unit="times the even rate",
    )


def _condition(standing: Standing, *, since: int, per_day: int, **fields: Any) -> Condition:
    settings = standing.settings
    scope = {field: value for field, value in settings.scope.items() if field != "tenant"}
    return Condition(
        kind=_KIND,
        scope=scope,
        started_at=EPOCH + since * MINUTE,
        impact_usd_per_day=decimal_from_picos(per_day),
        evidence=_evidence(standing),
        **{"unit": "USD", **fields},
    )


def _evidence(standing: Standing) -> dict[str, Any]:
    settings, spend, period = standing.settings, standing.spend, standing.period
    runs_out = spend.runs_out
    return {
        "budget": standing.name,
        "amount_usd": str(settings.amount_usd),
        "period": settings.period,
        "time_zone": settings.time_zone,
        "period_from": (EPOCH + period.start * MINUTE).isoformat(),
        "period_to": (EPOCH + period.end * MINUTE).isoformat(),
        "counted_since": (EPOCH + spend.counted_since(period) * MINUTE).isoformat(),
        "spent_usd": decimal_string(spend.spent),
        "spent_percent": round(standing.percent(spend.spent / PICOS_PER_UNIT), 2),
        "forecast_usd": round(spend.forecast_usd(standing.now, period), 2),
        "runs_out_on": str(day_of(runs_out, settings.time_zone)) if runs_out is not None else None,
    }


def _spent(standing: Standing) -> str:
    settings, spend, period = standing.settings, standing.spend, standing.period
    spent = spend.spent / PICOS_PER_UNIT
    since = spend.counted_since(period)
    known = "" if since == period.start else f", as far as is known since {day_of(since, settings.time_zone)}"
    return (
        f"${spent:,.2f} of ${settings.amount_usd:,.2f} ({standing.percent(spent):.1f} %) are spent in the "
        f"{settings.period} from {period.first_day} ({settings.time_zone}){known}; "
        f"{_span(standing.minutes_left)} are to come."
    )


def _end(standing: Standing) -> str:
    spend, settings = standing.spend, standing.settings
    if spend.spent >= float(settings.amount_usd) * PICOS_PER_UNIT:
        return "It is used up."
    if spend.runs_out is not None:
        return (
            f"At the usual rate it is used up on {day_of(spend.runs_out, settings.time_zone):%A, %Y-%m-%d}."
        )
    if spend.is_rhythm_known:
        return f"At the usual rate it lasts to the end of the {settings.period}."
    return ""


def _moment(standing: Standing, minutes: int) -> str:
    if minutes < 2 * DAY_MINUTES:
        return f"in {_span(max(1, minutes))}"
    return f"on {day_of(standing.now + minutes, standing.settings.time_zone):%A, %Y-%m-%d}"


def _span(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 2 * DAY_MINUTES else f"{minutes / DAY_MINUTES:.1f} days"


def _most(spenders: Spenders, total: int) -> str:
    if not spenders or not total:
        return ""
    named = (
        f"{_name(spender)} ${picos / PICOS_PER_UNIT:,.2f} ({100 * picos / total:.0f} %)"
        for spender, picos in spenders[:_NAMED]
    )
    return f"Most of it: {', '.join(named)}."


def _name(spender: tuple[str, ...]) -> str:
    team, project, service, vendor, model = spender
    owner = "/".join(filter(None, (team, service))) or project or "unnamed"
    return f"{owner} on {model} of {vendor}"


def _contributors(spenders: Spenders, minutes: int) -> tuple[Contributor, ...]:
    return tuple(
        Contributor(
            component="spend",
            scope={field: value for field, value in zip(SPENDER_FIELDS, spender, strict=True) if value},
            usd_per_day=decimal_from_picos(divide_half_even(picos * DAY_MINUTES, minutes)),
            text=f"{_name(spender)} spent ${picos / PICOS_PER_UNIT:,.2f}.",
        )
        for spender, picos in spenders
    )
