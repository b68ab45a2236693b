"""Migrations that are to be told: their stages, their dollars, whatever comes late or is restarted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from streams.detectors.migration import MigrationDetector
from streams.detectors.minute import GroupRow, TenantMinute
from tests.detectors.made_traffic import (
    NEW,
    OLD,
    START,
    Made,
    going,
    hours_in,
    office,
    stages,
    surroundings,
    told,
    traffic,
)

PATH = f"{OLD}>{NEW}"
DAY = 24.0


def test_a_move_is_told_from_its_start_to_its_end() -> None:
    signals = told(traffic([Made(going(8 * DAY, 3 * DAY))], 18))
    assert stages(signals) == [
        (PATH, "open", "started"),
        (PATH, "update", "half_way"),
        (PATH, "update", "complete"),
        (PATH, "resolved", "complete"),
    ]
    assert [signal.change for signal in signals] == ["", "stage", "stage", ""]
    assert len({signal.incident for signal in signals}) == 1
    opened, half_way, complete, resolved = signals
    assert opened.scope == {
        "tenant": "acme",
        "team": "search",
        "project": "shop",
        "service": "answers",
        "environment": "production",
    }
    assert abs(opened.started_at - (START + timedelta(days=8))) < timedelta(hours=8)
    assert 8 * DAY < hours_in(opened) < hours_in(half_way) < 10 * DAY < hours_in(complete) < 11.5 * DAY
    assert hours_in(resolved) - hours_in(complete) == pytest.approx(3 * DAY, abs=1)
    # 720 calls a day go from one cent to half a cent.
    assert complete.impact_usd_per_day is not None
    assert complete.impact_usd_per_day == pytest.approx(Decimal("-3.6"), rel=Decimal("0.2"))
    assert complete.value == pytest.approx(0.95, abs=0.1)
    assert complete.severity == "info"
    before, after = complete.evidence["before"], complete.evidence["after"]
    assert Decimal(before["cost_usd_per_call"]) == Decimal("0.01")
    assert Decimal(after["cost_usd_per_call"]) == Decimal("0.005")
    assert Decimal(after["cost_usd_per_1000_output_tokens"]) == Decimal("0.025")
    assert (after["input_tokens_per_call"], after["output_tokens_per_call"]) == (900, 200)
    assert after["duration_p50_ms"] == pytest.approx(1024, rel=0.05)
    assert after["failed_share"] == 0
    curve = [(datetime.fromisoformat(at), share) for at, share in complete.evidence["curve"]]
    assert len(curve) > 5
    for at, share in curve:
        so_far = (at - START) / timedelta(hours=1) - 8 * DAY
        assert share == pytest.approx(min(1.0, so_far / (3 * DAY)), abs=0.15)
    assert complete.contributors[-1].component == "model_mix"
    assert complete.contributors[-1].scope == {"vendor": "deepseek", "model": "deepseek-v4-flash"}


def test_a_move_at_once_is_told_within_hours() -> None:
    signals = told(traffic([Made(going(9.5 * DAY, 0))], 11))
    assert stages(signals) == [(PATH, "open", "started"), (PATH, "update", "complete")]
    assert hours_in(signals[0]) - 9.5 * DAY < 6


def test_a_move_in_office_hours_goes_on_after_the_weekend() -> None:
    signals = told(traffic([Made(going(10.5 * DAY, 4 * DAY), volume=office)], 20))
    assert [stage for _, _, stage in stages(signals)] == ["started", "half_way", "complete", "complete"]


def test_a_move_that_stops_half_way_stays_half_way_and_ends() -> None:
    signals = told(traffic([Made(going(8 * DAY, 2 * DAY, 0.5))], 22))
    assert stages(signals) == [
        (PATH, "open", "started"),
        (PATH, "update", "half_way"),
        (PATH, "resolved", "half_way"),
    ]


def test_a_half_that_goes_on_later_is_told_again() -> None:
    def shares(hour: float) -> dict[str, float]:
        moved = 0.0 if hour < 8 * DAY else 0.5 if hour < 26 * DAY else 1.0
        return {OLD: 1 - moved, NEW: moved}

    signals = told(traffic([Made(shares)], 34))
    assert [stage for _, state, stage in stages(signals) if state == "resolved"] == ["half_way", "complete"]


def test_a_move_that_is_taken_back_is_reversed() -> None:
    def shares(hour: float) -> dict[str, float]:
        moved = 0.6 if 8 * DAY <= hour < 9.5 * DAY else 0.0
        return {OLD: 1 - moved, NEW: moved}

    signals = told(traffic([Made(shares)], 14))
    assert stages(signals) == [
        (PATH, "open", "started"),
        (PATH, "update", "half_way"),
        (PATH, "update", "reversed"),
        (PATH, "resolved", "reversed"),
    ]
    assert "has gone back" in signals[2].title
    assert hours_in(signals[2]) - 9.5 * DAY < 8


def test_a_move_back_after_weeks_is_a_move_the_other_way() -> None:
    def shares(hour: float) -> dict[str, float]:
        moved = float(8 * DAY <= hour < 22 * DAY)
        return {OLD: 1 - moved, NEW: moved}

    signals = told(traffic([Made(shares)], 27))
    assert [signal.subject for signal in signals if signal.state == "open"] == [PATH, f"{NEW}>{OLD}"]


def test_what_becomes_dearer_is_a_warning() -> None:
    signals = told(traffic([Made(going(8 * DAY, DAY), cents={NEW: 3.0})], 11))
    complete = signals[-1]
    assert complete.severity == "warning"
    assert complete.impact_usd_per_day is not None
    assert complete.impact_usd_per_day > 10
    assert "a day more" in complete.explanation


def test_the_same_model_at_another_vendor_is_a_move() -> None:
    signals = told(traffic([Made(going(8 * DAY, DAY, old="openai/gpt-4.1", new="azure/gpt-4.1"))], 11))
    assert {signal.subject for signal in signals} == {"openai/gpt-4.1>azure/gpt-4.1"}


def test_a_laggard_that_fails_before_it_moves_is_explained() -> None:
    old, new = "openai/gpt-4.1", "openai/gpt-5.4-mini"
    gone = 9.5 * DAY

    def failing(hour: float, model: str) -> float:
        return float(model == old and hour >= gone)

    signals = told(
        traffic(
            [
                Made(going(gone + 5, 0, old=old, new=new), failing=failing),
                Made(lambda _: {"openai/gpt-5.4-nano": 1.0}, names={"team": "other"}),
            ],
            11,
        )
    )
    assert stages(signals)[-1] == (f"{old}>{new}", "update", "complete")
    assert hours_in(signals[0]) - (gone + 5) < 6
    first = signals[0].contributors[0]
    assert (first.component, first.scope["model"], first.scope["service"]) == ("errors", "gpt-4.1", "answers")
    assert "failed in 5 of the 24 hours before" in signals[0].explanation
    assert "retires on 2027-01-14" in signals[0].explanation


def test_operations_of_one_service_move_by_themselves() -> None:
    chat = Made(going(8 * DAY, DAY))
    embedding = Made(
        lambda _: {"openai/text-embedding-3-small": 1.0}, names={**chat.names, "operation": "embedding"}
    )
    signals = told(traffic([chat, embedding], 11))
    assert {signal.scope["operation"] for signal in signals} == {"chat"}
    assert "(chat)" in signals[0].title


def test_others_that_went_the_same_way_are_counted() -> None:
    second = Made(going(10 * DAY, 0), names={"team": "second"})
    signals = told(traffic([Made(going(8 * DAY, 0)), second], 12))
    opened = [signal for signal in signals if signal.state == "open"]
    assert [signal.evidence["other_workloads"] for signal in opened] == [0, 1]


def test_late_and_reordered_windows_change_nothing_that_is_told() -> None:
    def later(minutes: list[TenantMinute]) -> Iterator[TenantMinute]:
        """A third of each minute's rows come up to five hours late, newest first; the rest in the other order."""
        waiting: dict[int, list[tuple[int, GroupRow]]] = {}
        for number, minute in enumerate(minutes):
            on_time = []
            for place, row in enumerate(minute.rows):
                if (number + place) % 3 == 0:
                    waiting.setdefault(number + 1 + number % 30, []).append((minute.minute, row))
                else:
                    on_time.append(row)
            yield minute._replace(rows=on_time[::-1], late=waiting.pop(number, [])[::-1])

    minutes = list(traffic([Made(going(8 * DAY, 3 * DAY))], 16))
    in_order, late = told(minutes), told(later(minutes))
    assert stages(late) == stages(in_order)
    for one, other in zip(in_order, late, strict=True):
        assert abs(hours_in(one) - hours_in(other)) <= 8


def test_a_restart_in_the_middle_changes_nothing() -> None:
    minutes = list(traffic([Made(going(8 * DAY, 3 * DAY))], 16))
    assert told(minutes, restart_every=100) == told(minutes)


def test_a_state_of_another_form_is_refused() -> None:
    detector = MigrationDetector(surroundings())
    with pytest.raises(ValueError, match="Expected"):
        detector.restore(b"\x90")


def test_what_is_long_silent_is_forgotten() -> None:
    detector = MigrationDetector(surroundings())
    once = [Made(lambda _: {OLD: 1.0}, names={"team": f"team-{number}"}) for number in range(20)]
    for minute in traffic(once, 1):
        detector.observe(minute)
    full = len(detector.state())
    for minute in traffic([], 12, start=START + timedelta(days=1)):
        detector.observe(minute)
    assert len(detector.state()) < full / 20
