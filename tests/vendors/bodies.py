"""Answers of each shape, written here after the vendors' documented ones, and ways to look at what was read of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from producers.vendors import AnswerContext, read_calls, read_stream
from tokenweir.usage.event import TOKEN_FIELDS, UsageEvent

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTEXT = AnswerContext(source="test", now=NOW)
CANARY = "the quick brown canary"

CHAT = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1_770_000_000,
    "model": "gpt-5-2025-08-07",
    "service_tier": "default",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": CANARY}}],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "total_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100, "audio_tokens": 7},
        "completion_tokens_details": {
            "reasoning_tokens": 250,
            "audio_tokens": 5,
            "rejected_prediction_tokens": 9,
        },
    },
}
RESPONSE = {
    "id": "resp_7",
    "object": "response",
    "status": "completed",
    "created_at": 1_770_000_000,
    "completed_at": 1_770_000_009,
    "model": "gpt-5-2025-08-07",
    "service_tier": "flex",
    "output": [
        {"type": "web_search_call", "action": {"type": "search", "query": CANARY}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "file_search_call"},
        {"type": "message", "content": [{"type": "output_text", "text": CANARY}]},
    ],
    "usage": {
        "input_tokens": 90,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 130,
    },
}
MESSAGE = {
    "id": "msg_7",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": CANARY}],
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 400,
        "cache_read_input_tokens": 2000,
        "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 77,
        "output_tokens_details": {"thinking_tokens": 33},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "service_tier": "priority",
        "inference_geo": "us",
    },
}
CONTENT = {
    "responseId": "r7",
    "modelVersion": "gemini-3-flash",
    "createTime": "2026-02-02T03:04:05.123456789Z",
    "candidates": [
        {
            "content": {"parts": [{"text": CANARY}]},
            "finishReason": "STOP",
            "groundingMetadata": {"webSearchQueries": [CANARY, "", "another"]},
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 500,
        "cachedContentTokenCount": 300,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 80,
        "toolUsePromptTokenCount": 60,
        "totalTokenCount": 660,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 100},
            {"modality": "IMAGE", "tokenCount": 200},
            {"modality": "DOCUMENT", "tokenCount": 50},
            {"modality": "AUDIO", "tokenCount": 150},
            {"modality": "VIDEO"},
        ],
        "toolUsePromptTokensDetails": [{"modality": "IMAGE", "tokenCount": 8}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 12}],
        "trafficType": "ON_DEMAND_FLEX",
    },
}


def calls(vendor: str, body: Mapping[str, Any], surface: str | None = None) -> tuple[UsageEvent, ...]:
    """Every call of an answer; none of them holds the canary."""
    events = read_calls(vendor, body, surface=surface, context=CONTEXT)
    assert CANARY not in "".join(event.model_dump_json() for event in events)
    return events


def read(vendor: str, body: Mapping[str, Any], surface: str | None = None) -> UsageEvent:
    """The only call of an answer."""
    (event,) = calls(vendor, body, surface)
    return event


def streamed(
    vendor: str, chunks: Sequence[Mapping[str, Any]], surface: str | None = None
) -> tuple[UsageEvent, ...]:
    """Every call of a stream; none of them holds the canary."""
    events = read_stream(vendor, chunks, surface=surface, context=CONTEXT)
    assert CANARY not in "".join(event.model_dump_json() for event in events)
    assert all(event.streaming for event in events)
    return events


def merged(vendor: str, chunks: Sequence[Mapping[str, Any]], surface: str | None = None) -> UsageEvent:
    """The only call of a stream."""
    (event,) = streamed(vendor, chunks, surface)
    return event


def counts_of(event: UsageEvent) -> dict[str, int]:
    """The token counts that are not 0, by name."""
    return {name: value for name in TOKEN_FIELDS if (value := getattr(event, name))}


def units_of(event: UsageEvent) -> dict[str, float]:
    """The units, by name."""
    return {name: float(amount) for name, amount in event.units.items()}
