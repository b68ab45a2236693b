"""Where a fleet's calls go: shares that add up, concentration, adoption curves, and who keeps to what."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.detectors.fleet_shares import (
    Adoption,
    Stickiness,
    UsageDay,
    adoption,
    concentration,
    model_shares,
    stickiness,
    vendor_shares,
)

MONDAY = date(2026, 11, 2)


def _row(workload: str, model: str, calls: int, day: int = 0, cost: int = 0) -> UsageDay:
    vendor, _, name = model.partition("/")
    return UsageDay(MONDAY + timedelta(days=day), (workload,), vendor, name, calls, cost)


def test_shares_are_by_calls_or_by_money() -> None:
    usage = [_row("a", "x/one", 60, cost=10), _row("b", "x/two", 20, cost=0), _row("b", "y/one", 20, cost=30)]
    assert vendor_shares(usage) == {"x": 0.8, "y": 0.2}
    assert vendor_shares(usage, "cost_picos") == {"y": 0.75, "x": 0.25}
    assert model_shares(usage) == {("x", "one"): 0.6, ("x", "two"): 0.2, ("y", "one"): 0.2}
    assert vendor_shares([]) == {}
    assert vendor_shares([_row("a", "x/one", 0)]) == {}


def test_concentration_goes_from_many_alike_to_all_with_one() -> None:
    assert concentration({"x": 1.0}) == 10_000
    assert concentration({"x": 0.5, "y": 0.5}) == 5_000
    assert concentration({"x": 0.3, "y": 0.3, "z": 0.2, "w": 0.2}) == pytest.approx(2_600)
    assert concentration(vendor_shares([])) is None


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 10**6)), max_size=30))
def test_shares_add_up_and_concentration_lies_between_its_ends(counts: list[tuple[str, int]]) -> None:
    shares = vendor_shares(_row("w", f"{vendor}/m", calls) for vendor, calls in counts)
    index = concentration(shares)
    if index is None:
        assert not any(calls for _, calls in counts)
    else:
        assert sum(shares.values()) == pytest.approx(1)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        assert 10_000 / len(shares) - 1e-6 <= index <= 10_000 + 1e-6


def test_adoption_has_a_point_for_each_day_with_calls() -> None:
    usage = [
        _row("a", "x/old", 90),
        _row("b", "x/old", 10),
        _row("a", "x/new", 30, day=1),
        _row("b", "x/old", 10, day=1),
        _row("a", "x/new", 0, day=2),
        _row("a", "x/new", 5, day=3),
    ]
    assert adoption(usage, "x", "new") == [
        Adoption(MONDAY, 0, 0.0, 0, 0.0),
        Adoption(MONDAY + timedelta(days=1), 30, 0.75, 1, 0.5),
        Adoption(MONDAY + timedelta(days=3), 5, 1.0, 1, 1.0),
    ]


def test_stickiness_counts_workloads_that_keep_their_model_and_calls_to_known_ones() -> None:
    before = [
        _row("a", "x/old", 90),
        _row("b", "x/old", 60),
        _row("b", "y/one", 40),
        _row("gone", "x/old", 5),
    ]
    after = [_row("a", "x/old", 50), _row("b", "y/one", 30), _row("b", "z/new", 20), _row("new", "z/new", 9)]
    assert stickiness(before, after) == Stickiness(workloads=2, kept_share=0.5, kept_call_share=0.8)
    assert stickiness(before, []) == Stickiness(0, None, None)
