"""Figures worked out by hand: a candidate's cost, both comparisons, savings, and what each is over."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.whatif.making import CUT, DAY, NOW, ask, call, candidate, left_out, only

CALLS = [
    # $4.00 for a million in, $2.00 for a tenth of one out: $6.00 as billed; $3.00 since the cut.
    call(1, team="search", input_tokens=1_000_000, output_tokens=100_000),
    # Half of its million was cached: $2.00 + $0.50 + $2.00 = $4.50 as billed; $2.25 since the cut.
    call(2, team="ads", input_tokens=1_000_000, cache_read_tokens=500_000, output_tokens=100_000),
]


def test_list_cost_contract_and_both_comparisons() -> None:
    choice = only(ask(CALLS, candidate("cheap"), since=DAY, until=DAY + timedelta(days=2)))
    # Search: $0.25 + $0.20 = $0.45. Ads: $0.125 + $0.0125 + $0.20 = $0.3375. A tenth off by contract.
    assert choice.total.list_cost_picos == 787_500_000_000
    assert choice.total.cost_picos == 708_750_000_000
    billed, same = choice.total.billed, choice.total.same_prices
    assert (billed.calls, billed.before_picos, billed.after_picos) == (2, 10_500_000_000_000, 708_750_000_000)
    assert (same.calls, same.before_picos, same.after_picos) == (2, 5_250_000_000_000, 708_750_000_000)


def test_savings_in_usd_percent_and_a_day() -> None:
    answer = ask(CALLS, candidate("cheap"), since=DAY, until=DAY + timedelta(days=2))
    figures = answer.figures(only(answer).total)
    assert figures == {
        "calls": 2,
        "left_out_calls": 0,
        "billed_usd": Decimal("10.5"),
        "same_prices_usd": Decimal("5.25"),
        "cost_usd": Decimal("0.70875"),
        "list_cost_usd": Decimal("0.7875"),
        "savings_usd": Decimal("4.54125"),
        "savings_percent": Decimal("86.5"),
        "savings_usd_per_day": Decimal("2.270625"),
    }
    fields = answer.fields()["candidates"][0]
    assert fields["compared_with_billed"]["savings_usd"] == Decimal("9.79125")
    assert fields["compared_with_billed"]["savings_percent"] == Decimal("93.25")


def test_a_dearer_candidate_saves_less_than_nothing() -> None:
    answer = ask(CALLS, candidate("old", "a"), candidate("tiered"))
    by_name = {choice.candidate.name: answer.figures(choice.total) for choice in answer.choices}
    assert by_name["a/old"]["savings_usd"] == 0
    # $2.00 + $1.50 since the call is long, $1.00 + $0.10 + $1.50.
    assert by_name["b/tiered"]["cost_usd"] == Decimal("6.1")
    assert by_name["b/tiered"]["savings_usd"] == Decimal("-0.85")
    assert by_name["b/tiered"]["savings_percent"] == Decimal("-16.19")


def test_at_another_time_and_at_each_calls_own() -> None:
    calls = [call(1, input_tokens=1_000_000), call(2, time=CUT, input_tokens=1_000_000)]
    before = only(ask(calls, candidate("old", "a"), at=DAY)).total
    assert (before.cost_picos, before.same_prices.before_picos) == (8 * 10**12, 8 * 10**12)
    own = only(ask(calls, candidate("old", "a"), at=None)).total
    assert (own.cost_picos, own.billed.before_picos) == (6 * 10**12, 6 * 10**12)


def test_an_exchange_rate_is_used() -> None:
    choice = only(ask([call(input_tokens=1_000_000, output_tokens=100_000)], candidate("yuan")))
    assert choice.total.cost_picos == 1_680_000_000_000  # 12 yuan at 0.14


def test_a_price_by_the_hour_is_that_of_the_calls_own_hour() -> None:
    """Whatever hour it is now: three hours of the day and one of the night stay so."""
    hours = (2, 9, 15, 23)
    calls = [
        call(n, time=DAY + timedelta(hours=hour), input_tokens=1_000_000) for n, hour in enumerate(hours)
    ]
    for at in (NOW, NOW + timedelta(hours=15)):
        choice = only(ask(calls, candidate("nightly"), at=at))
        assert choice.total.cost_picos == 3_500_000_000_000


def test_a_price_by_tags_is_that_of_the_calls_own_tags() -> None:
    tagged = call(0, input_tokens=1_000_000, tags={"quality": "high"})
    assert (
        only(ask([tagged, call(1, input_tokens=1_000_000)], candidate("by-tag"))).total.cost_picos
        == 4 * 10**12
    )


def test_tokens_of_another_tokenizer() -> None:
    calls = [call(input_tokens=1_000_000, output_tokens=100_000)]
    choice = only(ask(calls, candidate("no-cache", tokens_factor=Decimal("1.15"))))
    assert choice.total.cost_picos == 747_500_000_000  # 1,150,000 at $0.50 and 115,000 at $1.50
    assert choice.notes[0] == "assumes 1.15 tokens for each of theirs, rounded call by call"
    assert "assumes the same token counts" in only(ask(calls, candidate("no-cache"))).notes[0]


def test_factored_counts_are_rounded_and_still_fit() -> None:
    calls = [call(input_tokens=2, cache_read_tokens=1, cache_write_tokens=1, output_tokens=1)]
    counted = candidate("cheap", tokens_factor=Decimal("1.5")).counted(
        {name: [getattr(calls[0], name)] for name in type(calls[0]).model_fields}
    )
    assert (counted["input_tokens"], counted["cache_read_tokens"], counted["cache_write_tokens"]) == (
        [3],
        [1],
        [1],
    )
    assert counted["output_tokens"] == [2]


def test_cached_tokens_without_a_price_of_their_own_cost_as_input_and_it_says_how_much() -> None:
    choice = only(ask(CALLS, candidate("no-cache")))
    assert choice.total.cost_picos == 1_300_000_000_000
    assert any(
        "500,000 cached tokens of 1 call cost as input, $0.25 of the cost" in note for note in choice.notes
    ), choice.notes


def test_of_the_input_only_what_was_read_from_the_cache_counts_as_that() -> None:
    """Of 800 tokens that cost as input, beside 200 written ones, 400 were read: half of $0.0008."""
    calls = [call(input_tokens=1_000, cache_read_tokens=400, cache_write_tokens=200)]
    total = only(ask(calls, candidate("writes-only"))).total
    assert total.cost_picos == 1_050_000_000
    assert (total.as_input.tokens, total.as_input.cost_picos) == (400, 400_000_000)
    # An image among the input has it priced call by call.
    with_image = [
        call(input_tokens=1_000, cache_read_tokens=400, cache_write_tokens=200, input_image_tokens=100)
    ]
    assert only(ask(with_image, candidate("writes-only"))).total.as_input.cost_picos == 400_000_000


def test_where_a_cache_write_is_charged_and_none_is_stated_it_says_so() -> None:
    assert any("charges for writing" in note for note in only(ask(CALLS, candidate("writes"))).notes)
    written = [call(input_tokens=100, cache_read_tokens=10, cache_write_tokens=10)]
    assert not any("charges for writing" in note for note in only(ask(written, candidate("writes"))).notes)


def test_workloads_have_figures_of_their_own() -> None:
    answer = ask(CALLS, candidate("cheap"))
    assert [(key, tally.cost_picos) for key, tally in answer.ranked(only(answer))] == [
        (("default", "search"), 405_000_000_000),
        (("default", "ads"), 303_750_000_000),
    ]


def test_the_cheapest_comes_first_even_beside_one_that_can_take_less() -> None:
    answer = ask(
        [*CALLS, call(3, input_tokens=10_000, output_tokens=0)],
        candidate("tiered", context_tokens=20_000),
        candidate("no-cache"),
        candidate("cheap"),
        candidate("foreign"),
    )
    assert [choice.candidate.model for choice in answer.choices] == ["cheap", "no-cache", "tiered", "foreign"]
    assert left_out(answer.choices[2]) == {"context_too_short": 2}


def test_only_the_models_asked_for_are_looked_at() -> None:
    calls = [call(1, input_tokens=10), call(2, model="gone", input_tokens=10)]
    assert ask(calls, candidate("cheap"), models=[("a", "old")]).traffic.calls == 1
    assert ask(calls, candidate("cheap"), models=None).traffic.calls == 2


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (DAY, DAY + timedelta(days=7), "7"),
        (DAY, None, "3.5"),
        (None, DAY + timedelta(days=4, hours=12), "4"),
        (None, None, "3"),
        (DAY, NOW + timedelta(days=100), "24.5"),
        (DAY + timedelta(hours=12), DAY + timedelta(hours=13), "1"),
    ],
)
def test_days(since: object, until: object, days: str) -> None:
    """Up to now at most, as far as calls tell where nothing was named, and never less than one."""
    calls = [call(n, time=DAY + timedelta(hours=12, days=n), input_tokens=1) for n in (0, 3)]
    answer = ask(calls, candidate("cheap"), since=since, until=until)  # type: ignore[arg-type]
    assert answer.span.days == Decimal(days)


def test_no_calls() -> None:
    answer = ask([], candidate("cheap"))
    assert (answer.traffic.calls, only(answer).total.calls) == (0, 0)
    assert answer.figures(only(answer).total)["cost_usd"] is None
