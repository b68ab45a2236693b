"""Volcano Engine's Ark: pictures, videos, multimodal embeddings, bots and context caches.

Accounting: a picture is billed by the piece (`generated_images`, and `input_images` that were given), a video by
`completion_tokens`; tokens of the one and seconds of the other are stated too and are counted, so that a price of
either kind can be written, with a rate of 0 for the meter that is not billed.
A bot's answer states each endpoint that it called in `bot_usage.model_usage`, each billed as its own model, and how
often its plugins searched in `bot_usage.action_usage`; a `usage` beside it repeats their sum.
Sources: types of the package volcengine-ark-runtime 5.0; Volcano Engine's page 82379/1523520.
Limits: the storage of a context cache is billed by the hour and no answer shows it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.combining import one_call_a_model
from producers.vendors.compatible import merge_chat
from producers.vendors.plain_facts import error_code, resolution, sizes, tagged
from producers.vendors.registry import Merged

_TASK_STATUS: Final = {"failed": "error", "cancelled": "cancelled", "expired": "timeout"}


def is_image(answer: Answer) -> bool:
    return answer.has_any("usage.generated_images", "usage.input_images")


def is_video(answer: Answer) -> bool:
    """A task's answer; its usage has no prompt."""
    return answer.has_any("usage.completion_tokens") and not answer.has_any("usage.prompt_tokens", "choices")


def is_embedding(answer: Answer) -> bool:
    """Text embeddings, and multimodal ones, whose `data` is an object and whose prompt is text, pictures and video."""
    return (
        answer.has_any("usage.prompt_tokens")
        and not answer.has_any("usage.completion_tokens", "choices")
        and not is_context(answer)
    )


def is_bot(answer: Answer) -> bool:
    return answer.has_any("bot_usage")


def is_context(answer: Answer) -> bool:
    """The answer to the creation of a context cache."""
    return answer.has_any("usage.prompt_tokens") and answer.has_any("ttl", "truncation_strategy")


def read_image(answer: Answer) -> Reading:
    """Pictures, also the last event of a stream of them."""
    usage = answer.part("usage")
    usage.need_any("generated_images", "input_images", "output_tokens")
    pictures = answer.find("data")
    return Reading(
        model=answer.text("model"),
        time=answer.moment("created", "created_at"),
        operation="image",
        counts={"input_tokens": usage.count("input_tokens"), "output_tokens": usage.count("output_tokens")},
        units=whole_units(
            images=usage.count("generated_images"),
            input_images=usage.count("input_images"),
            web_searches=usage.count("tool_usage.web_search"),
        ),
        facts=tagged(image_size=sizes(_sizes_of(pictures))),
    )


def read_video(answer: Answer) -> Reading:
    """A task that made a video; asking for it again tells the same usage under the same id."""
    usage = answer.part("usage")
    usage.need_any("completion_tokens", "total_tokens")
    seconds = answer.amount("duration")
    tokens = usage.count("completion_tokens", "total_tokens")
    status = _TASK_STATUS.get(answer.text("status"), "ok")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        time=answer.moment("updated_at", "created_at"),
        operation="video",
        service_tier=service_tier(answer.text("service_tier")),
        status=status,
        error_code=error_code(answer, "error.code") if status == "error" else "",
        counts={"output_tokens": tokens},
        stated_total=usage.count("total_tokens"),
        units={"video_seconds": seconds} if seconds else {},
        facts=tagged(resolution=resolution(answer.find("resolution"))),
    )


def read_embedding(answer: Answer) -> Reading:
    """Embeddings; pictures and video are inside the prompt and have prices of their own."""
    usage = answer.part("usage")
    usage.need_any("prompt_tokens", "total_tokens")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        time=answer.moment("created"),
        operation="embedding",
        counts={
            "input_tokens": usage.count("prompt_tokens", "total_tokens"),
            "input_image_tokens": usage.count("prompt_tokens_details.image_tokens"),
            "input_audio_tokens": usage.count("prompt_tokens_details.audio_tokens"),
        },
        units=whole_units(input_video_tokens=usage.count("prompt_tokens_details.video_tokens")),
    )


def read_bot(answer: Answer, whole: Reading | None = None) -> Reading:
    """A bot's answer: one call an endpoint. whole: what the answer is read as without its `bot_usage`."""
    bot = answer.part("bot_usage")
    parts = [
        Reading(
            model=part.text("name"),
            counts={
                "input_tokens": part.count("prompt_tokens"),
                "cache_read_tokens": part.count("prompt_tokens_details.cached_tokens"),
                "output_tokens": part.count("completion_tokens"),
                "reasoning_tokens": part.count("completion_tokens_details.reasoning_tokens"),
            },
        )
        for part in bot.parts("model_usage")
    ]
    searches = sum(action.count("search_count") for action in bot.parts("action_usage"))
    if whole is None:
        if not parts and not searches:
            raise bot.refusal("missing_field", "model_usage", "names no model that was used")
        whole = Reading(
            model=answer.text("model"),
            response_id=answer.text("id"),
            time=answer.moment("created"),
            counts={},
        )
    if whole.counts and len({part.model for part in parts}) <= 1:
        # The answer's own usage tells the same and knows more of it.
        read = replace(whole, model=whole.model or next((part.model for part in parts), ""))
    else:
        read = one_call_a_model(whole, parts)
    return replace(read, units={**read.units, **whole_units(web_searches=searches)})


def merge_bot(chunks: Sequence[Answer]) -> Merged:
    """A bot's streamed answer: a chat completion whose last chunk tells `bot_usage`."""
    merged = merge_chat(chunks)
    told = [chunk.find("bot_usage") for chunk in chunks if is_bot(chunk)]
    if not told:
        return merged
    own = {"usage": merged.body["usage"] if merged.stated else None, "bot_usage": told[-1]}
    return replace(merged, body={**merged.body, **own}, stated=True)


def merge_images(events: Sequence[Answer]) -> Merged:
    """Streamed pictures: one event a picture, and the usage in `image_generation.completed`."""
    body: dict[str, Any] = {}
    pictures: list[dict[str, Any]] = []
    for event in events:
        body |= {name: value for name, value in event.body.items() if value is not None}
        if event.has_any("size"):
            pictures.append({"size": event.find("size")})
    stated = any(map(is_image, events))
    return Merged(
        {"data": pictures, **body, **({} if stated else {"usage": {"output_tokens": 0}})}, stated, stated
    )


def _sizes_of(pictures: Any) -> list[Any]:
    return (
        [item.get("size") for item in pictures if isinstance(item, dict)]
        if isinstance(pictures, list)
        else []
    )
