"""Answers of each vendor and surface against their counts, and what every vendor's reading has in common."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from producers.vendors import AnswerContext, detect, guess_vendor, read_answer, surfaces, vendors
from tests.vendors.bodies import CANARY, CHAT, CONTENT, CONTEXT, MESSAGE, NOW, RESPONSE, counts_of
from tokenweir.errors import RejectedInput, WrongCall

CASES: list[tuple[str, str, dict[str, Any], dict[str, int]]] = [
    (
        "openai",
        "chat_completions",
        CHAT,
        {
            "input_tokens": 1000,
            "cache_read_tokens": 600,
            "cache_write_tokens": 100,
            "input_audio_tokens": 7,
            "output_tokens": 300,
            "reasoning_tokens": 250,
            "output_audio_tokens": 5,
        },
    ),
    (
        "openai",
        "responses",
        RESPONSE,
        {"input_tokens": 90, "cache_read_tokens": 60, "output_tokens": 40, "reasoning_tokens": 30},
    ),
    (
        "openai",
        "embeddings",
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [],
            "usage": {"prompt_tokens": 12, "total_tokens": 12},
        },
        {"input_tokens": 12},
    ),
    (
        "openai",
        "images",
        {
            "created": 1_770_000_000,
            "data": [{}, {}],
            "usage": {
                "input_tokens": 100,
                "input_tokens_details": {"text_tokens": 70, "image_tokens": 30},
                "output_tokens": 600,
                "output_tokens_details": {"text_tokens": 100, "image_tokens": 500},
            },
        },
        {"input_tokens": 100, "input_image_tokens": 30, "output_tokens": 600, "output_image_tokens": 500},
    ),
    (
        "openai",
        "audio_transcriptions",
        {
            "text": CANARY,
            "usage": {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"audio_tokens": 14},
                "output_tokens": 45,
            },
        },
        {"input_tokens": 14, "input_audio_tokens": 14, "output_tokens": 45},
    ),
    (
        "openai",
        "realtime",
        {
            "type": "response.done",
            "response": {
                "id": "resp_8",
                "status": "completed",
                "usage": {
                    "input_tokens": 41,
                    "output_tokens": 164,
                    "input_token_details": {"text_tokens": 14, "audio_tokens": 27, "cached_tokens": 3},
                    "output_token_details": {"text_tokens": 28, "audio_tokens": 136},
                },
            },
        },
        {
            "input_tokens": 41,
            "cache_read_tokens": 3,
            "input_audio_tokens": 27,
            "output_tokens": 164,
            "output_audio_tokens": 136,
        },
    ),
    (
        "openai",
        "batch",
        {
            "id": "batch_req_1",
            "custom_id": "a",
            "response": {"status_code": 200, "body": RESPONSE},
            "error": None,
        },
        {"input_tokens": 90, "cache_read_tokens": 60, "output_tokens": 40, "reasoning_tokens": 30},
    ),
    (
        "anthropic",
        "messages",
        MESSAGE,
        {
            "input_tokens": 2410,
            "cache_read_tokens": 2000,
            "cache_write_tokens": 400,
            "cache_write_1h_tokens": 100,
            "output_tokens": 77,
            "reasoning_tokens": 33,
        },
    ),
    (
        "anthropic",
        "message_batch_result",
        {
            "custom_id": "a",
            "result": {
                "type": "succeeded",
                "message": {
                    "id": "m",
                    "model": "claude-x",
                    "usage": {"input_tokens": 11, "output_tokens": 36},
                },
            },
        },
        {"input_tokens": 11, "output_tokens": 36},
    ),
    ("anthropic", "chat_completions", {**CHAT, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}, {}),
    (
        "google",
        "generate_content",
        CONTENT,
        {
            "input_tokens": 560,
            "cache_read_tokens": 300,
            "input_audio_tokens": 150,
            "input_image_tokens": 258,
            "output_tokens": 100,
            "reasoning_tokens": 80,
            "output_image_tokens": 12,
        },
    ),
    (
        "google",
        "embeddings",
        {
            "embeddings": [],
            "usageMetadata": {
                "promptTokenCount": 7,
                "promptTokenDetails": [{"modality": "TEXT", "tokenCount": 7}],
            },
        },
        {"input_tokens": 7},
    ),
    (
        "google",
        "interactions",
        {
            "id": "i1",
            "model": "gemini-3-flash",
            "usage": {
                "total_input_tokens": 22,
                "total_output_tokens": 590,
                "total_tool_use_tokens": 198,
                "total_thought_tokens": 1173,
                "total_tokens": 1983,
            },
        },
        {"input_tokens": 220, "output_tokens": 1763, "reasoning_tokens": 1173},
    ),
    ("google", "messages", MESSAGE, {}),
    ("azure", "chat_completions", CHAT, {}),
]


@pytest.mark.parametrize(
    ("vendor", "surface", "body", "counts"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_surface_is_found_and_counted(
    vendor: str, surface: str, body: dict[str, Any], counts: dict[str, int]
) -> None:
    assert detect(vendor, body) == surface
    event = read_answer(vendor, body, context=CONTEXT)
    assert event == read_answer(vendor, body, surface=surface, context=CONTEXT) or "id" not in body
    if counts:
        assert counts_of(event) == counts
    assert event.vendor == vendor
    assert CANARY not in event.model_dump_json()


def test_identity_time_and_tier_come_from_the_answer() -> None:
    chat = read_answer("openai", CHAT, context=CONTEXT)
    assert (chat.id, chat.model, chat.service_tier) == ("openai:chatcmpl-7", "gpt-5-2025-08-07", "standard")
    assert chat.time == datetime.fromtimestamp(1_770_000_000, UTC)
    response = read_answer("openai", RESPONSE, context=CONTEXT)
    assert (response.id, response.service_tier) == ("openai:resp_7", "flex")
    assert response.time == datetime.fromtimestamp(1_770_000_009, UTC)
    assert response.units == {"web_searches": Decimal(1), "file_searches": Decimal(1)}
    message = read_answer("anthropic", MESSAGE, context=CONTEXT)
    assert (message.id, message.time, message.region) == ("anthropic:msg_7", NOW, "us")
    assert (message.service_tier, message.units) == ("priority", {"web_searches": Decimal(2)})
    content = read_answer("google", CONTENT, context=CONTEXT)
    assert content.time == datetime(2026, 2, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert (content.id, content.service_tier, content.units) == (
        "google:r7",
        "flex",
        {"web_searches": Decimal(2)},
    )


def test_a_model_and_a_usage_object_are_enough() -> None:
    event = read_answer(
        "openai", {"model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 6}}, context=CONTEXT
    )
    assert (event.input_tokens, event.output_tokens, event.time) == (5, 6, NOW)
    assert event.id.startswith("test:")
    other = read_answer("anthropic", {"model": "claude-x", "usage": {"input_tokens": 5}}, context=CONTEXT)
    assert other.input_tokens == 5


def test_an_answer_that_names_no_model_is_counted_as_unknown() -> None:
    event = read_answer("openai", {"usage": {"type": "duration", "seconds": 37.5}}, context=CONTEXT)
    assert (event.model, event.units) == ("unknown", {"audio_seconds": Decimal("37.5")})
    named = AnswerContext(source="test", now=NOW, fields={"model": "whisper-1", "team": "speech"})
    event = read_answer("openai", {"usage": {"type": "duration", "seconds": 3}}, context=named)
    assert (event.model, event.team) == ("whisper-1", "speech")


def test_what_the_caller_knows_wins_over_the_answer() -> None:
    context = AnswerContext(
        source="test",
        now=NOW,
        fields={"service_tier": "batch", "requested_model": "gpt-5"},
        make_id=lambda: "x:1",
    )
    event = read_answer("openai", CHAT, context=context)
    assert (event.service_tier, event.requested_model, event.id) == ("batch", "gpt-5", "openai:chatcmpl-7")
    assert read_answer("openai", {**CHAT, "id": None}, context=context).id == "x:1"


@pytest.mark.parametrize(
    ("vendor", "change", "status"),
    [
        ("openai", {"choices": [{"finish_reason": "content_filter"}]}, "filtered"),
        ("anthropic", {"stop_reason": "refusal"}, "filtered"),
        ("google", {"candidates": [{"finishReason": "SAFETY"}]}, "filtered"),
        ("google", {"promptFeedback": {"blockReason": "SAFETY"}}, "filtered"),
    ],
)
def test_a_filtered_answer_says_so(vendor: str, change: dict[str, Any], status: str) -> None:
    body = {"openai": CHAT, "anthropic": MESSAGE, "google": CONTENT}[vendor]
    assert read_answer(vendor, {**body, **change}, context=CONTEXT).status == status


def test_a_named_surface_is_held_to() -> None:
    with pytest.raises(RejectedInput) as caught:
        read_answer("openai", CHAT, surface="responses", context=CONTEXT)
    assert caught.value.field == "usage.input_tokens"


def test_a_wrong_vendor_or_surface_is_named_with_the_near_one() -> None:
    with pytest.raises(WrongCall, match="Did you mean anthropic"):
        read_answer("antropic", MESSAGE, context=CONTEXT)
    with pytest.raises(WrongCall, match="Did you mean chat_completions"):
        read_answer("openai", CHAT, surface="chat_complet", context=CONTEXT)
    assert {"openai", "azure", "anthropic", "google"} <= set(vendors())
    assert "messages" in surfaces("anthropic")


@pytest.mark.parametrize(
    ("body", "vendor"),
    [
        (CHAT, "openai"),
        (RESPONSE, "openai"),
        ({**CHAT, "prompt_filter_results": []}, "azure"),
        (MESSAGE, "anthropic"),
        ({**MESSAGE, "id": "msg_bdrk_1"}, "aws"),
        (CONTENT, "google"),
        ({**CHAT, "model": "deepseek-chat"}, ""),
        ({"custom_id": "a", "response": "x"}, ""),
        ({"custom_id": "a", "response": {"body": CHAT}}, "openai"),
        ({}, ""),
    ],
)
def test_a_vendor_is_guessed_only_where_it_is_sure(body: dict[str, Any], vendor: str) -> None:
    assert guess_vendor(body) == vendor


def test_a_body_decoded_with_exact_decimals_reads_the_same() -> None:
    text = json.dumps({"usage": {"type": "duration", "seconds": 0.1}})
    event = read_answer("openai", json.loads(text, parse_float=Decimal), context=CONTEXT)
    assert event.units == {"audio_seconds": Decimal("0.1")}
