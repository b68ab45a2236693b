"""Volcano Engine's Ark (Doubao), and BytePlus, its twin that bills in USD.

Accounting: OpenAI's family. Cached and audio tokens are inside the prompt, reasoning and audio inside the
completion, and so are `provisioned_tokens`, those served from a purchased throughput pack: they are a part of the
tokens, never more of them, and make the tier `scale` where the answer names none. `audio_cached_tokens` are the unit
`cache_read_audio_tokens`, which is a part of both.
`tool_usage_details` splits the counts of `tool_usage` by source and is not added to them.
The answer's model is the dated model where the request named an endpoint (`ep-…`). A chunk of a stream has
`usage: null` unless it was asked for.
Sources: types of the packages volcengine-ark-runtime 5.0 and byteplus 3.0; captured answers.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors import volcengine_media as media
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.combining import first_fitting, never
from producers.vendors.compatible import compatible
from producers.vendors.registry import other_names, stream, surface

_PROVISIONED: Final = (
    "prompt_tokens_details.provisioned_tokens",
    "completion_tokens_details.provisioned_tokens",
)
_TOOLS: Final = {"web_search": "web_searches", "knowledge_search": "knowledge_searches"}


def _units(answer: Answer) -> Mapping[str, Decimal]:
    return whole_units(
        cache_read_audio_tokens=answer.count("usage.prompt_tokens_details.audio_cached_tokens"),
    )


def _facts(answer: Answer) -> Mapping[str, Any]:
    from_pack = sum(answer.count(f"usage.{path}") for path in _PROVISIONED)
    return {"service_tier": "scale"} if from_pack and not answer.text("service_tier") else {}


HABITS: Final = shapes.Habits(units=_units, facts=_facts)
"""What Ark does otherwise than OpenAI in a chat completion."""


def read_chat(answer: Answer) -> Reading:
    """A chat completion, also one that used a context cache."""
    return shapes.read_chat_completion(answer, HABITS)


def read_bot(answer: Answer) -> Reading:
    """A bot's chat completion."""
    return media.read_bot(answer, read_chat(answer) if shapes.is_chat_completion(answer) else None)


def read_context(answer: Answer) -> Reading:
    """The creation of a context cache: its tokens are billed as input."""
    return replace(read_chat(answer), operation="context_cache")


def read_response(answer: Answer) -> Reading:
    """The Responses API: OpenAI's, with the calls of billed tools in its usage."""
    reading = shapes.read_response(answer)
    stated = {unit: answer.count(f"usage.tool_usage.{name}") for name, unit in _TOOLS.items()}
    audio = answer.count("usage.input_tokens_details.audio_cached_tokens")
    units = {**reading.units, **whole_units(**stated, cache_read_audio_tokens=audio)}
    return replace(reading, units=units)


_OWN: Final = {
    "bots": (media.is_bot, read_bot),
    "images": (media.is_image, media.read_image),
    "context_cache": (media.is_context, read_context),
    "multimodal_embeddings": (media.is_embedding, media.read_embedding),
    "videos": (media.is_video, media.read_video),
    "chat_completions": (shapes.is_chat_completion, read_chat),
    "responses": (shapes.is_response, read_response),
}

# Before the chat completions, of which a bot's chunks have the shape too.
stream("volcengine", "bots", looks_like=media.is_bot)(media.merge_bot)
compatible("volcengine", own=_OWN)
other_names("volcengine", {"videos": ("video",)})
surface("volcengine", "images_video", looks_like=never)(first_fitting(_OWN["images"], _OWN["videos"]))
stream("volcengine", "images", looks_like=media.is_image)(media.merge_images)
