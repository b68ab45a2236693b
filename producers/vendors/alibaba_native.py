"""Alibaba's DashScope: what its own interface states in `usage`, and what the Responses interface adds to OpenAI's.

Accounting: cached tokens, those written to an explicit cache, images, audio and video are inside `input_tokens`,
reasoning and audio inside `output_tokens`. `cache_write_tokens` repeats `cache_creation_input_tokens`. Every frame
of a stream states the usage so far, whether the text comes whole or in increments.
Searches stand in `plugins.search.count`; the Responses interface states one count twice, in `x_tools` and in
`x_details`, of which the first is read. `x_details` also is where that interface tells what was cached.
An application's answer states its models side by side, each billed at its own price.
Pictures are billed each, videos by the seconds of `duration` (what went in and what came out), speech by
characters, recognition by seconds.
Sources: types of the package dashscope 2.0; answers recorded in the tests of cnblogs/dashscope-sdk; Model Studio's
API reference (multimodal embeddings: `input_tokens` is the sum of text and images).
Limits: a video token count has no field of its own and is the unit `input_video_tokens`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.combining import one_call_a_model
from producers.vendors.plain_facts import error_code, resolution, size, tagged

_TOKENS: Final = ("input_tokens", "output_tokens", "total_tokens")
_METERS: Final = (
    "image_count",
    "video_count",
    "video_duration",
    "output_video_duration",
    "characters",
    "duration",
    "seconds",
)
_TASK_STATUS: Final = {"FAILED": "error", "CANCELED": "cancelled", "UNKNOWN": "error"}
_TOOLS: Final = {
    "web_search": "web_searches",
    "search": "web_searches",
    "web_extractor": "web_extractions",
    "code_interpreter": "code_interpreter_calls",
    "file_search": "file_searches",
    "web_search_image": "image_searches",
    "image_search": "image_searches",
}
_BEIJING: Final = "+08:00"


def is_native(answer: Answer) -> bool:
    return answer.has_any(*(f"usage.{name}" for name in (*_TOKENS, *_METERS)))


def is_application(answer: Answer) -> bool:
    return answer.has_any("usage.models")


def read_native(answer: Answer) -> Reading:
    """Any answer of the native interface: text, multimodal, embeddings, rerank, pictures, videos, speech."""
    usage = answer.part("usage")
    usage.need_any(*_TOKENS, *_METERS)
    operation = _operation(answer, usage)
    task_status = answer.text("output.task_status") if answer.has_any("output.task_status") else ""
    status = _TASK_STATUS.get(task_status, "ok")
    return Reading(
        model=answer.text("model"),
        # Asking for a task again has a new request_id each time; the task keeps its own.
        response_id=(answer.text("output.task_id") if answer.has_any("output.task_id") else "")
        or answer.text("request_id", "id"),
        time=_ended_at(answer),
        operation=operation,
        status=status,
        error_code=error_code(answer, "output.code", "code") if status == "error" else "",
        counts=counts(usage),
        units=_units(usage, operation),
        facts=tagged(
            image_size=_picture_size(usage) if operation == "image" else "",
            resolution=resolution(usage.find("SR")) if operation == "video" else "",
            cache_type=cache_type(usage),
        ),
    )


def read_response(answer: Answer) -> Reading:
    """The Responses interface: OpenAI's, with Alibaba's details."""
    reading = shapes.read_response(answer)
    usage = answer.part("usage")
    return replace(
        reading,
        counts=counts(usage),
        units={**reading.units, **tool_units(usage)},
        facts={**reading.facts, **tagged(cache_type=cache_type(usage))},
    )


def read_application(answer: Answer) -> Reading:
    """An application's answer: one call a model that it used."""
    parts = [
        Reading(model=part.text("model_id"), counts=counts(part)) for part in answer.parts("usage.models")
    ]
    if not parts:
        raise answer.refusal("missing_field", "usage.models", "names no model that was used")
    whole = Reading(
        model=answer.text("model"),
        response_id=answer.text("request_id"),
        counts={},
        units=tool_units(answer.part("usage")),
    )
    return one_call_a_model(whole, parts)


def counts(usage: Answer) -> dict[str, int]:
    """The token counts of a usage object of the native or the Responses interface."""
    cache_write, one_hour = cache_writes(usage)
    images, audio, video = (_media(usage, kind) for kind in ("image", "audio", "video"))
    tokens_in, tokens_out = usage.count("input_tokens"), usage.count("output_tokens")
    if not tokens_in and not tokens_out:
        tokens_in = usage.count("total_tokens")
    elif images + audio + video > tokens_in:
        # The first multimodal embeddings state the text alone as input.
        tokens_in += images + audio + video
    return {
        "input_tokens": tokens_in,
        "cache_read_tokens": _detail(usage, "input", "cached_tokens"),
        "cache_write_tokens": cache_write,
        "cache_write_1h_tokens": one_hour,
        "input_audio_tokens": audio,
        "input_image_tokens": images,
        "output_tokens": tokens_out,
        "reasoning_tokens": _detail(usage, "output", "reasoning_tokens"),
        "output_audio_tokens": _detail(usage, "output", "audio_tokens"),
        "output_image_tokens": _detail(usage, "output", "image_tokens"),
    }


def cache_writes(usage: Answer) -> tuple[int, int]:
    """Tokens written to an explicit cache, and those of them that it keeps for an hour.

    The total may be stated under two names, or only by its parts.
    """
    one_hour, five_minutes = (
        _detail(usage, "input", f"cache_creation.ephemeral_{kept}_input_tokens") for kept in ("1h", "5m")
    )
    totals = (_detail(usage, "input", name) for name in ("cache_creation_input_tokens", "cache_write_tokens"))
    return max(one_hour + five_minutes, *totals), one_hour


def tool_units(usage: Answer) -> dict[str, Decimal]:
    """Calls of billed tools, each counted once though stated twice."""
    for tools in _tools_stated(usage):
        found: dict[str, int] = {}
        for name, unit in _TOOLS.items():
            if isinstance(tools.find(name), Mapping):
                found[unit] = max(found.get(unit, 0), tools.count(f"{name}.count"))
        if any(found.values()):
            return whole_units(**found)
    return {}


def cache_type(usage: Answer) -> str:
    """`ephemeral` for an explicit cache, whose reading and writing have other prices than the implicit one's."""
    found = _details(usage, "input", "cache_type")
    return error_code(found, "cache_type") if found is not None else ""


def _tools_stated(usage: Answer) -> Iterator[Answer]:
    """What is an object of tools; extensions in any other form state no counts."""
    holders = [(usage, "x_tools"), *((detail, "plugins") for detail in _x_details(usage)), (usage, "plugins")]
    for holder, name in holders:
        if isinstance(holder.find(name), Mapping):
            yield holder.part(name)


def _x_details(usage: Answer) -> list[Answer]:
    return usage.parts("x_details") if isinstance(usage.find("x_details"), list) else []


def _details(usage: Answer, side: str, kind: str) -> Answer | None:
    """The object of details that states `kind`: the interface's own, OpenAI's, or the one within `x_details`."""
    other = "prompt" if side == "input" else "completion"
    for holder in (usage, *_x_details(usage)):
        for name in (f"{side}_tokens_details", f"{other}_tokens_details"):
            if holder.find(f"{name}.{kind}") is not None:
                return holder.part(name)
    return None


def _detail(usage: Answer, side: str, kind: str) -> int:
    found = _details(usage, side, kind)
    return found.count(kind) if found is not None else 0


def _media(usage: Answer, kind: str) -> int:
    return _detail(usage, "input", f"{kind}_tokens") or usage.count(f"{kind}_tokens")


def _operation(answer: Answer, usage: Answer) -> str:
    model = answer.text("model").lower()
    if answer.has_any("output.embeddings", "output.embedding") or "embedding" in model:
        return "embedding"
    if "rerank" in model or _is_ranking(answer):
        return "rerank"
    if usage.has_any("video_count", "video_duration", "output_video_duration"):
        return "video"
    if usage.has_any("image_count"):
        return "image"
    if usage.count("characters") or "tts" in model:
        return "speech"
    if usage.has_any("duration", "seconds"):
        return "transcription"
    return "chat" if usage.has_any("input_tokens", "output_tokens") else "embedding"


def _is_ranking(answer: Answer) -> bool:
    for path in ("output.results", "results"):
        results = answer.find(path) if answer.has_any(path) else None
        if isinstance(results, list) and any(
            isinstance(item, Mapping) and "relevance_score" in item for item in results
        ):
            return True
    return False


def _units(usage: Answer, operation: str) -> dict[str, Decimal]:
    units = dict(tool_units(usage))
    units |= whole_units(
        characters=usage.count("characters"), input_video_tokens=_media(usage, "video"), images=0
    )
    if operation == "image":
        units |= whole_units(images=usage.count("image_count"))
    elif operation == "video":
        units |= _seconds("video_seconds", _video_seconds(usage))
    elif operation == "transcription":
        units |= _seconds("audio_seconds", usage.amount("duration") or usage.amount("seconds"))
    return units


def _video_seconds(usage: Answer) -> Decimal | None:
    whole = usage.amount("duration")
    if whole is not None:
        return whole
    if usage.has_any("output_video_duration"):
        return (usage.amount("output_video_duration") or Decimal()) + (
            usage.amount("input_video_duration") or Decimal()
        )
    return (usage.amount("video_duration") or Decimal()) * max(usage.count("video_count"), 1)


def _seconds(name: str, amount: Decimal | None) -> dict[str, Decimal]:
    return {name: amount} if amount else {}


def _picture_size(usage: Answer) -> str:
    return size(usage.find("width"), usage.find("height")) or size(usage.find("size"))


def _ended_at(answer: Answer) -> Any:
    """When a task ended: a local time, of Beijing and of Singapore, without its zone."""
    ended = answer.text("output.end_time") if answer.has_any("output.end_time") else ""
    if not ended:
        return answer.moment("created", "created_at")
    return Answer({"output": {"end_time": f"{ended}{_BEIJING}"}}, answer.at).moment("output.end_time")
