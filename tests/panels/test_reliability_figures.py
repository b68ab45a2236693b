"""The figures of the board of latency and reliability: counts are exact, percentiles as near as a digest is."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from tests.panels.month import END, Month

PERIOD = rolling_period("30d", END)
FAILED = ("error", "rate_limited", "timeout")
TOLERANCE = 0.02
"""How far from its level the rank of an estimate may be."""


async def _rows(month: Month, panel: str, **choice: Any) -> list[dict[str, Any]]:
    return await month.rows(board("reliability").panel(panel), Choice(PERIOD, **choice), END)


def _measured(month: Month, measure: str) -> list[dict[str, Any]]:
    return [
        call
        for call in month.within(PERIOD)
        if measure in call and call.get("service_tier", "standard") != "batch"
    ]


def _is_percentile(estimate: float, percent: int, values: Sequence[float]) -> bool:
    """Whether the estimate's rank among the values is near its level; of few values, between the ones beside it."""
    level, slack = percent / 100, TOLERANCE + 1 / len(values)
    below = sum(value < estimate - 0.5 for value in values) / len(values)
    up_to = sum(value <= estimate + 0.5 for value in values) / len(values)
    return below <= level + slack and up_to >= level - slack


@pytest.mark.parametrize(("panel", "measure"), [("duration", "duration_ms"), ("first-token", "ttft_ms")])
async def test_percentiles_are_those_of_the_calls_that_state_it(
    month: Month, panel: str, measure: str
) -> None:
    values = [call[measure] for call in _measured(month, measure)]
    (row,) = await _rows(month, panel)
    assert row["measured_calls"] == len(values) > 1_000
    for percent in (50, 95, 99):
        assert _is_percentile(row[f"p{percent}_ms"], percent, values)
    assert not _is_percentile(row["p95_ms"] * 1.5, 95, values), "the test could not fail"
    over_time = await _rows(month, f"{panel}-over-time")
    # Every step of the month but the last, which begins with its end.
    assert len(over_time) == len(PERIOD.starts) - 1
    assert min(one["p50_ms"] for one in over_time) < row["p50_ms"] < max(one["p50_ms"] for one in over_time)


@pytest.mark.parametrize(
    ("panel", "measure"), [("duration-by", "duration_ms"), ("first-token-by", "ttft_ms")]
)
async def test_a_line_is_one_of_the_largest_groups(month: Month, panel: str, measure: str) -> None:
    calls: Counter[str] = Counter(call["vendor"] for call in _measured(month, measure))
    found: Counter[str] = Counter()
    for row in await _rows(month, panel, by="vendor"):
        found[row["name"]] += row["measured_calls"]
    assert found == dict(sorted(calls.items(), key=lambda one: (-one[1], one[0]))[:6])


@pytest.mark.parametrize(
    ("panel", "measure"), [("duration-heat", "duration_ms"), ("first-token-heat", "ttft_ms")]
)
async def test_the_heat_of_a_step_is_its_calls(month: Month, panel: str, measure: str) -> None:
    values = [call[measure] for call in _measured(month, measure)]
    rows = await _rows(month, panel)
    by_step: Counter[str] = Counter()
    by_bucket: Counter[float] = Counter()
    for row in rows:
        by_step[row["time"]] += row["all_calls"]
        by_bucket[row["bucket"]] += row["all_calls"]
    assert sum(by_step.values()) == len(values)
    expected: Counter[str] = Counter()
    for call in _measured(month, measure):
        number = int((call["time"] - PERIOD.since).total_seconds()) // PERIOD.step_seconds
        expected[PERIOD.starts[number].isoformat().replace("+00:00", "Z")] += 1
    assert by_step == expected
    up_to = 0
    for bucket in sorted(by_bucket):
        up_to += by_bucket[bucket]
        assert up_to / len(values) == pytest.approx(
            sum(each <= bucket for each in values) / len(values), abs=0.03
        )


async def test_failed_calls_are_those_without_an_answer(month: Month) -> None:
    calls = month.within(PERIOD)
    outcomes = Counter(call.get("status", "ok") for call in calls)
    failed = sum(outcomes[status] for status in FAILED)
    (row,) = await _rows(month, "failing")
    assert (row["failed_calls"], row["all_calls"]) == (failed, len(calls))
    assert row["failed_percent"] == pytest.approx(100 * failed / len(calls))
    found: Counter[str] = Counter()
    for one in await _rows(month, "outcomes"):
        found[one["name"].replace(" ", "_")] += one["all_calls"]
    del outcomes["ok"]
    assert found == outcomes
    lines: Counter[str] = Counter()
    for one in await _rows(month, "failing-by", by="vendor"):
        lines[one["name"]] += one["failed_calls"]
    by_vendor = Counter(call["vendor"] for call in calls if call.get("status") in FAILED)
    assert lines == dict(sorted(by_vendor.items(), key=lambda one: (-one[1], one[0]))[:6])


async def test_the_speed_is_tokens_by_seconds_of_calls_that_ended_well(month: Month) -> None:
    spoken = [
        call
        for call in _measured(month, "duration_ms")
        if call.get("status", "ok") == "ok" and call.get("output_tokens", 0) > 0
    ]
    (row,) = await _rows(month, "output-speed")
    speed = 1000 * sum(call["output_tokens"] for call in spoken) / sum(call["duration_ms"] for call in spoken)
    # A group of a rollup has calls with output and some without, whose seconds count.
    assert row["tokens_per_second"] == pytest.approx(speed, rel=0.01)
    assert row["measured_calls"] == pytest.approx(len(spoken), rel=0.02)
    lines = await _rows(month, "output-speed-by", by="vendor")
    assert len({line["name"] for line in lines}) == 6
    assert (
        min(line["tokens_per_second"] for line in lines)
        < speed
        < max(line["tokens_per_second"] for line in lines)
    )


@pytest.mark.parametrize(
    ("panel", "names"),
    [("models", ("vendor", "model", "region")), ("workloads", ("team", "service", "model"))],
)
async def test_the_tables_count_each_call_once(month: Month, panel: str, names: tuple[str, ...]) -> None:
    calls, failed, limited = Counter[Any](), Counter[Any](), Counter[Any]()
    durations: defaultdict[Any, list[float]] = defaultdict(list)
    for call in month.within(PERIOD):
        key = tuple(call.get(name, "") for name in names)
        calls[key] += 1
        failed[key] += call.get("status", "ok") in FAILED
        limited[key] += call.get("status", "ok") == "rate_limited"
        if "duration_ms" in call and call.get("service_tier", "standard") != "batch":
            durations[key].append(call["duration_ms"])
    rows = await _rows(month, panel)
    assert {tuple(row[name] for name in names): row["all_calls"] for row in rows} == calls
    for row in rows:
        key = tuple(row[name] for name in names)
        assert row["failed_percent"] == pytest.approx(100 * failed[key] / calls[key])
        assert row["limited_percent"] == pytest.approx(100 * limited[key] / calls[key])
        if len(durations[key]) >= 20:
            assert _is_percentile(row["p95_ms"], 95, durations[key])
        assert (row["p95_ms"] is None) == (not durations[key])


async def test_the_last_hour_is_told_call_by_call(month: Month) -> None:
    failing = next(call for call in month.calls if call.get("status") == "rate_limited")
    now = failing["time"].replace(microsecond=0) + timedelta(seconds=1)
    hour = [call for call in month.calls if now - timedelta(hours=1) < call["time"] <= now]
    said = Counter(
        (call["vendor"], call["model"], call["status"].replace("_", " "), call.get("error_code", ""))
        for call in hour
        if call.get("status", "ok") in FAILED
    )
    rows = await month.rows(board("reliability").panel("errors-last-hour"), Choice(PERIOD), now)
    names = ("vendor", "model", "outcome", "error_code")
    assert {tuple(row[name] for name in names): row["failed_calls"] for row in rows} == said
    attempts = await month.rows(board("reliability").panel("attempts-last-hour"), Choice(PERIOD), now)
    assert {row["attempt"]: row["all_calls"] for row in attempts} == Counter(
        call.get("attempt", 1) for call in hour
    )
    assert sum(Decimal(row["usd"] or 0) for row in attempts) == sum(call["cost"] or 0 for call in hour)
