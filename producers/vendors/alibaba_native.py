"""Alibaba's DashScope: answers of its own interface, and what the Responses interface adds to OpenAI's.

Accounting: `alibaba_usage` says what is within what. An application's answer states its models side by side, each
billed at its own price. Pictures are billed each, videos by the seconds of `duration` (what went in and what came
out), speech by characters, recognition by seconds. A task is asked for again and again under new request ids, and is
one call under its own.
Sources: types of the package dashscope 2.0; answers recorded in the tests of cnblogs/dashscope-sdk.
Limits: a task's times name no zone; they are Beijing's, which are Singapore's too.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.alibaba_usage import cache_type, counts, media_tokens, tool_units
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
        stated_total=usage.count("total_tokens"),
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
        characters=usage.count("characters"), input_video_tokens=media_tokens(usage, "video")
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
