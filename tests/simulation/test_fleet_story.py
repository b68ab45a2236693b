"""The story: told for every seed, and true of the events."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from producers.simulation import FleetSimulation, Incident, Story
from producers.simulation.fleet import WORKLOADS
from producers.simulation.models import MODELS
from producers.simulation.plot import HOUR_MS, Outage, Shift
from tokenweir.usage import UsageEvent

pytestmark = pytest.mark.xdist_group("simulated_fleet")

END = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
KINDS = {"price_cut", "retirement", "runaway_loop", "vendor_outage", "free_pack_exhausted"}


def _within(event: UsageEvent, scope: dict[str, str]) -> bool:
    return all(getattr(event, name) == value for name, value in scope.items())


@pytest.fixture(scope="module", params=[1, 2])
def month(request: pytest.FixtureRequest) -> tuple[Story, list[UsageEvent]]:
    """A month at a fifth of the scale; resent reports left out."""
    simulation = FleetSimulation(seed=request.param, end=END, calls_scale=0.2)
    distinct = {
        event.id: event for batch in simulation.events() for event in batch if event.source != "gateway"
    }
    return simulation.story, list(distinct.values())


def _one(story: Story, kind: str) -> Incident:
    (incident,) = [incident for incident in story.incidents if incident.kind == kind]
    return incident


@pytest.mark.parametrize("seed", range(20))
def test_every_seed_tells_a_whole_story(seed: int) -> None:
    story = FleetSimulation(seed=seed, end=END).story
    assert {incident.kind for incident in story.incidents} == KINDS
    taken: Counter[str] = Counter()
    for incident in story.incidents:
        assert story.started_at <= incident.started_at < incident.ended_at <= story.ended_at
        scopes = [move.scope for move in incident.moves] or [incident.scope]
        taken.update(json.dumps(scope) for scope in scopes)
        for move in incident.moves:
            assert incident.started_at <= move.started_at < move.ended_at <= incident.ended_at
            assert f"{move.to_vendor}/{move.to_model}" in MODELS
        assert incident.contributors
    quiet = {json.dumps(control.scope) for control in story.controls if "service" in control.scope}
    assert max(taken.values()) == 1
    assert not quiet & set(taken)
    assert {"quiet", "nightly_batch", "steady_growth", "brief_failover"} <= {c.kind for c in story.controls}


def test_seeds_tell_different_stories() -> None:
    stories = [FleetSimulation(seed=seed, end=END).story for seed in range(20)]
    assert len({_one(story, "runaway_loop").scope["service"] for story in stories}) > 4
    assert len({_one(story, "vendor_outage").scope["vendor"] for story in stories}) == 3
    assert len({_one(story, "retirement").scope["model"] for story in stories}) == 3


def test_a_quiet_fleet_has_no_story() -> None:
    simulation = FleetSimulation(seed=6, end=END, days=12, calls_scale=0.05, quiet=True)
    assert (simulation.story.incidents, simulation.story.controls) == ((), ())
    home = {w.name: {w.model} for w in WORKLOADS}
    for batch in simulation.events():
        for event in batch:
            assert (
                f"{event.vendor}/{event.model}" in home[f"{event.team}/{event.service}/{event.environment}"]
            )
            assert "pack" not in event.tags
            assert event.error_code not in ("503", "model_not_found")


def test_a_story_can_be_read_back() -> None:
    story = FleetSimulation(seed=1, end=END).story
    assert Story.model_validate_json(story.to_json()) == story
    assert story.to_json() == FleetSimulation(seed=1, end=END).story.to_json()


@pytest.mark.parametrize(
    ("days", "kinds"),
    [
        (1, {"runaway_loop", "vendor_outage"}),
        (3, {"runaway_loop", "vendor_outage", "free_pack_exhausted"}),
        (10, KINDS),
    ],
)
def test_a_short_run_tells_what_fits(days: int, kinds: set[str]) -> None:
    for seed in range(10):
        story = FleetSimulation(seed=seed, end=END, days=days).story
        assert {incident.kind for incident in story.incidents} == kinds
        for incident in story.incidents:
            assert story.started_at <= incident.started_at < incident.ended_at <= story.ended_at


def test_active_incidents_are_found_by_time() -> None:
    story = FleetSimulation(seed=1, end=END).story
    outage = _one(story, "vendor_outage")
    assert outage in story.active_at(outage.started_at)
    assert outage not in story.active_at(outage.ended_at)
    assert story.of_kind("vendor_outage") == (outage,)


def test_the_loop_multiplies_one_service(month: tuple[Story, list[UsageEvent]]) -> None:
    story, events = month
    loop = _one(story, "runaway_loop")
    hours = (loop.ended_at - loop.started_at) / timedelta(hours=1)
    inside = sum(loop.started_at <= e.time < loop.ended_at for e in events if _within(e, loop.scope))
    usual = sum(1 for e in events if _within(e, loop.scope)) - inside
    # A service that only a gateway reports is not in these events; its own test is the stream's.
    if inside:
        usual_per_hour = usual / (30 * 24)
        assert 0.5 < inside / hours / usual_per_hour / loop.magnitude["calls_ratio"] < 2
    assert 50 <= loop.magnitude["calls_ratio"] <= 400


def test_the_outage_fails_and_traffic_goes_elsewhere_and_returns(
    month: tuple[Story, list[UsageEvent]],
) -> None:
    story, events = month
    outage = _one(story, "vendor_outage")
    vendor = outage.scope["vendor"]
    during = [e for e in events if e.vendor == vendor and outage.started_at <= e.time < outage.ended_at]
    failed = sum(e.status in ("error", "timeout") for e in during)
    assert failed > 0.6 * len(during)
    after = outage.ended_at + timedelta(minutes=15)
    later = [e for e in events if e.vendor == vendor and after <= e.time < after + timedelta(hours=3)]
    assert sum(e.status in ("error", "timeout") for e in later) < 0.1 * len(later)
    home = {w.name for w in WORKLOADS if w.vendor == vendor and w.environment == "production"}
    elsewhere = [
        e
        for e in events
        if f"{e.team}/{e.service}/{e.environment}" in home
        and e.vendor != vendor
        and outage.started_at <= e.time < outage.ended_at
    ]
    assert elsewhere


def test_a_retired_model_answers_nothing_after_its_date(month: tuple[Story, list[UsageEvent]]) -> None:
    story, events = month
    retirement = _one(story, "retirement")
    deadline = datetime.fromtimestamp(retirement.magnitude["deadline_unix_ms"] / 1000, UTC)
    # A retry of a call made just before the date may end just after it.
    after = [e for e in events if _within(e, retirement.scope) and e.time >= deadline + timedelta(seconds=2)]
    assert all(e.error_code == "model_not_found" for e in after)
    assert all(e.time < retirement.ended_at for e in after)
    assert any(_within(e, retirement.scope) and e.time < deadline for e in events)


def test_moves_end_at_their_share(month: tuple[Story, list[UsageEvent]]) -> None:
    story, events = month
    for incident in (_one(story, "price_cut"), _one(story, "retirement")):
        for move in incident.moves:
            mine = [e for e in events if _within(e, move.scope) and e.status == "ok"]
            before = Counter(e.model for e in mine if e.time < move.started_at)
            after = Counter(e.model for e in mine if e.time >= move.ended_at)
            if not after:
                continue  # reported by a gateway only
            assert not before[move.to_model]
            share = after[move.to_model] / after.total()
            assert share == pytest.approx(move.share, abs=0.15)


def test_the_pack_covers_until_it_is_used_up(month: tuple[Story, list[UsageEvent]]) -> None:
    story, events = month
    pack = _one(story, "free_pack_exhausted")
    mine = [e for e in events if _within(e, pack.scope) and e.status == "ok"]
    assert mine
    assert all(("pack" in e.tags) == (e.time < pack.started_at) for e in mine)
    assert not [e for e in events if "pack" in e.tags and not _within(e, pack.scope)]


def test_controls_stay_as_they_are(month: tuple[Story, list[UsageEvent]]) -> None:
    story, events = month
    for control in story.controls:
        if control.kind == "quiet":
            mine = [e for e in events if _within(e, control.scope)]
            assert len({(e.vendor, e.model) for e in mine}) <= 1


def test_a_shift_is_slow_at_both_ends() -> None:
    shift = Shift("openai/gpt-5.4", 0, 100, 0.8)
    assert [shift.share_at(at) for at in (-1, 0, 50, 100, 1000)] == pytest.approx([0, 0, 0.4, 0.8, 0.8])
    assert shift.share_at(10) < 0.05
    assert shift.share_at(90) > 0.75


def test_a_breaker_opens_and_closes_by_and_by() -> None:
    outage = Outage("openai", 0, HOUR_MS, 0.9)
    assert outage.avoided_share_at(-1) == 0
    assert 0 < outage.avoided_share_at(60_000) < outage.avoided_share_at(600_000)
    assert outage.avoided_share_at(HOUR_MS + 3_600_000) == 0
