"""What vendors answer, after their documented shapes. Every text in it is the CANARY, which must not leave."""

import base64
import binascii
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CANARY = "canary-7f3a of a prompt or an answer"

Body = dict[str, Any]


def events(bodies: Iterable[Body], *, done: bool = False, named: bool = False) -> list[bytes]:
    """Each body as a server-sent event. named: with an `event:` line of its type."""
    pieces = []
    for body in bodies:
        name = f"event: {body['type']}\n" if named else ""
        pieces.append(f"{name}data: {json.dumps(body)}\n\n".encode())
    return [*pieces, b"data: [DONE]\n\n"] if done else pieces


OPENAI_USAGE: Body = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 12},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
OPENAI_CHAT: Body = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1764000000,
    "model": "gpt-4o-2024-11-20",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": CANARY}, "finish_reason": "stop"}],
    "usage": OPENAI_USAGE,
    "service_tier": "default",
}


def _chat_chunk(choices: Sequence[Body], **further: Any) -> Body:
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1764000000,
        "model": "gpt-4o-2024-11-20",
        "choices": list(choices),
        **further,
    }


OPENAI_CHUNKS: list[Body] = [
    _chat_chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]),
    _chat_chunk([{"index": 0, "delta": {"content": CANARY}, "finish_reason": None}]),
    _chat_chunk([{"index": 0, "delta": {"content": CANARY}, "finish_reason": None}]),
    _chat_chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
]
OPENAI_USAGE_CHUNK: Body = _chat_chunk([], usage=OPENAI_USAGE)

OPENAI_RESPONSE: Body = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1764000000,
    "model": "gpt-4o-2024-11-20",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": CANARY, "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 20,
        "output_tokens": 7,
        "total_tokens": 27,
        "input_tokens_details": {"cached_tokens": 12},
        "output_tokens_details": {"reasoning_tokens": 3},
    },
}
_BEGUN = {**OPENAI_RESPONSE, "status": "in_progress", "output": [], "usage": None}
OPENAI_RESPONSE_EVENTS: list[Body] = [
    {"type": "response.created", "sequence_number": 0, "response": _BEGUN},
    {
        "type": "response.output_text.delta",
        "sequence_number": 1,
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": CANARY,
        "logprobs": [],
    },
    {"type": "response.completed", "sequence_number": 2, "response": OPENAI_RESPONSE},
]
OPENAI_EMBEDDING: Body = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
}

ANTHROPIC_MESSAGE: Body = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": CANARY}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 8, "cache_read_input_tokens": 12, "output_tokens": 7},
}
ANTHROPIC_EVENTS: list[Body] = [
    {
        "type": "message_start",
        "message": {
            **ANTHROPIC_MESSAGE,
            "id": "msg_2",
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 8, "cache_read_input_tokens": 12, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": CANARY}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]

GEMINI_ANSWER: Body = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": CANARY}]}, "finishReason": "STOP", "index": 0}
    ],
    "usageMetadata": {
        "promptTokenCount": 20,
        "cachedContentTokenCount": 12,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 27,
    },
    "modelVersion": "gemini-2.5-flash",
    "responseId": "gem-1",
}
GEMINI_CHUNKS: list[Body] = [
    {
        "candidates": [{"content": {"role": "model", "parts": [{"text": CANARY}]}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 20, "cachedContentTokenCount": 12, "totalTokenCount": 20},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "gem-1",
    },
    GEMINI_ANSWER,
]

MISTRAL_ANSWER: Body = {
    **OPENAI_CHAT,
    "id": "mis-1",
    "model": "mistral-large-latest",
    "usage": {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27},
}
MISTRAL_CHUNKS: list[Body] = [
    {**chunk, "id": "mis-2", "model": "mistral-large-latest"} for chunk in OPENAI_CHUNKS[:-1]
] + [
    {
        **OPENAI_CHUNKS[-1],
        "id": "mis-2",
        "model": "mistral-large-latest",
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}],
        "usage": MISTRAL_ANSWER["usage"],
    }
]

COHERE_USAGE: Body = {
    "billed_units": {"input_tokens": 18, "output_tokens": 7},
    "tokens": {"input_tokens": 20, "output_tokens": 7},
}
COHERE_ANSWER: Body = {
    "id": "coh-1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": CANARY}]},
    "usage": COHERE_USAGE,
}
COHERE_EVENTS: list[Body] = [
    {"type": "message-start", "id": "coh-2", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": CANARY}}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "id": "coh-2", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}},
]

CONVERSE_ANSWER: Body = {
    "output": {"message": {"role": "assistant", "content": [{"text": CANARY}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 8, "cacheReadInputTokens": 12, "outputTokens": 7, "totalTokens": 27},
    "metrics": {"latencyMs": 321},
}
CONVERSE_EVENTS: list[tuple[str, Body]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": CANARY}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": CONVERSE_ANSWER["usage"], "metrics": {"latencyMs": 321}}),
]


def aws_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame of `application/vnd.amazon.eventstream`; every header is text."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    frame = prelude + struct.pack("!I", binascii.crc32(prelude)) + packed + payload
    return frame + struct.pack("!I", binascii.crc32(frame))


def aws_event(kind: str, body: Body) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return aws_frame(headers, json.dumps(body).encode())


def aws_chunk(body: Body) -> bytes:
    """A frame of InvokeModelWithResponseStream: the model's own JSON, packed."""
    return aws_event("chunk", {"bytes": base64.b64encode(json.dumps(body).encode()).decode()})


def aws_exception(kind: str) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return aws_frame(headers, json.dumps({"message": CANARY}).encode())
