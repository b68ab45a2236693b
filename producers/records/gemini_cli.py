"""Gemini CLI: its local chats, `~/.gemini/tmp/<project>/chats/session-*.json`, rewritten whole, and their successor
`session-*.jsonl`, to which messages and changes are appended.

Accounting, as in `usageMetadata`: `cached` is inside `input`; `thoughts` stand outside `output`, what tools put into
the prompt (`tool`) outside `input`. A message that was rewound was billed all the same. A call is named by session and
message, so that a chat that is written again, or appended to with the same message, is counted once.

Sources: @google/gemini-cli-core 0.61 `services/chatRecordingService` and `chatRecordingTypes` (ConversationRecord,
MessageRecord, TokensSummary).
Limits: no response id is stated, so that a call which telemetry also reports is counted twice: take one of the two.
Nothing tells a login with a free allowance from a key that is billed by tokens.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from producers.records import fields
from producers.records.calls import event_of, uncounted
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from tokenweir.usage.event import UsageEvent

SERVICE: Final = "gemini-cli"


def is_chat(record: Answer) -> bool:
    body = record.body
    return isinstance(body.get("sessionId"), str) and (
        ("startTime" in body and ("messages" in body or "projectHash" in body)) or _is_message(record)
    )


def _is_message(record: Answer) -> bool:
    return record.body.get("type") == "gemini" and record.has_any("tokens.input", "tokens.total")


@record_format("gemini_cli", looks_like=lambda record: is_chat(record) or _is_message(record))
class GeminiChat:
    """The one document of a chat, or its lines."""

    def __init__(self) -> None:
        self._session_id = ""

    @property
    def state(self) -> Mapping[str, Any]:
        """The chat's own id."""
        return {"session_id": self._session_id}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._session_id = str(state["session_id"])

    def __call__(self, record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
        """The calls of a chat's document, of one message, or of a change that brings messages."""
        self._session_id = fields.label(record, "sessionId", "$set.sessionId") or self._session_id
        messages = [record] if _is_message(record) else []
        for path in ("messages", "$set.messages"):
            if isinstance(fields.find(record, path), list):
                messages.extend(record.parts(path))
        return [event for message in messages if (event := self._event(message, context)) is not None]

    def _event(self, message: Answer, context: RecordContext) -> UsageEvent | None:
        if message.find("type") != "gemini":
            return None
        tokens = fields.part(message, "tokens")
        thoughts, cached = fields.whole(tokens, "thoughts"), fields.whole(tokens, "cached")
        asked = fields.whole(tokens, "input") + fields.whole(tokens, "tool")
        counts = {
            "input_tokens": asked,
            "cache_read_tokens": min(cached, asked),
            "output_tokens": fields.whole(tokens, "output") + thoughts,
            "reasoning_tokens": thoughts,
        }
        if uncounted(counts.values()):
            return None
        message_id = fields.label(message, "id")
        return event_of(
            context,
            vendor="google",
            model=fields.text(message, "model"),
            time=fields.moment(message, "timestamp"),
            counts=counts,
            own_id=f"gemini-cli:{self._session_id}/{message_id}" if message_id else "",
            service=SERVICE,
            session=self._session_id,
        )
