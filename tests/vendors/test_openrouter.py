"""OpenRouter's answers: costs, keys of one's own, caches of every vendor, server tools, generation records."""

from decimal import Decimal
from typing import Any

import pytest

from producers.vendors import AnswerContext, guess_vendor, read_answer, read_calls
from tests.vendors.hosts import CANARY, CONTEXT, NOW, chunk, completion, cost, counted, merged, read
from tokenweir.errors import RejectedInput

USAGE = {
    "prompt_tokens": 31,
    "completion_tokens": 80,
    "total_tokens": 111,
    "cost": 0.00216775,
    "is_byok": False,
    "cost_details": {"upstream_inference_cost": None, "upstream_inference_prompt_cost": 7.75e-06},
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 64, "image_tokens": 0},
}
GENERATION = {
    "id": "gen-1",
    "created_at": "2026-10-01T00:00:00+00:00",
    "model": "anthropic/claude-sonnet-5",
    "is_byok": False,
    "streamed": True,
    "latency": 1250,
    "generation_time": 1200,
    "tokens_prompt": 10,
    "tokens_completion": 25,
    "native_tokens_prompt": 12,
    "native_tokens_completion": 26,
    "native_tokens_reasoning": 5,
    "native_tokens_cached": 3,
    "native_tokens_completion_images": 0,
    "num_search_results": 5,
    "num_fetches": 0,
    "total_cost": 0.0015,
    "usage": 0.0015,
    "cache_discount": -0.0002,
    "upstream_inference_cost": 0.0012,
    "data_region": "global",
    "finish_reason": "stop",
}


@pytest.mark.parametrize("surface", [None, "chat_completions", "chat"])
def test_the_cost_is_what_is_charged_fees_included(surface: str | None) -> None:
    event = read("openrouter", completion(USAGE, id="gen-9"), surface)
    assert counted(event) == {"input_tokens": 31, "output_tokens": 80, "reasoning_tokens": 64}
    assert cost(event) == (Decimal("0.00216775"), "USD")
    assert (event.id, event.tags) == ("openrouter:gen-9", {})


def test_a_cost_is_exact_to_the_digit_that_was_written() -> None:
    event = read("openrouter", completion({**USAGE, "cost": 4.1400000000000003e-05}))
    assert event.reported_cost == Decimal("0.000041400000000000003")


def test_with_a_key_of_ones_own_the_vendors_bill_is_not_added_and_a_tag_says_so() -> None:
    details = {"upstream_inference_cost": 0.01905}
    event = read(
        "openrouter", completion({**USAGE, "cost": 0.0001, "is_byok": True, "cost_details": details})
    )
    assert cost(event) == (Decimal("0.0001"), "USD")
    assert event.tags == {"is_byok": "true"}
    context = AnswerContext(source="test", now=NOW, fields={"tags": {"team": "a"}})
    both = read_answer("openrouter", {"usage": {**USAGE, "is_byok": True}}, context=context)
    assert both.tags == {"is_byok": "true", "team": "a"}


def test_written_cache_is_inside_the_prompt_for_anthropics_models_too() -> None:
    usage = {
        "prompt_tokens": 3214,
        "completion_tokens": 100,
        "total_tokens": 3314,
        "prompt_tokens_details": {"cache_write_tokens": 3211, "cached_tokens": 2},
    }
    assert counted(read("openrouter", {"model": "anthropic/claude-4.6-sonnet", "usage": usage})) == {
        "input_tokens": 3214,
        "cache_read_tokens": 2,
        "cache_write_tokens": 3211,
        "output_tokens": 100,
    }


@pytest.mark.parametrize(
    ("tools", "units"),
    [
        (
            {"server_tool_use_details": {"tool_calls_executed": 1, "tool_calls_requested": 2}},
            {"server_tool_calls": 1},
        ),
        ({"server_tool_use": {"tool_calls_executed": 3, "web_search_requests": 3}}, {"web_searches": 3}),
        (
            {"server_tool_use": {"tool_calls_executed": 3, "web_search_requests": 1}},
            {"web_searches": 1, "server_tool_calls": 2},
        ),
        ({"server_tool_use": {"tool_calls_executed": None, "web_search_requests": 2}}, {"web_searches": 2}),
        ({"server_tool_use": None}, {}),
    ],
)
def test_calls_of_server_tools_are_units_and_a_search_is_one_once(
    tools: dict[str, Any], units: dict[str, int]
) -> None:
    assert read("openrouter", {"usage": {**USAGE, **tools}}).units == units


def test_responses_and_messages_state_their_cost_too() -> None:
    response = {
        "input_tokens": 4020,
        "input_tokens_details": {"cache_write_tokens": 4012},
        "output_tokens": 5,
    }
    event = read("openrouter", {"usage": {**response, "total_tokens": 4025, "cost": 0.025265}})
    assert counted(event) == {"input_tokens": 4020, "cache_write_tokens": 4012, "output_tokens": 5}
    assert cost(event) == (Decimal("0.025265"), "USD")
    message = {"input_tokens": 3, "cache_read_input_tokens": 10, "output_tokens": 5, "cost": 0.5}
    event = read("openrouter", {"type": "message", "content": [{"text": CANARY}], "usage": message})
    assert (event.input_tokens, event.reported_cost) == (13, Decimal("0.5"))


@pytest.mark.parametrize("body", [{"data": GENERATION}, GENERATION])
@pytest.mark.parametrize("surface", [None, "generation"])
def test_a_generation_is_counted_by_its_native_tokens_under_the_calls_own_id(
    body: dict[str, Any], surface: str | None
) -> None:
    event = read("openrouter", body, surface)
    assert counted(event) == {
        "input_tokens": 12,
        "cache_read_tokens": 3,
        "output_tokens": 26,
        "reasoning_tokens": 5,
        "web_search_results": 5,
    }
    assert event.id == read("openrouter", completion(USAGE, id="gen-1")).id == "openrouter:gen-1"
    assert (event.model, event.duration_ms, event.streaming) == ("anthropic/claude-sonnet-5", 1250, True)
    assert (event.time.isoformat(), event.region) == ("2026-10-01T00:00:00+00:00", "")
    assert cost(event) == (Decimal("0.0015"), "USD")


def test_a_generation_that_was_cancelled_or_had_a_key_of_its_own_is_told() -> None:
    record = {**GENERATION, "cancelled": True, "is_byok": True, "total_cost": 0, "data_region": "eu"}
    event = read("openrouter", {"data": record})
    assert (event.status, event.tags, event.region) == ("cancelled", {"is_byok": "true"}, "eu")
    assert event.reported_cost == 0


def test_a_generation_without_native_counts_has_the_common_ones() -> None:
    record = {**GENERATION, "native_tokens_prompt": None, "native_tokens_completion": None}
    record |= {"native_tokens_cached": None, "native_tokens_reasoning": None}
    assert counted(read("openrouter", {"data": record}, "generation"))["output_tokens"] == 25


def test_an_error_within_a_stream_ends_it() -> None:
    error = {"code": 429, "message": CANARY, "metadata": {"raw": CANARY}}
    chunks = [chunk(), chunk(USAGE), {"error": error, "choices": [{"finish_reason": "error", "delta": {}}]}]
    event = merged("openrouter", chunks)
    assert (event.status, event.error_code, event.output_tokens) == ("rate_limited", "429", 80)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"usage": {**USAGE, "cost": CANARY}}, "usage.cost"),
        ({"usage": {**USAGE, "cost": -1}}, "usage.cost"),
        ({"usage": {**USAGE, "server_tool_use": [CANARY]}}, "usage.server_tool_use"),
        ({"data": {**GENERATION, "native_tokens_prompt": CANARY}}, "data.native_tokens_prompt"),
        ({"data": {**GENERATION, "created_at": CANARY}}, "data.created_at"),
    ],
)
def test_a_wrong_figure_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read_calls("openrouter", body, context=CONTEXT)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


def test_openrouter_is_told_by_its_ids_and_costs() -> None:
    assert guess_vendor(completion({"prompt_tokens": 1, "completion_tokens": 1}, id="gen-17")) == "openrouter"
    assert guess_vendor({"data": GENERATION}) == "openrouter"
    assert guess_vendor({"model": "z-ai/glm-4.6", "usage": USAGE}) == "openrouter"
