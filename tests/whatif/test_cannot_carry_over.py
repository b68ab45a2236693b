"""What cannot carry over is left out of both sides, with the reason, and never counted as nothing."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.whatif.making import BOOK, CUT, DAY, NOW, ask, call, candidate, left_out, only
from tokenweir.catalog import Successor

FITTING = call(0, input_tokens=1_000, output_tokens=100)


@pytest.mark.parametrize(
    ("code", "detail", "fields", "model", "facts"),
    [
        (
            "context_too_short",
            "2,000 tokens of input",
            {"input_tokens": 2_001},
            "cheap",
            {"max_input_tokens": 2_000},
        ),
        (
            "context_too_short",
            "2,000 tokens of input and output",
            {"input_tokens": 1_500, "output_tokens": 501},
            "cheap",
            {"context_tokens": 2_000},
        ),
        (
            "output_too_long",
            "200 tokens of output",
            {"input_tokens": 1, "output_tokens": 201},
            "cheap",
            {"max_output_tokens": 200},
        ),
        (
            "modality_not_taken",
            "image; it takes text",
            {"input_tokens": 100, "input_image_tokens": 50},
            "cheap",
            {"input": ("text",)},
        ),
        (
            "modality_not_taken",
            "audio; it gives text",
            {"output_tokens": 100, "output_audio_tokens": 50},
            "cheap",
            {"output": ("text",)},
        ),
        (
            "modality_not_taken",
            "video; it takes image, text",
            {"input_tokens": 100, "units": {"input_video_tokens": Decimal(50)}},
            "cheap",
            {"input": ("image", "text")},
        ),
        (
            "operation_not_offered",
            "embedding; it does chat",
            {"operation": "embedding", "input_tokens": 100},
            "cheap",
            {"operations": ("chat",)},
        ),
        ("tier_not_offered", "batch", {"service_tier": "batch", "input_tokens": 100}, "cheap", {}),
        (
            "not_covered",
            "web_searches",
            {"input_tokens": 100, "units": {"web_searches": Decimal(2)}},
            "cheap",
            {},
        ),
    ],
)
def test_some_calls(
    code: str, detail: str, fields: dict[str, Any], model: str, facts: dict[str, Any]
) -> None:
    choice = only(ask([FITTING, call(1, **fields)], candidate(model, **facts)))
    ((reason, one),) = choice.total.left_out.items()
    assert (reason.code, one.calls) == (code, 1)
    billed = BOOK.price(call(1, **fields)).cost_picos
    assert (one.billed_calls, one.billed_picos) == ((0, 0) if billed is None else (1, billed))
    assert detail in reason.detail
    total = choice.total
    assert (total.calls, total.billed.calls, total.same_prices.calls) == (1, 1, 1)
    # The one that fits, on each side: $0.00045 less a tenth, $0.003 at the same prices, $0.006 as billed.
    assert (total.cost_picos, total.same_prices.before_picos, total.billed.before_picos) == (
        405_000_000,
        3_000_000_000,
        6_000_000_000,
    )
    assert any("over 1 of 2 calls" in note for note in choice.notes)


@pytest.mark.parametrize(
    ("code", "model", "facts"),
    [
        ("retired", "cheap", {"retires_on": date(2026, 11, 26)}),
        ("no_exchange_rate", "foreign", {}),
        ("no_price", "unheard-of", {}),
        ("region_not_offered", "regional", {"region": "us-east-1"}),
    ],
)
def test_all_calls(code: str, model: str, facts: dict[str, Any]) -> None:
    answer = ask([FITTING], candidate(model, **facts))
    choice = only(answer)
    assert left_out(choice) == {code: 1}
    figures = answer.figures(choice.total)
    assert [figures[name] for name in ("cost_usd", "billed_usd", "same_prices_usd", "savings_usd")] == [
        None
    ] * 4
    assert "none of 1 call can carry over" in choice.notes


def test_a_call_is_left_out_for_one_reason() -> None:
    long = call(1, input_tokens=5_000, input_audio_tokens=10, output_tokens=5_000, service_tier="batch")
    facts = {"max_input_tokens": 1_000, "max_output_tokens": 1_000, "input": ("text",)}
    assert left_out(only(ask([long], candidate("cheap", **facts)))) == {"modality_not_taken": 1}


def test_at_its_limit_a_call_fits() -> None:
    facts = {"max_input_tokens": 1_000, "context_tokens": 1_100, "max_output_tokens": 100}
    assert left_out(only(ask([FITTING], candidate("cheap", **facts)))) == {}
    beside_longer = [FITTING, call(1, input_tokens=1_001, output_tokens=1), call(2, output_tokens=101)]
    assert left_out(only(ask(beside_longer, candidate("cheap", **facts)))) == {
        "context_too_short": 1,
        "output_too_long": 1,
    }
    longer = candidate("cheap", tokens_factor=Decimal("1.001"), **facts)
    assert left_out(only(ask([FITTING], longer))) == {"context_too_short": 1}


def test_what_a_model_has_answered_itself_is_within_its_limits() -> None:
    facts: dict[str, Any] = {"max_input_tokens": 500, "input": ("text",), "operations": ("embedding",)}
    own = call(0, input_tokens=1_000, input_image_tokens=10, output_tokens=100)
    assert left_out(only(ask([own], candidate("old", "a", **facts)))) == {}
    ended = candidate("old", "a", retires_on=CUT.date(), **facts)
    assert left_out(only(ask([own], ended))) == {"retired": 1}
    assert left_out(only(ask([own], candidate("cheap", **facts)))) == {"operation_not_offered": 1}


def test_a_tier_that_is_not_offered_can_be_priced_as_standard() -> None:
    calls = [FITTING, call(1, service_tier="batch", input_tokens=1_000, output_tokens=100)]
    choice = only(ask(calls, candidate("cheap"), standard_instead=True))
    assert (choice.total.calls, choice.total.cost_picos, choice.total.at_standard) == (2, 810_000_000, 1)
    assert any("1 call is priced in the standard tier" in note for note in choice.notes)
    searching = call(
        2, service_tier="batch", input_tokens=1_000, units={"web_searches": Decimal(1)}, team="ads"
    )
    choice = only(ask([*calls, searching], candidate("cheap"), standard_instead=True))
    assert (choice.total.calls, choice.total.at_standard, left_out(choice)) == (2, 1, {"not_covered": 1})


def test_a_tier_that_is_offered_is_kept() -> None:
    calls = [call(0, service_tier="batch", input_tokens=1_000_000)]
    assert only(ask(calls, candidate("old", "a"))).total.cost_picos == 10**12


def test_where_it_would_be_called_can_be_named() -> None:
    calls = [call(0, region="us-east-1", input_tokens=1_000_000)]
    assert left_out(only(ask(calls, candidate("regional")))) == {"region_not_offered": 1}
    assert only(ask(calls, candidate("regional", region="eu-west-1"))).total.cost_picos == 10**12


def test_calls_without_a_cost_as_billed_are_priced_and_not_compared() -> None:
    """A private model: what it cost is not known, what it would cost is."""
    calls = [FITTING, call(1, model="private", input_tokens=1_000, output_tokens=100)]
    choice = only(ask(calls, candidate("cheap")))
    assert (choice.total.calls, choice.total.cost_picos) == (2, 810_000_000)
    assert (choice.total.billed.calls, choice.total.billed.after_picos) == (1, 405_000_000)
    assert any(
        "no cost as billed" in note and "over 1, which cost $0.000405" in note for note in choice.notes
    )


def test_an_old_model_without_a_price_now_is_compared_as_billed_alone() -> None:
    choice = only(ask([call(0, model="gone", input_tokens=1_000_000)], candidate("cheap")))
    assert (choice.total.billed.calls, choice.total.same_prices.calls) == (1, 0)
    assert choice.total.billed.before_picos == 10**12


def test_what_was_reported_with_a_call_is_no_price_of_another_model() -> None:
    reported = call(0, input_tokens=1_000, reported_cost=Decimal(5), reported_currency="USD")
    assert left_out(only(ask([reported], candidate("unheard-of")))) == {"no_price": 1}


def test_at_their_own_time_calls_before_the_end_of_a_model_carry_over() -> None:
    calls = [call(n, time=CUT + timedelta(days=n), input_tokens=1_000) for n in (-1, 0, 1)]
    ends = candidate("cheap", retires_on=CUT.date())
    assert left_out(only(ask(calls, ends, at=None))) == {"retired": 2}
    assert left_out(only(ask(calls, ends, at=DAY))) == {}


def test_notes_tell_of_the_end_and_the_successor() -> None:
    facts: dict[str, Any] = {"retires_on": date(2027, 2, 1), "successors": (Successor("b", "newer"),)}
    assert (
        "it retires on 2027-02-01; its successor is newer"
        in only(ask([FITTING], candidate("cheap", **facts))).notes
    )
    assert "it retires on 2027-02-01; no source names a successor" in (
        only(ask([FITTING], candidate("cheap", retires_on=date(2027, 2, 1)))).notes
    )


def test_notes_tell_of_what_was_not_checked() -> None:
    assert any("not checked" in note for note in only(ask([FITTING], candidate("cheap"))).notes)
    facts: dict[str, Any] = {
        "context_tokens": 10_000,
        "max_output_tokens": 1_000,
        "operations": ("chat",),
        "input": ("text",),
        "output": ("text",),
    }
    assert not any("not checked" in note for note in only(ask([FITTING], candidate("cheap", **facts))).notes)


def test_notes_tell_of_reasoning_and_of_no_cache() -> None:
    calls = [call(0, input_tokens=100, cache_read_tokens=50, output_tokens=100, reasoning_tokens=60)]
    notes = only(ask(calls, candidate("no-cache", cannot=("reasoning", "cache")), at=NOW)).notes
    assert any("it does not reason: what 1 call reasoned" in note for note in notes)
    assert any("it offers no cache: 50 cached tokens" in note for note in notes)
