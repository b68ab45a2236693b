"""Ark's answers, written here after the types of its SDKs."""

from typing import Any

import pytest

from tests.vendors.china import CANARY, calls, counted, found, merged, read
from tokenweir.errors import RejectedInput

CHAT: dict[str, Any] = {
    "id": "0217659525",
    "object": "chat.completion",
    "created": 1_770_000_000,
    "model": "doubao-seed-1-6-251015",
    "service_tier": "default",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": CANARY}}],
    "usage": {
        "prompt_tokens": 41,
        "completion_tokens": 89,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 11},
        "completion_tokens_details": {"reasoning_tokens": 70},
    },
}
COUNTS = {"input_tokens": 41, "cache_read_tokens": 11, "output_tokens": 89, "reasoning_tokens": 70}


@pytest.mark.parametrize("surface", [None, "chat", "openai_compat"])
def test_a_chat_completion_has_cache_and_reasoning_inside(surface: str | None) -> None:
    event = read("volcengine", CHAT, surface)
    assert (event.id, event.service_tier, counted(event)) == ("volcengine:0217659525", "standard", COUNTS)
    assert read("volcengine", {**CHAT, "service_tier": "scale"}).service_tier == "scale"


def test_provisioned_tokens_are_a_part_of_the_tokens_and_tell_the_pack() -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "total_tokens": 1200,
        "prompt_tokens_details": {
            "provisioned_tokens": 1000,
            "cached_tokens": 300,
            "audio_tokens": 60,
            "audio_cached_tokens": 20,
        },
        "completion_tokens_details": {"provisioned_tokens": 200, "reasoning_tokens": 120, "audio_tokens": 30},
    }
    event = read("volcengine", {"usage": usage})
    assert counted(event) == {
        "input_tokens": 1000,
        "cache_read_tokens": 300,
        "input_audio_tokens": 60,
        "cache_read_audio_tokens": 20,
        "output_tokens": 200,
        "reasoning_tokens": 120,
        "output_audio_tokens": 30,
    }
    assert event.service_tier == "scale"
    assert read("volcengine", {"usage": usage, "service_tier": "default"}).service_tier == "standard"


def test_responses_count_tool_usage_once_and_not_its_details() -> None:
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 20},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 150,
        "tool_usage": {"web_search": 2, "mcp": 3, "knowledge_search": 1},
        "tool_usage_details": {"web_search": {"search_engine": 1, "toutiao": 1}, "mcp": {"a": 3}},
    }
    event = read("volcengine", {"usage": usage})
    assert counted(event) == {
        "input_tokens": 100,
        "cache_read_tokens": 20,
        "output_tokens": 50,
        "reasoning_tokens": 30,
        "web_searches": 2,
        "knowledge_searches": 1,
    }
    output = [{"type": "web_search_call", "action": {"type": "search", "query": CANARY}}] * 2
    assert read("volcengine", {"output": output, "usage": usage}).units == event.units


def test_a_streamed_response_is_what_its_last_event_holds() -> None:
    usage = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
    created = {
        "type": "response.created",
        "response": {"id": "resp_1", "status": "in_progress", "usage": None},
    }
    ended = {
        "type": "response.completed",
        "response": {"id": "resp_1", "status": "completed", "usage": usage},
    }
    event = merged("volcengine", [created, {"type": "response.output_text.delta", "delta": CANARY}, ended])
    assert (event.id, event.status, event.input_tokens, event.output_tokens) == (
        "volcengine:resp_1",
        "ok",
        9,
        4,
    )
    assert read("volcengine", ended).input_tokens == 9


def test_pictures_are_counted_by_piece_size_and_tokens() -> None:
    body = {
        "model": "doubao-seedream-4-0-250828",
        "created": 1_770_000_000,
        "data": [
            {"url": "https://a", "size": "2048x2048"},
            {"url": "https://b", "size": "1024*2048"},
            {"error": {}},
        ],
        "usage": {
            "generated_images": 2,
            "input_images": 3,
            "output_tokens": 24_576,
            "total_tokens": 24_576,
            "tool_usage": {"web_search": 1},
        },
    }
    for surface in (None, "images", "images_video"):
        event = read("volcengine", body, surface)
        assert event.operation == "image"
        assert counted(event) == {"output_tokens": 24_576, "images": 2, "input_images": 3, "web_searches": 1}
        assert event.tags == {"image_size": "2048x2048,1024x2048"}
    assert read("volcengine", {"usage": {"generated_images": 1}}).operation == "image"


def test_streamed_pictures_end_with_their_usage() -> None:
    piece = {
        "type": "image_generation.partial_succeeded",
        "model": "seedream",
        "url": "https://a",
        "size": "2048x2048",
    }
    usage = {"generated_images": 1, "output_tokens": 16_384, "total_tokens": 16_384}
    event = merged(
        "volcengine", [piece, {"type": "image_generation.completed", "model": "seedream", "usage": usage}]
    )
    assert (event.status, event.model, event.tags) == ("ok", "seedream", {"image_size": "2048x2048"})
    assert counted(event) == {"output_tokens": 16_384, "images": 1}


def test_a_video_is_counted_in_tokens_and_seconds_and_asked_for_again_is_one_call() -> None:
    task = {
        "id": "cgt-1",
        "model": "doubao-seedance-1-0-pro-250528",
        "status": "succeeded",
        "usage": {"completion_tokens": 246_840, "total_tokens": 246_840},
        "resolution": "1080p",
        "duration": 5,
        "service_tier": "flex",
        "created_at": 1_770_000_000,
        "updated_at": 1_770_000_100,
    }
    for surface in (None, "videos", "images_video"):
        event = read("volcengine", task, surface)
        assert (event.id, event.operation, event.service_tier) == ("volcengine:cgt-1", "video", "flex")
        assert counted(event) == {"output_tokens": 246_840, "video_seconds": 5}
        assert event.tags == {"resolution": "1080p"}
    assert read("volcengine", {"usage": {"completion_tokens": 7}}).operation == "video"


def test_multimodal_embeddings_have_one_object_and_pictures_inside_the_prompt() -> None:
    usage = {
        "prompt_tokens": 900,
        "prompt_tokens_details": {"image_tokens": 700, "text_tokens": 100, "video_tokens": 100},
        "total_tokens": 900,
    }
    for body in ({"data": {"embedding": [0.1], "object": "embedding"}, "usage": usage}, {"usage": usage}):
        event = read("volcengine", body)
        assert (event.operation, counted(event)) == (
            "embedding",
            {"input_tokens": 900, "input_image_tokens": 700, "input_video_tokens": 100},
        )


def test_the_creation_of_a_context_cache_is_billed_as_input() -> None:
    usage = {"prompt_tokens": 500, "completion_tokens": 0, "total_tokens": 500}
    body = {"id": "ctx-1", "model": "ep-20250101", "mode": "session", "ttl": 3600, "usage": usage}
    event = read("volcengine", body)
    assert (found("volcengine", body), event.id) == ("context_cache", "volcengine:ctx-1")
    assert (event.operation, counted(event)) == ("context_cache", {"input_tokens": 500})


def test_a_bot_is_billed_as_each_endpoint_that_it_called() -> None:
    bot_usage = {
        "model_usage": [
            {"name": "doubao-pro-32k", "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            {"name": "deepseek-r1", "prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70},
        ],
        "action_usage": [{"name": "content_plugin", "search_count": 2}, {"name": "browsing"}],
    }
    whole = {"prompt_tokens": 150, "completion_tokens": 30, "total_tokens": 180}
    for body in ({"id": "b", "bot_usage": bot_usage}, {"id": "b", "bot_usage": bot_usage, "usage": whole}):
        first, second = calls("volcengine", body)
        assert (first.model, counted(first)) == (
            "doubao-pro-32k",
            {"input_tokens": 100, "output_tokens": 10, "web_searches": 2},
        )
        assert (second.id, second.model) == ("volcengine:b/1", "deepseek-r1")
        assert counted(second) == {"input_tokens": 50, "output_tokens": 20}


def test_a_bot_with_one_endpoint_is_not_counted_beside_its_own_usage() -> None:
    part = {"name": "ep-1", "prompt_tokens": 41, "completion_tokens": 89, "total_tokens": 130}
    event = read("volcengine", {**CHAT, "bot_usage": {"model_usage": [part], "action_usage": None}})
    assert (event.model, counted(event)) == (CHAT["model"], COUNTS)
    alone = read("volcengine", {"bot_usage": {"model_usage": [part]}})
    assert (alone.model, alone.input_tokens, alone.output_tokens) == ("ep-1", 41, 89)
    chunks = [{"choices": [{"delta": {"content": CANARY}}]}, {"choices": [{"finish_reason": "stop"}]}]
    streamed = merged("volcengine", [*chunks, {"choices": [], "bot_usage": {"model_usage": [part]}}])
    assert (streamed.status, streamed.output_tokens) == ("ok", 89)


def test_chunks_without_usage_are_refused_and_the_last_one_counts() -> None:
    chunk = {**CHAT, "object": "chat.completion.chunk", "usage": None}
    for surface in (None, "chat"):
        with pytest.raises(RejectedInput) as caught:
            read("volcengine", chunk, surface)
        assert caught.value.field == "usage"
    last = {**chunk, "choices": [], "usage": CHAT["usage"]}
    event = merged("volcengine", [chunk, last])
    assert (event.status, counted(event)) == ("ok", COUNTS)


def test_a_line_of_a_batch_costs_the_batch_price() -> None:
    line = {"custom_id": "1", "response": {"status_code": 200, "body": CHAT}, "error": None}
    assert read("volcengine", line).service_tier == "batch"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"error": {"code": "RateLimitExceeded.EndpointTPMExceeded", "message": CANARY}}, "usage"),
        ({"id": "cgt-1", "status": "failed", "error": {"code": "x", "message": CANARY}}, "usage"),
        ({"usage": {"generated_images": CANARY}}, "usage.generated_images"),
        ({"usage": {"completion_tokens": 1}, "duration": CANARY}, "duration"),
        (
            {"bot_usage": {"model_usage": [{"prompt_tokens": CANARY}]}},
            "bot_usage.model_usage.0.prompt_tokens",
        ),
        ({"bot_usage": {}}, "bot_usage.model_usage"),
        ({"usage": {"input_tokens": 1, "tool_usage": CANARY}}, "usage.tool_usage"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("volcengine", body)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)
