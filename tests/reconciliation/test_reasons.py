"""Each reason by itself: both sides agree but for one thing, and that one thing is named."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from sinks.reconciliation.findings import REASONS, Finding
from sinks.reconciliation.measures import Measures
from sinks.reconciliation.sides import BillEntry, ReportDay
from tests.reconciliation.building import Month, day, measures


def only(month: Month, reason: str) -> Finding:
    """The one finding that there is, of this reason."""
    findings = month.findings()
    assert [one.reason for one in findings] == [reason], findings
    return findings[0]


def test_sides_that_agree_have_nothing_to_tell() -> None:
    outcome = Month().outcome()
    assert outcome.findings == ()
    assert (outcome.tokens_coverage, outcome.cost_coverage) == (1, 1)
    assert outcome.billed_usd == outcome.metered_usd > 0
    assert all(row["tokens_drift"] == 0 and row["cost_drift_usd"] == 0 for row in outcome.drift)


def test_a_key_that_nobody_meters() -> None:
    month = Month()
    for number in range(3, 11):
        month.both(number, "gpt-4o", "batch-jobs", 50_000)
        del month.ledger[number, "gpt-4o", "batch-jobs"]
        month.usage[number, "gpt-4o", "batch-jobs"] = replace(
            month.usage[number, "gpt-4o", "batch-jobs"], project="research"
        )
    found = only(month, "not_metered")
    assert (found.api_key, found.model, found.days) == ("batch-jobs", "", tuple(day(n) for n in range(3, 11)))
    assert found.tokens == -8 * 55_000
    assert found.cost_usd == -8 * Decimal("0.5")
    assert found.evidence["projects"] == ["research"]
    outcome = month.outcome("api_key")
    assert outcome.tokens_coverage is not None
    assert outcome.tokens_coverage < 1
    assert outcome.drift[0]["api_key"] == "batch-jobs"


def test_a_model_that_nobody_meters_and_days_that_nobody_metered() -> None:
    month = Month()
    for number in (1, 2):
        month.both(number, "o3", "search", 9_000)
        del month.ledger[number, "o3", "search"]
    assert only(month, "not_metered").model == "o3"
    month = Month()
    for number in (4, 5, 6):
        del month.ledger[number, "gpt-4o", "search"]
    found = only(month, "not_metered")
    assert (found.model, found.api_key, found.days) == ("gpt-4o", "search", (day(4), day(5), day(6)))


def test_what_is_metered_and_not_billed_yet() -> None:
    month = Month()
    month.states[-2:] = [replace(one, is_final=False) for one in month.states[-2:]]
    for model in ("gpt-4o", "gpt-4o-mini"):
        for key in ("checkout", "search"):
            entry = month.usage[10, model, key]
            month.usage[10, model, key] = replace(entry, measures=measures(60_000))
            del month.costs[10, model, key]
    month.both(11, "gpt-4o", "search", 80_000)
    del month.usage[11, "gpt-4o", "search"]
    del month.costs[11, "gpt-4o", "search"]
    found = month.findings()
    assert {one.reason for one in found} == {"not_billed_yet"}
    assert {one for finding in found for one in finding.days} == {day(10), day(11)}


def test_what_is_metered_and_final_and_not_billed() -> None:
    month = Month()
    for number in (2, 3):
        del month.usage[number, "gpt-4o", "search"]
        del month.costs[number, "gpt-4o", "search"]
    found = only(month, "not_in_bill")
    assert (found.model, found.api_key, found.days) == ("gpt-4o", "search", (day(2), day(3)))
    assert "another account" in found.sentence


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        ("0.5", "batch"),
        ("1.25", "cache"),
        ("2", "one-hour"),
        ("1.75", "priority"),
        ("1.1", "regional"),
        ("0.77", "contract"),
    ],
)
def test_tokens_agree_and_the_price_does_not(factor: str, words: str) -> None:
    month = Month()
    for number in (5, 6, 7):
        month.charge(number, "gpt-4o", "search", Decimal(factor))
    found = only(month, "price_difference")
    assert (found.model, found.api_key, found.days) == ("gpt-4o", "search", (day(5), day(6), day(7)))
    assert found.evidence["bill_over_ledger"] == Decimal(factor)
    assert words in found.sentence


def test_the_same_share_less_for_every_model_is_a_discount() -> None:
    month = Month()
    for number, model, key in month.costs:
        month.charge(number, model, key, Decimal("0.85"))
    found = only(month, "discount")
    assert found.evidence["bill_over_ledger"] == Decimal("0.85")
    assert len(found.days) == 10


def test_days_that_begin_at_another_time() -> None:
    month = Month()
    for model in ("gpt-4o", "gpt-4o-mini"):
        for key in ("checkout", "search"):
            moved = 20_000
            tokens = month.ledger[4, model, key].measures.input_tokens or 0
            following = month.ledger[5, model, key].measures.input_tokens or 0
            month.meter(4, model, key, input_tokens=tokens - moved)
            month.meter(5, model, key, input_tokens=following + moved)
    found = month.findings()
    assert {one.reason for one in found} == {"day_shift"}
    assert {one.days for one in found} == {(day(4), day(5))}
    assert {one.evidence["moved_tokens"] for one in found} == {20_000}


def test_a_whole_month_in_another_zone() -> None:
    """Each day a third of the day before: hardly a day agrees, and the month does."""
    month = Month(30)
    for model in ("gpt-4o", "gpt-4o-mini"):
        for key in ("checkout", "search"):
            counts = [month.ledger[n, model, key].measures.input_tokens or 0 for n in range(1, 31)]
            for number in range(1, 31):
                before = counts[number - 2] if number > 1 else counts[29]
                shifted = counts[number - 1] - counts[number - 1] // 3 + before // 3
                month.meter(number, model, key, input_tokens=shifted)
    assert {one.reason for one in month.findings()} == {"day_shift"}


@pytest.mark.parametrize("times", [2, 3])
def test_calls_that_count_several_times(times: int) -> None:
    month = Month()
    for number in (3, 4):
        entry = month.ledger[number, "gpt-4o-mini", "checkout"].measures
        month.meter(
            number,
            "gpt-4o-mini",
            "checkout",
            input_tokens=(entry.input_tokens or 0) * times,
            output_tokens=(entry.output_tokens or 0) * times,
            cost=(entry.cost or 0) * times,
        )
    found = only(month, "counted_twice")
    assert (found.evidence["times"], found.days) == (times, (day(3), day(4)))


@pytest.mark.parametrize(("sign", "reason"), [(1, "cache_counted_twice"), (-1, "cache_left_out")])
def test_cached_tokens_counted_twice_or_not_at_all(sign: int, reason: str) -> None:
    month = Month()
    for number in (6, 7, 8):
        month.both(number, "gpt-4o", "search", 200_000 + number, cached=64_000 + number)
        month.meter(number, "gpt-4o", "search", input_tokens=200_000 + number + sign * (64_000 + number))
    found = only(month, reason)
    assert found.days == (day(6), day(7), day(8))
    assert found.evidence["cached_tokens"] == "read"


def test_services_that_are_no_calls() -> None:
    month = Month()
    for number in (1, 2, 9):
        month.lines.append(
            BillEntry(
                report="costs",
                day=day(number),
                line_item="Web search calls",
                measures=Measures(cost=Decimal(3)),
                amount=Decimal(3),
            )
        )
    found = only(month, "outside_ledger")
    assert (found.cost_usd, found.days) == (-9, (day(1), day(2), day(9)))
    outcome = month.outcome()
    assert outcome.tokens_coverage == 1
    assert outcome.cost_coverage is not None
    assert outcome.cost_coverage < 1


def test_credits_and_what_is_free() -> None:
    month = Month()
    month.lines.append(
        BillEntry(
            report="costs",
            day=day(1),
            line_item="Promotional credit",
            measures=Measures(cost=Decimal(-5)),
            amount=Decimal(-5),
        )
    )
    found = only(month, "free_credits")
    assert (found.cost_usd, found.evidence) == (5, {"line_item": "Promotional credit"})
    month = Month()
    month.charge(2, "gpt-4o", "search", Decimal(0))
    found = only(month, "free_credits")
    assert (found.model, found.days) == ("gpt-4o", (day(2),))


def test_a_day_that_was_restated() -> None:
    month = Month()
    total = sum(
        (one.measures.cost or Decimal(0) for one in month.costs.values() if one.day == day(3)), Decimal(0)
    )
    month.states = [
        replace(one, amount=total) if (one.report, one.day) == ("costs", day(3)) else one
        for one in month.states
    ]
    month.states.append(
        ReportDay(report="costs", day=day(3), is_final=True, is_former=True, amount=total / 2)
    )
    found = only(month, "restated_day")
    assert found.days == (day(3),)
    assert found.evidence["ledger_agrees_with"] == "now"
    assert (found.evidence["amount_before_usd"], found.evidence["amount_now_usd"]) == (total / 2, total)


def test_keys_that_nobody_labelled() -> None:
    month = Month()
    month.ledger = {
        place: replace(entry, api_key=f"service {entry.api_key}") for place, entry in month.ledger.items()
    }
    found = only(month, "keys_not_labelled")
    assert found.evidence == {
        "billed_keys": ["checkout", "search"],
        "metered_keys": ["service checkout", "service search"],
    }
    assert month.outcome("api_key").drift == ()


def test_a_key_that_callers_do_not_state() -> None:
    month = Month()
    for number in range(1, 11):
        month.both(number, "gpt-4o", "reports", 30_000 + number)
        entry = month.ledger.pop((number, "gpt-4o", "reports"))
        month.ledger[number, "gpt-4o", ""] = replace(entry, api_key="")
    found = only(month, "key_alias")
    assert (found.api_key, found.evidence["metered_as"]) == ("reports", "")


def test_a_day_that_was_read_before_it_was_final_is_not_restated() -> None:
    month = Month()
    month.states.append(
        ReportDay(report="costs", day=day(3), is_final=False, is_former=True, amount=Decimal(1))
    )
    assert month.findings() == []


def test_a_model_under_two_names() -> None:
    month = Month()
    for number in range(1, 11):
        month.both(number, "chatgpt-4o", "search", 30_000 + number)
        entry = month.ledger.pop((number, "chatgpt-4o", "search"))
        month.ledger[number, "my-deployment", "search"] = replace(entry, model="my-deployment")
    found = only(month, "model_alias")
    assert (found.model, found.evidence["metered_as"]) == ("chatgpt-4o", "my-deployment")


def test_calls_without_a_price() -> None:
    month = Month()
    for number in (1, 2):
        entry = month.ledger[number, "gpt-4o", "search"]
        month.ledger[number, "gpt-4o", "search"] = replace(
            entry, measures=replace(entry.measures, cost=None), unpriced_calls=10
        )
    found = only(month, "unpriced")
    assert (found.model, found.evidence["unpriced_calls"]) == ("gpt-4o", 20)


def test_amounts_without_a_rate_and_lines_that_were_refused() -> None:
    month = Month()
    month.lines.append(
        BillEntry(report="costs", day=day(1), line_item="x", amount=Decimal(7), currency="CNY")
    )
    found = only(month, "no_exchange_rate")
    assert found.evidence == {"currency": "CNY", "amount": 7}
    month = Month()
    month.states[0] = replace(month.states[0], refused_lines=4)
    assert only(month, "bill_incomplete").evidence["refused_lines"] == 4


def test_what_no_rule_explains_is_said_to_be_unexplained() -> None:
    month = Month()
    entry = month.ledger[5, "gpt-4o", "search"].measures
    month.meter(5, "gpt-4o", "search", input_tokens=round((entry.input_tokens or 0) * 1.37))
    found = only(month, "unexplained")
    assert found.days == (day(5),)


def test_small_differences_are_none() -> None:
    month = Month()
    for place in list(month.ledger):
        entry = month.ledger[place].measures
        month.meter(*place, input_tokens=round((entry.input_tokens or 0) * 1.003))
    assert month.findings() == []


def test_every_reason_has_a_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [reason for reason in REASONS if f'"{reason}"' not in text] == []
