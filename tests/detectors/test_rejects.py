"""Refused lines: told where they are a share of what a tenant sends, or far more than usual; not where they are few."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.incidents import Incidents
from streams.detectors.minute import TenantMinute
from streams.detectors.rejects import Rejects
from streams.refused import NOTHING_REFUSED, UNKNOWN_TENANT, RefusedLines
from tests.detectors.made_rows import a_row
from tokenweir.catalog import Catalog
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal

START = 29_376_000
DAY = 1_440


def detector(**settings: Any) -> Rejects:
    book: Any = None
    return Rejects(Surroundings(book, Catalog.default(), DetectionSettings(**settings)))


def refused(lines: int, reason: str = "unknown_field", source: str = "shop") -> RefusedLines:
    return RefusedLines({reason: lines}, {source: lines}) if lines else NOTHING_REFUSED


def scene(
    until: int, calls: int, lines: Callable[[int], int], tenant: str = "acme"
) -> Iterable[TenantMinute]:
    """So many minutes with so many calls each, in which so many lines are refused."""
    for number in range(until):
        rows = [a_row("1", calls=calls)] if calls else []
        yield TenantMinute(tenant, START + number, rows, refused=refused(lines(number)))


def told(minutes: Iterable[TenantMinute], **settings: Any) -> dict[int, Condition]:
    of = detector(**settings)
    said = {minute.minute - START: of.observe(minute) for minute in minutes}
    return {number: conditions[0] for number, conditions in said.items() if conditions}


def signals(minutes: Iterable[TenantMinute], tenant: str = "acme") -> list[Signal]:
    of, incidents = detector(), Incidents(tenant)
    return [signal for minute in minutes for signal in incidents.tick(minute, of.observe(minute))]


def test_a_broken_sender_is_one_incident_until_it_is_mended() -> None:
    found = signals(scene(300, 90, lambda number: 10 if 100 <= number < 150 else 0))
    assert [(signal.state, signal.severity) for signal in found if signal.state != "update"] == [
        ("open", "warning"),
        ("resolved", "warning"),
    ]
    opened, resolved = found[0], found[-1]
    assert opened.scope == {"tenant": "acme"}
    assert (opened.observed_at - opened.started_at).total_seconds() <= 180
    ended = (resolved.observed_at - opened.started_at).total_seconds() / 60
    assert 50 + 15 <= ended <= 50 + 15 + 3
    assert "unknown_field 30" in opened.explanation
    assert "shop 30" in opened.explanation
    assert "weir rejected" in opened.explanation
    assert opened.contributors[0].scope == {"source": "shop"}
    assert opened.impact_usd_per_day is None


def test_where_all_is_refused_it_is_critical() -> None:
    said = told(scene(30, 0, lambda number: 10))
    assert min(said) == 2
    assert (said[2].severity, said[2].value, said[2].unit) == ("critical", 1.0, "share of lines")


@pytest.mark.parametrize(
    ("calls", "lines"),
    [
        (100, 0),
        (4_000, 2),  # thirty lines in a quarter of an hour, but one in two thousand
        (0, 0),
    ],
)
def test_what_is_too_little_is_not_told(calls: int, lines: int) -> None:
    assert not told(scene(DAY + 120, calls, lambda number: lines))


def test_a_few_lines_are_not_told_whatever_their_share() -> None:
    assert not told(scene(2 * DAY, 1, lambda number: int(number % 60 == 0) * 4))
    assert told(scene(2 * DAY, 1, lambda number: int(number % 60 == 0) * 4), rejects_min_lines=10)


def test_a_workload_with_few_calls_is_told_over_hours() -> None:
    said = told(scene(DAY, 0, lambda number: int(number % 8 == 0)))
    assert 200 <= min(said) <= 260
    assert said[min(said)].evidence["minutes"] == 360


def test_a_busy_tenant_is_told_that_it_is_over_at_once_and_a_quiet_one_when_time_has_passed() -> None:
    def lines(number: int) -> int:
        return 20 * int(10 <= number < 20)

    assert max(told(scene(200, 500, lines))) == 19
    assert 20 <= max(told(scene(200, 0, lines))) <= 19 + 60


def test_the_share_is_a_setting() -> None:
    def minutes() -> Iterable[TenantMinute]:
        return scene(60, 95, lambda number: 5)

    assert told(minutes())
    assert not told(minutes(), rejects_share=0.1)


def test_far_more_than_usual_is_told_below_the_setting_too() -> None:
    def lines(number: int) -> int:
        return 8 if number >= 2 * DAY else int(number % 30 == 0)

    said = told(scene(2 * DAY + 60, 1_000, lines))
    assert said
    assert 2 * DAY <= min(said) <= 2 * DAY + 15
    first = said[min(said)]
    assert first.value is not None
    assert first.baseline is not None
    assert first.value >= 10 * first.baseline
    assert "usually" in first.explanation


def test_lines_of_no_known_tenant_are_told_until_they_are_usual() -> None:
    found = signals(scene(2 * DAY, 0, lambda number: 5, tenant=UNKNOWN_TENANT), UNKNOWN_TENANT)
    assert [signal.state for signal in found if signal.state != "update"] == ["open", "resolved"]
    assert (found[0].severity, found[0].unit) == ("warning", "lines an hour")
    assert "no known tenant" in found[0].title


def test_what_comes_late_counts_as_calls() -> None:
    of = detector()
    row = a_row("1", calls=10_000)
    minute = TenantMinute("acme", START, (), late=[(START - 5, row)], refused=refused(40))
    assert of.observe(minute) == []


def test_an_open_minute_is_not_looked_at() -> None:
    of = detector()
    assert of.observe(TenantMinute("acme", START, (), is_whole=False, refused=refused(40))) == []
    assert of.state() == detector().state()


def test_minutes_that_begin_anew_or_leap_are_taken_as_they_come() -> None:
    of = detector()
    for number in (5_000, 5_001, 0, 1, 100_000):
        minute = TenantMinute("acme", START + number, (), refused=refused(100))
        assert [condition.evidence["refused_lines"] for condition in of.observe(minute)] == [
            200 if number in (5_001, 1) else 100
        ]


@pytest.mark.parametrize("cut", [105, DAY + 30])
def test_a_restart_changes_nothing(cut: int) -> None:
    made = list(scene(DAY + 120, 50, lambda number: 3 * int(100 <= number % DAY < 130)))
    whole, before, after = detector(), detector(), detector()
    expected = [whole.observe(minute) for minute in made]
    assert any(expected)
    found = [before.observe(minute) for minute in made[:cut]]
    after.restore(before.state())
    assert found + [after.observe(minute) for minute in made[cut:]] == expected
    assert after.state() == whole.state()


def test_a_state_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        detector().restore(b"{}")


def test_made_up_sources_keep_the_state_small() -> None:
    of = detector()
    for number in range(40):
        minute = NOTHING_REFUSED
        for source in range(150):
            minute = minute.plus(RefusedLines({"wrong_type": 1}, {f"{number}-{source}": 1}))
        (condition,) = of.observe(TenantMinute("acme", START + number, (), refused=minute))
        assert sum(condition.evidence["sources"].values()) == condition.evidence["refused_lines"]
        assert len(condition.explanation) < 1_000
    assert len(of.state()) < 100_000
