"""Streams of OpenAI's and Anthropic's shapes put together.

Invariants: whatever is told more than once is a running total, of which the last or largest statement counts; nothing
is added up. A stream came to its end where it says why: by a reason to finish, a last event, or usage in a chunk of its
own. Text never enters a merged body: of each chunk only named fields are looked at.
Sources: types of the packages openai 3.54 and anthropic 2.14; recorded streams. Azure's first chunk has no choices and
no id and tells nothing; `choices: []` alone is therefore no end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors.answer import Answer
from producers.vendors.plain_facts import error_code
from producers.vendors.registry import Merged

_CHAT_FIELDS: Final = ("id", "model", "created", "service_tier", "object")
_RESPONSE_ENDS: Final = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_ERROR_STATUS: Final = {
    "429": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "timeout_error": "timeout",
}
"""By the code or type of an error that ended a stream; every other one is an error."""


def kind_of(event: Answer) -> str:
    """The `type` of an event; "" where it is no word."""
    kind = event.body.get("type")
    return kind if isinstance(kind, str) else ""


def is_chat_chunk(chunk: Answer) -> bool:
    return isinstance(chunk.body.get("choices"), list)


def is_response_event(event: Answer) -> bool:
    return kind_of(event).startswith("response.")


def is_message_event(event: Answer) -> bool:
    return kind_of(event).startswith("message_")


def ended_by_error(merged: Merged, events: Iterable[Answer]) -> Merged:
    """`merged` with the error among its events, where one ended it."""
    for event in events:
        error = event.body.get("error")
        if isinstance(error, Mapping) and error:
            code = error_code(event, "error.code", "error.type")
        elif kind_of(event) == "error":
            code = error_code(event, "code")
        else:
            continue
        return replace(merged, status=_ERROR_STATUS.get(code, "error"), error_code=code)
    return merged


def merge_chat(chunks: Sequence[Answer]) -> Merged:
    """A streamed chat or text completion. Its usage stands in one chunk, mostly the last; without `include_usage` in
    none."""
    body: dict[str, Any] = {}
    usage: Any = None
    reasons: list[Any] = []
    own_chunk = False
    for chunk in chunks:
        body |= {name: chunk.body[name] for name in _CHAT_FIELDS if chunk.body.get(name)}
        choices = chunk.parts("choices")
        reasons += (reason for choice in choices if (reason := choice.find("finish_reason")))
        told = chunk.body.get("usage")
        if told:
            usage = told
            own_chunk = not choices
    body |= {
        "usage": usage or {"prompt_tokens": 0},
        "choices": [{"finish_reason": reason} for reason in reasons],
    }
    return ended_by_error(Merged(body, bool(reasons) or own_chunk, stated=bool(usage)), chunks)


def merge_response(events: Sequence[Answer]) -> Merged:
    """A streamed response: its last event holds all of it, those before it no usage."""
    body: dict[str, Any] = {}
    ended = False
    for event in events:
        told = event.body.get("response")
        if isinstance(told, Mapping):
            body |= {name: value for name, value in told.items() if value is not None}
        ended = ended or kind_of(event) in _RESPONSE_ENDS
    stated = bool(body.get("usage"))
    if not stated:
        body["usage"] = {"input_tokens": 0}
    # How a response failed that says so itself, its own object tells.
    merged = Merged(body, ended, stated=stated)
    return merged if ended else ended_by_error(merged, events)


def merge_message(events: Sequence[Answer]) -> Merged:
    """A streamed message. `message_start` tells the input, how long cache writes are kept, tier and region; each
    `message_delta` the counts so far, larger on the input side too where server tools went round."""
    body: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    complete = False
    for event in events:
        kind = kind_of(event)
        if kind == "message_start":
            message = event.part("message")
            body |= message.body
            _add_usage(usage, message.body.get("usage"))
        elif kind == "message_delta":
            delta = event.body.get("delta")
            if isinstance(delta, Mapping) and delta.get("stop_reason"):
                body["stop_reason"] = delta["stop_reason"]
                complete = True
            _add_usage(usage, event.body.get("usage"))
        elif kind == "message_stop":
            complete = True
    stated = bool(usage)
    _keep_ratio(usage)
    merged = Merged({**body, "usage": usage or {"input_tokens": 0}}, complete, stated=stated)
    return ended_by_error(merged, (event for event in events if kind_of(event) == "error"))


def _add_usage(usage: dict[str, Any], told: Any) -> None:
    for name, value in told.items() if isinstance(told, Mapping) else ():
        if value is None:
            continue
        before = usage.get(name)
        # Counts only grow; a host that tells 0 where it has no more to say takes nothing back.
        usage[name] = max(before, value) if type(before) is int and type(value) is int else value


def _keep_ratio(usage: dict[str, Any]) -> None:
    """Spreads cache writes that grew after the start over the times they are kept for as the start did."""
    split, total = usage.get("cache_creation"), usage.get("cache_creation_input_tokens")
    if not isinstance(split, Mapping) or type(total) is not int:
        return
    counts = {name: value for name, value in split.items() if type(value) is int and value > 0}
    known = sum(counts.values())
    if 0 < known < total:
        one_hour = total * counts.get("ephemeral_1h_input_tokens", 0) // known
        usage["cache_creation"] = {
            "ephemeral_1h_input_tokens": one_hour,
            "ephemeral_5m_input_tokens": total - one_hour,
        }
