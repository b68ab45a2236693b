"""Budgets that people set: what is spent of each, what the period is going to cost, and whether it burns too fast.

For each budget a condition for each threshold that is passed, until the period ends; one for each threshold of 100 or
more that is going to be passed, once the forecast has said so for an hour; and one while the budget burns. The first
two are said when they begin and then once an hour, as telling them costs more than knowing them.

A budget burns when both a long window and a short one, which shows that it goes on, have each taken a share of it that
is out of all proportion (as in the alerts on burn rates of Google's SRE workbook, chapter 5: 2 % of a month's in an
hour, 5 % in six), when that is three times what these hours usually cost, and when it would not last at this rate.

Limits: without a day that has been seen there is no forecast and no burn rate; within the first week, in which weekends
are not known, the forecast has to be far above. What was spent before the first minute seen is not known.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple

import msgspec

from streams.detectors.budget_report import Standing, burning, forecast, passed, passed_late
from streams.detectors.budget_spend import BudgetSpend, Window
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.packing import pack, unpack
from tokenweir.money import PICOS_PER_UNIT, picos_from_decimal
from tokenweir.settings import BudgetSettings
from tokenweir.signals import Severity

_VERSION: Final = 1
_STEADY_MINUTES: Final = 60
"""So long the forecast has to be above."""

_MARGIN: Final = 1.05
_MARGIN_OF_FIRST_WEEK: Final = 1.4
_TIMES_USUAL: Final = 3.0
_FEWEST_CALLS: Final = 10
_LARGE_SHARE: Final = 0.1
"""Of the budget: so much counts however few calls it took."""


class BurnRule(NamedTuple):
    """Both windows are to take their part of `share` of the budget."""

    severity: Severity
    minutes: int
    short_minutes: int
    share: float


_BURN_RULES: Final[Mapping[str, tuple[BurnRule, ...]]] = {
    "day": (BurnRule("critical", 60, 5, 0.20), BurnRule("warning", 360, 30, 0.60)),
    "week": (BurnRule("critical", 60, 5, 0.05), BurnRule("warning", 360, 30, 0.15)),
    "month": (BurnRule("critical", 60, 5, 0.02), BurnRule("warning", 360, 30, 0.05)),
    "quarter": (BurnRule("critical", 60, 5, 0.02), BurnRule("warning", 360, 30, 0.05)),
}


class _State(msgspec.Struct):
    version: int
    budgets: dict[str, BudgetSpend]


class Budgets:
    """One tenant's budgets."""

    kind: ClassVar[str] = "budget"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self._settings = dict(sorted(surroundings.settings.budgets.items()))
        self._spend: dict[str, BudgetSpend] = {}

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """What is so of each budget of the tenant."""
        if not minute.is_whole:
            return []
        conditions: list[Condition] = []
        for name, settings in self._settings.items():
            if settings.scope.get("tenant", minute.tenant) == minute.tenant:
                spend = self._spend.setdefault(name, BudgetSpend())
                conditions += _observe(name, settings, spend, minute)
        return conditions

    def state(self) -> bytes:
        """All that it knows, as MessagePack."""
        return pack(_State(_VERSION, self._spend))

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave; of budgets that are no longer set, nothing."""
        try:
            read = unpack(state, _State)
        except msgspec.DecodeError as error:
            raise ValueError(f"no state of budgets: {error}") from error
        if read.version != _VERSION:
            raise ValueError(f"state of budgets in version {read.version}, not {_VERSION}")
        self._spend = {name: spend for name, spend in read.budgets.items() if name in self._settings}


def _observe(
    name: str, settings: BudgetSettings, spend: BudgetSpend, minute: TenantMinute
) -> list[Condition]:
    now = minute.minute
    period = spend.go_on_to(now, settings)
    amount = picos_from_decimal(settings.amount_usd)
    before = spend.spent_before
    spend.add(now, _within(settings.scope, minute.rows), now)
    for late_minute, row in minute.late:
        spend.add(late_minute, _within(settings.scope, (row,)), now)
    standing = Standing(name, settings, spend, period, now)
    return [
        *_passed_late(standing, before, amount),
        *_passed(standing, amount),
        *_forecast(standing, float(settings.amount_usd)),
        *_burning(standing, amount),
    ]


def _within(scope: Mapping[str, str], rows: Sequence[GroupRow]) -> list[GroupRow]:
    if not scope:
        return list(rows)
    wanted = scope.items()
    return [row for row in rows if all(row.names[field] == value for field, value in wanted)]


def _limit(amount: int, percent: float) -> Decimal:
    """Picos at which a threshold is passed."""
    return amount * Decimal(str(percent)) / 100


def _passed(standing: Standing, amount: int) -> list[Condition]:
    spend, conditions = standing.spend, []
    for percent in sorted(set(standing.settings.thresholds_percent)):
        if spend.spent >= _limit(amount, percent):
            since = spend.since.setdefault(f"passed {percent:g}", standing.now)
            if standing.now == since or standing.is_hour:
                conditions.append(passed(standing, percent, since))
    return conditions


def _passed_late(standing: Standing, before: int, amount: int) -> list[Condition]:
    """The highest threshold of the last period that was passed only now, by what came late."""
    over = [
        percent
        for percent in standing.settings.thresholds_percent
        if before < _limit(amount, percent) <= standing.spend.spent_before
    ]
    # Of a period that has just ended, what was passed when it did has been told.
    return [passed_late(standing, max(over))] if over else []


def _forecast(standing: Standing, amount_usd: float) -> list[Condition]:
    spend, conditions = standing.spend, []
    if not (standing.settings.forecast and spend.is_rhythm_known):
        return []
    expected = spend.forecast_usd(standing.now, standing.period)
    margin = _MARGIN if spend.is_week_known else _MARGIN_OF_FIRST_WEEK
    for percent in sorted(set(standing.settings.thresholds_percent)):
        key, limit = f"forecast {percent:g}", amount_usd * percent / 100
        if percent < 100 or f"passed {percent:g}" in spend.since or expected < limit:
            spend.since.pop(key, None)
        elif expected >= limit * margin or key in spend.since:
            since = spend.since.setdefault(key, standing.now)
            steady = standing.now - since
            if steady == _STEADY_MINUTES or (steady > _STEADY_MINUTES and standing.is_hour):
                conditions.append(forecast(standing, percent, since, expected))
    return conditions


def _burning(standing: Standing, amount: int) -> list[Condition]:
    spend = standing.spend
    if standing.settings.burn_rate and spend.is_rhythm_known:
        for rule in _BURN_RULES[standing.settings.period]:
            if spend.last_picos_at_most(rule.minutes) < rule.share * amount:
                continue
            window = spend.last(rule.minutes, standing.now)
            if _burns(rule, window, standing, amount):
                begun = standing.now + 1 - rule.minutes
                since = spend.since.setdefault("burn", max(begun, standing.period.start))
                return [burning(standing, rule.severity, rule.minutes, window.picos, since)]
    spend.since.pop("burn", None)
    return []


def _burns(rule: BurnRule, window: Window, standing: Standing, amount: int) -> bool:
    limit = rule.share * amount
    if window.picos < limit or (window.calls < _FEWEST_CALLS and window.picos < _LARGE_SHARE * amount):
        return False
    spend, now = standing.spend, standing.now
    short = spend.last(rule.short_minutes, now)
    if short.picos < limit * rule.short_minutes / rule.minutes:
        return False
    if window.picos < _TIMES_USUAL * spend.usual_usd_at_most(rule.minutes, now) * PICOS_PER_UNIT:
        return False
    minutes_left = standing.period.end - now - 1
    return spend.spent + window.picos / rule.minutes * minutes_left >= amount


DETECTOR = Budgets
