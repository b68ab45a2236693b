"""Minute windows: sums that equal the events', however they are cut up and added."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.groups import EPOCH, MINUTE, Span, groups_of
from streams.histogram import bucket_bounds, bucket_of, count_buckets, quantile
from streams.windows import (
    CostedGroup,
    GroupKey,
    GroupSums,
    combine,
    decode_windows,
    encode_windows,
    merge_windows,
)
from tests.streams.making import NOW, REPORTED_AT_MS, an_event, columns_of_events, step
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS
from tokenweir.usage.wire import encode_batch

events = st.builds(
    an_event,
    st.integers(0, 300),
    tenant=st.sampled_from(["acme", "umbrella"]),
    team=st.sampled_from(["", "search"]),
    model=st.sampled_from(["gpt-4o", "no-such-model"]),
    status=st.sampled_from(["ok", "error", "timeout"]),
    time=st.integers(0, 400).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    duration_ms=st.none() | st.floats(0, 1e9),
    ttft_ms=st.none() | st.just(0.0) | st.floats(0, 1e4),
    input_tokens=st.integers(0, 10**9),
)
costs = st.none() | st.integers(0, 10**20)


def sums_of_pairs(pairs: list[tuple[UsageEvent, int | None]]) -> dict[GroupKey, GroupSums]:
    """The sums of events with their costs, grouped as the meter groups them."""
    if not pairs:
        return {}
    columns = columns_of_events([event for event, _ in pairs])
    costs = [cost for _, cost in pairs]
    return combine(
        CostedGroup(group, {name: group.of(column) for name, column in columns.items()}, group.of(costs))
        for group in groups_of(columns, Span(min(columns["time"]), max(columns["time"])))
    )


def described(sums: Any) -> dict[Any, Any]:
    return {key: group.window(key, "x") for key, group in sums.items()}


@given(st.lists(st.tuples(events, costs), min_size=1, max_size=25), st.integers(1, 6), st.randoms())
def test_partials_in_any_order_and_grouping_add_up_to_the_whole(
    pairs: list[tuple[UsageEvent, int | None]], parts: int, dice: random.Random
) -> None:
    whole = sums_of_pairs(pairs)
    shuffled = list(pairs)
    dice.shuffle(shuffled)
    partials = []
    for number in range(parts):
        some = shuffled[number::parts]
        sums = sums_of_pairs(some)
        for _, lines in encode_windows(sums, f"t/0/{number}@1"):
            partials += decode_windows(lines)
    dice.shuffle(partials)
    assert described(merge_windows(partials)) == described(whole)


@given(st.lists(st.tuples(events, costs), min_size=1, max_size=25))
def test_sums_equal_the_events(pairs: list[tuple[UsageEvent, int | None]]) -> None:
    sums = sums_of_pairs(pairs)
    for key, group in sums.items():
        members = [
            (event, cost)
            for event, cost in pairs
            if (*(getattr(event, name) for name in GROUP_FIELDS), (event.time - EPOCH) // MINUTE) == key
        ]
        assert group.calls == len(members)
        assert group.statuses == Counter(event.status for event, _ in members)
        assert group.tokens == [sum(getattr(event, name) for event, _ in members) for name in TOKEN_FIELDS]
        assert group.cost_picos == sum(cost for _, cost in members if cost is not None)
        assert group.unpriced_calls == sum(cost is None for _, cost in members)
        durations = [event.duration_ms for event, _ in members if event.duration_ms is not None]
        assert group.durations == count_buckets(durations)
        ttfts = [event.ttft_ms for event, _ in members if event.ttft_ms is not None]
        assert group.ttfts == count_buckets(ttfts)
    assert sum(group.calls for group in sums.values()) == len(pairs)


def test_a_message_gives_one_value_a_tenant() -> None:
    output = step(
        encode_batch([an_event(1), an_event(2, tenant="umbrella"), an_event(3, model="no-such-model")])
    )
    assert [tenant for tenant, _ in output.windows] == [b"acme", b"umbrella"]
    windows = [window for _, lines in output.windows for window in decode_windows(lines)]
    assert {window.partial_id for window in windows} == {f"tokenweir.usage/3/42@{REPORTED_AT_MS}"}
    assert sum(window.calls for window in windows) == 3
    assert sum(window.unpriced_calls for window in windows) == 1
    assert all(window.minute.second == 0 for window in windows)


@given(st.floats(1e-5, 1e10))
def test_a_value_lies_in_its_bucket(value: float) -> None:
    above, up_to = bucket_bounds(bucket_of(value))
    assert above * (1 - 1e-12) <= value <= up_to * (1 + 1e-12)


@given(st.lists(st.floats(0.01, 1e7), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantiles_are_within_half_a_bucket(values: list[float], share: float) -> None:
    found = quantile(count_buckets(values), share)
    assert found is not None
    exact = sorted(values)[max(1, -(-int(share * 100) * len(values) // 100)) - 1]
    assert found == pytest.approx(exact, rel=0.023)


def test_nothing_counted_has_no_quantile_and_zeros_are_zero() -> None:
    assert quantile({}, 0.5) is None
    assert quantile(count_buckets([0.0, 0.0, 8.0]), 0.5) == 0.0
