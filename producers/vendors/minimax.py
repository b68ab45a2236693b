"""MiniMax: its OpenAI-compatible and Anthropic-compatible interfaces, the older Pro interface, speech, pictures.

Accounting: of the OpenAI shape, cached tokens are inside the prompt and reasoning inside the completion; of the
Anthropic shape, `input_tokens` excludes the cache, as Anthropic's does. The Pro interface states `total_tokens`
alone; it is counted as input and tagged `tokens_split: unstated`. Speech is billed by `extra_info.usage_characters`,
pictures by the piece. `total_characters` is not a meter.
An error comes with HTTP 200 and `base_resp.status_code` other than 0; it was not billed and is refused, unless it
states tokens: then a call was cut off after it began, and is counted with its code.
Sources: captured answers; genai-prices' notes on MiniMax; MiniMax's reference of T2A v2 and of image generation.
Limits: videos and music state no usage.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.anthropic import read_message
from producers.vendors.compatible import compatible
from producers.vendors.compatible_shapes import is_embedding as is_input_alone
from producers.vendors.compatible_shapes import is_message, read_input_alone
from producers.vendors.plain_facts import error_code, tagged
from producers.vendors.registry import Merged, Reader, sign, stream
from tokenweir.errors import RejectedInput

_STATUS_CODE: Final = "base_resp.status_code"
_STATUS: Final = {
    1001: "timeout",
    1002: "rate_limited",
    1026: "filtered",
    1027: "filtered",
    1039: "rate_limited",
}
_MOST_DIGITS: Final = 9
_PARTS: Final = tuple(
    f"usage.{name}" for name in ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
)


def is_pro(answer: Answer) -> bool:
    """The sum alone; the parts may be there as zeros."""
    return answer.has_any("usage.total_tokens") and not any(answer.find(path) for path in _PARTS)


def is_speech(answer: Answer) -> bool:
    return answer.has_any("extra_info.usage_characters", "usage_characters")


def is_picture(answer: Answer) -> bool:
    return answer.has_any("metadata.success_count")


def is_embedding(answer: Answer) -> bool:
    return answer.has_any("vectors") and answer.has_any("total_tokens")


def billed(read: Reader) -> Reader:
    """`read`, for what `base_resp` calls a success; an error that states no tokens is refused."""

    def checked(answer: Answer) -> Reading:
        code = answer.find(_STATUS_CODE) if answer.has_any(_STATUS_CODE) else 0
        if code == 0:
            return read(answer)
        reading = _read_quietly(read, answer)
        if reading is None or not (any(reading.counts.values()) or reading.units):
            raise answer.refusal(
                "missing_field",
                "usage",
                "is missing: base_resp tells an error",
                hint="A call that failed is not billed",
            )
        status = _STATUS.get(code, "error") if isinstance(code, int) else "error"
        return replace(reading, status=status, error_code=error_code(answer, _STATUS_CODE))

    return checked


def _read_quietly(read: Reader, answer: Answer) -> Reading | None:
    """What an error states of its usage; None where it states none, which is what its refusal says."""
    try:
        return read(answer)
    except RejectedInput:
        return None


def read_pro(answer: Answer) -> Reading:
    """ChatCompletion v2 and Pro of 2023 and 2024, which state the sum alone."""
    answer.need_any("usage.total_tokens")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        time=answer.moment("created"),
        counts={"input_tokens": answer.count("usage.total_tokens")},
        facts=tagged(tokens_split="unstated"),
    )


def read_embedding(answer: Answer) -> Reading:
    """Embeddings, whose sum stands beside the vectors and not in a usage object."""
    answer.need_any("total_tokens")
    return Reading(
        model=answer.text("model"),
        operation="embedding",
        counts={"input_tokens": answer.count("total_tokens")},
    )


def read_speech(answer: Answer) -> Reading:
    """Speech, at once (T2A v2) or as a task, and the last chunk of its stream."""
    answer.need_any("extra_info.usage_characters", "usage_characters")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("trace_id", "task_id"),
        operation="speech",
        counts={},
        units=whole_units(characters=answer.count("extra_info.usage_characters", "usage_characters")),
    )


def read_picture(answer: Answer) -> Reading:
    """Pictures; the count of those that were made comes as a number or as a string of digits."""
    made: Any = answer.find("metadata.success_count")
    if isinstance(made, str) and made.isascii() and made.isdigit() and len(made) <= _MOST_DIGITS:
        made = int(made)
    images = Answer({"metadata": {"success_count": made}}, answer.at).count("metadata.success_count")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        operation="image",
        counts={},
        units=whole_units(images=images),
    )


def read_chat(answer: Answer) -> Reading:
    """A chat completion, of the older interface or of the OpenAI-compatible one."""
    return read_pro(answer) if is_pro(answer) else shapes.read_chat_completion(answer)


def merge_speech(chunks: Sequence[Answer]) -> Merged:
    """Streamed speech: the last chunk tells what was spoken."""
    told = [chunk.body for chunk in chunks if is_speech(chunk)]
    return Merged(told[-1] if told else {"usage_characters": 0}, bool(told), bool(told))


_OWN: Final = {
    name: (looks_like, billed(read))
    for name, (looks_like, read) in {
        "speech": (is_speech, read_speech),
        "images": (is_picture, read_picture),
        "native_embeddings": (is_embedding, read_embedding),
        "pro": (is_pro, read_pro),
        "embeddings": (is_input_alone, read_input_alone("embedding")),
        "chat_completions": (shapes.is_chat_completion, read_chat),
        "messages": (is_message, read_message),
        "responses": (shapes.is_response, shapes.read_response),
    }.items()
}
compatible("minimax", own=_OWN, names={"speech": ("t2a", "tts"), "messages": ("anthropic",)})
stream("minimax", "speech", looks_like=is_speech)(merge_speech)


@sign("minimax")
def is_surely_minimax(answer: Answer) -> bool:
    """Only MiniMax tells how a call went in `base_resp`."""
    return answer.has_any(_STATUS_CODE)
