"""xAI's answers: reasoning beside or inside, ticks, server-side tools, the native interface, voice, pictures."""

from decimal import Decimal
from typing import Any

import pytest

from producers.vendors import detect, guess_vendor, read_calls, read_stream
from tests.vendors.hosts import CANARY, CONTEXT, chunk, completion, cost, counted, merged, read
from tokenweir.errors import RejectedInput

CHAT = {
    "prompt_tokens": 12,
    "completion_tokens": 2,
    "total_tokens": 354,
    "prompt_tokens_details": {"text_tokens": 12, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 11},
    "completion_tokens_details": {"reasoning_tokens": 340, "audio_tokens": 0},
    "num_sources_used": 0,
    "cost_in_usd_ticks": 1721250,
}
RESPONSE = {
    "input_tokens": 1606,
    "input_tokens_details": {"cached_tokens": 1235},
    "output_tokens": 292,
    "output_tokens_details": {"reasoning_tokens": 190},
    "total_tokens": 1898,
    "num_sources_used": 0,
    "num_server_side_tools_used": 1,
}
TOOLS = {
    "web_search_calls": 2,
    "x_search_calls": 1,
    "code_interpreter_calls": 3,
    "file_search_calls": 4,
    "mcp_calls": 5,
    "document_search_calls": 6,
    "image_generation_calls": 0,
}
NATIVE = {
    "completion_tokens": 38,
    "prompt_tokens": 2332,
    "total_tokens": 2680,
    "prompt_text_tokens": 2332,
    "reasoning_tokens": 310,
    "cached_prompt_text_tokens": 1540,
    "server_side_tools_used": [
        "SERVER_SIDE_TOOL_WEB_SEARCH",
        "SERVER_SIDE_TOOL_WEB_SEARCH",
        "SERVER_SIDE_TOOL_X_SEARCH",
    ],
}
VOICE = {
    "input_tokens": 7,
    "input_token_details": {"text_tokens": 7, "audio_tokens": 0, "grok_tokens": 0},
    "output_tokens": 113,
    "output_token_details": {"text_tokens": 9, "audio_tokens": 104, "grok_tokens": 0},
    "total_tokens": 120,
    "output_audio_seconds": 2.081166666666667,
    "billable_audio_seconds": 1,
}


@pytest.mark.parametrize("surface", [None, "chat_completions", "chat"])
def test_reasoning_of_a_chat_completion_stands_beside_the_completion(surface: str | None) -> None:
    event = read("xai", {"model": "grok-3-mini", "usage": CHAT}, surface)
    assert counted(event) == {
        "input_tokens": 12,
        "cache_read_tokens": 11,
        "output_tokens": 342,
        "reasoning_tokens": 340,
    }
    assert not event.tags


def test_without_a_total_reasoning_stands_beside_the_completion_too() -> None:
    usage = {name: value for name, value in CHAT.items() if name != "total_tokens"}
    assert read("xai", {"usage": usage}).output_tokens == 342


def test_a_total_without_the_reasoning_says_that_it_is_inside() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 50,
        "total_tokens": 60,
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    assert counted(read("xai", {"usage": usage})) == {
        "input_tokens": 10,
        "output_tokens": 50,
        "reasoning_tokens": 40,
    }


@pytest.mark.parametrize("surface", [None, "responses"])
def test_reasoning_of_a_response_is_inside_the_output(surface: str | None) -> None:
    event = read("xai", {"model": "grok-4", "usage": RESPONSE}, surface)
    assert (event.input_tokens, event.cache_read_tokens) == (1606, 1235)
    assert (event.output_tokens, event.reasoning_tokens) == (292, 190)


def test_ticks_are_ten_billionths_of_a_dollar_to_the_last_one() -> None:
    assert cost(read("xai", {"usage": CHAT})) == (Decimal("0.000172125"), "USD")
    for usage in (RESPONSE, NATIVE, VOICE):
        event = read("xai", {"usage": {**usage, "cost_in_usd_ticks": 37756001}})
        assert cost(event) == (Decimal("0.0037756001"), "USD")
    assert cost(read("xai", {"usage": RESPONSE})) == (None, "")


def test_more_cached_tokens_than_the_prompt_stand_beside_it() -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 500}}
    assert counted(read("xai", {"usage": usage})) == {
        "input_tokens": 530,
        "cache_read_tokens": 500,
        "output_tokens": 5,
    }


def test_calls_of_server_side_tools_are_units() -> None:
    items = [{"type": "web_search_call", "query": CANARY}] * 7
    usage = {**RESPONSE, "num_server_side_tools_used": 21, "server_side_tool_usage_details": TOOLS}
    event = read("xai", {"model": "grok-4", "output": items, "usage": usage})
    assert {name: int(amount) for name, amount in event.units.items()} == {
        "web_searches": 2,
        "social_searches": 1,
        "code_interpreter_calls": 3,
        "file_searches": 4,
        "mcp_calls": 5,
        "document_searches": 6,
    }


def test_without_details_the_items_of_the_output_tell_the_tools_and_else_their_number() -> None:
    items = [{"type": "code_interpreter_call", "code": CANARY}]
    assert read("xai", {"output": items, "usage": RESPONSE}).units == {"code_interpreter_calls": 1}
    assert read("xai", {"usage": RESPONSE}).units == {"server_side_tool_calls": 1}


def test_sources_of_a_live_search_are_a_unit_and_those_of_responses_are_not() -> None:
    assert read("xai", {"usage": {**CHAT, "num_sources_used": 9}}).units == {"live_search_sources": 9}
    details = {
        "num_sources_used": 9,
        "server_side_tool_usage_details": {"x_search_calls": 1, "x_posts_fetched": 8},
    }
    assert read("xai", {"usage": {**RESPONSE, **details}}).units == {"social_searches": 1, "x_posts": 8}


@pytest.mark.parametrize("surface", [None, "native_grpc"])
def test_sampling_usage_has_reasoning_beside_and_the_cache_inside(surface: str | None) -> None:
    answer = {
        "id": "n-1",
        "model": "grok-4-fast-reasoning",
        "created": "2026-01-19T17:38:45.839154411Z",
        "outputs": [{"finish_reason": "REASON_STOP", "message": {"content": CANARY}}],
    }
    for body in ({**answer, "usage": NATIVE}, {"usage": NATIVE}):
        event = read("xai", body, surface)
        assert counted(event) == {
            "input_tokens": 2332,
            "cache_read_tokens": 1540,
            "output_tokens": 348,
            "reasoning_tokens": 310,
            "web_searches": 2,
            "social_searches": 1,
        }
    assert read("xai", {**answer, "usage": NATIVE}).time.isoformat() == "2026-01-19T17:38:45.839154+00:00"
    images = read(
        "xai", {"usage": {"prompt_tokens": 600, "prompt_image_tokens": 512, "completion_tokens": 1}}
    )
    assert images.input_image_tokens == 512


def test_a_protocol_buffers_json_has_names_of_either_form_and_ticks_as_a_string() -> None:
    usage = {
        "completionTokens": 38,
        "promptTokens": 2332,
        "totalTokens": 2680,
        "reasoningTokens": 310,
        "cachedPromptTextTokens": 1540,
        "serverSideToolsUsed": ["SERVER_SIDE_TOOL_MCP", CANARY, 7],
        "costInUsdTicks": "37756000",
    }
    outputs: list[dict[str, Any]] = [{"finishReason": "REASON_STOP", "message": {"content": CANARY}}]
    event = read("xai", {"id": "n-1", "model": "grok-4", "outputs": outputs, "usage": usage})
    assert counted(event) == {
        "input_tokens": 2332,
        "cache_read_tokens": 1540,
        "output_tokens": 348,
        "reasoning_tokens": 310,
        "mcp_calls": 1,
        "server_side_tool_calls": 2,
    }
    assert (event.id, cost(event)) == ("xai:n-1", (Decimal("0.0037756"), "USD"))
    outputs[0]["finishReason"] = "REASON_CONTENT_FILTER"
    assert read("xai", {"outputs": outputs, "usage": usage}).status == "filtered"
    assert counted(read("xai", {"usage": {"prompt_tokens": 5, "reasoning_tokens": 9}})) == {
        "input_tokens": 5,
        "output_tokens": 9,
        "reasoning_tokens": 9,
    }


@pytest.mark.parametrize(
    "body",
    [
        {
            "type": "response.done",
            "response": {"id": "v-1", "output": [{"transcript": CANARY}], "status": "completed", "usage": {}},
            "response_id": "v-1",
            "usage": VOICE,
        },
        {"type": "response.done", "response": {"id": "v-1", "status": "completed", "usage": VOICE}},
        {"id": "v-1", "usage": VOICE},
    ],
)
def test_voice_is_billed_by_seconds_and_its_usage_stands_beside_the_response(body: dict[str, Any]) -> None:
    event = read("xai", body)
    assert counted(event) == {
        "input_tokens": 7,
        "output_tokens": 113,
        "output_audio_tokens": 104,
        "audio_seconds": 1,
    }
    assert (event.operation, event.status) == ("realtime", "ok")
    assert event.id == "xai:v-1"
    assert detect("xai", body) == "realtime"


def test_voice_that_was_broken_off_and_its_text_messages_are_told() -> None:
    body = {
        "type": "response.done",
        "response": {"id": "v-1", "status": "cancelled", "usage": {}},
        "usage": {**VOICE, "input_text_messages": 2},
    }
    event = read("xai", body)
    assert (event.status, event.units) == ("cancelled", {"audio_seconds": 1, "text_messages": 2})


def test_pictures_and_videos_state_their_cost_alone() -> None:
    pictures = read(
        "xai", {"data": [{"url": CANARY}, {"b64_json": CANARY}], "usage": {"cost_in_usd_ticks": 400000000}}
    )
    assert (pictures.operation, pictures.units, cost(pictures)) == (
        "image",
        {"images": 2},
        (Decimal("0.04"), "USD"),
    )
    video = read(
        "xai",
        {
            "model": "grok-imagine-video",
            "status": "done",
            "video": {"url": CANARY, "duration": 8},
            "usage": {"cost_in_usd_ticks": 1},
        },
    )
    assert (video.operation, video.units) == ("video", {"video_seconds": 8})
    assert cost(video) == (Decimal("1e-10"), "USD")


def test_streams_state_usage_in_a_last_chunk_or_event() -> None:
    event = merged("xai", [chunk(), chunk(reason="stop"), chunk(CHAT, choices=[])])
    assert (event.output_tokens, event.status) == (342, "ok")
    ended = {
        "type": "response.completed",
        "response": {"id": "r-1", "status": "completed", "usage": RESPONSE},
    }
    assert (
        merged("xai", [{"type": "response.created", "response": {"id": "r-1"}}, ended]).output_tokens == 292
    )
    cut_off = merged("xai", [chunk(), chunk()])
    assert (cut_off.status, cut_off.error_code) == ("cancelled", "usage_not_stated")


def test_each_response_of_a_streamed_voice_session_is_a_call() -> None:
    def done(name: str) -> dict[str, Any]:
        response = {"id": name, "output": [{"transcript": CANARY}], "status": "completed", "usage": {}}
        return {"type": "response.done", "response": response, "response_id": name, "usage": VOICE}

    events = [{"type": "response.created", "response": {"id": "v-1"}}, done("v-1"), done("v-2")]
    first, second = read_stream("xai", events, context=CONTEXT)
    assert (first.id, second.id) == ("xai:v-1", "xai:v-2")
    for event in (first, second):
        assert (event.output_tokens, event.units, event.status) == (113, {"audio_seconds": 1}, "ok")


def test_a_streamed_native_response_has_its_last_usage() -> None:
    begun = {"id": "n-1", "model": "grok-4", "outputs": [{"delta": {"content": CANARY}, "finish_reason": 0}]}
    sofar = {"prompt_tokens": 2332, "completion_tokens": 3, "prompt_text_tokens": 2332}
    last = {**begun, "outputs": [{"finish_reason": "REASON_STOP"}], "usage": NATIVE}
    whole = merged("xai", [{**begun, "usage": sofar}, last])
    assert (whole.id, whole.output_tokens, whole.reasoning_tokens, whole.status) == (
        "xai:n-1",
        348,
        310,
        "ok",
    )
    cut_off = merged("xai", [{**begun, "usage": sofar}, begun])
    assert (cut_off.input_tokens, cut_off.output_tokens, cut_off.status) == (2332, 3, "cancelled")
    assert merged("xai", [begun]).error_code == "usage_not_stated"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"usage": {**CHAT, "cost_in_usd_ticks": CANARY}}, "usage.cost_in_usd_ticks"),
        ({"usage": {**CHAT, "completion_tokens_details": [CANARY]}}, "usage.completion_tokens_details"),
        ({"usage": {**CHAT, "num_sources_used": -1}}, "usage.num_sources_used"),
        (
            {"usage": {**RESPONSE, "server_side_tool_usage_details": {"web_search_calls": CANARY}}},
            "usage.server_side_tool_usage_details.web_search_calls",
        ),
        ({"usage": {**VOICE, "billable_audio_seconds": {}}}, "usage.billable_audio_seconds"),
    ],
)
def test_a_wrong_figure_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read_calls("xai", body, context=CONTEXT)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


def test_xai_is_told_by_what_only_it_states() -> None:
    assert guess_vendor(completion(CHAT)) == "xai"
    assert guess_vendor({"usage": NATIVE}) == "xai"
    assert guess_vendor(completion({"prompt_tokens": 1, "completion_tokens": 1})) == ""
