"""Codex CLI's event `codex.sse_event` of kind `response.completed`.

Accounting: OpenAI's: cached and cache-written tokens are inside the input count, reasoning inside the output count.
`tool_token_count` is the call's total and is not read.
Naming: the event states no response id; the call is named after its conversation and its time. Codex's own session
files name it otherwise: report a machine's Codex by one of the two.
Vendor: OpenAI, unless the model's name is surely another's.
Sources: openai/codex `codex-rs/otel/src/events/session_telemetry.rs` (`sse_event_completed`) and `otel` in its
configuration reference; further attributes as a receiver's test of a recorded event has them.
"""

from typing import Any, Final

from producers.opentelemetry.logs import log_event
from producers.opentelemetry.reading import Uncounted, attribution, count, label, text
from producers.opentelemetry.signals import LogRecord, moment
from producers.vendors.answer import UNKNOWN_MODEL, AnswerContext, service_tier
from producers.vendors.names import UNKNOWN_VENDOR, vendor_of_model

SOURCE: Final = "codex"
_COMPLETED: Final = "response.completed"
_ATTRIBUTES: Final = (
    "event.kind",
    "event.timestamp",
    "conversation.id",
    "model",
    "slug",
    "input_token_count",
    "output_token_count",
    "cached_token_count",
    "cache_write_token_count",
    "reasoning_token_count",
    "service_tier",
    "auth_mode",
    "user.email",
    "env",
)


@log_event("codex.sse_event", source=SOURCE, wanted=_ATTRIBUTES, has_metric=False)
def read_completed(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """One answer; nothing for the other events of its stream."""
    said = record.attributes
    if text(said, "event.kind") != _COMPLETED:
        return Uncounted("no_inference")
    counts = {
        "input_tokens": count(said, "input_token_count"),
        "cache_read_tokens": count(said, "cached_token_count"),
        "cache_write_tokens": count(said, "cache_write_token_count"),
        "output_tokens": count(said, "output_token_count"),
        "reasoning_tokens": count(said, "reasoning_token_count"),
    }
    if not any(counts.values()):
        return Uncounted("no_usage")
    model = label(said, "model", "slug")
    vendor = vendor_of_model(model)
    conversation = label(said, "conversation.id")
    found = attribution(said, record.origin)
    auth_mode = label(said, "auth_mode")
    fields = {
        "id": _name(record, conversation, context),
        "source": context.source,
        "time": moment(record.time_ns) or context.now,
        "vendor": "openai" if vendor == UNKNOWN_VENDOR else vendor,
        "model": model or UNKNOWN_MODEL,
        "service_tier": service_tier(label(said, "service_tier")),
        "streaming": True,
        **counts,
        "environment": label(said, "env"),
        **found,
        "session": conversation,
        "user": label(said, "tokenweir.user", "user.email"),
        "tags": ({"auth_mode": auth_mode} if auth_mode else {}) | found.get("tags", {}),
    }
    return {name: value for name, value in fields.items() if value not in ("", None, 0, {})} | dict(
        context.fields
    )


def _name(record: LogRecord, conversation: str, context: AnswerContext) -> str:
    stamp = label(record.attributes, "event.timestamp") or (str(record.time_ns) if record.time_ns else "")
    if conversation and stamp:
        return f"{SOURCE}:{conversation}/{stamp}"
    return context.make_id() if context.make_id is not None else ""
