"""Alibaba's answers, native and compatible, written here after their documented shapes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from producers.vendors import guess_vendor
from tests.vendors.china import CANARY, calls, counted, found, merged, read
from tokenweir.errors import RejectedInput


def frame(output_tokens: int, finish_reason: str = "null", **usage: Any) -> dict[str, Any]:
    return {
        "output": {"choices": [{"message": {"content": CANARY}, "finish_reason": finish_reason}]},
        "usage": {"input_tokens": 50, "output_tokens": output_tokens, **usage},
        "request_id": "r-1",
    }


@pytest.mark.parametrize("incremental", [True, False], ids=["incremental text", "cumulative text"])
def test_cumulative_frames_of_a_native_stream_are_counted_once(incremental: bool) -> None:
    frames = [frame(tokens) for tokens in (1, 7, 19)] + [frame(23, "stop", total_tokens=73)]
    for number, each in enumerate(frames):
        each["output"]["choices"][0]["message"]["content"] = CANARY if incremental else CANARY * (number + 1)
    event = merged("alibaba", frames)
    assert (event.id, event.status) == ("alibaba:r-1", "ok")
    assert counted(event) == {"input_tokens": 50, "output_tokens": 23}


def test_a_native_stream_that_was_cut_off_is_counted_as_far_as_known() -> None:
    event = merged(
        "alibaba", [frame(1), frame(7), {"output": {"choices": []}, "usage": None}], "native_stream"
    )
    assert (event.status, event.output_tokens, event.input_tokens) == ("cancelled", 7, 50)


def test_a_native_stream_without_usage_says_that_none_is_known() -> None:
    event = merged("alibaba", [{"output": {"text": CANARY, "finish_reason": "stop"}, "request_id": "r-2"}])
    assert (event.id, event.error_code, counted(event)) == ("alibaba:r-2", "usage_not_stated", {})


def test_finish_reason_null_is_a_string_and_no_end() -> None:
    assert merged("alibaba", [frame(7, "null")]).status == "cancelled"
    assert merged("alibaba", [frame(7, "length")]).status == "ok"


def test_an_explicit_cache_is_inside_the_prompt_and_its_writing_is_stated_twice() -> None:
    usage = {
        "prompt_tokens": 2000,
        "completion_tokens": 300,
        "total_tokens": 2300,
        "prompt_tokens_details": {
            "cached_tokens": 1200,
            "cache_type": "ephemeral",
            "cache_creation_input_tokens": 500,
            "cache_write_tokens": 500,
            "cache_creation": {"ephemeral_5m_input_tokens": 500},
            "text_tokens": 2000,
        },
        "completion_tokens_details": {"reasoning_tokens": 250, "text_tokens": 300},
    }
    event = read("alibaba", {"model": "qwen-plus", "usage": usage})
    assert counted(event) == {
        "input_tokens": 2000,
        "cache_read_tokens": 1200,
        "cache_write_tokens": 500,
        "output_tokens": 300,
        "reasoning_tokens": 250,
    }
    assert event.tags == {"cache_type": "ephemeral"}
    implicit = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}}
    assert read("alibaba", {"usage": implicit}).tags == {}


def test_an_explicit_cache_of_an_hour_is_told_apart() -> None:
    details = {"cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_1h_input_tokens": 30}}
    parts = {"cache_creation": {"ephemeral_1h_input_tokens": 7, "ephemeral_5m_input_tokens": 3}}
    usage = {"prompt_tokens": 40, "completion_tokens": 1, "prompt_tokens_details": parts}
    event = read("alibaba", {"usage": usage})
    assert (event.cache_write_tokens, event.cache_write_1h_tokens) == (10, 7)
    for name in ("prompt", "input"):
        usage = {f"{name}_tokens": 40, "completion_tokens" if name == "prompt" else "output_tokens": 1}
        event = read("alibaba", {"usage": {**usage, f"{name}_tokens_details": details}})
        assert (event.cache_write_tokens, event.cache_write_1h_tokens) == (30, 30)


@pytest.mark.parametrize(
    "extra",
    [
        {"x_tools": {"web_search": {"count": 2}}},
        {"x_details": [{"plugins": {"web_search": {"count": 2}}}]},
        {
            "x_tools": {"web_search": {"count": 2}},
            "x_details": [{"x_billing_type": "response_api", "plugins": {"web_search": {"count": 2}}}],
        },
        {"plugins": {"search": {"count": 2, "strategy": "agent"}}},
    ],
    ids=["x_tools", "x_details", "both", "plugins"],
)
@pytest.mark.parametrize("named", ["input_tokens", "prompt_tokens"])
def test_a_search_stated_twice_is_counted_once(extra: dict[str, Any], named: str) -> None:
    other = "output_tokens" if named == "input_tokens" else "completion_tokens"
    event = read("alibaba", {"usage": {named: 10, other: 2, "total_tokens": 12, **extra}})
    assert counted(event) == {"input_tokens": 10, "output_tokens": 2, "web_searches": 2}


def test_a_count_of_tools_wins_over_the_items_of_the_output() -> None:
    search = {"type": "web_search_call", "status": "completed"}
    usage = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
    body = {"usage": {**usage, "x_tools": {"web_search": {"count": 1}}}, "output": [search, search]}
    assert read("alibaba", body).units == {"web_searches": 1}
    unknown = {
        "usage": {**usage, "x_tools": "n/a", "plugins": ["search"], "x_details": {}},
        "output": [search],
    }
    assert read("alibaba", unknown).units == {"web_searches": 1}


def test_responses_tell_their_cache_in_x_details() -> None:
    usage = {
        "input_tokens": 120,
        "output_tokens": 40,
        "total_tokens": 160,
        "output_tokens_details": {"reasoning_tokens": 12},
        "x_details": [
            {
                "x_billing_type": "response_api",
                "prompt_tokens_details": {
                    "cached_tokens": 60,
                    "cache_creation_input_tokens": 20,
                    "cache_type": "ephemeral",
                },
            }
        ],
    }
    body = {"id": "resp-1", "object": "response", "status": "completed", "output": [], "usage": usage}
    for surface in (None, "responses", "openai_compat"):
        event = read("alibaba", body, surface)
        assert counted(event) == {
            "input_tokens": 120,
            "cache_read_tokens": 60,
            "cache_write_tokens": 20,
            "output_tokens": 40,
            "reasoning_tokens": 12,
        }
        assert (event.id, event.tags) == ("alibaba:resp-1", {"cache_type": "ephemeral"})


def test_pictures_audio_and_video_are_inside_the_input_of_native_multimodal_answers() -> None:
    usage = {
        "input_tokens": 3600,
        "output_tokens": 90,
        "image_tokens": 3000,
        "audio_tokens": 100,
        "video_tokens": 400,
        "output_tokens_details": {"audio_tokens": 60, "text_tokens": 30},
    }
    event = read("alibaba", {"model": "qwen-omni", "usage": usage}, "multimodal")
    assert counted(event) == {
        "input_tokens": 3600,
        "input_audio_tokens": 100,
        "input_image_tokens": 3000,
        "input_video_tokens": 400,
        "output_tokens": 90,
        "output_audio_tokens": 60,
    }
    detailed = {"input_tokens": 20, "output_tokens": 1, "input_tokens_details": {"image_tokens": 15}}
    assert read("alibaba", {"usage": detailed}).input_image_tokens == 15


def test_the_first_multimodal_embeddings_state_pictures_beside_the_text() -> None:
    body = {
        "output": {"embeddings": []},
        "usage": {"input_tokens": 10, "image_tokens": 896},
        "request_id": "r",
    }
    event = read("alibaba", body)
    assert (event.operation, counted(event)) == (
        "embedding",
        {"input_tokens": 906, "input_image_tokens": 896},
    )


@pytest.mark.parametrize(
    ("body", "operation", "counts"),
    [
        (
            {"output": {"embeddings": [{}]}, "usage": {"total_tokens": 26}},
            "embedding",
            {"input_tokens": 26},
        ),
        ({"model": "text-embedding-v4", "usage": {"total_tokens": 26}}, "embedding", {"input_tokens": 26}),
        (
            {"output": {"results": [{"index": 0, "relevance_score": 0.9}]}, "usage": {"total_tokens": 79}},
            "rerank",
            {"input_tokens": 79},
        ),
        ({"model": "gte-rerank-v2", "usage": {"total_tokens": 79}}, "rerank", {"input_tokens": 79}),
        (
            {"data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}},
            "embedding",
            {"input_tokens": 5},
        ),
        ({"usage": {"image_count": 4}}, "image", {"images": 4}),
        ({"usage": {"characters": 12}}, "speech", {"characters": 12}),
        ({"usage": {"duration": 33}}, "transcription", {"audio_seconds": 33}),
        (
            {"model": "qwen3-asr-flash", "usage": {"input_tokens": 8, "output_tokens": 6, "seconds": 3}},
            "transcription",
            {"input_tokens": 8, "output_tokens": 6, "audio_seconds": 3},
        ),
        (
            {"usage": {"video_count": 1, "video_duration": 5, "video_ratio": "standard"}},
            "video",
            {"video_seconds": 5},
        ),
        (
            {
                "usage": {
                    "duration": 10.0,
                    "input_video_duration": 5,
                    "output_video_duration": 5,
                    "video_count": 1,
                }
            },
            "video",
            {"video_seconds": 10},
        ),
        (
            {"usage": {"output_video_duration": 5, "SR": "720", "video_count": 1}},
            "video",
            {"video_seconds": 5},
        ),
    ],
)
def test_other_operations_are_told_by_their_meters(
    body: dict[str, Any], operation: str, counts: dict[str, int]
) -> None:
    event = read("alibaba", body)
    assert (event.operation, counted(event)) == (operation, counts)


def test_sizes_of_pictures_and_videos_are_tags_and_only_where_they_are_sizes() -> None:
    picture = {"usage": {"image_count": 1, "width": 1328, "height": 1328}}
    assert read("alibaba", picture).tags == {"image_size": "1328x1328"}
    video = {"usage": {"duration": 5, "video_count": 1, "SR": 1080, "size": "1920*1080"}}
    assert read("alibaba", video).tags == {"resolution": "1080p"}
    odd = {"usage": {"image_count": 1, "size": CANARY, "width": 10**5000, "height": 1}}
    assert read("alibaba", odd).tags == {}


def test_a_task_is_one_call_however_often_it_is_asked_for() -> None:
    task = {
        "output": {
            "task_id": "t-9",
            "task_status": "SUCCEEDED",
            "end_time": "2026-02-02 10:08:57.333",
            "results": [{"url": "https://result"}],
        },
        "usage": {"image_count": 2},
    }
    first, second = (read("alibaba", {"request_id": name, **task}) for name in ("r-1", "r-2"))
    assert first.id == second.id == "alibaba:t-9"
    assert first.time == datetime(2026, 2, 2, 2, 8, 57, 333000, UTC)
    assert guess_vendor({"request_id": "r", **task}) == "alibaba"


def test_an_application_is_billed_as_each_of_its_models() -> None:
    models = [
        {"model_id": "deepseek-r1", "input_tokens": 1129, "output_tokens": 1126},
        {"model_id": "qwen-plus", "input_tokens": 10, "output_tokens": 5},
        {"model_id": "deepseek-r1", "input_tokens": 1, "output_tokens": 4},
    ]
    first, second = calls(
        "alibaba", {"output": {"text": CANARY}, "usage": {"models": models}, "request_id": "a"}
    )
    assert (first.id, first.model, first.input_tokens, first.output_tokens) == (
        "alibaba:a",
        "deepseek-r1",
        1130,
        1130,
    )
    assert (second.id, second.model, second.input_tokens) == ("alibaba:a/1", "qwen-plus", 10)


def test_the_anthropic_shape_has_its_cache_outside() -> None:
    usage = {
        "input_tokens": 100,
        "cache_read_input_tokens": 40,
        "cache_creation_input_tokens": 10,
        "output_tokens": 20,
    }
    event = read("alibaba", {"model": "qwen3-max", "usage": usage})
    assert counted(event) == {
        "input_tokens": 150,
        "cache_read_tokens": 40,
        "cache_write_tokens": 10,
        "output_tokens": 20,
    }


def test_a_frame_of_a_speech_task_is_read() -> None:
    body = {
        "header": {"event": "task-finished", "task_id": "w-1"},
        "payload": {"output": {}, "usage": {"characters": 44}},
    }
    event = read("alibaba", body)
    assert (found("alibaba", body), event.id, counted(event)) == (
        "websocket",
        "alibaba:w-1",
        {"characters": 44},
    )


def test_a_line_of_a_batch_costs_the_batch_price() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    line = {"custom_id": "1", "response": {"status_code": 200, "body": {"model": "qwen-max", "usage": usage}}}
    assert read("alibaba", line).service_tier == "batch"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": "DataInspectionFailed", "message": CANARY, "request_id": "r"}, "usage"),
        ({"usage": {"input_tokens": CANARY}}, "usage.input_tokens"),
        ({"usage": {"input_tokens": 1, "input_tokens_details": CANARY}}, "usage.input_tokens_details"),
        (
            {"usage": {"input_tokens": 1, "x_tools": {"web_search": {"count": CANARY}}}},
            "usage.x_tools.web_search.count",
        ),
        ({"usage": {"models": []}}, "usage.models"),
        ({"usage": {"duration": -3}}, "usage.duration"),
        ({"usage": {"image_count": 1}, "output": {"end_time": CANARY}}, "output.end_time"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("alibaba", body)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)
