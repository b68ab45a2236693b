"""Budgets: what is passed, what is going to be, what burns, and what is none of these."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from math import sin
from typing import Any

import pytest

from streams.detectors.budgets import Budgets
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.incidents import Incidents
from streams.detectors.minute import GroupRow, TenantMinute
from tests.detectors.made_rows import a_row, minute_of
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import BudgetSettings, DetectionSettings
from tokenweir.signals import Signal

DAY = 1440
FIRST = minute_of("2026-11-01T00:00Z")
"""A Sunday."""

Rows = Callable[[int], Sequence[GroupRow]]


def budgets(**fields: Any) -> Budgets:
    """A detector of one budget, "b"."""
    settings = DetectionSettings(budgets={"b": BudgetSettings(**{"amount_usd": Decimal(1000), **fields})})
    return Budgets(Surroundings(PriceBook([]), Catalog([]), settings))


def even(usd_per_day: str, **names: str) -> Rows:
    row = a_row(Decimal(usd_per_day) / DAY, **names)
    return lambda minute: (row,)


def feed(rows: Rows, first: int, days: float) -> Iterator[TenantMinute]:
    for minute in range(first, first + int(days * DAY)):
        yield TenantMinute("acme", minute, rows(minute))


def subjects(said: Iterable[Condition]) -> list[str]:
    return sorted(condition.subject for condition in said)


def after(detector: Budgets, minutes: Iterable[TenantMinute]) -> list[Condition]:
    """What is said in the last of the minutes."""
    said: list[Condition] = []
    for minute in minutes:
        said = detector.observe(minute)
    return said


def signals(detector: Budgets, minutes: Iterable[TenantMinute]) -> list[Signal]:
    incidents = Incidents("acme")
    return [signal for minute in minutes for signal in incidents.tick(minute, detector.observe(minute))]


def test_thresholds_are_passed_exactly_and_once_until_the_period_ends() -> None:
    told = signals(budgets(period="day", amount_usd="14.4", forecast=False), feed(even("14.4"), FIRST, 1.02))
    opened = {signal.subject: signal for signal in told if signal.state == "open"}
    assert {subject: signal.observed_at.strftime("%H:%M") for subject, signal in opened.items()} == {
        "b 50%": "12:00",
        "b 80%": "19:12",
        "b 100%": "00:00",
    }
    assert [signal.severity for signal in opened.values()] == ["info", "warning", "critical"]
    ended = [signal for signal in told if signal.state == "resolved"]
    assert {signal.observed_at.strftime("%d %H:%M") for signal in ended} == {"02 00:01"}
    assert len(told) == 6


def test_the_explanation_has_dollars_percent_the_day_and_who() -> None:
    said = after(budgets(scope={"team": "search"}, thresholds_percent=[80]), feed(even("51"), FIRST, 16.5))
    assert [one.scope for one in said] == [{"team": "search"}]
    text = said[0].explanation
    assert "$841.50 of $1,000.00 (84.2 %)" in text
    assert "used up on Friday, 2026-11-20" in text
    assert "$1,530.00" in text
    assert "search/ranker on gpt-5-mini of openai $841.50 (100 %)" in text
    assert said[0].contributors[0].usd_per_day == pytest.approx(Decimal(51))
    assert said[0].evidence["runs_out_on"] == "2026-11-20"


@pytest.mark.parametrize(
    ("scope", "spent"),
    [
        ({"model": "gpt-5-mini"}, "30"),
        ({"team": "search", "environment": "production"}, "30"),
        ({"tenant": "acme"}, "40"),
        ({}, "40"),
        ({"vendor": "anthropic"}, "10"),
        ({"tenant": "other"}, None),
        ({"team": "ads"}, "0"),
    ],
)
def test_a_scope_is_any_dimension(scope: dict[str, str], spent: str | None) -> None:
    rows = (a_row("30"), a_row("10", vendor="anthropic", model="claude-haiku-4-5", team="billing"))
    detector = budgets(scope=scope, amount_usd="0.01", thresholds_percent=[100])
    said = detector.observe(TenantMinute("acme", FIRST, rows))
    expected = [spent] if spent not in (None, "0") else []
    assert [one.evidence["spent_usd"] for one in said] == expected


def test_a_forecast_is_told_long_before_and_ends_when_it_is_passed() -> None:
    told = signals(budgets(thresholds_percent=[100]), feed(even("40"), FIRST, 26))
    states = [(one.subject, one.state, one.observed_at.day) for one in told]
    # The first week is not enough for so near a thing; then an hour of it is.
    assert states == [
        ("b forecast 100%", "open", 8),
        ("b 100%", "open", 26),
        ("b forecast 100%", "resolved", 26),
    ]
    assert "$1,200.00" in told[0].explanation
    assert "Wednesday, 2026-11-25" in told[0].explanation


def test_weekends_and_nights_are_in_the_forecast() -> None:
    office = a_row("0.10")

    def rows(minute: int) -> Sequence[GroupRow]:
        day, hour = minute // DAY % 7, minute % DAY // 60
        return (office,) if 8 <= hour < 18 and day not in (2, 3) else ()  # the epoch began on a Thursday

    detector = budgets(amount_usd="1400", thresholds_percent=[100])
    # November has 21 working days of $60. What it costs is told, of a Friday's rate as of a Sunday's.
    for minute in feed(rows, minute_of("2026-10-18T00:00Z"), 14 + 29):
        assert detector.observe(minute) == []
    assert after(budgets(amount_usd="1150", thresholds_percent=[100]), feed(rows, FIRST - 14 * DAY, 17)) != []


def test_nothing_is_forecast_in_the_first_day_and_little_in_the_first_week() -> None:
    detector = budgets()
    assert after(detector, feed(even("200"), FIRST, 1.0)) == []
    assert subjects(after(detector, feed(even("200"), FIRST + DAY, 1 / 8))) == ["b forecast 100%"]


def test_a_nightly_batch_burns_nothing_that_it_does_not_burn_each_night() -> None:
    night = a_row("0.60")

    def rows(minute: int) -> Sequence[GroupRow]:
        late = 40 * (minute // DAY % 2)  # every other night it begins later
        return (night,) if 120 + late <= minute % DAY < 180 + late else ()

    detector = budgets(amount_usd="1500")  # $36 in an hour: more than 2 % of it
    said = {one.subject for minute in feed(rows, FIRST, 12) for one in detector.observe(minute)}
    assert not {subject for subject in said if "burn" in subject}


def test_a_loop_burns_fast_within_minutes_and_ends() -> None:
    loop = FIRST + 9 * DAY + 600

    def rows(minute: int) -> Sequence[GroupRow]:
        usual = a_row(Decimal("0.02") * Decimal(1 + sin(minute / DAY * 6.28) / 2))
        return (usual, a_row("4", team="loop")) if loop <= minute < loop + 30 else (usual,)

    told = signals(budgets(), feed(rows, FIRST, 10.5))
    burn = [one for one in told if one.subject == "b burn"]
    assert (burn[0].state, burn[-1].state) == ("open", "resolved")
    # When it has stopped, the windows of hours still tell of it for a while.
    assert [one.change for one in burn[1:-1]] == ["worse", "severity_down"]
    minutes_to_open = (burn[0].observed_at - burn[0].observed_at.replace(hour=10, minute=0)).seconds / 60
    assert minutes_to_open <= 6  # $20 of $1,000 at $4 a minute
    assert burn[0].severity == "critical"
    assert burn[0].contributors[0].scope["team"] == "loop"
    assert "it is used up in" in burn[0].explanation


def test_few_calls_are_no_burn_unless_they_cost_a_lot() -> None:
    def rows(dear: str) -> Rows:
        return lambda minute: (a_row(dear, calls=1),) if minute == FIRST + 2 * DAY else ()

    assert after(budgets(), feed(rows("40"), FIRST, 2 + 1 / DAY)) == []
    assert subjects(after(budgets(), feed(rows("140"), FIRST, 2 + 1 / DAY))) == ["b burn"]


def test_late_minutes_count_in_their_own_period() -> None:
    detector = budgets(period="day", amount_usd="100", time_zone="Europe/Berlin", thresholds_percent=[100])
    border = minute_of("2026-10-25T23:00Z")  # the end of a day of 25 hours
    detector.observe(TenantMinute("acme", border - 1, (a_row("99"),)))
    late = ((border - 1, a_row("0.5")), (border, a_row("60")))
    assert detector.observe(TenantMinute("acme", border + 1, (a_row("39"),), late=late)) == []
    # The day that is over gets over its budget: an event. The new one is at $99.
    said = detector.observe(TenantMinute("acme", border + 2, (), late=((border - 1500, a_row("0.5")),)))
    assert [(one.subject, one.is_event) for one in said] == [("b 100% 2026-10-25", True)]
    assert detector.observe(TenantMinute("acme", border + 3, (), late=((border - 1501, a_row("50")),))) == []
    assert subjects(detector.observe(TenantMinute("acme", border + 4, (a_row("1"),)))) == ["b 100%"]


def test_a_restart_changes_nothing() -> None:
    def rows(minute: int) -> Sequence[GroupRow]:
        return (a_row(Decimal(30 + minute % 97) / DAY), a_row("0.01", team=f"team-{minute % 7}"))

    through, restarted = budgets(), budgets()
    for number, minute in enumerate(feed(rows, FIRST + 22 * DAY, 8.5)):
        if number % 611 == 0:
            state = restarted.state()
            restarted = budgets()
            restarted.restore(state)
        assert through.observe(minute) == restarted.observe(minute)
    assert through.state() == restarted.state()
    assert len(through.state()) < 12_000


def test_two_that_spend_alike_do_not_take_turns_in_leading() -> None:
    def rows(minute: int) -> Sequence[GroupRow]:
        one, other = ("a", "b") if (minute - FIRST + 180) // 360 % 2 else ("b", "a")
        return (a_row("0.02", team=one), a_row("0.015", team=other))

    told = signals(budgets(amount_usd="20", period="day", thresholds_percent=[50]), feed(rows, FIRST, 0.9))
    assert [one.state for one in told] == ["open"]


@pytest.mark.parametrize("state", [b"", b"\x00", b"{}"])
def test_a_state_that_is_none_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="state"):
        budgets().restore(state)


def test_settings_that_are_wrong_are_refused() -> None:
    for wrong, match in (
        ({"scope": {"teams": "search"}}, "no field to budget by"),
        ({"time_zone": "Europe/Berln"}, "no time zone"),
        ({"amount_usd": "0"}, "greater than 0"),
        ({"thresholds_percent": [0]}, "greater than 0"),
        ({"period": "year"}, "period"),
    ):
        with pytest.raises(ValueError, match=match):
            BudgetSettings(**{"amount_usd": Decimal(1), **wrong})  # type: ignore[arg-type]
