"""The shapes of answer that OpenAI made, which OpenAI, Azure and many compatible hosts send.

Accounting (family of OpenAI): `total = input + output`. Cached and cache-written tokens, audio and images are
inside the input count, reasoning, audio and images inside the output count; nothing is added. Rejected
predictions are inside the output count and are billed.
Sources: types of the package openai 3.54; recorded answers.
Limits: a chat completion does not say how often it searched the web; that cache writes are kept for 12 hours instead
of 30 minutes is not told apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.plain_facts import error_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a compatible host does otherwise than OpenAI in a chat completion.

    Paths are dotted and tried in turn; the first that is there counts. Those of counts lie within the usage object.
    usage: where the usage object stands. cache_outside, reasoning_outside: whether those tokens stand beside
    the input or output count and are to be added to it. facts: further fields of UsageEvent that the answer
    states. units: other meters that it states.
    """

    usage: tuple[str, ...] = ("usage",)
    model: tuple[str, ...] = ("model",)
    response_id: tuple[str, ...] = ("id",)
    input: tuple[str, ...] = ("prompt_tokens",)
    output: tuple[str, ...] = ("completion_tokens",)
    cache_read: tuple[str, ...] = ("prompt_tokens_details.cached_tokens",)
    cache_write: tuple[str, ...] = ("prompt_tokens_details.cache_write_tokens",)
    reasoning: tuple[str, ...] = ("completion_tokens_details.reasoning_tokens",)
    cache_outside: bool = False
    reasoning_outside: bool = False
    facts: Callable[[Answer], Mapping[str, Any]] = lambda _: {}
    units: Callable[[Answer], Mapping[str, Decimal]] = lambda _: {}


OPENAI: Final = Habits()
_RESPONSE_STATUS = {"failed": "error", "cancelled": "cancelled"}


def is_chat_completion(answer: Answer) -> bool:
    return answer.has_any("usage.completion_tokens") or (
        answer.has_any("usage.prompt_tokens") and answer.has_any("choices")
    )


def is_embedding(answer: Answer) -> bool:
    return answer.has_any("usage.prompt_tokens") and not is_chat_completion(answer)


def is_transcription(answer: Answer) -> bool:
    if answer.has_any("usage.type"):
        return answer.find("usage.type") in ("duration", "tokens")
    return _is_model(answer, "transcribe") and answer.has_any("usage.seconds", "usage.input_tokens")


def is_image(answer: Answer) -> bool:
    if not answer.has_any("usage.input_tokens", "usage.output_tokens") or answer.has_any("output"):
        return False
    if _is_model(answer, "gpt-image"):
        return True
    image_details = ("usage.input_tokens_details.image_tokens", "usage.output_tokens_details.image_tokens")
    return answer.has_any(*image_details) or isinstance(answer.find("data"), list)


def is_response(answer: Answer) -> bool:
    """Input and output, and no event of a streamed message, whose usage is spelled alike."""
    return answer.body.get("type") != "message_delta" and answer.has_any(
        "usage.input_tokens", "usage.output_tokens"
    )


def is_realtime(answer: Answer) -> bool:
    """`response.done`, or its usage alone, and nothing of a streamed response, whose events are named alike."""
    if answer.has_any("response.usage"):
        return answer.find("type") in (None, "response.done")
    return answer.has_any("usage.input_token_details", "usage.output_token_details")


def read_chat_completion(answer: Answer, habits: Habits = OPENAI) -> Reading:
    """`chat.completion`, and the last chunk of a stream, which carries the same usage object."""
    at = next((path for path in habits.usage if answer.has_any(path)), habits.usage[0])
    usage = answer.part(at)
    usage.need_any(*habits.input, *habits.output)
    cache_read, cache_write = usage.count(*habits.cache_read), usage.count(*habits.cache_write)
    reasoning = usage.count(*habits.reasoning)
    filtered = any(choice.find("finish_reason") == "content_filter" for choice in answer.parts("choices"))
    facts = habits.facts(answer)
    if answer.body.get("object") == "chat.completion.chunk":
        facts = {"streaming": True, **facts}
    return Reading(
        model=answer.text(*habits.model),
        response_id=answer.text(*habits.response_id),
        time=answer.moment("created"),
        service_tier=service_tier(answer.text("service_tier")),
        status="filtered" if filtered else "ok",
        counts={
            "input_tokens": usage.count(*habits.input) + (cache_read + cache_write) * habits.cache_outside,
            "cache_read_tokens": cache_read,
            "cache_write_tokens": cache_write,
            "input_audio_tokens": usage.count("prompt_tokens_details.audio_tokens"),
            "input_image_tokens": usage.count("prompt_tokens_details.image_tokens"),
            "output_tokens": usage.count(*habits.output) + reasoning * habits.reasoning_outside,
            "reasoning_tokens": reasoning,
            "output_audio_tokens": usage.count("completion_tokens_details.audio_tokens"),
            "output_image_tokens": usage.count("completion_tokens_details.image_tokens"),
        },
        units=habits.units(answer),
        facts=facts,
        stated_total=usage.total("total_tokens"),
    )


def read_embedding(answer: Answer) -> Reading:
    """`{"prompt_tokens", "total_tokens"}`: there is no output to count."""
    answer.need_any("usage.prompt_tokens")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        operation="embedding",
        counts={
            "input_tokens": answer.count("usage.prompt_tokens"),
            "cache_read_tokens": answer.count("usage.prompt_tokens_details.cached_tokens"),
        },
        stated_total=answer.total("usage.total_tokens"),
    )


def read_response(answer: Answer) -> Reading:
    """The Responses API. Calls of hosted tools are billed each and show only as items of `output`."""
    answer.need_any("usage.input_tokens", "usage.output_tokens")
    state = answer.text("status")
    filtered = answer.find("incomplete_details.reason") == "content_filter"
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        time=answer.moment("completed_at", "created_at"),
        service_tier=service_tier(answer.text("service_tier")),
        status="filtered" if filtered else _RESPONSE_STATUS.get(state, "ok"),
        error_code=error_code(answer, "error.code") if answer.has_any("error") else "",
        counts=input_output_counts(answer),
        units=_tool_calls(answer),
        stated_total=answer.total("usage.total_tokens"),
        inner=_pictures(answer),
    )


def read_realtime(answer: Answer) -> Reading:
    """`response.done` of the realtime API; its details are spelled `input_token_details`."""
    response = answer.part("response") if answer.has_any("response") else answer
    response.need_any("usage.input_tokens", "usage.output_tokens")
    return Reading(
        model=response.text("model"),
        response_id=response.text("id"),
        counts=input_output_counts(response),
        units=_cached_kinds(response),
        status=_RESPONSE_STATUS.get(response.text("status"), "ok"),
        operation="realtime",
        stated_total=response.total("usage.total_tokens"),
    )


def read_image(answer: Answer) -> Reading:
    """Images of the token-billed models. It names no model, and no id."""
    answer.need_any("usage.input_tokens", "usage.output_tokens")
    images = answer.find("data")
    return Reading(
        model=answer.text("model"),
        time=answer.moment("created"),
        operation="image",
        counts=input_output_counts(answer),
        units=whole_units(images=len(images) if isinstance(images, list) else 0),
        stated_total=answer.total("usage.total_tokens"),
    )


def read_transcription(answer: Answer) -> Reading:
    """A transcription: billed by tokens, or by seconds of audio. It names no model, and no id."""
    answer.need_any("usage.seconds", "usage.input_tokens")
    seconds = answer.amount("usage.seconds")
    return Reading(
        model=answer.text("model"),
        operation="transcription",
        counts=input_output_counts(answer),
        units={"audio_seconds": seconds} if seconds else {},
        stated_total=answer.total("usage.total_tokens"),
    )


def input_output_counts(answer: Answer) -> dict[str, int]:
    """The counts of `usage`, in the names that Responses and its kin have, details in both spellings."""

    def detail(side: str, kind: str) -> int:
        return answer.count(f"usage.{side}_tokens_details.{kind}", f"usage.{side}_token_details.{kind}")

    return {
        "input_tokens": answer.count("usage.input_tokens"),
        "cache_read_tokens": detail("input", "cached_tokens"),
        "cache_write_tokens": detail("input", "cache_write_tokens"),
        "input_audio_tokens": detail("input", "audio_tokens"),
        "input_image_tokens": detail("input", "image_tokens"),
        "output_tokens": answer.count("usage.output_tokens"),
        "reasoning_tokens": detail("output", "reasoning_tokens"),
        "output_audio_tokens": detail("output", "audio_tokens"),
        "output_image_tokens": detail("output", "image_tokens"),
    }


def _is_model(answer: Answer, kind: str) -> bool:
    model = answer.body.get("model")
    return isinstance(model, str) and kind in model


def _cached_kinds(answer: Answer) -> dict[str, Decimal]:
    """What of the cached tokens was audio or images, which have cached prices of their own.

    That none was is told, too, where both kinds were counted: without it the call would have no price.
    """
    at = "usage.input_token_details"
    kinds = ("audio", "image") if answer.has_any(f"{at}.cached_tokens_details") else ()
    return {
        f"cache_read_{kind}_tokens": Decimal(answer.count(f"{at}.cached_tokens_details.{kind}_tokens"))
        for kind in kinds
        if answer.count(f"{at}.{kind}_tokens") and answer.count(f"{at}.cached_tokens")
    }


def _pictures(answer: Answer) -> tuple[Reading, ...]:
    """What the image tool drew: tokens of an image model, which the answer's own usage does not hold."""
    if not answer.has_any("tool_usage.image_gen.input_tokens", "tool_usage.image_gen.output_tokens"):
        return ()
    drawn = Answer({"usage": answer.find("tool_usage.image_gen")}, "tool_usage.image_gen")
    counts = input_output_counts(drawn)
    if not any(counts.values()):
        return ()
    models = [tool.text("model") for tool in answer.parts("tools") if tool.find("type") == "image_generation"]
    return (Reading(model=models[0] if models else "", operation="image", counts=counts),)


def _tool_calls(answer: Answer) -> dict[str, Decimal]:
    items = [(item.find("type"), item) for item in answer.parts("output")] if answer.has_any("output") else []
    # Opening a page that a search found is part of that search and not billed again.
    searches = sum(kind == "web_search_call" and _is_search(item) for kind, item in items)
    return whole_units(
        web_searches=max(searches, answer.count("tool_usage.web_search.num_requests")),
        file_searches=sum(kind == "file_search_call" for kind, _ in items),
        code_interpreter_calls=sum(kind == "code_interpreter_call" for kind, _ in items),
    )


def _is_search(item: Answer) -> bool:
    return not item.has_any("action.type") or item.find("action.type") == "search"
