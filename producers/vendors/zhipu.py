"""Zhipu (GLM): open.bigmodel.cn, and Z.AI, its twin that bills in USD.

Accounting: OpenAI's family, cached and reasoning tokens inside. An answer's `request_id` is the caller's own or the
same as its `id`. A list of `web_search` results is the sign of one search, which is billed by the call. Embeddings
state a completion of 0 tokens. In the Anthropic shape the cache stands beside `input_tokens`.
Sources: types of the packages zhipuai 2.1 and zai-sdk 0.2; recorded answers of api.z.ai.
Pictures and videos state no usage and are billed by the piece, as the units `images` and `videos`.
Limits: how often one answer searched is not told, so that it counts as once.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.compatible import Habits, compatible
from producers.vendors.compatible import read_chat as chat_reader
from producers.vendors.pictures import is_pictures, read_pictures

_FINISH: Final = {"sensitive": "filtered", "network_error": "error"}


def _units(answer: Answer) -> Mapping[str, Decimal]:
    results = answer.find("web_search")
    return whole_units(web_searches=int(isinstance(results, list) and bool(results)))


HABITS: Final = Habits(response_id=("id", "request_id"), units=_units)
"""What Zhipu does otherwise than OpenAI in a chat completion."""


def read_chat(answer: Answer) -> Reading:
    """A chat completion, also of an agent and of an asynchronous task."""
    reading = chat_reader(HABITS)(answer)
    for choice in answer.parts("choices"):
        reason = choice.find("finish_reason")
        if isinstance(reason, str) and reason in _FINISH:
            return replace(
                reading, status=_FINISH[reason], error_code=reason if _FINISH[reason] == "error" else ""
            )
    return reading


def is_video(answer: Answer) -> bool:
    return answer.has_any("video_result", "task_status") and not answer.has_any("choices")


def read_video(answer: Answer) -> Reading:
    """A task that made videos, billed by the piece. Asked for again, it has the same id."""
    made = [video for video in answer.parts("video_result") if video.has_any("url")]
    if not made:
        raise answer.refusal(
            "missing_field", "video_result", "lists no video", hint="Ask again when the task ended"
        )
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id", "request_id"),
        operation="video",
        counts={},
        units=whole_units(videos=len(made)),
    )


compatible(
    "zhipu",
    HABITS,
    own={
        "videos": (is_video, read_video),
        "pictures": (is_pictures, read_pictures),
        "chat_completions": (shapes.is_chat_completion, read_chat),
    },
)
