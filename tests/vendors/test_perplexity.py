"""Perplexity's answers: costs with the fee of a request, deep research, the Responses interface, streams."""

from decimal import Decimal
from typing import Any

import pytest

from producers.vendors import guess_vendor, read_calls
from tests.vendors.hosts import CANARY, CONTEXT, chunk, completion, cost, counted, merged, read
from tokenweir.errors import RejectedInput

COST = {
    "input_tokens_cost": 1.2e-05,
    "output_tokens_cost": 9.8e-05,
    "request_cost": 0.005,
    "total_cost": 0.00511,
}
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 98,
    "total_tokens": 110,
    "search_context_size": "low",
    "cost": COST,
}
RESEARCH = {
    "prompt_tokens": 10,
    "completion_tokens": 20,
    "total_tokens": 30,
    "citation_tokens": 30,
    "num_search_queries": 40,
    "reasoning_tokens": 50,
}
RESPONSE = {
    "input_tokens": 100,
    "output_tokens": 50,
    "total_tokens": 150,
    "input_tokens_details": {"cache_creation_input_tokens": 20, "cache_read_input_tokens": 30},
    "tool_calls_details": {"web_search": {"invocation": 2}},
    "cost": {"currency": "USD", "input_cost": 0.0001, "tool_calls_cost": 0.01, "total_cost": 0.0103},
}


@pytest.mark.parametrize("surface", [None, "chat_completions", "chat"])
def test_the_cost_includes_the_fee_of_the_request_and_its_size_is_a_tag(surface: str | None) -> None:
    event = read(
        "perplexity", completion(USAGE, citations=[CANARY], search_results=[{"title": CANARY}]), surface
    )
    assert counted(event) == {"input_tokens": 12, "output_tokens": 98}
    assert cost(event) == (Decimal("0.00511"), "USD")
    assert event.tags == {"search_context_size": "low"}


@pytest.mark.parametrize("surface", [None, "deep_research", "chat_completions"])
def test_deep_research_bills_reasoning_citations_and_searches_beside_the_completion(
    surface: str | None,
) -> None:
    event = read("perplexity", {"model": "sonar-deep-research", "usage": RESEARCH}, surface)
    assert counted(event) == {
        "input_tokens": 10,
        "output_tokens": 100,
        "reasoning_tokens": 50,
        "citation_tokens": 30,
        "web_searches": 40,
    }
    assert not event.tags


def test_early_answers_state_no_cost() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 336, "total_tokens": 346}
    event = read("perplexity", {"model": "sonar", "usage": usage})
    assert (cost(event), event.tags) == ((None, ""), {})


@pytest.mark.parametrize("body", [{"model": "m", "usage": RESPONSE}, RESPONSE])
@pytest.mark.parametrize("surface", [None, "responses"])
def test_responses_have_the_cache_inside_and_searches_by_their_invocations(
    body: dict[str, Any], surface: str | None
) -> None:
    event = read("perplexity", body, surface)
    assert counted(event) == {
        "input_tokens": 100,
        "cache_read_tokens": 30,
        "cache_write_tokens": 20,
        "output_tokens": 50,
        "web_searches": 2,
    }
    assert cost(event) == (Decimal("0.0103"), "USD")


def test_the_total_tells_whether_the_cache_of_a_response_stands_beside_the_input() -> None:
    event = read("perplexity", {"usage": {**RESPONSE, "total_tokens": 200}})
    assert (event.input_tokens, event.cache_read_tokens, event.cache_write_tokens) == (150, 30, 20)
    assert not event.tags


def test_embeddings_state_their_cost() -> None:
    usage = {"prompt_tokens": 9, "total_tokens": 9, "cost": {"total_cost": 0.000001, "currency": "USD"}}
    event = read("perplexity", {"model": "pplx-embed-v1", "usage": usage})
    assert (event.operation, event.input_tokens, event.reported_cost) == ("embedding", 9, Decimal("0.000001"))


def test_every_chunk_states_the_counts_so_far_and_the_last_one_holds() -> None:
    def told(done: int, **more: Any) -> dict[str, Any]:
        return {"prompt_tokens": 10, "completion_tokens": done, "total_tokens": 10 + done, **more}

    chunks = [chunk(told(done), citations=[CANARY]) for done in (1, 90, 300)]
    last = chunk(told(336, cost=COST), reason="stop", object="chat.completion.done")
    whole = merged("perplexity", [*chunks, last])
    assert (whole.output_tokens, whole.reported_cost, whole.status) == (336, Decimal("0.00511"), "ok")
    cut_off = merged("perplexity", chunks)
    assert (cut_off.output_tokens, cut_off.status, cut_off.error_code) == (300, "cancelled", "stream_cut_off")


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({**USAGE, "cost": {"total_cost": CANARY}}, "usage.cost.total_cost"),
        ({**USAGE, "cost": {"total_cost": 1, "currency": 7}}, "usage.cost.currency"),
        ({**RESEARCH, "citation_tokens": -1}, "usage.citation_tokens"),
        ({**RESEARCH, "num_search_queries": "40"}, "usage.num_search_queries"),
    ],
)
def test_a_wrong_figure_is_refused_by_its_field(usage: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read_calls("perplexity", {"model": "sonar", "usage": usage}, context=CONTEXT)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


def test_a_size_that_is_no_word_is_left_out() -> None:
    assert not read("perplexity", {"usage": {**USAGE, "search_context_size": CANARY}}).tags


def test_perplexity_is_told_by_its_costs_or_models() -> None:
    assert guess_vendor({"usage": USAGE}) == "perplexity"
    assert guess_vendor({"model": "sonar-deep-research", "usage": RESEARCH}) == "perplexity"
