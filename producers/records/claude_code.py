"""Claude Code: lines of its local sessions, `~/.claude/projects/**/*.jsonl`.

An assistant's line holds Anthropic's own message with its usage, which Anthropic's own reader counts. One answer is
written again and again: a line for each of its parts while it streams (with the output counted so far), once more in
every session that was resumed or forked from this one, and by subagents (`isSidechain`) with another `requestId`.
All of them bear the same `message.id`, the vendor's own, and the call is named by it alone; so it is counted once,
also where an SDK, a gateway or Claude Code's telemetry with that id reports it too. Of a streaming answer's lines
the last counts.
What Claude Code makes up itself (model `<synthetic>`, errors) is no call. `costUSD`, where old versions state it, is
an estimate. Ids of Bedrock (`msg_bdrk_`) and Vertex (`msg_vrtx_`) tell who sends the bill.

Sources: real session files as public tools describe them (ccusage's Claude guide, its issue 913).
Limits: nothing in a session tells a subscription from a key that is billed by tokens.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePath, PureWindowsPath
from typing import Any, Final

from producers.records import fields
from producers.records.calls import cost_facts, events_of_answer
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from tokenweir.usage.event import UsageEvent

SERVICE: Final = "claude-code"

_REMEMBERED: Final = 1024
"""Lines of one answer stand close together; a repetition that is further away is counted once all the same."""

_HOSTS: Final = (("msg_bdrk_", "aws"), ("msg_vrtx_", "google"))
_KINDS: Final = frozenset(("user", "assistant", "system", "summary", "attachment", "progress"))


def is_line(record: Answer) -> bool:
    body = record.body
    if not isinstance(body.get("sessionId"), str):
        return False
    if str(body.get("type")) in _KINDS and record.has_any("uuid", "message", "leafUuid"):
        return True
    return record.has_any("message.usage") and record.has_any("message.id")


@record_format("claude_code", looks_like=is_line)
class ClaudeCodeSession:
    """The lines of one session file. It says again what a line adds to an answer, and nothing of a mere repetition."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}

    @property
    def state(self) -> Mapping[str, Any]:
        """What was said of the last answers: output tokens by message id."""
        return {"said": dict(self._said)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._said = {str(name): int(count) for name, count in state.get("said", {}).items()}

    def __call__(self, record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
        """The call of an assistant's line; Anthropic answers that were billed as several calls give several."""
        message = fields.part(record, "message")
        message_id = fields.text(message, "id")
        if not message.has_any("usage") or not message_id or fields.text(message, "model") == "<synthetic>":
            return ()
        events = events_of_answer(
            context,
            vendor="anthropic",
            surface="messages",
            answer=message.body,
            time=fields.moment(record, "timestamp"),
            service=SERVICE,
            project=_folder(fields.label(record, "cwd")),
            session=fields.label(record, "sessionId"),
            tags=fields.labels({"git_branch": fields.label(record, "gitBranch")}),
            **cost_facts(fields.amount(record, "costUSD")),
        )
        if not any(event.input_tokens or event.output_tokens for event in events):
            return ()
        said = self._said.pop(message_id, -1)
        counted = sum(event.output_tokens for event in events)
        self._said[message_id] = max(said, counted)
        if len(self._said) > _REMEMBERED:
            del self._said[next(iter(self._said))]
        return tuple(_as_billed(event, message_id, context) for event in events) if counted > said else ()


def _as_billed(event: UsageEvent, message_id: str, context: RecordContext) -> UsageEvent:
    vendor = next((host for prefix, host in _HOSTS if message_id.startswith(prefix)), "")
    if not vendor or "vendor" in context.fields:
        return event
    return event.model_copy(update={"vendor": vendor, "id": vendor + event.id[event.id.index(":") :]})


def _folder(path: str) -> str:
    """The last part of a working directory, as either system writes it."""
    return (PureWindowsPath(path) if "\\" in path else PurePath(path)).name
