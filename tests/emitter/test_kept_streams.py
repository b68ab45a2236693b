"""What is kept of a stream reads as the whole stream does, for each way in which vendors put usage into streams."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from producers.emitter.chunks import KeptChunks
from producers.vendors import AnswerContext, read_stream

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TEXT = "canary sings of secrets"
Chunks = list[dict[str, Any]]

_CHAT = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_770_000_000, "model": "gpt-4o"}


def _delta(**fields: Any) -> dict[str, Any]:
    return {**_CHAT, "choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": None}], **fields}


_STREAMS: dict[str, tuple[str, Chunks]] = {
    "the last chunk states it": (
        "openai",
        [
            *[_delta(usage=None, obfuscation=f"x{number}") for number in range(50)],
            {**_CHAT, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {**_CHAT, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 50}},
        ],
    ),
    "every chunk states the running total": (
        "vllm",
        [_delta(usage={"prompt_tokens": 9, "completion_tokens": number}) for number in range(600)],
    ),
    "it was cut off": (
        "vllm",
        [_delta(usage={"prompt_tokens": 9, "completion_tokens": number}) for number in range(3)],
    ),
    "the last event holds the whole answer": (
        "openai",
        [
            {
                "type": "response.created",
                "sequence_number": 0,
                "response": {"id": "resp_1", "status": "in_progress"},
            },
            *[
                {
                    "type": "response.output_text.delta",
                    "sequence_number": number,
                    "item_id": "m",
                    "delta": TEXT,
                }
                for number in range(50)
            ],
            {
                "type": "response.completed",
                "sequence_number": 60,
                "response": {
                    "id": "resp_1",
                    "model": "gpt-5",
                    "status": "completed",
                    "output": [
                        {
                            "type": "web_search_call",
                            "id": "ws_1",
                            "action": {"type": "search", "query": TEXT},
                        },
                        {"type": "message", "content": [{"type": "output_text", "text": TEXT}]},
                    ],
                    "usage": {"input_tokens": 9, "output_tokens": 50},
                },
            },
        ],
    ),
    "the first event states the input and the last one the output": (
        "anthropic",
        [
            {
                "type": "message_start",
                "message": {
                    "id": "msg_1",
                    "model": "claude-sonnet-4-5",
                    "usage": {"input_tokens": 9, "cache_read_input_tokens": 100, "output_tokens": 1},
                },
            },
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *[
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}
                for _ in range(50)
            ],
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}},
            {"type": "message_stop"},
        ],
    ),
    "every chunk states it, under Google's names": (
        "google",
        [
            {
                "responseId": "r-1",
                "modelVersion": "gemini-2.5-pro",
                "candidates": [
                    {
                        "content": {"parts": [{"text": TEXT}]},
                        **({"finishReason": "STOP"} if number == 49 else {}),
                        "groundingMetadata": {"webSearchQueries": [TEXT]},
                    }
                ],
                "usageMetadata": {
                    "promptTokenCount": 9,
                    "candidatesTokenCount": number,
                    "thoughtsTokenCount": 7,
                    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
                },
            }
            for number in range(50)
        ],
    ),
    "an event of its own states it": (
        "aws",
        [
            {"messageStart": {"role": "assistant"}},
            *[{"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": TEXT}}} for _ in range(50)],
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 50}, "metrics": {"latencyMs": 2281}}},
        ],
    ),
    "the event at the end states it, twice": (
        "cohere",
        [
            {"id": "c-1", "type": "message-start", "delta": {"message": {"role": "assistant"}}},
            *[{"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": TEXT}}}}] * 50,
            {
                "type": "message-end",
                "delta": {
                    "finish_reason": "COMPLETE",
                    "usage": {
                        "billed_units": {"input_tokens": 9, "output_tokens": 50},
                        "tokens": {"input_tokens": 200, "output_tokens": 60},
                    },
                },
            },
        ],
    ),
    "lines with a time each": (
        "ollama",
        [
            *[
                {
                    "model": "llama3.2",
                    "created_at": f"2026-11-25T11:00:{number:02}Z",
                    "message": {"role": "assistant", "content": TEXT},
                    "done": False,
                }
                for number in range(50)
            ],
            {
                "model": "llama3.2",
                "created_at": "2026-11-25T11:01:00Z",
                "done": True,
                "done_reason": "stop",
                "prompt_eval_count": 9,
                "eval_count": 50,
                "total_duration": 4_000_000_000,
            },
        ],
    ),
    "events whose data is text": (
        "coze",
        [
            *[{"event": "conversation.message.delta", "data": json.dumps({"id": "9", "content": TEXT})}] * 50,
            {
                "event": "conversation.chat.completed",
                "data": json.dumps(
                    {
                        "id": "738216760624714",
                        "bot_id": "737946218936519",
                        "status": "completed",
                        "completed_at": 1_770_000_007,
                        "usage": {"token_count": 59, "input_count": 9, "output_count": 50},
                    }
                ),
            },
        ],
    ),
    "pictures": (
        "volcengine",
        [
            {
                "type": "image_generation.partial_succeeded",
                "model": "doubao-seedream-4",
                "url": f"https://pictures.example/{TEXT}",
                "size": "2048x2048",
            },
            {
                "type": "image_generation.completed",
                "model": "doubao-seedream-4",
                "usage": {"generated_images": 1, "output_tokens": 16_384, "total_tokens": 16_384},
            },
        ],
    ),
}


@pytest.mark.parametrize("name", _STREAMS)
def test_what_is_kept_reads_as_the_whole(name: str) -> None:
    vendor, chunks = _STREAMS[name]
    context = AnswerContext(source="test", now=NOW, make_id=lambda: "test:1")
    kept = KeptChunks()
    for chunk in chunks:
        kept.add(chunk)
    assert TEXT not in json.dumps(kept.chunks)
    whole = read_stream(vendor, chunks, context=context)
    assert whole[0].input_tokens or whole[0].output_tokens
    assert read_stream(vendor, kept.chunks, context=context) == whole
