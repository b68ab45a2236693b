"""Coze (ByteDance's agents, coze.cn and coze.com): chats of the v3 API, its stream's events, runs of a workflow.

Accounting: `input_count` and `output_count` add up to `token_count`; nothing is told of caches or of reasoning. An
older answer that states the sum alone is counted as input, and tagged `tokens_split: unstated`.
An agent calls models that its answer does not name: the model is `unknown` unless the caller says it, and the
agent's id is the tag `bot_id`. Coze says of these counts that the bill of Volcano Engine is what holds.
Sources: types of the package cozepy 0.20 (chat, workflows.runs, request).
Limits: the answers of the v1 and v2 chat APIs state no usage, so that none of them can be read.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.plain_facts import error_code
from producers.vendors.registry import Merged, other_names, sign, stream, surface

_COUNTS: Final = ("token_count", "input_count", "output_count")
_USAGE: Final = tuple(f"usage.{name}" for name in _COUNTS)
_STATUS: Final = {"failed": "error", "canceled": "cancelled", "cancelled": "cancelled"}
_NO_ERROR: Final = ("", "0")
_UNFINISHED: Final = ("created", "in_progress")
_CHAT_EVENTS: Final = "conversation.chat."
_LAST_EVENTS: Final = tuple(
    f"{_CHAT_EVENTS}{state}" for state in ("completed", "failed", "requires_action", "canceled")
)


def is_event(answer: Answer) -> bool:
    """An event of a v3 stream: its name, and its data as an object or as the text of one."""
    event = answer.find("event")
    return isinstance(event, str) and event.startswith(_CHAT_EVENTS)


def is_chat(answer: Answer) -> bool:
    """A chat object, as it is or wrapped as the create, retrieve and poll calls wrap it."""
    return answer.has_any(*_USAGE, *(f"{at}.{path}" for at in ("data", "chat") for path in _USAGE))


def is_workflow_run(answer: Answer) -> bool:
    """The run's output is text under `data`, its usage stands beside it or, in a history, in the only item of it."""
    return answer.has_any("debug_url", "execute_id", "token") or isinstance(answer.find("data"), list)


@surface("coze", "v3_stream_event", looks_like=is_event)
def read_event(answer: Answer) -> Reading:
    """`conversation.chat.completed`, the event of a v3 stream that carries the usage, or another state of the chat."""
    return read_chat(Answer(_event_data(answer), "data"))


@surface("coze", "v1_workflow_run", looks_like=is_workflow_run)
def read_workflow_run(answer: Answer) -> Reading:
    """A run of a workflow: many models' calls as one sum. Older runs state the sum alone, as `token`."""
    items = answer.find("data")
    if isinstance(items, list):
        if len(items) != 1 or not isinstance(items[0], Mapping):
            raise answer.refusal(
                "wrong_type", "data", "is not one run", hint="Read the runs of a history one by one"
            )
        answer = Answer(items[0], "data.0")
    answer.need_any(*_USAGE, "token")
    code = error_code(answer, "error_code")
    failed = code not in _NO_ERROR
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("execute_id"),
        stated_total=answer.count("usage.token_count", "token"),
        time=answer.moment("update_time", "create_time"),
        operation="workflow",
        status="error" if failed else "ok",
        error_code=code if failed else "",
        **_counted(answer, answer.count("token")),
    )


@surface("coze", "v3_chat", looks_like=is_chat)
def read_chat(answer: Answer) -> Reading:
    """A chat object. It is billed when it has ended; asking for it again tells the same usage under the same id."""
    at = next((name for name in ("data", "chat") if isinstance(answer.find(name), Mapping)), "")
    chat = answer.part(at) if at else answer
    chat.need_any(*_USAGE)
    state = chat.text("status")
    if state in _UNFINISHED:
        raise chat.refusal(
            "missing_field",
            "usage",
            "is not known yet",
            hint="The chat is still running; read it when it ended",
        )
    status = _STATUS.get(state, "ok")
    return Reading(
        model=chat.text("model"),
        response_id=chat.text("id"),
        time=chat.moment("completed_at", "failed_at", "created_at"),
        status=status,
        stated_total=chat.count("usage.token_count"),
        error_code=error_code(chat, "last_error.code") if status == "error" else "",
        **_counted(chat, 0),
    )


def is_state(chunk: Answer) -> bool:
    """What an event carries, without the event: a chat object that may have no usage yet."""
    return is_chat(chunk) or (chunk.has_any("conversation_id") and chunk.has_any("status"))


@stream("coze", "v3_chat", looks_like=lambda chunk: is_event(chunk) or is_state(chunk))
def merge_chat(chunks: Sequence[Answer]) -> Merged:
    """The chat as its last event tells it; a stream that is cut off before that has told no usage."""
    chat: dict[str, Any] = {}
    complete = False
    for chunk in chunks:
        if not is_event(chunk) and not is_state(chunk):
            continue
        told = _event_data(chunk) if is_event(chunk) else chunk.body
        chat |= {name: value for name, value in told.items() if value is not None}
        state = chat.get("status")
        ended = is_chat(Answer(chat)) if state is None else state not in _UNFINISHED
        complete = complete or ended or chunk.find("event") in _LAST_EVENTS
    if not complete:
        chat.pop("status", None)
    stated = is_chat(Answer(chat))
    if not stated:
        chat["usage"] = {"token_count": 0}
    return Merged(chat, complete, stated=stated)


other_names(
    "coze", {"v3_chat": ("v3", "chat", "chat_completions", "v3_retrieve"), "v1_workflow_run": ("workflow",)}
)


@sign("coze")
def is_surely_coze(answer: Answer) -> bool:
    """No other vendor counts in `token_count` beside `input_count`."""
    return is_event(answer) or any(
        answer.has_any(f"{at}usage.token_count") and answer.has_any(f"{at}usage.input_count")
        for at in ("", "data.", "chat.")
    )


def _counted(chat: Answer, sum_alone: int) -> dict[str, Any]:
    """`counts` and `facts` of a Reading. sum_alone: the sum that an older answer states in place of `usage`."""
    total, tokens_in, tokens_out = (chat.count(path) for path in _USAGE)
    total = total or sum_alone
    tags = {}
    if total and not tokens_in and not tokens_out:
        tokens_in = total
        tags["tokens_split"] = "unstated"
    bot = chat.text("bot_id")
    if bot and bot != "0":
        tags["bot_id"] = bot
    return {
        "counts": {"input_tokens": tokens_in, "output_tokens": tokens_out},
        "facts": {"tags": tags} if tags else {},
    }


def _event_data(answer: Answer) -> Mapping[str, Any]:
    """The object that an event carries, decoded where it came as text."""
    data = answer.find("data")
    if isinstance(data, str):
        try:
            data = json.loads(data, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise answer.refusal("wrong_type", "data", "is not the text of a JSON object") from None
    if not isinstance(data, Mapping):
        raise answer.refusal("wrong_type", "data", "is not an object")
    return data
