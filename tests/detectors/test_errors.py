"""Failing calls: told at the level where they fail, while they fail, and not otherwise."""

from collections.abc import Callable

import pytest

from streams.detectors.errors import Errors
from streams.detectors.failures import log10_tail
from streams.detectors.minute import TenantMinute
from tests.detectors.failing_calls import DAY, OFFICE, START, Caller, Shares, minutes, row, told
from tests.detectors.feeding import fleet
from tests.detectors.judging_errors import judge_errors, signals_of

BEGINS = DAY + 600
ENDS = BEGINS + 40
USUAL = (0.004, 0.006)


def failing(hit: Callable[[Caller], bool], errors: float = 0.9, limited: float = 0.0) -> Shares:
    """From BEGINS to ENDS the calls of those that are hit fail; else as usual."""

    def shares(caller: Caller, number: int) -> tuple[float, float]:
        return (errors, limited) if BEGINS <= number < ENDS and hit(caller) else USUAL

    return shares


def of_openai(caller: Caller) -> bool:
    return caller.vendor == "openai"


@pytest.mark.parametrize(
    ("hit", "scope"),
    [
        (of_openai, {"vendor": "openai"}),
        (lambda caller: caller.vendor == "azure", {"vendor": "azure"}),
        (lambda caller: caller.region == "westeurope", {"vendor": "azure", "region": "westeurope"}),
        (
            lambda caller: caller.vendor == "openai" and caller.model == "gpt-5.4",
            {"vendor": "openai", "model": "gpt-5.4"},
        ),
        (
            lambda caller: caller.service == "chat",
            {
                "team": "shop",
                "project": "web",
                "service": "chat",
                "environment": "production",
                "vendor": "openai",
                "model": "gpt-5.4",
            },
        ),
    ],
)
@pytest.mark.parametrize("errors", [0.95, 0.4])
def test_what_fails_is_told_where_it_fails_and_until_it_is_over(
    hit: Callable[[Caller], bool], scope: dict[str, str], errors: float
) -> None:
    said = told(minutes(ENDS + 60, failing(hit, errors)))
    first, last = min(said), max(said)
    assert BEGINS <= first <= BEGINS + (4 if errors > 0.5 else 15)
    assert ENDS - 6 <= last <= ENDS + 12
    assert {tuple(one.scope.items()) for one in said[first]} == {tuple(scope.items())}
    assert all(
        {tuple(one.scope.items()) for one in there} == {tuple(scope.items())} for there in said.values()
    )
    assert said[first][0].subject == "errors"


def test_rate_limits_are_told_by_themselves_with_who_is_hit_and_that_others_are_fine() -> None:
    said = told(minutes(ENDS + 30, failing(of_openai, USUAL[0], 0.6)))
    condition = said[BEGINS + 20][0]
    assert condition.subject == "rate_limits"
    assert condition.severity == "critical"
    assert condition.value == pytest.approx(0.6, abs=0.15)
    assert condition.baseline == pytest.approx(USUAL[1], abs=0.004)
    assert "calls to openai are rate limited" in condition.explanation
    assert "shop/search/production" in condition.explanation
    assert "calls to other vendors are fine" in condition.explanation
    assert condition.contributors[0].scope == {"vendor": "openai"}
    assert {one.scope["service"] for one in condition.contributors[1:]} == {"search", "chat", "mail"}


@pytest.mark.parametrize("usual", [(0.004, 0.006), (0.0, 0.0), (0.05, 0.2)])
def test_usual_shares_are_usual(usual: tuple[float, float]) -> None:
    assert not told(minutes(4 * DAY, lambda caller, number: usual))


def test_the_first_day_is_only_learnt_from() -> None:
    assert not told(minutes(DAY, lambda caller, number: (0.9, 0.0) if number > 300 else USUAL))


def test_bursts_that_are_usual_are_not_told() -> None:
    """A quota that is used up for ten minutes of each hour."""

    def shares(caller: Caller, number: int) -> tuple[float, float]:
        return (0.004, 0.5 if caller.vendor == "openai" and number % 60 < 10 else 0.0)

    assert not [number for number in told(minutes(3 * DAY, shares)) if number > 2 * DAY]


def test_an_open_minute_tells_of_a_busy_vendor_and_leaves_no_trace() -> None:
    detector, untouched = Errors(), Errors()
    for minute in minutes(BEGINS, failing(of_openai)):
        detector.observe(minute)
        untouched.observe(minute)
    rows = [row(caller, 4, 4) for caller in OFFICE if of_openai(caller)]
    growing = TenantMinute("acme", START + BEGINS, rows, is_whole=False, seconds=20.0)
    assert [one.scope for one in detector.observe(growing)] == [{"vendor": "openai"}]
    assert detector.state() == untouched.state()


def test_one_workload_alone_is_waited_for_before_its_vendor_is_blamed() -> None:
    callers = (Caller("search"), *(caller for caller in OFFICE if not of_openai(caller)))
    said = told(minutes(ENDS, failing(of_openai), callers))
    assert min(said) >= BEGINS + 10
    assert said[min(said)][0].scope["service"] == "search"


def test_three_calls_an_hour_are_enough_in_the_end_and_giving_up_ends_it() -> None:
    slow = Caller("old", model="gpt-4.1", calls_per_minute=0.06)

    def shares(caller: Caller, number: int) -> tuple[float, float]:
        return (1.0, 0.0) if caller is slow and number >= BEGINS else USUAL

    def scene() -> list[TenantMinute]:
        gone = BEGINS + 240
        return [
            minute._replace(
                rows=[
                    one
                    for one in minute.rows
                    if one.names["service"] != "old" or minute.minute < START + gone
                ]
            )
            for minute in minutes(BEGINS + 800, shares, (*OFFICE, slow))
        ]

    said = told(iter(scene()))
    assert min(said) <= BEGINS + 150
    assert max(said) <= BEGINS + 240 + 361
    assert {one.scope["service"] for there in said.values() for one in there} == {"old"}
    assert sorted(said) == list(range(min(said), max(said) + 1))


@pytest.mark.parametrize("cut", [BEGINS - 5, BEGINS + 20, ENDS + 1])
def test_a_restart_changes_nothing(cut: int) -> None:
    scene = list(minutes(ENDS + 30, failing(of_openai)))
    whole = Errors()
    expected = [whole.observe(minute) for minute in scene]
    before, after = Errors(), Errors()
    found = [before.observe(minute) for minute in scene[:cut]]
    after.restore(before.state())
    found += [after.observe(minute) for minute in scene[cut:]]
    assert found == expected
    assert after.state() == whole.state()


def test_a_state_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        Errors().restore(b"{}")


def test_what_comes_late_is_learnt_from_and_never_told() -> None:
    detector = Errors()
    for minute in minutes(BEGINS, lambda caller, number: USUAL):
        detector.observe(minute)
    late = [(START + BEGINS - 30, row(OFFICE[0], 50, 50))]
    assert not detector.observe(TenantMinute("acme", START + BEGINS, (), late=late))


def test_the_bound_on_the_probability_is_that_of_calls_that_all_fail() -> None:
    assert log10_tail(4, 4, 0.01) == pytest.approx(-8)
    assert log10_tail(100, 1, 0.01) == 0


def test_the_simulated_fleet() -> None:
    feed = fleet(103, days=12, calls_scale=0.5)
    judged = judge_errors(feed, signals_of(Errors(), feed))
    assert judged.planted == 2
    assert len(judged.delays_seconds) == 2
    assert not judged.wrong
