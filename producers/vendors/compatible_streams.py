"""Streams of compatible hosts, put together: where the usage of a streamed answer stands, and how it ends.

Accounting: wherever a host states usage more than once in a stream (in every chunk, twice in the last one, in a chunk
of its own after one with a finish reason), the last statement is the whole; statements are never added up.
A chat stream came to its end where a choice tells why it finished, or where a chunk without choices states the usage.
Sources: recorded streams of Groq, Mistral, Perplexity, xAI; vLLM's option `continuous_usage_stats`; Moonshot's usage
within the choice.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors.answer import Answer
from producers.vendors.compatible_shapes import usage_elsewhere
from producers.vendors.registry import Merged

_NO_REASON: Final = (None, "", "null")
_CHAT_OBJECTS: Final = ("chat.completion.chunk", "chat.completion.done", "text_completion")
_RESPONSE_ENDS: Final = ("response.completed", "response.incomplete", "response.failed", "response.done")


def is_chat_chunk(chunk: Answer) -> bool:
    return isinstance(chunk.body.get("choices"), list) or chunk.body.get("object") in _CHAT_OBJECTS


def is_response_event(chunk: Answer) -> bool:
    return _kind(chunk).startswith("response.")


def is_message_event(chunk: Answer) -> bool:
    return _kind(chunk).startswith("message_")


def merge_chat(chunks: Sequence[Answer]) -> Merged:
    """A streamed chat completion or text completion."""
    body: dict[str, Any] = {}
    usage: Any = None
    reasons: list[Any] = []
    complete = False
    for chunk in chunks:
        body |= {name: value for name, value in chunk.body.items() if value not in (None, "", [], {})}
        told = chunk.body.get("usage") or usage_elsewhere(chunk.body)
        usage = told or usage
        choices = chunk.parts("choices")
        ends = [choice.find("finish_reason") for choice in choices]
        reasons += [reason for reason in ends if reason not in _NO_REASON]
        complete = complete or bool(reasons) or bool(told and not choices)
    body |= {"usage": usage, "choices": [{"finish_reason": reason} for reason in reasons]}
    return Merged(body, complete)


def merge_response(events: Sequence[Answer]) -> Merged:
    """A streamed response: the last event that holds it, which alone states its usage."""
    body: Mapping[str, Any] = {}
    complete = False
    for event in events:
        response = event.body.get("response")
        if isinstance(response, Mapping):
            body = {**body, **{name: value for name, value in response.items() if value is not None}}
        complete = complete or _kind(event) in _RESPONSE_ENDS
    return Merged(body, complete)


def merge_message(events: Sequence[Answer]) -> Merged:
    """A streamed message: `message_start` tells the input, each `message_delta` the counts so far."""
    body: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    complete = False
    for event in events:
        kind = _kind(event)
        holder: Any = event.body.get("message") if kind == "message_start" else event.body
        if not isinstance(holder, Mapping):
            continue
        told = holder if kind == "message_start" else holder.get("delta")
        if kind in ("message_start", "message_delta") and isinstance(told, Mapping):
            body |= {name: value for name, value in told.items() if value is not None}
        if isinstance(holder.get("usage"), Mapping):
            usage |= {name: value for name, value in holder["usage"].items() if value is not None}
        complete = complete or kind == "message_stop"
    return Merged({**body, "usage": usage} if usage else body, complete)


def _kind(event: Answer) -> str:
    kind = event.body.get("type")
    return kind if isinstance(kind, str) else ""
