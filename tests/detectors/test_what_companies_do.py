"""What companies do that changes what they spend: what of it is told as a cost spike or as silence, and what is not.

A small made fleet in office hours is known for nine days; each scene goes on from there, from the Friday of a month's
end. The calls of five minutes are in one of them.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from streams.detectors.cost_spike import CostSpike
from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from tests.detectors.made_minutes import DAY, START_MINUTE, Traffic, fleet
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings

EVERY = 5
HOUR = 60
FRIDAY = START_MINUTE + 20 * DAY
"""The 28th of November 2025."""

KNOWN = 9 * DAY
OPENS = 8 * HOUR
FLEET = fleet(3, office_hours=True)

Change = Callable[[Traffic, int], Traffic | None]
"""A workload's traffic at a minute, counted from the Friday's beginning; None where it calls nothing."""


def scene(
    begins: int,
    ends: int,
    change: Change = lambda traffic, number: traffic,
    *,
    workloads: Sequence[Traffic] = FLEET,
    clocks: int = 0,
    every: int = EVERY,
) -> Iterator[TenantMinute]:
    """Whole minutes, counted from the Friday.

    clocks: by how many minutes the company's clocks are put forward. every: the calls of so many minutes are in one.
    """
    dice = random.Random(begins)
    for number in range(begins, ends):
        rows = []
        if number % every == 0:
            for workload in workloads:
                changed = change(workload, number)
                if changed is None:
                    continue
                many = replace(changed, calls_per_minute=changed.calls_per_minute * every)
                row = many.row(dice, FRIDAY + number + clocks)
                rows += [row] if row is not None else []
        yield TenantMinute("acme", FRIDAY + number, rows)


def detector(state: bytes | None = None) -> CostSpike:
    spike = CostSpike(Surroundings(PriceBook([]), Catalog([]), DetectionSettings()))
    if state is not None:
        spike.restore(state)
    return spike


def told(spike: CostSpike, minutes: Iterator[TenantMinute]) -> dict[int, list[Condition]]:
    """What is said, by minute."""
    found = {one.minute - FRIDAY: spike.observe(one) for one in minutes}
    return {number: said for number, said in found.items() if said}


def subjects(said: dict[int, list[Condition]]) -> set[tuple[str, str]]:
    """What was told: its subject, and the service that it is told of."""
    return {(one.subject, one.scope.get("service", "")) for each in said.values() for one in each}


@pytest.fixture(scope="module")
def state() -> bytes:
    """What is known of the fleet after nine quiet days with a weekend, of which nothing was told."""
    spike = detector()
    assert not told(spike, scene(-KNOWN, 0))
    return spike.state()


@pytest.fixture
def known(state: bytes) -> CostSpike:
    return detector(state)


def times(factor: float, begins: int, ends: int, service: str = "") -> Change:
    """The calls of one service, or of all, are so many times as many for a while."""

    def change(traffic: Traffic, number: int) -> Traffic | None:
        if not (begins <= number < ends and service in ("", traffic.service)):
            return traffic
        return replace(traffic, calls_per_minute=traffic.calls_per_minute * factor) if factor else None

    return change


def test_a_quiet_fleet_is_not_told_at_a_weekend(known: CostSpike) -> None:
    assert not told(known, scene(0, 2 * DAY))


def test_a_month_end_that_is_half_as_busy_again_is_not_told(known: CostSpike) -> None:
    assert not told(known, scene(0, 20 * HOUR, times(1.5, 0, DAY)))


def test_a_holiday_on_which_little_is_done_is_not_told(known: CostSpike) -> None:
    assert not told(known, scene(0, DAY + 12 * HOUR, times(0.15, 0, DAY)))


def test_all_usage_that_stops_on_a_working_day_is_told_once_of_the_whole_tenant(known: CostSpike) -> None:
    at, back = 10 * HOUR, 15 * HOUR
    said = told(known, scene(0, 18 * HOUR, times(0, at, back)))
    assert subjects(said) == {("silent", "")}
    assert at + 25 <= min(said) <= at + HOUR
    assert max(said) <= back + 15


@pytest.mark.parametrize("clocks", [-HOUR, HOUR])
def test_clocks_that_are_put_forward_or_back_are_not_told(known: CostSpike, clocks: int) -> None:
    assert not told(known, scene(0, DAY, clocks=clocks))


def test_a_new_team_that_grows_in_its_first_week_is_not_told(known: CostSpike) -> None:
    team = Traffic(team="new", service="new", project="new", api_key="new", office_hours=True)

    def grows(traffic: Traffic, number: int) -> Traffic:
        # Little at first, and half as much more every day.
        calls = 0.5 * 1.5 ** (number // DAY) if traffic is team else traffic.calls_per_minute
        return replace(traffic, calls_per_minute=calls)

    assert not told(known, scene(0, 4 * DAY, grows, workloads=[*FLEET, team], every=1))


def test_a_launch_that_makes_ten_times_the_calls_and_stays_is_told_once(known: CostSpike) -> None:
    at = 10 * HOUR
    said = told(known, scene(0, 2 * DAY, times(10, at, 2 * DAY, "service-1")))
    assert subjects(said) == {("up", "service-1")}
    assert at <= min(said) <= at + 2 * EVERY
    assert sorted(said) == list(range(min(said), max(said) + 1)), "it was told again"
    assert max(said) < 2 * DAY - 1, "it has not become the usual"


def test_a_model_alias_that_moves_is_not_told(known: CostSpike) -> None:
    def moved(traffic: Traffic, number: int) -> Traffic:
        return replace(traffic, model=f"{traffic.model}-2025-11-28") if number >= 10 * HOUR else traffic

    assert not told(known, scene(0, DAY, moved))


def test_a_vendor_outage_with_failover_and_return_is_not_told(known: CostSpike) -> None:
    def failed_over(traffic: Traffic, number: int) -> Traffic:
        if traffic.vendor == "openai" and 10 * HOUR <= number < 10 * HOUR + 50:
            # To a model that costs six times as much.
            return replace(traffic, vendor="anthropic", model="claude-sonnet-4-5", usd_per_token=6e-6)
        return traffic

    assert not told(known, scene(0, DAY, failed_over))


def test_usage_that_goes_silent_is_told_until_it_is_back(known: CostSpike) -> None:
    at, back = 10 * HOUR, 13 * HOUR
    said = told(known, scene(0, 16 * HOUR, times(0, at, back, "service-2")))
    assert subjects(said) == {("silent", "service-2")}
    assert at + 25 <= min(said) <= at + HOUR
    assert max(said) <= back + 15


def loop(calls_per_minute: float) -> Change:
    at = 10 * HOUR

    def change(traffic: Traffic, number: int) -> Traffic:
        is_looping = traffic.service == "service-1" and at <= number < at + 2 * HOUR
        return replace(traffic, calls_per_minute=calls_per_minute) if is_looping else traffic

    return change


def test_the_order_of_windows_and_what_comes_late_change_nothing(known: CostSpike, state: bytes) -> None:
    def reordered() -> Iterator[TenantMinute]:
        held: GroupRow | None = None
        for minute in scene(0, 14 * HOUR, loop(300.0)):
            late: list[tuple[int, GroupRow]] = [(minute.minute - 2 * EVERY, held)] if held is not None else []
            held = minute.rows[0] if minute.rows else None
            yield minute._replace(rows=list(reversed(minute.rows)), late=late)

    in_order = told(detector(state), scene(0, 14 * HOUR, loop(300.0)))
    assert subjects(in_order) == {("up", "service-1")}
    assert told(known, reordered()) == in_order


@pytest.mark.parametrize("after", [2, 61])
def test_a_restart_in_the_middle_of_an_incident_goes_on_with_it(
    known: CostSpike, state: bytes, after: int
) -> None:
    unbroken = detector(state)
    for minute in scene(0, 14 * HOUR, loop(300.0)):
        if minute.minute == FRIDAY + 10 * HOUR + after:
            known = detector(known.state())
        assert known.observe(minute) == unbroken.observe(minute)
