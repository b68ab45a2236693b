"""Scenes of cost: what is signalled, where, how soon and why, and what is not."""

import random
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from streams.detectors.cost_spike import CostSpike
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import TenantMinute
from tests.detectors.made_minutes import DAY, START_MINUTE, Change, Traffic, during, fleet, minutes
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings

AT = 2 * DAY + 600
"""In the third day, at ten in the morning: minutes from the beginning."""


def detector() -> CostSpike:
    return CostSpike(Surroundings(PriceBook([]), Catalog([]), DetectionSettings()))


def told(scene: Iterable[TenantMinute], spike: CostSpike | None = None) -> dict[int, list[Condition]]:
    """What is said, by minute from the beginning."""
    spike = spike or detector()
    found = {minute.minute - START_MINUTE: spike.observe(minute) for minute in scene}
    return {number: said for number, said in found.items() if said}


def one_incident(said: dict[int, list[Condition]]) -> Condition:
    """The only thing that was said, as it was said at first."""
    assert said
    names = {(one.subject, tuple(sorted(one.scope.items()))) for each in said.values() for one in each}
    assert len(names) == 1, names
    return said[min(said)][0]


SERVICE_2 = {
    "project": "project-0",
    "team": "team-2",
    "service": "service-2",
    "environment": "production",
}


def test_a_loop_is_told_at_its_service_within_two_minutes_and_is_over_when_it_ends() -> None:
    loop = during("service-2", AT, AT + 90, calls_per_minute=500.0)
    said = told(minutes(fleet(), 2.6, loop))
    first = one_incident(said)
    assert AT <= min(said) <= AT + 1
    assert max(said) <= AT + 90 + 15
    assert first.subject == "up"
    assert first.scope == SERVICE_2
    assert first.contributors[0].component == "calls"
    assert first.impact_usd_per_day is not None
    assert first.impact_usd_per_day > Decimal(1)
    assert "service-2" in first.title


def test_an_open_minute_is_enough_where_it_costs_many_times_the_usual() -> None:
    spike = detector()
    scene = list(minutes(fleet(), 2.5, during("service-2", AT, AT + 90, calls_per_minute=900.0)))
    for minute in scene[:AT]:
        assert not spike.observe(minute)
    row = next(row for row in scene[AT].rows if row.names["service"] == "service-2")
    growing = TenantMinute("acme", scene[AT].minute, [row], is_whole=False, seconds=20.0)
    before = spike.state()
    (condition,) = spike.observe(growing)
    assert condition.scope == SERVICE_2
    assert spike.state() == before, "an open minute teaches nothing"


@pytest.mark.parametrize(
    ("component", "fields"),
    [
        ("tokens_per_call", {"input_tokens": 60_000}),
        ("price", {"usd_per_token": 2e-5}),
        ("calls", {"calls_per_minute": 120.0}),
    ],
)
def test_the_bridge_names_what_changed(component: str, fields: dict[str, float]) -> None:
    said = told(minutes(fleet(), 2.5, during("service-3", AT, AT + 60, **fields)))
    assert one_incident(said).contributors[0].component == component


def test_a_cache_that_is_read_no_more_is_named() -> None:
    cached = fleet(cached_share=0.95, input_tokens=60_000, output_tokens=10)
    said = told(minutes(cached, 2.6, during("service-1", AT, AT + 120, cached_share=0.0)))
    assert one_incident(said).contributors[0].component == "cache_share"


def test_a_model_that_becomes_dear_for_many_is_told_as_the_model() -> None:
    def dear(traffic: Traffic, number: int) -> Traffic:
        if traffic.vendor == "anthropic" and AT <= number < AT + 120:
            return replace(traffic, usd_per_token=traffic.usd_per_token * 20)
        return traffic

    first = one_incident(told(minutes(fleet(), 2.6, dear)))
    assert first.scope == {"vendor": "anthropic", "model": "claude-haiku-4-5"}
    assert first.contributors[0].component == "price"


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("office_hours", [False, True])
def test_a_quiet_fleet_is_quiet(seed: int, office_hours: bool) -> None:
    assert not told(minutes(fleet(office_hours=office_hours), 4, seed=seed))


def test_a_new_team_in_its_first_day_is_not_told() -> None:
    team = Traffic(team="new", service="new", project="new", api_key="new", calls_per_minute=3.0)

    def begins(traffic: Traffic, number: int) -> Traffic:
        return replace(traffic, calls_per_minute=0.0) if traffic.team == "new" and number < AT else traffic

    assert not told(minutes([*fleet(), team], 3.4, begins))


def failover(minutes_long: int) -> Change:
    return during(
        "service-4", AT, AT + minutes_long, vendor="anthropic", model="claude-opus-4-5", usd_per_token=2e-5
    )


def test_a_brief_failover_to_a_dearer_model_is_no_spike() -> None:
    assert not told(minutes(fleet(), 2.6, failover(45)))


def test_one_that_stays_on_the_dearer_model_is_told_by_its_mix() -> None:
    said = told(minutes(fleet(), 3, failover(DAY)))
    assert one_incident(said).contributors[0].component == "model_mix"


def test_a_launch_that_stays_is_told_once_and_becomes_usual() -> None:
    said = told(minutes(fleet(), 6, during("service-5", AT, 10 * DAY, calls_per_minute=80.0)))
    first = one_incident(said)
    assert first.scope["service"] == "service-5"
    assert min(said) <= AT + 5
    told_minutes = sorted(said)
    assert told_minutes == list(range(told_minutes[0], told_minutes[-1] + 1)), "it was said again"
    assert told_minutes[-1] <= AT + 3 * DAY


LATER = 8 * DAY + 600


def test_what_goes_silent_is_told_and_is_over_when_it_comes_back() -> None:
    said = told(minutes(fleet(), 8.7, during("service-5", LATER, LATER + 240, calls_per_minute=0.0)))
    first = one_incident(said)
    assert first.subject == "silent"
    assert first.scope["service"] == "service-5"
    assert LATER + 25 <= min(said) <= LATER + 60
    assert max(said) <= LATER + 240 + 15


def test_a_whole_tenant_that_goes_silent_is_told_once_at_the_top() -> None:
    silent = during("", LATER, LATER + 200, calls_per_minute=0.0)
    first = one_incident(told(minutes(fleet(), 8.6, silent)))
    assert first.subject == "silent"
    assert first.scope == {}


def test_who_still_calls_is_not_silent_though_all_calls_fail_and_cost_nothing() -> None:
    assert not told(minutes(fleet(), 8.6, during("service-5", LATER, LATER + 120, usd_per_token=0.0)))


def test_a_silence_is_over_when_calls_come_back_though_they_fail() -> None:
    silent = during("service-5", LATER, LATER + 60, calls_per_minute=0.0)
    failing = during("service-5", LATER + 60, LATER + 240, usd_per_token=0.0)
    said = told(minutes(fleet(), 8.6, lambda traffic, number: failing(silent(traffic, number), number)))
    assert one_incident(said).subject == "silent"
    assert max(said) <= LATER + 60 + 10


def test_silence_in_the_first_week_is_not_told() -> None:
    assert not told(minutes(fleet(), 3, during("service-5", AT, AT + 240, calls_per_minute=0.0)))


@pytest.mark.parametrize("cut", [AT - 7, AT + 1, AT + 33])
def test_a_restart_in_the_middle_changes_nothing(cut: int) -> None:
    scene = list(minutes(fleet(), 2.5, during("service-2", AT, AT + 60, calls_per_minute=300.0)))
    unbroken = told(scene)
    spike = detector()
    before = told(scene[:cut], spike)
    fresh = detector()
    fresh.restore(spike.state())
    assert before | told(scene[cut:], fresh) == unbroken


def test_a_state_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="cost spikes"):
        detector().restore(b"\x00")


def test_two_loops_at_once_are_two_incidents() -> None:
    def both(traffic: Traffic, number: int) -> Traffic:
        if traffic.service in ("service-0", "service-4") and AT <= number < AT + 60:
            return replace(traffic, calls_per_minute=400.0)
        return traffic

    said = told(minutes(fleet(), 2.5, both))
    services = {one.scope.get("service") for each in said.values() for one in each}
    assert services == {"service-0", "service-4"}


@pytest.mark.parametrize("calls_per_minute", [12.0, 40.0])
def test_a_loop_of_a_service_with_a_call_now_and_then_is_told_within_a_minute(
    calls_per_minute: float,
) -> None:
    seldom = Traffic(service="seldom", calls_per_minute=0.05)
    others = [replace(one, calls_per_minute=0.3) for one in fleet(2)]
    loop = during("seldom", AT, AT + 60, calls_per_minute=calls_per_minute)
    spike = detector()
    before = [
        minute for minute in minutes([seldom, *others], 2.5, loop) if minute.minute <= START_MINUTE + AT
    ]
    for minute in before[:-1]:
        assert not spike.observe(minute)
    said = spike.observe(before[-1])
    (condition,) = said
    assert condition.scope["service"] == "seldom"
    assert condition.contributors[0].component == "calls"


def test_some_calls_in_a_row_of_a_service_with_a_call_now_and_then_are_no_loop() -> None:
    seldom = Traffic(service="seldom", calls_per_minute=0.05)
    some = during("seldom", AT, AT + 5, calls_per_minute=1.0)
    assert not told(minutes([seldom, *(replace(one, calls_per_minute=0.3) for one in fleet(2))], 2.5, some))


@pytest.mark.parametrize(("calls_per_minute", "service"), [(1.5, None), (4.0, "writer")])
def test_what_a_loop_left_in_the_last_hour_is_told_of_nobody_and_another_spike_is(
    calls_per_minute: float, service: str | None
) -> None:
    at = 8 * DAY + 600
    team = Traffic(team="pricing", project="revenue", api_key="key-9")
    reader = replace(team, service="reader", calls_per_minute=0.05, input_tokens=3_000)
    writer = replace(team, service="writer", calls_per_minute=0.4, input_tokens=6_000)
    loop = during("reader", at, at + 110, calls_per_minute=40.0)
    more = during("writer", at + 145, at + 157, calls_per_minute=calls_per_minute)

    def change(traffic: Traffic, number: int) -> Traffic:
        return more(loop(traffic, number), number)

    said = told(minutes([*fleet(), reader, writer], 8.6, change))
    assert {one.scope["service"] for number, each in said.items() for one in each if number < at + 127} == {
        "reader"
    }
    after = {one.scope["service"] for number, each in said.items() for one in each if number >= at + 127}
    assert after == ({service} if service else set())


BUSY = [Traffic(calls_per_minute=40.0), *fleet()]
"""A service with many calls a minute, and some with few."""


def test_ten_times_the_calls_of_a_busy_service_are_told_within_a_minute() -> None:
    said = told(minutes(BUSY, 2.45, during("ranker", AT, AT + 20, calls_per_minute=400.0)))
    assert min(said) == AT
    assert one_incident(said).scope["service"] == "ranker"


def test_a_third_of_a_minute_says_what_the_minute_comes_to() -> None:
    spike = detector()
    scene = list(minutes(BUSY, 2.45, during("ranker", AT, AT + 20, calls_per_minute=400.0)))
    for minute in scene[:AT]:
        assert not spike.observe(minute)
    (row,) = (row for row in scene[AT].rows if row.names["service"] == "ranker")
    row.sums.calls //= 3
    row.sums.tokens = [tokens // 3 for tokens in row.sums.tokens]
    row.sums.cost_picos //= 3
    growing = TenantMinute("acme", scene[AT].minute, [row], is_whole=False, seconds=20.0)
    (condition,) = spike.observe(growing)
    assert condition.scope["service"] == "ranker"


def test_an_open_minute_without_calls_says_nothing_of_the_one_before() -> None:
    spike = detector()
    busier = during("ranker", AT, AT + 1, calls_per_minute=200.0)
    scene = [one for one in minutes(BUSY, 2.45, busier) if one.minute <= START_MINUTE + AT]
    for minute in scene:
        assert not spike.observe(minute)
    empty = TenantMinute("acme", scene[-1].minute + 1, [], is_whole=False, seconds=20.0)
    assert not spike.observe(empty)


def test_a_loop_of_cheap_calls_is_told_though_it_only_doubles_the_cost() -> None:
    def loop(traffic: Traffic, number: int) -> Traffic:
        if traffic.service == "cheap" and not AT <= number < AT + 20:
            return replace(traffic, calls_per_minute=0.0)
        return traffic

    cheap = Traffic(service="cheap", calls_per_minute=400.0, input_tokens=200, output_tokens=30)
    mixed = [replace(cheap, service="ranker", calls_per_minute=4.0, input_tokens=20_000), *fleet(), cheap]
    scene = (
        TenantMinute(
            minute.tenant,
            minute.minute,
            [row._replace(names={**row.names, "service": "ranker"}) for row in minute.rows],
        )
        for minute in minutes(mixed, 2.45, loop)
    )
    said = told(scene)
    assert min(said) <= AT + 1
    assert one_incident(said).contributors[0].component == "calls"


def test_the_next_loop_of_a_service_is_told_though_it_is_a_smaller_one() -> None:
    first = during("service-2", AT, AT + 20, calls_per_minute=2_000.0)
    second = during("service-2", AT + 180, AT + 200, calls_per_minute=80.0)
    said = told(minutes(fleet(), 2.6, lambda traffic, number: second(first(traffic, number), number)))
    one_incident(said)
    assert AT in said
    assert AT + 60 not in said
    assert AT + 180 in said


def test_a_burst_of_a_minute_is_over_when_the_next_five_minutes_are_as_usual() -> None:
    burst = during("service-2", AT + 3, AT + 4, calls_per_minute=400.0)
    said = told(minutes(fleet(), 2.5, burst))
    assert min(said) == AT + 3
    assert max(said) <= AT + 3 + 10


def test_a_few_calls_more_than_ever_in_a_third_of_a_minute_are_no_loop() -> None:
    seldom = Traffic(service="seldom", calls_per_minute=0.2)
    spike = detector()
    scene = list(minutes([seldom, *(replace(one, calls_per_minute=0.3) for one in fleet(2))], 2.45))
    for minute in scene[:AT]:
        assert not spike.observe(minute)
    row = replace(seldom, calls_per_minute=4.0).row(random.Random(1), START_MINUTE + AT)
    assert row is not None
    growing = TenantMinute("acme", scene[AT].minute, [row], is_whole=False, seconds=20.0)
    assert not spike.observe(growing)
