"""The alert life cycle: what is told of conditions that come, change, go and come again."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest

from streams.detectors.detector import Condition
from streams.detectors.incident import (
    BETTER_PAUSE_MINUTES,
    DOWN_AFTER_MINUTES,
    STEADY_MINUTES,
    WORSE_PAUSE_MINUTES,
)
from streams.detectors.incidents import Incidents
from streams.groups import EPOCH, MINUTE
from tests.detectors.conditions import NOON, TENANT, a_condition, a_minute
from tokenweir.signals import Contributor, Signal, SignalRequest


def _told(incidents: Incidents, minutes: Iterable[int], *conditions: Condition) -> list[tuple[int, str, str]]:
    """(minute, state, change) of each signal, the same conditions being said in all these minutes."""
    return [
        (minute, signal.state, signal.change)
        for minute in minutes
        for signal in incidents.tick(a_minute(minute), conditions)
    ]


def test_an_incident_is_opened_once_and_resolved_once() -> None:
    incidents = Incidents(TENANT)
    assert _told(incidents, range(10), a_condition()) == [(0, "open", "")]
    assert _told(incidents, range(10, 30)) == [(14, "resolved", "")]
    assert not incidents.open_fingerprints()


def test_a_signal_says_what_its_condition_says() -> None:
    contributor = Contributor(component="calls", scope={"service": "api"}, usd_per_day=Decimal(900))
    incidents = Incidents(TENANT)
    (opened,) = incidents.tick(a_minute(), [a_condition(contributors=(contributor,), evidence={"ratio": 40})])
    assert opened.scope == {"tenant": TENANT, "team": "search"}
    assert opened.observed_at == EPOCH + (NOON + 1) * MINUTE
    assert opened.contributors == (contributor,)
    assert (opened.value, opened.baseline, opened.unit) == (40.0, 1.0, "usd_per_hour")
    assert opened.evidence == {"ratio": 40}
    resolved = next(signal for minute in range(1, 9) for signal in incidents.tick(a_minute(minute), []))
    assert (resolved.incident, resolved.fingerprint) == (opened.incident, opened.fingerprint)
    assert resolved.explanation == "Over since 2026-11-23 12:01 UTC, after 3 minutes. A loop."
    assert resolved.evidence["ended_at"] == "2026-11-23T12:01:00+00:00"
    assert [opened.id, resolved.id] == [f"{opened.incident}/0", f"{opened.incident}/1"]


def test_what_comes_again_within_its_quiet_time_is_the_same_incident() -> None:
    incidents = Incidents(TENANT)
    assert _told(incidents, [0], a_condition()) == [(0, "open", "")]
    assert _told(incidents, range(1, 5)) == []
    assert _told(incidents, [5], a_condition()) == []
    assert _told(incidents, range(6, 12)) == [(10, "resolved", "")]


def test_what_comes_again_after_it_was_over_is_another_incident_of_the_same_fingerprint() -> None:
    incidents = Incidents(TENANT)
    (first,) = incidents.tick(a_minute(0), [a_condition()])
    assert _told(incidents, range(1, 6)) == [(5, "resolved", "")]
    (second,) = incidents.tick(a_minute(6), [a_condition()])
    assert first.fingerprint == second.fingerprint
    assert first.incident != second.incident
    assert second.state == "open"


def test_severity_goes_up_at_once_and_down_only_when_it_stays_down() -> None:
    incidents = Incidents(TENANT)
    _told(incidents, [0], a_condition())
    assert _told(incidents, [1], a_condition(severity="critical")) == [(1, "update", "severity_up")]
    # To and fro is not told.
    assert _told(incidents, [2, 4, 6], a_condition()) == []
    assert _told(incidents, [3, 5, 7], a_condition(severity="critical")) == []
    down = range(8, 8 + DOWN_AFTER_MINUTES + 5)
    assert _told(incidents, down, a_condition()) == [(7 + DOWN_AFTER_MINUTES, "update", "severity_down")]


def test_twice_as_bad_is_told_but_not_every_minute() -> None:
    incidents = Incidents(TENANT)
    _told(incidents, [0], a_condition(impact_usd_per_day=Decimal(100)))
    growing = [
        told
        for minute in range(1, 41)
        for told in _told(incidents, [minute], a_condition(impact_usd_per_day=Decimal(100 * (minute + 1))))
    ]
    assert growing == [
        (WORSE_PAUSE_MINUTES, "update", "worse"),
        (2 * WORSE_PAUSE_MINUTES + 2, "update", "worse"),
    ]
    fading = range(41, 41 + 2 * BETTER_PAUSE_MINUTES)
    assert _told(incidents, fading, a_condition(impact_usd_per_day=Decimal(100))) == [
        (2 * WORSE_PAUSE_MINUTES + 2 + BETTER_PAUSE_MINUTES, "update", "better")
    ]


def test_without_dollars_the_way_from_the_usual_counts() -> None:
    incidents = Incidents(TENANT)
    _told(incidents, [0], a_condition(impact_usd_per_day=None, value=10.0, baseline=5.0))
    assert _told(incidents, range(1, 30), a_condition(impact_usd_per_day=None, value=16.0, baseline=5.0)) == [
        (WORSE_PAUSE_MINUTES, "update", "worse")
    ]


def test_another_first_contributor_is_told_when_it_stays_first() -> None:
    calls, price = (
        (Contributor(component=component, scope={}, usd_per_day=Decimal(1)),)
        for component in ("calls", "price")
    )
    incidents = Incidents(TENANT)
    _told(incidents, range(20), a_condition(contributors=calls))
    for minute in range(20, 30):
        leads = calls if minute % 2 else price
        assert _told(incidents, [minute], a_condition(contributors=leads)) == []
    assert _told(incidents, range(30, 40), a_condition(contributors=price)) == [
        (33, "update", "first_contributor")
    ]


def test_an_open_minute_opens_and_escalates_and_nothing_else() -> None:
    incidents = Incidents(TENANT)
    half = a_minute(0, is_whole=False, seconds=30.0)
    (opened,) = incidents.tick(half, [a_condition()])
    assert opened.observed_at == half.start + timedelta(seconds=30)
    assert incidents.tick(half, []) == []
    (higher,) = incidents.tick(half, [a_condition(severity="critical")])
    assert higher.change == "severity_up"
    late = a_minute(30, is_whole=False, seconds=30.0)
    assert incidents.tick(late, [a_condition(impact_usd_per_day=Decimal(90_000), severity="critical")]) == []
    much_later = a_minute(90, is_whole=False)
    assert incidents.tick(much_later, []) == []
    assert [signal.state for signal in incidents.tick(a_minute(90), [])] == ["resolved"]


def test_an_event_is_told_once_however_often_it_is_said() -> None:
    incidents = Incidents(TENANT)
    moved = a_condition(kind="price_move", is_event=True)
    assert _told(incidents, range(3), moved) == [(0, "open", ""), (0, "resolved", "")]
    assert not incidents.open_fingerprints()
    assert _told(incidents, range(3, 20)) == []
    assert _told(incidents, [20], moved) == [(20, "open", ""), (20, "resolved", "")]


def _opened(incidents: Incidents, minute: int, *conditions: Condition) -> list[dict[str, str]]:
    return [signal.scope for signal in incidents.tick(a_minute(minute), conditions) if signal.state == "open"]


def test_one_cause_is_told_at_one_level() -> None:
    team, service = {"team": "search"}, {"team": "search", "service": "api"}
    tenant: dict[str, str] = {}
    incidents = Incidents(TENANT)
    both = _opened(incidents, 0, a_condition(scope=service), a_condition(scope=team))
    assert both == [{"tenant": TENANT, **team}]
    # Above what is open only what is more than twice as bad.
    assert _opened(incidents, 1, a_condition(scope=team), a_condition(scope=tenant)) == []
    much_worse = a_condition(scope=tenant, impact_usd_per_day=Decimal(5_000))
    assert _opened(incidents, 2, a_condition(scope=team), much_worse) == [{"tenant": TENANT}]


def test_what_shows_in_something_else_at_the_same_place_goes_on() -> None:
    incidents = Incidents(TENANT)
    first = a_condition(subject="duration", cause="slow")
    other = a_condition(subject="output_speed", cause="slow")
    assert _told(incidents, range(3), first) == [(0, "open", "")]
    assert _told(incidents, range(3, 9), other) == []
    assert _told(incidents, range(9, 15), first, other) == []
    assert _told(incidents, range(15, 30)) == [(19, "resolved", "")]
    assert _told(incidents, [30], other) == [(30, "open", "")]


MODEL = {"vendor": "openai", "model": "gpt-5.4"}
VENDOR = {"vendor": "openai"}


def test_what_is_seen_at_another_level_goes_on_there_and_tells_so_once() -> None:
    incidents = Incidents(TENANT)
    (opened,) = incidents.tick(a_minute(0), [a_condition(scope=MODEL)])
    wider = a_condition(scope=VENDOR, subject="all", cause="up", told_before=(MODEL,))
    told = [signal for minute in range(1, 30) for signal in incidents.tick(a_minute(minute), [wider])]
    assert [(signal.state, signal.change) for signal in told] == [("update", "scope")]
    assert (told[0].incident, told[0].fingerprint) == (opened.incident, opened.fingerprint)
    assert (told[0].scope, told[0].subject) == ({"tenant": TENANT, **VENDOR}, "all")
    assert _told(incidents, range(30, 40)) == [(34, "resolved", "")]


def test_to_and_fro_between_two_levels_is_not_told_each_time() -> None:
    incidents = Incidents(TENANT)
    narrow = a_condition(scope=MODEL, told_before=(VENDOR,))
    wide = a_condition(scope=VENDOR, told_before=(MODEL,))
    assert _told(incidents, [0], narrow) == [(0, "open", "")]
    told = [one for minute in range(1, 31) for one in _told(incidents, [minute], (narrow, wide)[minute % 2])]
    assert {(state, change) for _, state, change in told} == {("update", "scope")}
    assert len(told) <= 30 // STEADY_MINUTES


def test_what_is_still_said_where_it_was_does_not_move() -> None:
    incidents = Incidents(TENANT)
    narrow, wide = a_condition(scope=MODEL), a_condition(scope=VENDOR, told_before=(MODEL,))
    _told(incidents, [0], narrow)
    assert _told(incidents, range(1, 10), narrow, wide) == []


def test_of_two_that_are_told_at_one_level_from_now_on_one_goes_on() -> None:
    incidents = Incidents(TENANT)
    other = {"vendor": "openai", "model": "gpt-5.4-mini"}
    both = [a_condition(scope=MODEL), a_condition(scope=other)]
    assert len(incidents.tick(a_minute(0), both)) == 2
    wide = a_condition(scope=VENDOR, told_before=(MODEL, other))
    told = _told(incidents, range(1, 20), wide)
    assert told == [(3, "update", "scope"), (5, "resolved", "")]
    assert len(incidents.open_fingerprints()) == 1


def test_other_kinds_causes_and_branches_are_incidents_of_their_own() -> None:
    incidents = Incidents(TENANT)
    said = [
        a_condition(scope={}),
        a_condition(scope={"team": "search"}, kind="latency"),
        a_condition(scope={"team": "search"}, subject="down"),
        a_condition(scope={"team": "search"}, cause="another"),
    ]
    assert len(_opened(incidents, 0, *said)) == 4
    incidents = Incidents(TENANT)
    assert len(_opened(incidents, 0, *(a_condition(scope={"team": name}) for name in "abc"))) == 3
    incidents = Incidents(TENANT)
    named = [a_condition(scope={}, subject="all", cause="loop"), a_condition(subject="search", cause="loop")]
    assert len(_opened(incidents, 0, *named)) == 1


def test_an_acknowledgement_is_told_once_and_ends_with_an_escalation() -> None:
    incidents = Incidents(TENANT)
    (opened,) = incidents.tick(a_minute(0), [a_condition()])
    at = opened.observed_at
    taking = SignalRequest(
        action="acknowledge", tenant=TENANT, fingerprint=opened.fingerprint, by="ana", reason="on it"
    )
    (taken,) = incidents.take_request(taking, NOON, at)
    assert (taken.change, taken.acknowledged_by) == ("acknowledged", "ana")
    assert taken.evidence["acknowledged"] == {"by": "ana", "reason": "on it"}
    assert incidents.take_request(taking, NOON, at) == []
    elsewhere = taking.model_copy(update={"fingerprint": "cost_spike:none"})
    assert incidents.take_request(elsewhere, NOON, at) == []
    (higher,) = incidents.tick(a_minute(1), [a_condition(severity="critical")])
    assert (higher.change, higher.acknowledged_by) == ("severity_up", "")


def test_a_mute_ends_by_itself_and_outlives_its_incident() -> None:
    incidents = Incidents(TENANT)
    (opened,) = incidents.tick(a_minute(0), [a_condition()])
    until = opened.observed_at + timedelta(minutes=10)
    asking = SignalRequest(
        action="mute", tenant=TENANT, fingerprint=opened.fingerprint, by="ana", until=until
    )
    (muted,) = incidents.take_request(asking, NOON, opened.observed_at)
    assert (muted.change, muted.muted_until) == ("muted", until)
    assert incidents.take_request(asking, NOON, opened.observed_at) == []

    def states(minutes: Iterable[int], *conditions: Condition) -> list[tuple[str, bool]]:
        signals: list[Signal] = []
        for minute in minutes:
            signals += incidents.tick(a_minute(minute), conditions)
        return [(signal.state, signal.is_muted()) for signal in signals]

    assert states(range(1, 6)) == [("resolved", True)]
    assert states([6], a_condition()) == [("open", True)]
    assert states(range(7, 12)) == [("resolved", False)]
    assert states([12], a_condition()) == [("open", False)]


def test_a_tenant_that_is_forgotten_has_nothing_open() -> None:
    incidents = Incidents(TENANT)
    incidents.tick(a_minute(0), [a_condition(), a_condition(kind="latency")])
    assert [signal.state for signal in incidents.end(NOON + 3, a_minute(3).end)] == ["resolved"] * 2
    assert incidents.end(NOON + 4, a_minute(4).end) == []


def test_what_a_detector_says_badly_is_told_as_well_as_can_be() -> None:
    said = a_condition(
        value=float("nan"), title="x" * 1000, explanation="y" * 9000, impact_usd_per_day=Decimal(1) / 3
    )
    (opened,) = Incidents(TENANT).tick(a_minute(), [said])
    assert opened.value is None
    assert (len(opened.title), len(opened.explanation)) == (400, 3900)
    assert opened.impact_usd_per_day == Decimal("0.333333333333")


def test_a_state_of_another_version_is_refused() -> None:
    state = Incidents(TENANT).state().replace(b'"version":1', b'"version":2')
    with pytest.raises(ValueError, match="version 2"):
        Incidents.restored(state)


def test_another_stage_is_told_in_whole_minutes_once() -> None:
    incidents = Incidents(TENANT)
    assert _told(incidents, [0], a_condition(stage="started")) == [(0, "open", "")]
    assert _told(incidents, [1], a_condition(stage="started")) == []
    assert incidents.tick(a_minute(2, is_whole=False), [a_condition(stage="complete")]) == []
    assert _told(incidents, range(2, 5), a_condition(stage="complete")) == [(2, "update", "stage")]
    incidents = Incidents.restored(incidents.state())
    assert _told(incidents, [5], a_condition(stage="complete")) == []
