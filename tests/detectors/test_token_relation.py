"""What a call takes by its tokens, and how well that is known of calls of this size."""

import math
import random

import pytest

from streams.detectors.token_relation import SHARES_OF_DURATION, Amounts, TokenRelation

LABEL: Amounts = (1.0, 0.5, 0.0, 0.01)
NOTE: Amounts = (1.0, 3.0, 1.0, 0.5)


def fitted(seen: list[Amounts], days: int = 1) -> TokenRelation:
    """A relation that has seen such calls at so much a token, day by day."""
    relation, dice = TokenRelation(), random.Random(1)
    for day in range(days):
        for amounts in seen:
            mean_ms = 300 + 40 * amounts[1] + 9_000 * amounts[3]
            relation.learn(amounts, 1, mean_ms * math.exp(0.1 * dice.gauss(0, 1)))
        relation.fit(1_440 * (day + 1), SHARES_OF_DURATION)
    return relation


def test_what_a_call_takes_is_learnt_by_its_tokens() -> None:
    relation = fitted([LABEL, NOTE] * 100)
    assert relation.expected_ms(LABEL) == pytest.approx(410, rel=0.1)
    assert relation.expected_ms(NOTE) == pytest.approx(4_920, rel=0.1)


@pytest.mark.parametrize("days", [1, 5])
def test_calls_that_are_seen_often_are_well_known_beside_many_that_are_answered_sooner(days: int) -> None:
    relation = fitted([*[LABEL] * 3, NOTE] * 60, days)
    assert relation.stretch(NOTE) == relation.stretch(LABEL) == 0.0
    assert relation.stretch((1.0, 3.0, 1.0, 50.0)) > math.log(20)


def test_a_state_of_before_calls_were_counted_one_by_one_is_fitted() -> None:
    relation = fitted([LABEL, NOTE] * 100)
    relation.squares, relation.learnt = [0.0] * 4, 0.0
    relation.fit(5_000, SHARES_OF_DURATION)
    assert relation.expected_ms(NOTE) == pytest.approx(4_920, rel=0.1)
    assert relation.stretch(NOTE) == 0.0


def test_of_a_kind_of_tokens_that_was_never_seen_nothing_is_beyond() -> None:
    relation = fitted([LABEL] * 50)
    assert relation.stretch((1.0, 0.5, 100.0, 0.01)) == 0.0
