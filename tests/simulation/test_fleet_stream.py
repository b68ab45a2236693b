"""The stream of reports: valid, deterministic, in order of arrival, twice and late where it should be."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone

import pytest

from producers.simulation import FleetSimulation
from producers.simulation.fleet import WORKLOADS
from producers.simulation.rhythm import RHYTHMS
from tokenweir.errors import WrongCall
from tokenweir.usage import UsageEvent
from tokenweir.usage.version import fullness
from tokenweir.usage.wire import encode_batch

pytestmark = pytest.mark.xdist_group("simulated_fleet")

END = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def week() -> list[list[UsageEvent]]:
    """Seven days at two fifths of the scale."""
    return list(FleetSimulation(seed=7, end=END, days=7, calls_scale=0.4).events())


def _digest(simulation: FleetSimulation) -> str:
    digest = hashlib.sha256(simulation.story.to_json().encode())
    for batch in simulation.events():
        digest.update(encode_batch(batch))
        digest.update(b"\n\n")
    return digest.hexdigest()


def test_every_event_is_valid(week: list[list[UsageEvent]]) -> None:
    for batch in week:
        for event in batch:
            again = UsageEvent.model_validate(event.model_dump())
            assert again == event
            assert UsageEvent.model_validate_json(event.model_dump_json(exclude_defaults=True)) == event


def test_same_arguments_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "import hashlib; from datetime import UTC, datetime; from producers.simulation import FleetSimulation; "
        "from tokenweir.usage.wire import encode_batch; "
        "s = FleetSimulation(seed=11, end=datetime(2026, 11, 20, tzinfo=UTC), days=12, calls_scale=0.1); "
        "d = hashlib.sha256(s.story.to_json().encode()); "
        "[d.update(encode_batch(b) + b'\\n\\n') for b in s.events()]; print(d.hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "4242")
    }
    assert digests == {_digest(FleetSimulation(seed=11, end=END, days=12, calls_scale=0.1))}


def test_events_can_be_asked_for_again() -> None:
    simulation = FleetSimulation(seed=3, end=END, days=1, calls_scale=0.2)
    assert list(simulation.events()) == list(simulation.events())


def test_another_seed_is_another_stream() -> None:
    assert (
        len({_digest(FleetSimulation(seed=seed, end=END, days=1, calls_scale=0.1)) for seed in range(4)}) == 4
    )


def test_events_lie_within_the_span_and_arrive_in_order(week: list[list[UsageEvent]]) -> None:
    late = 0
    latest = END - timedelta(days=8)
    for batch in week:
        assert batch
        for event in batch:
            assert END - timedelta(days=7) <= event.time < END
            late += event.time < latest - timedelta(minutes=5)
        latest = max(latest, max(event.time for event in batch))
    total = sum(map(len, week))
    assert 0.0005 < late / total < 0.02


def test_a_call_reported_twice_has_one_fuller_report(week: list[list[UsageEvent]]) -> None:
    by_name: defaultdict[str, list[UsageEvent]] = defaultdict(list)
    for batch in week:
        for event in batch:
            by_name[event.id].append(event)
    twice = [reports for reports in by_name.values() if len({report.source for report in reports}) > 1]
    resent = [
        reports for reports in by_name.values() if len(reports) > 1 and len({r.source for r in reports}) == 1
    ]
    assert len(twice) > 100
    assert resent
    orders = Counter(reports[0].source for reports in twice)
    assert set(orders) == {"sdk-python", "gateway"}
    for reports in twice:
        sdk, gateway = sorted(reports, key=lambda report: report.source, reverse=True)
        assert fullness(sdk) > fullness(gateway)
        assert timedelta(0) < gateway.time - sdk.time < timedelta(seconds=1)
        assert (sdk.input_tokens, sdk.output_tokens) == (gateway.input_tokens, gateway.output_tokens)
    for first, *others in resent:
        assert all(other == first for other in others)


def test_ids_are_named_by_their_vendor(week: list[list[UsageEvent]]) -> None:
    assert all(event.id.startswith(f"{event.vendor}:") for batch in week for event in batch)


def test_the_fleet_is_as_wide_as_a_company(week: list[list[UsageEvent]]) -> None:
    events = [event for batch in week for event in batch]
    assert len({event.team for event in events}) >= 24
    assert len({(event.team, event.service, event.environment) for event in events}) >= 60
    vendors = {
        "openai",
        "azure",
        "anthropic",
        "google",
        "aws",
        "mistral",
        "deepseek",
        "xai",
        "groq",
        "cohere",
    }
    vendors |= {"baidu", "volcengine", "tencent", "alibaba", "moonshot", "zhipu"}
    assert vendors <= {event.vendor for event in events}
    assert {"chat", "embedding", "image"} <= {event.operation for event in events}
    assert {"standard", "batch"} <= {event.service_tier for event in events}
    assert {"ok", "error", "rate_limited", "timeout", "cancelled", "filtered"} == {
        event.status for event in events
    }
    assert any(event.cache_write_1h_tokens for event in events)
    assert any(event.reasoning_tokens for event in events)
    assert any(event.attempt > 1 for event in events)


def test_an_office_sleeps_at_night_and_at_weekends(week: list[list[UsageEvent]]) -> None:
    by_day: Counter[int] = Counter()
    by_hour: Counter[int] = Counter()
    berlin = timezone(timedelta(hours=1))
    for batch in week:
        for event in batch:
            if event.team in ("people", "support-emea") and event.service in (
                "policy-assistant",
                "reply-drafter",
            ):
                local = event.time.astimezone(berlin)
                by_day[local.weekday()] += 1
                by_hour[local.hour] += 1
    assert by_day[1] > 3 * by_day[6]
    assert by_hour[10] > 5 * by_hour[3]


@pytest.mark.parametrize("name", sorted(RHYTHMS))
def test_a_rhythm_has_a_mean_of_one(name: str) -> None:
    monday = datetime(2026, 11, 16)  # noqa: DTZ001 - a local time
    weights = [RHYTHMS[name].weight(monday + timedelta(minutes=15 * slot)) for slot in range(7 * 96)]
    assert sum(weights) / len(weights) == pytest.approx(1, rel=0.01)


def test_calls_scale_with_calls_scale() -> None:
    def count(scale: float) -> int:
        return sum(map(len, FleetSimulation(seed=5, end=END, days=2, calls_scale=scale).events()))

    assert count(0.5) == pytest.approx(5 * count(0.1), rel=0.1)


def test_workloads_have_names_of_their_own() -> None:
    assert len({workload.name for workload in WORKLOADS}) == len(WORKLOADS)


@pytest.mark.parametrize(
    "arguments",
    [
        {"end": datetime(2026, 11, 20)},  # noqa: DTZ001 - the mistake under test
        {"end": END, "days": 0},
        {"end": END, "days": 401},
        {"end": END, "calls_scale": 0.0},
        {"end": END, "calls_scale": float("nan")},
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(WrongCall):
        FleetSimulation(seed=1, **arguments)  # type: ignore[arg-type]
