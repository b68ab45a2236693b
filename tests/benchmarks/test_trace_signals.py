"""Loops planted in recorded traffic: how traces are read and split, what is planted, and how signals are judged."""

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import trace_signals
from benchmarks.trace_loops import RATIOS, Loop, planted, services_of
from benchmarks.trace_signals import LOOP_MINUTES, judge
from tokenweir.signals import Signal

BEGAN = datetime(2023, 11, 16, 18, 17, 3, 979_960, tzinfo=UTC)


def write_traces(folder: Path, calls: int = 2_500) -> None:
    for name in ("azure_2023_code.csv", "azure_2023_conv.csv"):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["TIMESTAMP", "ContextTokens", "GeneratedTokens"])
            for number in range(calls):
                at = BEGAN + timedelta(milliseconds=1_400 * number)
                rows.writerow([f"{at:%Y-%m-%d %H:%M:%S.%f}0", 1_000 + number, 100])
    lines = [
        {"timestamp_ms": 1_400 * n, "input_length": 5_000, "cached_prefix_length": 512, "output_length": 200}
        for n in range(calls)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "kimi_conversation.jsonl").write_text(text, encoding="utf-8")


def signal(loop: Loop, after_seconds: float, **changes: object) -> Signal:
    fields: dict[str, object] = {
        "id": f"{after_seconds}",
        "fingerprint": "f",
        "incident": "i",
        "kind": "cost_spike",
        "subject": "up",
        "state": "open",
        "severity": "warning",
        "scope": loop.service.scope,
        "started_at": loop.started_at,
        "observed_at": loop.started_at + timedelta(seconds=after_seconds),
        "value": 1.0,
        "baseline": 0.0,
        "unit": "USD/hour",
        "impact_usd_per_day": Decimal(24),
        "title": "t",
        "explanation": "e",
    }
    return Signal.model_validate(fields | changes)


def test_without_the_traces_nothing_is_measured_and_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENWEIR_SHARED_DATA", str(tmp_path))
    (measurement,) = trace_signals.run()
    assert measurement.value is None
    assert "not beside the repository" in measurement.note


def test_traces_are_split_into_services_whose_calls_are_all_of_them(tmp_path: Path) -> None:
    write_traces(tmp_path)
    services = services_of(tmp_path)
    assert len(services) == 12
    assert sum(len(service.requests) for service in services) == 3 * 2_500
    sizes = [len(service.requests) for service in services[:4]]
    assert sizes == sorted(sizes, reverse=True)
    kimi = services[8].requests[0]
    assert (kimi.input_tokens, kimi.cached_tokens, kimi.output_tokens) == (5_000, 512, 200)
    assert {service.requests[0].output_tokens for service in services[:8]} == {100}


def test_loops_are_planted_by_the_seed_and_never_overlap(tmp_path: Path) -> None:
    write_traces(tmp_path)
    services = services_of(tmp_path)
    loops = planted(services, 1, 9)
    assert loops == planted(services, 1, 9)
    assert loops != planted(services, 2, 9)
    assert {loop.ratio for loop in loops} == set(RATIOS)
    for one, other in pairwise(loops):
        assert one.started_at + timedelta(minutes=LOOP_MINUTES) < other.started_at


def test_a_loop_is_told_once_at_its_service_and_all_else_is_false(tmp_path: Path) -> None:
    write_traces(tmp_path)
    worth, cheap = (
        loop._replace(is_worth_telling=worth)
        for loop, worth in zip(planted(services_of(tmp_path), 1, 2), (True, False), strict=True)
    )
    judged = judge(
        [worth, cheap],
        [
            signal(worth, -1.0),
            signal(worth, 40.0),
            signal(worth, 50.0),
            signal(worth, 60.0, state="resolved"),
            signal(worth, 45.0, scope={"tenant": "traces"}),
            signal(cheap, 30.0),
        ],
    )
    assert judged.delays_seconds[worth.ratio] == [40.0]
    assert judged.cheap_told == 1
    assert [one.id for one in judged.false] == ["-1.0", "50.0", "45.0"]
