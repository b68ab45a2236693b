"""Calls without a price: told once where that is usual, and as an incident where it is not."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.incidents import Incidents
from streams.detectors.minute import TenantMinute
from streams.detectors.unpriced import Unpriced
from tests.detectors.failing_calls import DAY, OFFICE, START, Caller, minutes
from tokenweir.catalog import Catalog
from tokenweir.settings import DetectionSettings

TUNED = Caller("labels", vendor="vllm", model="our-8b", calls_per_minute=0.5)
BEGINS = 2 * DAY + 100


def scene(until: int, *, unpriced: tuple[str, ...] = ("our-8b",), gone: str = "") -> list[TenantMinute]:
    """A fleet in which some models have no price, and from BEGINS on one more."""
    made = list(minutes(until, lambda caller, number: (0.0, 0.0), (*OFFICE, TUNED)))
    for minute in made:
        for row in minute.rows:
            model = row.names["model"]
            if model in unpriced or (
                model == gone and START + BEGINS <= minute.minute < START + BEGINS + 600
            ):
                row.sums.unpriced_calls = row.sums.calls
    return made


def told(made: Iterable[TenantMinute]) -> dict[int, list[Condition]]:
    detector = Unpriced()
    said = {minute.minute - START: detector.observe(minute) for minute in made}
    return {minute: conditions for minute, conditions in said.items() if conditions}


def test_a_model_that_never_had_a_price_is_told_once_as_information() -> None:
    detector, incidents = Unpriced(), Incidents("acme")
    signals = [
        signal for minute in scene(4 * DAY) for signal in incidents.tick(minute, detector.observe(minute))
    ]
    assert [(signal.state, signal.severity) for signal in signals] == [("open", "info"), ("resolved", "info")]
    assert signals[0].scope == {"tenant": "acme", "vendor": "vllm", "model": "our-8b"}
    assert "unpriced" in signals[0].explanation


def test_a_model_that_loses_its_price_is_told_within_an_hour_until_it_has_one_again() -> None:
    said = {
        minute: [one for one in conditions if one.scope["vendor"] == "openai"]
        for minute, conditions in told(scene(BEGINS + 900, gone="gpt-5.4")).items()
    }
    lost = {minute: conditions for minute, conditions in said.items() if conditions}
    assert BEGINS <= min(lost) <= BEGINS + 60
    assert BEGINS + 595 <= max(lost) <= BEGINS + 660
    condition = lost[min(lost)][0]
    assert (condition.subject, condition.severity) == ("suddenly", "warning")
    assert condition.scope == {"vendor": "openai", "model": "gpt-5.4"}


def many(until: int, every: int) -> list[TenantMinute]:
    """A fleet in which for two days the calls of each so many minutes have no price, whatever their model."""
    made = list(minutes(until, lambda caller, number: (0.0, 0.0), OFFICE))
    for minute in made:
        for row in minute.rows:
            if minute.minute % every == 0 and DAY <= minute.minute - START < 3 * DAY:
                row.sums.unpriced_calls = row.sums.calls
    return made


def test_calls_without_a_price_that_are_many_only_together_are_one_incident() -> None:
    detector, incidents = Unpriced(), Incidents("acme")
    signals = [
        signal for minute in many(5 * DAY, 20) for signal in incidents.tick(minute, detector.observe(minute))
    ]
    of_many = [signal for signal in signals if signal.subject == "many"]
    assert [signal.state for signal in of_many if signal.state != "update"] == ["open", "resolved"]
    assert of_many[0].scope == {"tenant": "acme"}
    assert 0.01 <= (of_many[0].value or 0) <= 0.1
    assert "weir unpriced" in of_many[0].explanation
    assert of_many[-1].observed_at - of_many[0].observed_at >= timedelta(days=2)
    assert {signal.subject for signal in signals} == {"many"}


def test_calls_without_a_price_that_are_few_together_are_not_told() -> None:
    assert not told(many(3 * DAY, 300))


def test_the_share_is_a_setting() -> None:
    book: Any = None
    settings = DetectionSettings(unpriced_share=0.2)
    detector = Unpriced(Surroundings(book, Catalog.default(), settings))
    assert not any(detector.observe(minute) for minute in many(2 * DAY + 60, 20))


def test_where_all_is_priced_nothing_is_said() -> None:
    assert not told(scene(3 * DAY, unpriced=()))


@pytest.mark.parametrize("cut", [DAY, BEGINS + 30])
def test_a_restart_changes_nothing(cut: int) -> None:
    made = scene(BEGINS + 120, gone="gpt-5.4")
    whole, before, after = Unpriced(), Unpriced(), Unpriced()
    expected = [whole.observe(minute) for minute in made]
    found = [before.observe(minute) for minute in made[:cut]]
    after.restore(before.state())
    assert found + [after.observe(minute) for minute in made[cut:]] == expected
    assert after.state() == whole.state()


def test_a_state_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        Unpriced().restore(b"{}")
