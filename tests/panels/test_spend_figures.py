"""The figures of the spend's board equal a sum by hand over its distinct calls.

What caches and batches saved is held against the price book itself: each call is priced once as it was, and once
without its cache or in the standard tier.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from tests.panels.month import Month
from tokenweir.pricing import PriceBook
from tokenweir.usage.event import TOKEN_FIELDS

SPEND = board("spend")
Call = dict[str, Any]


def spent(calls: list[Call]) -> Decimal:
    return sum((call["cost"] for call in calls if call["cost"] is not None), Decimal(0))


def tokens(calls: list[Call]) -> int:
    return sum(call.get("input_tokens", 0) + call.get("output_tokens", 0) for call in calls)


def grouped(calls: list[Call], *names: str) -> dict[tuple[str, ...], list[Call]]:
    groups: defaultdict[tuple[str, ...], list[Call]] = defaultdict(list)
    for call in calls:
        groups[tuple(call.get(name, "") for name in names)].append(call)
    return groups


@cache
def public_book() -> PriceBook:
    return PriceBook.default()


def list_cost(call: Call, **other: Any) -> Decimal:
    """What a call costs at public prices, with some fields changed."""
    event = dict.fromkeys(TOKEN_FIELDS, 0) | {
        "service_tier": "standard",
        "region": "",
        "units": {},
        "tags": {},
    }
    priced = public_book().price(
        SimpleNamespace(**event | {"reported_cost": None, "reported_currency": ""} | call | other)
    )
    assert priced.list_cost_picos is not None
    return Decimal(priced.list_cost_picos).scaleb(-12)


async def test_pairs_have_their_spend_and_their_share(month: Month) -> None:
    period = rolling_period("7d", month.end)
    choice = Choice(period, by="vendor", then_by="team")
    rows = await month.rows(SPEND.panel("matrix"), choice, month.end)
    calls = month.within(period)
    groups = grouped(calls, "vendor", "team")
    assert {(row["name"], row["then_name"]) for row in rows} == set(groups)
    for row in rows:
        group = groups[row["name"], row["then_name"]]
        priced = [call for call in group if call["cost"] is not None]
        assert row["usd"] is None if not priced else Decimal(row["usd"]) == spent(group)
        assert row["all_calls"] == len(group)
        assert row["all_input_tokens"] + row["all_output_tokens"] == tokens(group)
        assert row["without_price"] == len(group) - len(priced)
        if priced:
            assert row["share_percent"] == pytest.approx(float(100 * spent(group) / spent(calls)))
    rows = await month.rows(SPEND.panel("over-time"), choice, month.end)
    assert sum(Decimal(row["usd"]) for row in rows) == spent(calls)
    assert sum(row["all_calls"] for row in rows) == len(calls)
    assert len({row["name"] for row in rows}) == 8


@pytest.mark.parametrize("where", [{}, {"team": ["support-emea"]}])
async def test_the_bridge_adds_up_and_its_steps_are_those_of_the_definition(
    month: Month, where: dict[str, list[str]]
) -> None:
    period = rolling_period("7d", month.end)
    rows = await month.rows(SPEND.panel("bridge"), Choice(period, where), month.end)
    step = {row["name"]: Decimal(row["usd"]) for row in rows}
    now, before = (
        [call for call in calls if call["cost"] is not None and (not where or call["team"] in where["team"])]
        for calls in (month.within(period), month.within(period.before))
    )
    assert step["Period before"] == spent(before)
    assert step["This period"] == spent(now)
    five = ("Calls", "Mix", "Tokens per call", "Cache share", "Price")
    assert step["Period before"] + sum(step[name] for name in five) == step["This period"]

    was, now_is = (grouped(calls, "vendor", "model", "service_tier") for calls in (before, now))
    with_calls = spent(before) * len(now) / len(before)
    with_mix = with_tokens = with_cache = Decimal(0)
    for name, after in now_is.items():
        if name not in was:
            with_mix, with_tokens, with_cache = (
                total + spent(after) for total in (with_mix, with_tokens, with_cache)
            )
            continue
        then = was[name]
        mix = spent(then) / len(then) * len(after)
        share_then, share_now = (
            Decimal(sum(call.get("cache_read_tokens", 0) for call in calls))
            / max(1, sum(call.get("input_tokens", 0) for call in calls))
            for calls in (then, after)
        )

        def weight(calls: list[Call], share: Decimal) -> Decimal:
            given = Decimal(sum(call.get("input_tokens", 0) for call in calls))
            made = Decimal(sum(call.get("output_tokens", 0) for call in calls))
            return given * (1 - share) + given * share / 10 + 4 * made

        longer = weight(after, share_then) / len(after) / (weight(then, share_then) / len(then))
        with_mix += mix
        with_tokens += mix * longer
        with_cache += mix * longer * weight(after, share_now) / weight(after, share_then)
    expected = (
        with_calls - spent(before),
        with_mix - with_calls,
        with_tokens - with_mix,
        with_cache - with_tokens,
        spent(now) - with_cache,
    )
    for factor, figure in zip(five, expected, strict=True):
        assert abs(step[factor] - figure) < Decimal("1e-9"), factor


async def test_each_groups_bridge_adds_up_to_its_change(month: Month) -> None:
    period = rolling_period("7d", month.end)
    rows = await month.rows(SPEND.panel("bridge-by"), Choice(period, by="team"), month.end)
    now, before = (grouped(calls, "team") for calls in (month.within(period), month.within(period.before)))
    assert {(row["name"],) for row in rows} == {*now, *before}
    changes = []
    for row in rows:
        name = (row["name"],)
        assert Decimal(row["usd"]) == spent(now.get(name, []))
        assert Decimal(row["usd_before"]) == spent(before.get(name, []))
        steps = ("usd_by_calls", "usd_by_mix", "usd_by_tokens", "usd_by_cache", "usd_by_price")
        change = Decimal(row["usd_change"])
        assert change == Decimal(row["usd"]) - Decimal(row["usd_before"])
        assert sum(Decimal(row[step]) for step in steps) == change
        changes.append(abs(change))
    assert changes == sorted(changes, reverse=True)


@pytest.mark.parametrize(
    ("panel", "column", "factor", "count"),
    [
        ("per-thousand-calls", "usd_per_thousand", 1_000, len),
        ("per-million-tokens", "usd_per_million", 1_000_000, tokens),
    ],
)
async def test_unit_costs_are_of_the_calls_that_have_a_price(
    month: Month, panel: str, column: str, factor: int, count: Callable[[list[Call]], int]
) -> None:
    period = rolling_period("7d", month.end)
    rows = await month.rows(SPEND.panel(panel), Choice(period, by="vendor"), month.end)
    priced = [call for call in month.within(period) if call["cost"] is not None]
    vendors = grouped(priced, "vendor")
    largest = sorted(vendors, key=lambda name: (-spent(vendors[name]), name))[:8]
    steps: defaultdict[tuple[int, str], list[Call]] = defaultdict(list)
    for name in largest:
        for call in vendors[name]:
            since = int(call["time"].timestamp()) // period.step_seconds * period.step_seconds
            steps[since, name[0]].append(call)
    assert len(rows) == len(steps)
    for row in rows:
        group = steps[int(datetime.fromisoformat(row["time"]).timestamp()), row["name"]]
        expected = spent(group) * factor / count(group)
        assert abs(Decimal(row[column]) - expected) < Decimal("1e-11")


async def test_caches_saved_what_the_same_calls_without_them_would_have_cost_more(month: Month) -> None:
    period = rolling_period("30d", month.end)
    cached = [
        call
        for call in month.within(period)
        if call["cost"] is not None and (call.get("cache_read_tokens") or call.get("cache_write_tokens"))
    ]
    by_model = grouped(cached, "vendor", "model")
    rows = await month.rows(SPEND.panel("cache-savings-by"), Choice(period, by="environment"), month.end)
    shown = grouped(rows, "vendor", "model")
    assert set(shown) == set(by_model)
    known = Decimal(0)
    for name, calls in by_model.items():
        if any(row["not_known_tokens"] for row in shown[name]):
            continue
        without = {"cache_read_tokens": 0, "cache_write_tokens": 0, "cache_write_1h_tokens": 0}
        expected = sum((list_cost(call, **without) - list_cost(call) for call in calls), Decimal(0))
        saved = sum(Decimal(row["usd_saved"]) for row in shown[name])
        assert abs(saved - expected) < Decimal("1e-10") * len(calls), name
        assert sum(row["tokens_read"] for row in shown[name]) == sum(
            call.get("cache_read_tokens", 0) for call in calls
        )
        known += saved
    (row,) = await month.rows(SPEND.panel("cache-savings"), Choice(period), month.end)
    in_caches = sum(call.get("cache_read_tokens", 0) + call.get("cache_write_tokens", 0) for call in cached)
    assert row["known_tokens"] + row["not_known_tokens"] == in_caches
    assert row["known_tokens"] > 0.9 * in_caches
    assert abs(Decimal(row["usd_saved"]) - known) <= Decimal("0.02") * known
    assert Decimal(row["usd_by_reads"]) - Decimal(row["usd_for_writes"]) == Decimal(row["usd_saved"])
    assert Decimal(row["usd_for_writes"]) > 0


async def test_batches_saved_what_the_standard_tier_would_have_cost_more(month: Month) -> None:
    period = rolling_period("30d", month.end)
    batch = [
        call
        for call in month.within(period)
        if call["cost"] is not None and call.get("service_tier") == "batch"
    ]
    expected = {
        name: sum(
            (list_cost(call, service_tier="standard") - Decimal(call["list_cost"]) for call in calls),
            Decimal(0),
        )
        for name, calls in grouped(batch, "vendor", "model").items()
    }
    rows = await month.rows(SPEND.panel("batch-savings-by-model"), Choice(period), month.end)
    assert {(row["vendor"], row["model"]) for row in rows} == set(expected)
    for row in rows:
        assert row["not_known_calls"] == 0
        assert abs(Decimal(row["usd_saved"]) - expected[row["vendor"], row["model"]]) < Decimal("1e-9")
    (row,) = await month.rows(SPEND.panel("batch-savings"), Choice(period), month.end)
    assert Decimal(row["usd_saved"]) == sum((Decimal(each["usd_saved"]) for each in rows), Decimal(0)) > 0
    assert Decimal(row["usd_paid"]) == spent(batch)
    assert row["known_calls"] == len(batch) > 0


async def test_the_spend_by_where_its_price_comes_from(month: Month) -> None:
    period = rolling_period("30d", month.end)
    calls = month.within(period)
    rows = await month.rows(SPEND.panel("price-status"), Choice(period), month.end)
    names = {"list price": "list", "contract": "contract", "no price": "unpriced"}
    groups = {(name or "unpriced",): group for (name,), group in grouped(calls, "price_status").items()}
    assert {(names[row["name"]],) for row in rows} == set(groups)
    for row in rows:
        group = groups[names[row["name"]],]
        assert row["all_calls"] == len(group)
        assert row["tokens"] == tokens(group)
        if row["name"] == "no price":
            assert row["usd"] is None
        else:
            assert Decimal(row["usd"]) == spent(group)
            assert Decimal(row["usd_at_list"]) == sum(Decimal(call["list_cost"]) for call in group)
    rows = await month.rows(SPEND.panel("unpriced-models"), Choice(period), month.end)
    unpriced = grouped([call for call in calls if call["cost"] is None], "vendor", "model", "team")
    assert {(row["vendor"], row["model"], row["team"]): row["without_price"] for row in rows} == {
        name: len(group) for name, group in unpriced.items()
    }
    assert await month.rows(SPEND.panel("free-models"), Choice(period), month.end) == []
