"""Gemini CLI's events `gemini_cli.api_response` and `gemini_cli.api_error`, and the metric that counts the same.

Accounting: as `usageMetadata` of the Gemini API: cached content is inside the input count; thoughts stand beside the
output count, tool-use prompts beside the input count. The event `gen_ai.client.inference.operation.details` that the
CLI writes beside it leaves both out, and is not counted.
Naming: the event states no response id; the call is named after its session, its prompt and its time.
Sources: google-gemini/gemini-cli `packages/core/src/telemetry/types.ts` (ApiResponseEvent, ApiErrorEvent) and
`metrics.ts` (`gemini_cli.token.usage`).
Limits: whether a call was made under a login rather than a key, and is not billed by the token, is only a tag
(`auth_type`).
"""

from typing import Any, Final

from producers.opentelemetry.logs import log_event
from producers.opentelemetry.reading import Uncounted, amount, attribution, code, count, failure, label
from producers.opentelemetry.signals import LogRecord, moment
from producers.vendors.answer import UNKNOWN_MODEL, AnswerContext

SOURCE: Final = "gemini_cli"
VENDOR: Final = "google"
USAGE_METRIC: Final = "gemini_cli.token.usage"
KINDS: Final = {
    "input": ("input_tokens",),
    "tool": ("input_tokens",),
    "cache": ("cache_read_tokens",),
    "output": ("output_tokens",),
    "thought": ("output_tokens", "reasoning_tokens"),
}
"""The `type`s of the metric, and the fields of ours that each adds to."""

_ATTRIBUTES: Final = (
    "model",
    "duration_ms",
    "input_token_count",
    "output_token_count",
    "cached_content_token_count",
    "thoughts_token_count",
    "tool_token_count",
    "prompt_id",
    "auth_type",
    "status_code",
    "session.id",
    "event.timestamp",
    "user.email",
)


@log_event("gemini_cli.api_response", source=SOURCE, wanted=_ATTRIBUTES)
def read_response(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """One answer."""
    said = record.attributes
    thoughts = count(said, "thoughts_token_count")
    counts = {
        "input_tokens": count(said, "input_token_count") + count(said, "tool_token_count"),
        "cache_read_tokens": count(said, "cached_content_token_count"),
        "output_tokens": count(said, "output_token_count") + thoughts,
        "reasoning_tokens": thoughts,
    }
    return _fields(record, context, **counts) if any(counts.values()) else Uncounted("no_usage")


@log_event("gemini_cli.api_error", source=SOURCE, wanted=_ATTRIBUTES)
def read_error(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """One request that failed: no tokens, but an outcome. The text of the error is not read."""
    return _fields(record, context, **failure(code(record.attributes, "status_code", "error.type")))


def _fields(record: LogRecord, context: AnswerContext, **facts: Any) -> dict[str, Any]:
    said = record.attributes
    found = attribution(said, record.origin)
    auth_type = label(said, "auth_type")
    duration_ms = amount(said, "duration_ms")
    fields = {
        "id": _name(record, context),
        "source": context.source,
        "time": moment(record.time_ns) or context.now,
        "vendor": VENDOR,
        "model": label(said, "model") or UNKNOWN_MODEL,
        "duration_ms": float(duration_ms) if duration_ms else None,
        **facts,
        **found,
        "user": label(said, "tokenweir.user", "user.email"),
        "tags": ({"auth_type": auth_type} if auth_type else {}) | found.get("tags", {}),
    }
    return {name: value for name, value in fields.items() if value not in ("", None, 0, {})} | dict(
        context.fields
    )


def _name(record: LogRecord, context: AnswerContext) -> str:
    said = record.attributes
    session, prompt = label(said, "session.id"), label(said, "prompt_id")
    stamp = label(said, "event.timestamp") or (str(record.time_ns) if record.time_ns else "")
    if (session or prompt) and stamp:
        return f"{SOURCE}:{session}/{prompt}/{stamp}"
    return context.make_id() if context.make_id is not None else ""
