"""Loops of a few calls a minute, of which no single minute is much: told by what falls together in some minutes."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from streams.detectors.cost_spike import CostSpike
from streams.detectors.detector import Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from tests.detectors.made_minutes import DAY, START_MINUTE, Traffic, fleet
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings

AT = 8 * DAY + 600
"""In the ninth day: every day of the week was seen."""

SELDOM = Traffic(service="seldom", usd_per_token=4e-6)
OTHERS = [replace(one, calls_per_minute=0.3) for one in fleet(2)]


def calls_of(dice: random.Random) -> int:
    """Of a minute of a service with ten calls an hour, which come by twos and threes."""
    return dice.choice((1, 2, 2, 3, 4)) if dice.random() < 0.07 else 0


def scene(begins: int, ends: int, loop: dict[int, int], dearest: float = 1.0) -> Iterator[TenantMinute]:
    """Minutes from `begins`, with more calls of the seldom one in some. dearest: so many times as dear are some."""
    for number in range(begins, ends):
        dice = random.Random(number)
        rows: list[GroupRow] = []
        calls = calls_of(dice) + loop.get(number, 0)
        per_token = SELDOM.usd_per_token * (dearest if number not in loop and dice.random() < 0.2 else 1.0)
        for traffic in (replace(SELDOM, calls_per_minute=float(calls), usd_per_token=per_token), *OTHERS):
            row = traffic.row(dice, START_MINUTE + number)
            if row is not None:
                if row.names["service"] == "seldom":
                    row.sums.calls = calls
                rows.append(row)
        yield TenantMinute("acme", START_MINUTE + number, rows)


@cache
def learnt(dearest: float) -> bytes:
    spike = detector()
    for minute in scene(0, AT, {}, dearest):
        assert not spike.observe(minute)
    return spike.state()


def detector() -> CostSpike:
    return CostSpike(Surroundings(PriceBook([]), Catalog([]), DetectionSettings()))


def first_told(loop: dict[int, int], dearest: float = 1.0) -> int | None:
    """Minutes from AT until something is told, at the seldom service; None where nothing is within the hour."""
    spike = detector()
    spike.restore(learnt(dearest))
    for minute in scene(AT, AT + 60, loop, dearest):
        said = spike.observe(minute)
        if said:
            assert {one.scope.get("service") for one in said} == {"seldom"}
            assert said[0].contributors[0].component == "calls"
            return minute.minute - START_MINUTE - AT
    return None


@pytest.mark.parametrize(
    "dearest", [1.0, 12.0], ids=["calls alike", "cheap calls of a service that has dear ones"]
)
def test_a_loop_of_four_calls_a_minute_is_told_by_its_twentieth(dearest: float) -> None:
    found = first_told({AT + number: 4 for number in range(30)}, dearest)
    assert found is not None
    assert 1 <= found <= 4


def test_a_loop_of_two_calls_a_minute_is_told_within_a_quarter_of_an_hour() -> None:
    found = first_told({AT + number: 2 for number in range(30)}, 12.0)
    assert found is not None
    assert 3 <= found <= 15


@pytest.mark.parametrize(
    "more", [{AT: 5}, {AT: 3, AT + 1: 4}, {AT + number: 1 for number in range(0, 30, 4)}]
)
def test_some_calls_more_that_fall_together_are_no_loop(more: dict[int, int]) -> None:
    assert first_told(more, 12.0) is None
