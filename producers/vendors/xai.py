"""xAI (Grok): chat completions, responses, the voice interface, pictures and videos; `xai_native` reads gRPC.

Accounting: in chat completions reasoning stands **beside** the completion, `total = prompt + completion + reasoning`;
in responses it is inside the output. Cached tokens are inside the prompt, unless they are more than it: then they stand
beside it. `cost_in_usd_ticks` is what the call is billed, tools included. Pictures and videos state nothing else. Calls
of server-side tools are billed each; where their counts are told they replace the items of `output`. Sources of a live
search (chat completions) were billed each; those of responses are not.
The voice interface is billed by `billable_audio_seconds`; its usage stands beside the response, whose own is empty.
Sources: recorded answers, streams and WebSocket frames; docs.x.ai, cost tracking; vercel/ai's guard
against prompts without their cached tokens.
Limits: a voice frame names no model.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.compatible import Habits, compatible, read_chat
from producers.vendors.registry import Merged, other_names, sign, stream
from producers.vendors.xai_native import (
    NATIVE_SIGNS,
    TOOLS,
    cost,
    is_native,
    is_native_chunk,
    merge_native,
    read_native,
)

_TOKENS: Final = tuple(f"usage.{side}_tokens" for side in ("prompt", "completion", "input", "output"))
_FETCHED: Final = {"x_posts_fetched": "x_posts", "x_users_fetched": "x_users"}
_VOICE_DONE: Final = "response.done"
_DETAILS: Final = "server_side_tool_usage_details"
_VOICE: Final = (
    "billable_audio_seconds",
    "output_audio_seconds",
    "input_token_details",
    "input_text_messages",
)


def _units(answer: Answer) -> Mapping[str, Decimal]:
    usage = answer.part("usage")
    calls: Counter[str] = Counter()
    for tool, unit in TOOLS.items():
        calls[unit] += usage.count(f"{_DETAILS}.{tool}_calls")
    for field, unit in _FETCHED.items():
        calls[unit] += usage.count(f"{_DETAILS}.{field}")
    return whole_units(**calls)


HABITS: Final = Habits(reasoning_outside=True, facts=cost, units=_units)
"""What xAI does otherwise than OpenAI in a chat completion."""
_CACHE_OUTSIDE: Final = replace(HABITS, cache_outside=True)


def is_media(answer: Answer) -> bool:
    """Pictures or a video: a cost, and no tokens."""
    return answer.has_any("usage.cost_in_usd_ticks") and not answer.has_any(*_TOKENS)


def is_voice(answer: Answer) -> bool:
    return any(answer.has_any(f"usage.{name}", f"response.usage.{name}") for name in _VOICE)


def read_completion(answer: Answer) -> Reading:
    """A chat completion, also of a live search."""
    is_outside = answer.count("usage.prompt_tokens_details.cached_tokens") > answer.count(
        "usage.prompt_tokens"
    )
    reading = read_chat(_CACHE_OUTSIDE if is_outside else HABITS)(answer)
    sources = answer.count("usage.num_sources_used")
    return replace(reading, units={**reading.units, **whole_units(live_search_sources=sources)})


def read_response(answer: Answer) -> Reading:
    """The Responses interface."""
    reading = shapes.read_response(answer)
    usage = answer.part("usage")
    stated = _units(answer) if usage.has_any(_DETAILS) else reading.units
    if not stated and not usage.has_any(_DETAILS):
        stated = whole_units(server_side_tool_calls=usage.count("num_server_side_tools_used"))
    return replace(reading, units=stated, facts={**reading.facts, **cost(answer)})


def read_media(answer: Answer) -> Reading:
    """Pictures, or a video that is done."""
    answer.need_any("usage.cost_in_usd_ticks")
    pictures = answer.find("data")
    seconds = answer.amount("video.duration") if answer.has_any("video") else None
    model = answer.text("model")
    is_video = seconds is not None or "video" in model
    return Reading(
        model=model,
        response_id=answer.text("request_id", "id"),
        time=answer.moment("created"),
        operation="video" if is_video else "image",
        counts={},
        units={
            **whole_units(images=len(pictures) if isinstance(pictures, list) else 0),
            **({"video_seconds": seconds} if seconds else {}),
        },
        facts=cost(answer),
    )


def read_voice(answer: Answer) -> Reading:
    """`response.done` of the voice interface."""
    holder = (
        answer if answer.has_any("usage.input_tokens", "usage.output_tokens") else answer.part("response")
    )
    reading = shapes.read_realtime(Answer({"response": holder.body}, answer.at))
    seconds = holder.amount("usage.billable_audio_seconds")
    units = {"audio_seconds": seconds} if seconds else {}
    response = answer.part("response") if isinstance(answer.find("response"), Mapping) else Answer({})
    status = "cancelled" if response.find("status") == "cancelled" else reading.status
    return replace(
        reading,
        response_id=answer.text("response_id", "id") or response.text("id"),
        status="error" if response.find("status") == "failed" else status,
        units={**units, **whole_units(text_messages=holder.count("usage.input_text_messages"))},
        facts={**reading.facts, **cost(holder)},
    )


def is_voice_event(event: Answer) -> bool:
    return event.body.get("type") == _VOICE_DONE


def merge_voice(events: Sequence[Answer]) -> Merged:
    """A voice session: each `response.done` is a call, whose usage stands beside the response."""
    calls = [Merged(event.body) for event in events if is_voice_event(event)]
    if not calls:
        return Merged({"usage": {"input_tokens": 0}}, complete=False, stated=False)
    return replace(calls[0], further=calls[1:])


stream("xai", "realtime", looks_like=is_voice_event)(merge_voice)
stream("xai", "native_grpc", looks_like=is_native_chunk)(merge_native)
compatible(
    "xai",
    HABITS,
    own={
        "realtime": (is_voice, read_voice),
        "media": (is_media, read_media),
        "native_grpc": (is_native, read_native),
        "chat_completions": (shapes.is_chat_completion, read_completion),
        "responses": (shapes.is_response, read_response),
    },
)
other_names("xai", {"native_grpc": ("native",), "media": ("videos",)})


@sign("xai")
def is_surely_xai(answer: Answer) -> bool:
    """Only xAI states ticks, sources and server-side tools in its usage."""
    stated = ("cost_in_usd_ticks", "num_sources_used", "num_server_side_tools_used", _DETAILS, *NATIVE_SIGNS)
    return answer.has_any(*(f"usage.{name}" for name in stated))
