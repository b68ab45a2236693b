"""Alibaba's Model Studio (DashScope): its native interface, and those compatible with OpenAI and Anthropic.

Accounting: of the OpenAI shape, tokens that an explicit cache was read for and those written to it are both inside
`prompt_tokens`; `cache_write_tokens` repeats `cache_creation_input_tokens`. `cache_type: ephemeral` tells an
explicit cache, whose prices are others, and becomes the tag `cache_type`; an implicit one has none. Reasoning is
inside the completion, and the completion's `text_tokens` count it too. `alibaba_usage` says the same of the native
and the Responses interface. In the Anthropic shape the cache stands beside `input_tokens`, as Anthropic's does.
The OpenAI shape states its usage in a chunk of its own, the native one in every frame.
Sources: recorded answers of the OpenAI shape; third parties' tests of explicit caches and of searches.
Limits: thinking and other output, and times of day, have other prices for some models, and no answer names them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import alibaba_native as native
from producers.vendors import alibaba_usage as usages
from producers.vendors import hosts
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.anthropic import read_message
from producers.vendors.combining import never
from producers.vendors.compatible import merge_chat
from producers.vendors.plain_facts import tagged
from producers.vendors.registry import Merged, other_names, sign, stream, surface

_OPENAI_RESPONSE: Final = ("usage.x_tools", "usage.x_details", "incomplete_details", "parallel_tool_calls")
_ANTHROPIC: Final = ("usage.cache_read_input_tokens", "usage.cache_creation_input_tokens", "stop_reason")


def _units(answer: Answer) -> Mapping[str, Decimal]:
    usage = answer.part("usage")
    video = whole_units(input_video_tokens=usage.count("prompt_tokens_details.video_tokens"))
    return {**usages.tool_units(usage), **video}


HABITS: Final = shapes.Habits(
    units=_units,
    facts=lambda answer: tagged(cache_type=usages.cache_type(answer.part("usage"))),
)
"""What Model Studio does otherwise than OpenAI in a chat completion."""


def is_websocket(answer: Answer) -> bool:
    return answer.has_any("payload.usage", "payload.output", "header.task_id")


def is_message(answer: Answer) -> bool:
    return answer.has_any(*_ANTHROPIC) and not answer.has_any("usage.total_tokens", "output")


def is_response_event(answer: Answer) -> bool:
    """An event of a streamed response that tells its usage; `response.completed` is one."""
    return answer.has_any("response.usage.input_tokens", "response.usage.output_tokens")


def is_response(answer: Answer) -> bool:
    return shapes.is_response(answer) and (
        answer.has_any(*_OPENAI_RESPONSE) or isinstance(answer.find("output"), list)
    )


def read_chat(answer: Answer) -> Reading:
    """A chat completion of the OpenAI shape."""
    reading = shapes.read_chat_completion(answer, HABITS)
    write, one_hour = usages.cache_writes(answer.part("usage"))
    return replace(
        reading, counts={**reading.counts, "cache_write_tokens": write, "cache_write_1h_tokens": one_hour}
    )


_COMPATIBLE: Final = {
    "response_event": (is_response_event, lambda event: native.read_response(event.part("response"))),
    "chat_completions": (shapes.is_chat_completion, read_chat),
    "openai_embeddings": (shapes.is_embedding, shapes.read_embedding),
    "messages": (is_message, read_message),
    "responses": (is_response, native.read_response),
}
"""Surfaces of the compatible interfaces; an answer that is of none of them is of the native one."""


def read_websocket(answer: Answer) -> Reading:
    """A frame of a speech task; its counts are those so far, and the last one's those of the task."""
    reading = native.read_native(answer.part("payload"))
    return replace(reading, response_id=answer.text("header.task_id") if answer.has_any("header") else "")


def merge_native(chunks: Sequence[Answer]) -> Merged:
    """The last frame that states usage: its counts are cumulative, with and without `incremental_output`."""
    body: dict[str, Any] = {}
    complete = False
    for chunk in chunks:
        body |= {name: value for name, value in chunk.body.items() if value is not None}
        complete = complete or _is_finished(chunk)
    stated = native.is_native(Answer(body)) or native.is_application(Answer(body))
    if not stated:
        body["usage"] = {"total_tokens": 0}
    return Merged(body, complete, stated=stated)


def _is_finished(frame: Answer) -> bool:
    """`finish_reason` is the string "null" until it is known."""
    if not frame.has_any("output"):
        return False
    output = frame.find("output")
    if not isinstance(output, Mapping):
        return False
    choices = output.get("choices")
    choices = choices if isinstance(choices, list) else []
    reasons = [
        output.get("finish_reason"),
        *(c.get("finish_reason") for c in choices if isinstance(c, Mapping)),
    ]
    return any(reason not in (None, "", "null") for reason in reasons)


surface("alibaba", "websocket", looks_like=is_websocket)(read_websocket)
surface("alibaba", "application", looks_like=native.is_application)(native.read_application)
hosts.register("alibaba", _COMPATIBLE)
stream("alibaba", "chat_completions", looks_like=hosts.is_chat_chunk)(merge_chat)
stream("alibaba", "openai_compat", looks_like=never)(merge_chat)
surface("alibaba", "native", looks_like=native.is_native)(native.read_native)
stream("alibaba", "native", looks_like=lambda chunk: chunk.has_any("output", "request_id"))(merge_native)
other_names(
    "alibaba",
    {
        "native": (
            "text",
            "text_generation",
            "multimodal",
            "embeddings",
            "rerank",
            "images",
            "videos",
            "audio",
        )
    },
)


@sign("alibaba")
def is_surely_alibaba(answer: Answer) -> bool:
    """Alibaba's own shape: `output`, `usage` and `request_id` side by side, or a Qwen model by its plain name."""
    own = isinstance(answer.find("output"), Mapping) and answer.has_any("request_id")
    return own and answer.has_any("usage")
