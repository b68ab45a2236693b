"""Slow answers: told at the level that is slow, for as long as it is; and what merely looks like it is not told."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest

from streams.detectors.detector import Condition
from streams.detectors.incidents import Incidents
from streams.detectors.latency import Latency
from streams.detectors.minute import TenantMinute
from streams.groups import EPOCH, MINUTE
from tests.detectors.feeding import fleet
from tests.detectors.judging_latency import judge_latency, latency_signals, plans_of, slower
from tests.detectors.slow_answers import (
    ASKERS,
    DAY,
    START,
    Asker,
    Changed,
    Pace,
    Paces,
    as_ever,
    learnt,
    minutes,
    told,
    usual,
)
from tokenweir.signals import Signal

BEGINS = DAY + 600
ENDS = BEGINS + 60


def slow(hit: Callable[[Asker], bool], pace: Pace, begins: int = BEGINS, ends: int = ENDS) -> Paces:
    """Those that are hit have this pace from `begins` to `ends`; else the usual one."""

    def paces(asker: Asker, number: int) -> Pace:
        return pace if begins <= number < ends and hit(asker) else Pace()

    return paces


def of_openai(asker: Asker) -> bool:
    return asker.vendor == "openai"


def told_after_usual_days(
    until: int,
    paces: Paces = usual,
    askers: Sequence[Asker] = ASKERS,
    changed: Changed = as_ever,
) -> dict[int, list[Condition]]:
    """What is said from BEGINS on; until then all is as usual."""
    return told(minutes(until, paces, askers, changed, since=BEGINS), learnt(BEGINS, askers))


def scopes(said: dict[int, list[Condition]]) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(one.scope.items()) for there in said.values() for one in there}


@pytest.mark.parametrize(
    ("hit", "pace", "scope", "subject"),
    [
        (of_openai, Pace(ttft=3), {"vendor": "openai"}, "ttft"),
        (
            lambda asker: asker.model == "gpt-5.4",
            Pace(output=2),
            {"vendor": "openai", "model": "gpt-5.4"},
            "output_speed",
        ),
        (
            lambda asker: asker.region == "westeurope",
            Pace(ttft=3),
            {"vendor": "azure", "region": "westeurope"},
            "ttft",
        ),
        (
            lambda asker: asker.service == "chat",
            Pace(ttft=4),
            {
                "team": "shop",
                "project": "web",
                "service": "chat",
                "environment": "production",
                "vendor": "openai",
                "model": "gpt-5.4",
            },
            "ttft",
        ),
    ],
    ids=["vendor", "model", "region", "workload"],
)
def test_what_is_slow_is_told_where_it_is_slow_and_until_it_is_over(
    hit: Callable[[Asker], bool], pace: Pace, scope: dict[str, str], subject: str
) -> None:
    said = told_after_usual_days(ENDS + 60, slow(hit, pace))
    assert scopes(said) == {tuple(scope.items())}
    assert BEGINS + 2 <= min(said) <= BEGINS + 25
    assert ENDS - 2 <= max(said) <= ENDS + 20
    assert {one.subject for there in said.values() for one in there} == {subject}
    assert sorted(said) == list(range(min(said), max(said) + 1))


def life(minutes_seen: Iterable[TenantMinute], detector: Latency) -> list[Signal]:
    """The signals of these minutes."""
    return latency_signals("acme", minutes_seen, detector)


def one_model_first() -> Iterator[TenantMinute]:
    """All of openai is slow for two hours; its other models are only called after forty minutes."""

    def changed(asker: Asker, number: int) -> Asker | None:
        return None if of_openai(asker) and asker.model != "gpt-5.4" and number < BEGINS + 40 else asker

    ends = BEGINS + 120
    return minutes(ends + 60, slow(of_openai, Pace(ttft=3), ends=ends), ASKERS, changed, BEGINS)


def test_what_is_seen_at_one_model_first_and_then_at_all_is_one_incident_that_comes_to_the_vendor() -> None:
    signals = life(one_model_first(), learnt(BEGINS))
    assert len({signal.incident for signal in signals}) == 1
    assert signals[0].scope == {"tenant": "acme", "vendor": "openai", "model": "gpt-5.4"}
    (moved,) = [signal for signal in signals if signal.change == "scope"]
    assert moved.scope == {"tenant": "acme", "vendor": "openai"}
    assert START + BEGINS + 40 <= (moved.observed_at - EPOCH) // MINUTE <= START + BEGINS + 60
    assert "It showed at gpt-5.4 of openai first." in moved.explanation
    assert [signal.state for signal in signals if signal.state != "update"] == ["open", "resolved"]
    assert signals[-1].scope == moved.scope


def test_a_restart_in_an_incident_that_moves_changes_nothing() -> None:
    detector, incidents = learnt(BEGINS), Incidents("acme")
    signals: list[Signal] = []
    for minute in one_model_first():
        if minute.minute % 7 == 0:
            state = detector.state()
            detector = Latency()
            detector.restore(state)
            assert detector.state() == state
            incidents = Incidents.restored(incidents.state())
        signals += incidents.tick(minute, detector.observe(minute))
    assert signals == life(one_model_first(), learnt(BEGINS))
    assert any(signal.change == "scope" for signal in signals)


def test_what_is_told_of_a_vendor_comes_to_its_region_when_the_others_are_seen_to_be_fine() -> None:
    def only_one_region_at_first(asker: Asker, number: int) -> Asker | None:
        return None if asker.region == "eastus2" and BEGINS - 1_500 < number < BEGINS + 40 else asker

    paces = slow(lambda asker: asker.region == "westeurope", Pace(ttft=3), ends=BEGINS + 120)
    usual_until = minutes(BEGINS, usual, ASKERS, only_one_region_at_first, BEGINS - 1_500)
    detector = learnt(BEGINS - 1_500)
    assert not told(usual_until, detector)
    signals = life(minutes(BEGINS + 180, paces, ASKERS, only_one_region_at_first, BEGINS), detector)
    assert len({signal.incident for signal in signals}) == 1
    assert signals[0].scope == {"tenant": "acme", "vendor": "azure"}
    assert signals[-1].scope == {"tenant": "acme", "vendor": "azure", "region": "westeurope"}
    assert [signal.change for signal in signals if signal.state == "update"].count("scope") == 1


def test_short_answers_do_not_say_that_slow_output_is_over_but_silence_does() -> None:
    def long_ones_end(asker: Asker, number: int) -> Asker | None:
        return None if asker.service == "mail" and number >= BEGINS + 60 else asker

    paces = slow(lambda asker: asker.model == "gpt-5.4-mini", Pace(output=2), ends=BEGINS + 300)
    signals = life(minutes(BEGINS + 300, paces, ASKERS, long_ones_end, BEGINS), learnt(BEGINS))
    assert [signal.state for signal in signals if signal.state != "update"] == ["open", "resolved"]
    assert BEGINS + 138 <= (signals[-1].observed_at - EPOCH) // MINUTE - START <= BEGINS + 143


def test_the_explanation_has_who_what_how_much_since_when_and_who_else() -> None:
    condition = told_after_usual_days(BEGINS + 45, slow(of_openai, Pace(ttft=3)))[BEGINS + 40][0]
    assert condition.title.startswith("The first token of openai takes ")
    assert condition.unit == "ms"
    assert condition.value is not None
    assert condition.baseline is not None
    assert 2.4 < condition.value / condition.baseline < 3.6
    assert condition.impact_usd_per_day is None
    for words in (
        "in the mean, usually",
        "the whole answer takes",
        "Hit most: shop/",
        "Other vendors are as fast as ever",
        "Prompts and answers are no longer than usual",
    ):
        assert words in condition.explanation
    assert condition.contributors[0].scope == {"vendor": "openai"}
    assert {one.scope["service"] for one in condition.contributors[1:]} == {"search", "chat", "mail"}
    evidence = condition.evidence
    assert evidence["ttft_ms"]["after"]["p50"] > 2 * evidence["ttft_ms"]["before"]["p50"]
    assert evidence["ttft_ms"]["after"]["p95"] > evidence["ttft_ms"]["after"]["p50"]
    assert evidence["duration_ms"]["after"]["mean"] > evidence["duration_ms"]["before"]["mean"]
    assert evidence["output_tokens_per_call"]["after"] == pytest.approx(
        evidence["output_tokens_per_call"]["before"], rel=0.3
    )
    assert evidence["calls"] > 50


def test_of_a_slow_model_it_says_that_the_others_are_fine_and_how_fast_it_writes() -> None:
    paces = slow(lambda asker: asker.model == "gpt-5.4", Pace(output=2))
    condition = told_after_usual_days(BEGINS + 45, paces)[BEGINS + 40][0]
    assert (condition.unit, condition.severity) == ("tokens/s", "warning")
    assert condition.value == pytest.approx(75 / 2, rel=0.25)
    assert condition.baseline == pytest.approx(75, rel=0.25)
    assert "other calls to openai are as fast as ever" in condition.explanation


@pytest.mark.parametrize("times", [4, 8])
def test_longer_prompts_and_answers_are_no_incident(times: int) -> None:
    def changed(asker: Asker, number: int) -> Asker:
        if number >= BEGINS and asker.service in ("search", "code"):
            return asker._replace(input_tokens=asker.input_tokens * times)
        if number >= BEGINS and asker.service in ("mail", "notes"):
            return asker._replace(output_tokens=asker.output_tokens * times)
        return asker

    assert not told_after_usual_days(BEGINS + 360, changed=changed)


def test_a_move_to_a_slower_model_is_no_incident() -> None:
    def changed(asker: Asker, number: int) -> Asker:
        if number >= BEGINS and asker.service in ("mail", "tags"):
            return asker._replace(model="gpt-5.4")
        return asker

    assert not told_after_usual_days(BEGINS + 360, changed=changed)


def test_a_model_that_nobody_has_called_before_is_only_learnt_from() -> None:
    paces = slow(lambda asker: asker.model == "o4-mini", Pace(4, 4))
    assert not told(minutes(BEGINS + 400, paces, since=BEGINS), learnt(BEGINS, ASKERS[:8]))


@pytest.mark.parametrize("shift", [0, 1], ids=["the same hours", "clocks that change"])
def test_a_daily_rhythm_is_no_incident(shift: int) -> None:
    def paces(asker: Asker, number: int) -> Pace:
        hour = (number / 60 + (shift if number > 2 * DAY else 0)) % 24
        peak = 1 + 1.2 * max(0.0, math.sin((hour - 8) / 10 * math.pi)) if 8 <= hour <= 18 else 1.0
        return Pace(peak, peak)

    assert not told(minutes(3 * DAY, paces, ASKERS[:3]))


def test_the_first_day_is_only_learnt_from() -> None:
    assert not told(minutes(DAY, slow(of_openai, Pace(5, 5), 300, 400)))


def test_nothing_is_said_of_usual_days() -> None:
    assert not told_after_usual_days(BEGINS + DAY)


def test_time_outs_are_for_the_detector_of_errors() -> None:
    assert not told_after_usual_days(ENDS + 30, slow(of_openai, Pace(timeouts=0.5)))


def test_a_quiet_vendor_is_told_after_some_calls_and_one_call_is_none() -> None:
    quiet = Asker("old", vendor="cohere", model="gpt-4.1", calls_per_minute=0.1)
    askers = [*ASKERS[:4], quiet]
    once = slow(lambda asker: asker.vendor == "cohere", Pace(20, 20), BEGINS, BEGINS + 8)
    assert not told_after_usual_days(BEGINS + 200, once, askers)
    lasting = slow(lambda asker: asker.vendor == "cohere", Pace(4, 4), BEGINS, BEGINS + 400)
    said = told_after_usual_days(BEGINS + 600, lasting, askers)
    assert scopes(said) == {(("vendor", "cohere"),)}
    assert BEGINS + 20 < min(said) < BEGINS + 200


def test_batches_promise_no_speed() -> None:
    askers = [*ASKERS[:4], Asker("nightly", vendor="cohere", model="gpt-4.1", service_tier="batch")]
    assert not told_after_usual_days(ENDS, slow(lambda asker: asker.vendor == "cohere", Pace(9, 9)), askers)


def test_what_lasts_for_days_is_the_new_usual() -> None:
    said = told_after_usual_days(
        BEGINS + 3 * DAY, slow(of_openai, Pace(2, 2), BEGINS, BEGINS + 9 * DAY), ASKERS[:3]
    )
    assert scopes(said) == {(("vendor", "openai"),)}
    assert DAY / 3 < max(said) - BEGINS < 2.5 * DAY
    assert sorted(said) == list(range(min(said), max(said) + 1))


def signals_of(scene: Sequence[TenantMinute], restart: int | None = None) -> list[tuple[object, ...]]:
    detector, incidents = learnt(BEGINS), Incidents("acme")
    signals = []
    for minute in scene:
        if restart is not None and minute.minute == START + restart:
            state = detector.state()
            detector = Latency()
            detector.restore(state)
            assert detector.state() == state
        signals += incidents.tick(minute, detector.observe(minute))
    return [(one.id, one.state, one.title, one.observed_at, one.evidence) for one in signals]


def test_a_restart_changes_nothing() -> None:
    scene = list(minutes(ENDS + 40, slow(of_openai, Pace(ttft=3)), since=BEGINS))
    expected = signals_of(scene)
    assert [one[1] for one in expected if one[1] != "update"] == ["open", "resolved"]
    for restart in (BEGINS + 4, BEGINS + 30, ENDS + 2):
        assert signals_of(scene, restart) == expected


def test_the_order_of_rows_and_late_ones_change_nothing_that_is_told() -> None:
    scene = list(minutes(ENDS + 40, slow(of_openai, Pace(ttft=3)), since=BEGINS))
    reordered = [minute._replace(rows=minute.rows[::-1]) for minute in scene]
    assert [one[:3] for one in signals_of(reordered)] == [one[:3] for one in signals_of(scene)]
    late = [(minute.minute, row) for minute in scene for row in minute.rows]
    assert not learnt(BEGINS).observe(TenantMinute("acme", START + ENDS, (), late=late))


def test_open_minutes_are_passed_over() -> None:
    detector = Latency()
    before = detector.state()
    minute = next(minutes(1))
    assert not detector.observe(minute._replace(is_whole=False, seconds=20.0))
    assert detector.state() == before


def test_a_state_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        Latency().restore(b"{}")


def test_the_simulated_fleet_with_answers_that_were_made_slow() -> None:
    feed = fleet(102, days=12, calls_scale=0.5)
    plans = plans_of(feed, 102)
    judged = judge_latency(
        feed.story, plans, latency_signals(feed.story.tenant, slower(feed.minutes(), plans))
    )
    assert judged.planted == len(judged.delays_seconds) == 8
    assert not judged.wrong
