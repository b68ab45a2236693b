"""The machinery of the benchmarks at a tiny size: that they measure what they say, never how fast it is."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import detectors, emitter, meter, pricing, roles
from benchmarks.__main__ import table_of, write
from benchmarks.apart import run_apart
from benchmarks.brokers import APACHE, RunningBroker
from benchmarks.measure import Measurement, Part, best_rate, clock, in_parts, mean_rate
from benchmarks.workload import MODELS, WORKLOADS, usage_message
from producers.simulation import FleetSimulation, Incident
from tests.detectors.feeding import fleet
from tests.kafka.fixtures import Broker
from tokenweir.signals import Contributor as SignalContributor
from tokenweir.signals import Signal
from tokenweir.usage.reading import read_event_line
from tokenweir.usage.wire import encode_event

AT = datetime(2026, 11, 23, 12, 0, 10, tzinfo=UTC)
TINY = roles.Sizes(
    messages=12,
    warm_messages=0,
    batch_events=50,
    block_events=100,
    plain_meter_events=40,
    plain_sink_events=40,
    plain_warm_events=10,
)


def _running(broker: Broker) -> RunningBroker:
    return RunningBroker(broker.kind, broker.bootstrap_servers)


def test_the_traffic_is_valid_varied_and_written_as_ours_is() -> None:
    models, ids, workloads = set(), set(), set()
    for number in range(WORKLOADS):
        message = usage_message(number, AT, 40)
        lines = message.value.split(b"\n")
        assert len(lines) == message.events == 40
        for line in lines:
            event = read_event_line(line, now=AT)
            assert json.loads(encode_event(event)).keys() == json.loads(line).keys()
            models.add((event.vendor, event.model))
            ids.add(event.id)
            workloads.add((event.team, event.project, event.service))
    assert len(models) == len(MODELS)
    assert len(ids) == WORKLOADS * 40
    assert len(workloads) == WORKLOADS
    assert usage_message(3, AT) == usage_message(3, AT)


def test_pricing_and_the_step_are_measured_beside_a_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENWEIR_SHARED_DATA", str(tmp_path))
    found = pricing.run(workloads=4, rounds=2, rows=400, process_starts=1) + meter.run(
        messages=6, warm=2, plain_events=20
    )
    assert [one.name for one in found] == [
        "pricing_lookup_beside_genai_prices",
        "pricing_price_beside_genai_prices",
        "pricing_lookup_beside_model_prices",
        "pricing_price_beside_model_prices",
        "pricing_price_group",
        "pricing_lookup_large_book",
        "pricing_first_lookup_large_book",
        "pricing_start",
        "pricing_start_usage_event",
        "meter_step",
    ]
    for one in found:
        assert one.value
        assert one.ratio is not None
        if one.higher_is_better:
            assert one.mean
            assert one.mean <= one.value
            assert one.cpu_seconds > 0


def test_the_ledger_is_measured() -> None:
    found = run_apart("ledger", claims=1_000, blocks=1, block_events=500)
    assert [one.name for one in found] == ["ledger_write", "ledger_write_with_merges", "ledger_rollup"]
    assert all(one.value for one in found)


def test_freshness_is_measured() -> None:
    (found,) = run_apart("pipeline", calls_per_second=20, seconds=1.0)
    assert found.value is not None
    assert found.value > 0
    assert "20 calls" in found.note


def test_the_emitter_is_measured(broker: Broker) -> None:
    found = emitter.measure_on(_running(broker), events=300, plain_events=50)
    assert all(one.value and one.baseline for one in found)
    assert {one.bar for one in found if one.bar} == {emitter.RECORD_BAR_US}
    beside = {one.name.replace(broker.kind, ""): one.baseline_is for one in found}
    for name in (
        "emitter_record__median_beside_span",
        "emitter_record_answer__median",
        "emitter_call__median",
    ):
        assert "OpenTelemetry" in beside[name]


def test_an_outage_is_measured_to_the_ledger() -> None:
    found = {
        one.name: one
        for one in run_apart("emitter_outage", seconds=2.0, calls_per_second=100, seconds_around=1.0)
    }
    assert found["emitter_outage_missing_calls"].reached is True
    assert "of 400 recorded, 400 are in the ledger" in found["emitter_outage_missing_calls"].note
    assert "input tokens are exact" in found["emitter_outage_missing_calls"].note
    assert "200 calls meanwhile" in found["emitter_outage_record_median"].note
    assert found["emitter_outage_memory"].value


def test_both_roles_are_measured_and_keep_every_event(broker: Broker) -> None:
    messages = [
        usage_message(number, datetime.now(UTC), TINY.batch_events) for number in range(TINY.messages)
    ]
    found = {one.name: one for one in roles.measure_on(_running(broker), TINY, messages)}
    assert found.keys() == {f"meter_role_{broker.kind}", f"sink_role_{broker.kind}"}
    for one in found.values():
        assert one.value
        assert one.baseline
        assert one.bar


def test_a_broker_that_cannot_be_had_is_said_in_the_rows() -> None:
    absent = RunningBroker(APACHE, "", "not measured on Apache Kafka: there is no java here")
    found = roles.measure_on(absent, TINY, []) + emitter.measure_on(absent)
    assert {one.name for one in found} == {
        "meter_role_apache",
        "sink_role_apache",
        "emitter_record_apache_median",
    }
    for one in found:
        assert one.value is None
        assert one.reached is None
        assert "no java" in one.note


def test_the_result_is_one_object_by_measure_name(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    slow = Measurement("slow", 5.0, "s", bar=1.0, higher_is_better=False)
    fast = Measurement("fast", 300.0, "events/s", baseline=100.0, baseline_is="the plain way", bar=200.0)
    write([slow], keep_others=False, path=path)
    write([fast], keep_others=True, path=path)
    found = json.loads(path.read_text())
    assert found.keys() == {"slow", "fast"}
    for name in ("value", "unit", "baseline", "ratio", "cpu_seconds", "peak_mib"):
        assert name in found["fast"]
    assert found["fast"]["ratio"] == 3.0
    assert (found["fast"]["reached"], found["slow"]["reached"]) == (True, False)
    write([fast], keep_others=False, path=path)
    assert json.loads(path.read_text()).keys() == {"fast"}


def test_the_table_shows_bars_reached_missed_and_not_taken() -> None:
    console = Console(file=io.StringIO(), width=160)
    console.print(
        table_of(
            [
                Measurement("one", 300.0, "events/s", baseline=2.0, bar=200.0),
                Measurement("two", 100.0, "events/s", bar=200.0),
                Measurement("three", None, "events/s", bar=200.0, note="there is none"),
            ]
        )
    )
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "reached" in said
    assert "missed" in said
    assert "150x" in said
    assert re.search(r"three +-", said)


def test_work_is_timed_in_parts_of_which_the_best_and_the_mean_are_told() -> None:
    parts = in_parts(lambda number: number, range(1, 11), 4)
    assert [part.events for part in parts] == [1 + 2 + 3, 4 + 5 + 6, 7 + 8 + 9, 10]
    told = [Part(100, 2.0), Part(100, 1.0), Part(100, 5.0)]
    assert best_rate(told) == 100.0
    assert mean_rate(told) == 37.5


def test_a_clock_counts_the_cpu_seconds_of_its_block() -> None:
    with clock() as taken:
        sum(number * number for number in range(200_000))
    assert 0 < taken.cpu_seconds <= taken.wall_seconds * 8


def test_detectors_are_judged_by_the_story() -> None:
    found = {measurement.name: measurement for measurement in detectors.run(seeds=0)}
    assert found["cost_spike_recall"].value is None, "nothing was planted"


def _told(loop: Incident, minutes: float, **changes: Any) -> Signal:
    moment = loop.started_at + timedelta(minutes=minutes)
    fields: dict[str, Any] = {
        "id": f"a@1/{minutes}",
        "fingerprint": "a",
        "incident": "a@1",
        "kind": "cost_spike",
        "subject": "up",
        "state": "open",
        "severity": "warning",
        "scope": {"tenant": "brightwater", **loop.scope},
        "started_at": moment,
        "observed_at": moment,
        "title": "t",
        "explanation": "e",
        "contributors": (SignalContributor(component="calls"),),
    }
    return Signal(**(fields | changes))


def test_a_signal_counts_once_where_and_while_the_cause_is() -> None:
    story = FleetSimulation(seed=3, days=7, end=AT, calls_scale=0.01).story
    (loop,) = story.of_kind("runaway_loop")
    signals = [
        _told(loop, -1),
        _told(loop, 2),
        _told(loop, 3),
        _told(loop, 4, state="update"),
        _told(loop, 5, scope={"tenant": story.tenant}),
        _told(loop, 6, subject="silent"),
    ]
    judged = detectors.judge_cost_spikes(story, signals)
    assert (judged.planted, judged.found, judged.false, judged.first_contributors) == (1, 1, 4, 1)
    assert (judged.delays_seconds, judged.late) == ([120.0], 1)


def test_a_price_cut_counts_once_and_its_volume_beside_it() -> None:
    story = FleetSimulation(seed=3, days=12, end=AT, calls_scale=0.01).story
    (cut,) = story.of_kind("price_cut")
    price = (SignalContributor(component="price"),)
    signals = [
        _told(cut, -1, kind="price_move", subject="price"),
        _told(cut, 1, kind="price_move", subject="price", contributors=price),
        _told(cut, 2, kind="price_move", subject="price"),
        _told(cut, 9_000, kind="price_move", subject="volume"),
        _told(cut, 9_001, kind="price_move", subject="price", scope={"tenant": story.tenant}),
    ]
    judged = detectors.judge_price_moves(story, signals)
    assert (judged.planted, judged.found, judged.false, judged.first_contributors) == (1, 1, 3, 1)
    assert judged.delays_seconds == [60.0]


def test_a_retirement_counts_while_the_model_still_answers() -> None:
    story = FleetSimulation(seed=3, days=12, end=AT, calls_scale=0.01).story
    (stops,) = story.of_kind("retirement")
    after = (stops.ended_at - stops.started_at) / timedelta(minutes=1) + 1
    early, late = _told(stops, -1), _told(stops, after)
    other = _told(stops, 5, scope={"tenant": story.tenant}, fingerprint="b")
    for signals, found, false in (([early, other], 1, 0), ([late], 0, 0), ([early, late], 1, 1)):
        judged = detectors.judge_retirements(story, signals)
        assert (judged.planted, judged.found, judged.false) == (1, found, false)


@pytest.mark.parametrize(("calls_per_minute", "late"), [(500.0, 1), (20.0, 1), (14.0, 0), (4.0, 0)])
def test_a_loop_of_few_calls_has_time_until_its_thirtieth(calls_per_minute: float, late: int) -> None:
    story = FleetSimulation(seed=3, days=7, end=AT, calls_scale=0.01).story
    (loop,) = story.of_kind("runaway_loop")
    assert detectors.judge_cost_spikes(story, [_told(loop, 2)], {loop.id: calls_per_minute}).late == late


def test_the_rate_of_a_loop_is_that_of_its_service_in_its_first_minutes() -> None:
    feed = fleet(3, days=7, end=AT, calls_scale=0.3)
    ((name, calls_per_minute),) = detectors.loop_rates(feed).items()
    assert name == feed.story.of_kind("runaway_loop")[0].id
    assert calls_per_minute > 1
