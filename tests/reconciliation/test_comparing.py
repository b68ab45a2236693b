"""What is compared, whatever disagrees: money without tokens, keys out of details, shares and sums."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.reconciliation import Facts, reconcile
from sinks.reconciliation.findings import REASONS
from sinks.reconciliation.measures import Measures
from sinks.reconciliation.sides import BillEntry, LedgerEntry, ReportDay
from tests.reconciliation.building import TODAY, Month, day, measures
from tokenweir.errors import WrongCall


def test_money_alone() -> None:
    """A vendor that tells no tokens."""
    bills = [
        BillEntry(
            report="usage", day=day(number), measures=Measures(cost=Decimal(amount)), amount=Decimal(amount)
        )
        for number, amount in ((1, 10), (2, 10), (3, 10), (4, 10))
    ]
    ledger = [
        LedgerEntry(day=day(number), model="grok-4", measures=replace(measures(1000), cost=Decimal(amount)))
        for number, amount in ((1, 10), (3, 20), (4, 13), (5, 6))
    ]
    states = [ReportDay(report="usage", day=day(number), is_final=number < 5) for number in range(1, 6)]
    outcome = reconcile(
        Facts(tenant="t", vendor="xai", bills=bills, ledger=ledger, days=states), today=TODAY, by=("day",)
    )
    assert {one.days[0].day: one.reason for one in outcome.findings} == {
        2: "not_metered",
        3: "counted_twice",
        4: "unexplained",
        5: "not_billed_yet",
    }
    assert outcome.tokens_coverage is None
    assert outcome.drift[0]["billed_tokens"] is None


def test_keys_that_only_a_detail_report_names() -> None:
    """The bill is by model; by key the same money is told again, and is not added."""
    bills = [
        BillEntry(
            report="by model",
            day=day(1),
            model="qwen-plus",
            measures=Measures(cost=Decimal(10)),
            amount=Decimal(10),
        ),
        *(
            BillEntry(
                report="by key",
                day=day(1),
                api_key=key,
                measures=Measures(cost=Decimal(5)),
                amount=Decimal(5),
                is_detail=True,
            )
            for key in ("checkout", "shadow")
        ),
    ]
    ledger = [
        LedgerEntry(
            day=day(1),
            model="qwen-plus",
            api_key="checkout",
            measures=replace(measures(1000), cost=Decimal(5)),
        )
    ]
    states = [ReportDay(report="by model", day=day(1), is_final=True)]
    outcome = reconcile(
        Facts(tenant="t", vendor="alibaba", bills=bills, ledger=ledger, days=states),
        today=TODAY,
        by=("api_key",),
    )
    assert outcome.billed_usd == 10
    assert any(one.reason == "not_metered" and one.api_key == "shadow" for one in outcome.findings)
    assert {row["api_key"]: row["cost_drift_usd"] for row in outcome.drift} == {"shadow": -5, "checkout": 0}


def test_a_vendor_without_bills_and_one_without_calls() -> None:
    month = Month()
    facts = month.facts()
    outcome = reconcile(replace(facts, bills=[], days=[]), today=TODAY)
    assert (outcome.has_bills, outcome.findings, outcome.tokens_coverage) == (False, (), None)
    outcome = reconcile(replace(facts, ledger=[]), today=TODAY)
    assert outcome.tokens_coverage == 0
    assert {one.reason for one in outcome.findings} == {"not_metered"}


def test_bills_are_compared_by_what_they_can_be() -> None:
    with pytest.raises(WrongCall, match="'team'"):
        reconcile(Month().facts(), today=TODAY, by=("team",))


@given(
    st.lists(st.tuples(st.integers(1, 10), st.sampled_from(["a", "b"]), st.integers(0, 10**6)), max_size=15)
)
def test_whatever_the_sides_say_there_is_an_outcome(entries: list[tuple[int, str, int]]) -> None:
    month = Month(0)
    for number, model, tokens in entries:
        month.both(number, model, "k", tokens)
        if tokens % 3 == 0:
            month.ledger.pop((number, model, "k"), None)
        if tokens % 5 == 0:
            month.usage.pop((number, model, "k"), None)
    outcome = month.outcome("day", "model", "api_key")
    assert {one.reason for one in outcome.findings} <= {*REASONS}
    for share in (outcome.tokens_coverage, outcome.cost_coverage):
        assert share is None or 0 <= share <= 1
    assert (
        sum(row["tokens_drift"] or 0 for row in outcome.drift)
        == (outcome.metered_tokens - outcome.billed_tokens if outcome.billed_tokens else 0)
        or not outcome.billed_tokens
    )
