"""The figures of the board of the pipeline equal what was reported and refused, counted by hand."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from tests.panels.month import END, Month
from tokenweir.usage import Rejection

PERIOD = rolling_period("7d", END)
HOUR = timedelta(hours=1)


async def _rows(month: Month, panel: str, **choice: Any) -> list[dict[str, Any]]:
    return await month.rows(board("pipeline").panel(panel), Choice(PERIOD, **choice), END)


async def test_the_last_hour_is_told_call_by_call(month: Month) -> None:
    hour = [call for call in month.calls if END - HOUR < call["time"] <= END]
    newest = max(call["time"] for call in hour)
    (row,) = await _rows(month, "freshness")
    assert row["hour_calls"] == len(hour) > 5
    assert datetime.fromisoformat(row["newest_at"]) == newest
    assert row["behind_seconds"] == pytest.approx((END - newest).total_seconds(), abs=1)
    two_days_later = END + timedelta(days=2)
    (late,) = await month.rows(board("pipeline").panel("freshness"), Choice(PERIOD), two_days_later)
    assert datetime.fromisoformat(late["newest_at"]) == newest.replace(minute=0, second=0, microsecond=0)
    assert (late["hour_calls"], late["metered_newest_at"]) == (0, None)
    sources = await _rows(month, "sources")
    assert {one["source"]: one["hour_calls"] for one in sources} == Counter(call["source"] for call in hour)
    took: defaultdict[datetime, list[float]] = defaultdict(list)
    for call in hour:
        seconds = (datetime.fromisoformat(call["metered_at"]) - call["time"]).total_seconds()
        took[call["time"].replace(second=0, microsecond=0)].append(seconds)
    lag = {datetime.fromisoformat(one["time"]): one for one in await _rows(month, "lag")}
    assert {at: one["all_calls"] for at, one in lag.items()} == {at: len(each) for at, each in took.items()}
    for at, each in took.items():
        assert lag[at]["longest_seconds"] == pytest.approx(max(each), abs=0.002)
        if len(each) % 2:
            assert lag[at]["p50_seconds"] == pytest.approx(median(each), abs=0.002)


async def test_rates_are_calls_by_seconds(month: Month) -> None:
    calls = month.within(PERIOD)
    by_vendor = Counter(call["vendor"] for call in calls)
    rows = await _rows(month, "throughput", by="vendor")
    found: Counter[str] = Counter()
    for row in rows:
        found[row["name"]] += row["all_calls"]
        start = datetime.fromisoformat(row["time"])
        seconds = min(PERIOD.step_seconds, max(1.0, (END - start).total_seconds()))
        assert row["calls_per_second"] == pytest.approx(row["all_calls"] / seconds)
    named = dict(sorted(by_vendor.items(), key=lambda one: (-one[1], one[0]))[:6])
    assert found.pop("all others") == len(calls) - sum(named.values())
    assert found == named
    (now,) = await _rows(month, "rate-now")
    for name, ago in (
        ("calls_per_second", timedelta(0)),
        ("day_ago_calls_per_second", timedelta(days=1)),
        ("week_ago_calls_per_second", timedelta(days=7)),
    ):
        end = END - ago
        count = sum(end - timedelta(minutes=10) <= call["time"] < end for call in month.calls)
        assert now[name] == pytest.approx(count / 600)


async def test_calls_without_a_price_are_counted_apart(month: Month) -> None:
    calls = month.within(PERIOD)
    without = [call for call in calls if call["cost"] is None]
    models = Counter((call["vendor"], call["model"]) for call in without)
    (row,) = await _rows(month, "unpriced")
    assert (row["without_price"], row["models"]) == (len(without), len(models))
    assert row["unpriced_percent"] == pytest.approx(100 * len(without) / len(calls))
    before = month.within(PERIOD.before)
    assert row["before_percent"] == pytest.approx(
        100 * sum(call["cost"] is None for call in before) / len(before)
    )
    table = await _rows(month, "unpriced-models")
    assert {(one["vendor"], one["model"]): one["without_price"] for one in table} == models
    tokens = sum(call.get("input_tokens", 0) + call.get("output_tokens", 0) for call in without)
    assert sum(one["tokens"] for one in table) == tokens
    lines = await _rows(month, "unpriced-over-time")
    assert sum(one["without_price"] for one in lines) == len(without)


def _refused(name: str, at: datetime, reason: str, field: str = "") -> Rejection:
    return Rejection(
        id=name,
        rejected_at=at,
        stage="meter",
        reason=reason,
        field=field,
        detail=f"{name} is wrong",
        topic="usage",
    )


async def test_what_was_refused_is_counted_once(month: Month) -> None:
    told = [
        _refused("a", END - timedelta(days=1), "out_of_range", "input_tokens"),
        _refused("b", END - timedelta(days=1, hours=-3), "out_of_range", "input_tokens"),
        _refused("c", END - timedelta(days=3), "invalid_json"),
        _refused("before", END - timedelta(days=9), "wrong_type"),
    ]
    for token in ("first", "again"):
        lines = "\n".join(each.model_dump_json() for each in told)
        month.ledger.write_rejections(lines.encode(), token)
    (row,) = await _rows(month, "refused")
    assert (row["pieces"], row["pieces_before"], row["reasons"]) == (3, 1, 2)
    assert datetime.fromisoformat(row["newest_at"]) == told[1].rejected_at
    over_time = await _rows(month, "refused-over-time")
    assert sorted((one["name"], one["pieces"]) for one in over_time) == [
        ("invalid json", 1),
        ("out of range", 1),
        ("out of range", 1),
    ]
    table = await _rows(month, "refusals")
    assert [(one["why"], one["field"], one["pieces"], one["example"]) for one in table] == [
        ("out of range", "input_tokens", 2, "b is wrong"),
        ("invalid json", "", 1, "c is wrong"),
    ]


async def test_what_is_written_again_is_counted_once(month: Month) -> None:
    calls = month.within(PERIOD)
    before = await _rows(month, "repeated")
    assert sum(row["all_calls"] for row in before) == len(calls)
    assert all(row["written_rows"] - row["all_calls"] == row["repeated_rows"] for row in before)
    levels = {row["level"]: row for row in await _rows(month, "not-rolled-up")}
    days = {call["time"].date() for call in calls}
    assert (levels["minute"]["waiting"], levels["day"]["waiting"]) == (0, 0)
    assert levels["day"]["periods"] == len(days)

    again = [call for call in calls if call["time"] > END - timedelta(days=1)]
    lines = "\n".join(json.dumps(call, default=_as_reported) for call in again)
    month.ledger.write_events(lines.encode(), "the same calls again")
    after = await _rows(month, "repeated")
    assert sum(row["all_calls"] for row in after) == len(calls)
    assert (
        sum(row["repeated_rows"] for row in after) - sum(row["repeated_rows"] for row in before)
        == len(again)
        > 0
    )
    levels = {row["level"]: row for row in await _rows(month, "not-rolled-up")}
    assert levels["minute"]["waiting"] == len(
        {call["time"].replace(second=0, microsecond=0) for call in again}
    )
    assert datetime.fromisoformat(levels["minute"]["oldest_at"]) == min(
        call["time"].replace(second=0, microsecond=0) for call in again
    )


async def test_every_minute_with_calls_has_a_lateness(month: Month) -> None:
    minutes = {call["time"].replace(second=0, microsecond=0) for call in month.within(PERIOD)}
    rows = await _rows(month, "lateness")
    # A call that was reported in two minutes leaves its mark in both.
    assert len(minutes) <= sum(row["minutes"] for row in rows) <= len(minutes) * 1.02
    assert min(row["bucket"] for row in rows) <= (datetime.now(UTC) - END).total_seconds() * 10


def _as_reported(value: object) -> str:
    return (
        value.isoformat().replace("+00:00", "Z")
        if isinstance(value, datetime)
        else f"{Decimal(str(value)):f}"
    )
