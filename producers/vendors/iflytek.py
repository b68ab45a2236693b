"""iFlytek Spark: WebSocket frames, and the HTTP interface in OpenAI's shape.

Accounting: `total = prompt + completion`. `prompt_tokens` counts the history too; `question_tokens` is the last
question, a part of it, and has no field here. The usage stands only in the WebSocket frame whose
`header.status` is 2, and on the last chunk with content of an HTTP stream.
No answer names its model (a WebSocket request does, as `parameter.chat.domain`): it is `unknown` unless the caller
says it. `header.code` or `code` other than 0, and an `error` object, are calls that failed and state no usage.
Sources: documentation of iFlytek's Java SDK (MaasResponse); captured answers of the HTTP interface.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.compatible import Habits, compatible
from producers.vendors.plain_facts import error_code
from producers.vendors.registry import Merged, stream, surface

_LAST_FRAME: Final = 2
_USAGE_AT: Final = ("payload.usage.text", "usage.text", "payload.usage", "usage")


def is_frame(answer: Answer) -> bool:
    """A WebSocket frame, or its usage object alone."""
    return answer.has_any(
        "payload.usage", "payload.choices", "header.status", "usage.text", "usage.question_tokens"
    )


@surface("iflytek", "websocket", looks_like=is_frame)
def read_frame(answer: Answer) -> Reading:
    """The last frame of a WebSocket answer; one without usage is refused, as nothing was billed by it alone."""
    at = next((path for path in _USAGE_AT if isinstance(_quiet(answer, path), Mapping)), _USAGE_AT[0])
    usage = answer.part(at)
    usage.need_any("prompt_tokens", "completion_tokens", "total_tokens")
    tokens_in, tokens_out = usage.count("prompt_tokens"), usage.count("completion_tokens")
    failed = answer.has_any("header.code") and answer.find("header.code") != 0
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("header.sid") if answer.has_any("header.sid") else "",
        stated_total=usage.count("total_tokens"),
        status="error" if failed else "ok",
        error_code=error_code(answer, "header.code") if failed else "",
        counts={
            "input_tokens": tokens_in if tokens_in or tokens_out else usage.count("total_tokens"),
            "output_tokens": tokens_out,
        },
    )


@stream("iflytek", "websocket", looks_like=is_frame)
def merge_frames(chunks: Sequence[Answer]) -> Merged:
    """The frames of one answer: the session's id from any of them, the usage from the last."""
    body: dict[str, Any] = {}
    complete = False
    for chunk in chunks:
        told = {name: value for name, value in chunk.body.items() if value is not None}
        if _states_usage(Answer(body)) and not _states_usage(chunk):
            told = {name: value for name, value in told.items() if name not in body}
        body |= told
        complete = complete or _quiet(chunk, "header.status") == _LAST_FRAME
    stated = _states_usage(Answer(body))
    if not stated:
        body["usage"] = {"text": {"total_tokens": 0}}
    return Merged(body, complete, stated=stated)


def _states_usage(answer: Answer) -> bool:
    return answer.has_any(*_USAGE_AT)


def _quiet(answer: Answer, path: str) -> Any:
    return answer.find(path) if answer.has_any(path) else None


compatible(
    "iflytek",
    Habits(response_id=("sid", "id")),
    names={
        "chat_completions": (
            "chat",
            "http",
        )
    },
)
