"""Claude Code's events `api_request` and `api_error`, and the metrics that count the same.

Accounting: `input_tokens` stands beside `cache_read_tokens` and `cache_creation_tokens`; all input is the sum.
`cost_usd` is its estimate from list prices. Values come as strings or as numbers, by version.
Naming: the event states the `request_id` of Anthropic's answer and not its message id, by which an SDK, a gateway and
Claude Code's own session files name the same call. `<vendor>:<request id>` is therefore another name: a machine's
Claude Code is reported either by OTLP or by its session files.
Vendor: Anthropic, unless the model has the form of Bedrock's or Vertex AI's ids.
Sources: code.claude.com/docs/en/monitoring-usage; recorded events of versions 2.1.162 and 2.1.224.
"""

from typing import Any, Final

from producers.opentelemetry.logs import log_event
from producers.opentelemetry.reading import Uncounted, amount, attribution, code, count, failure, label
from producers.opentelemetry.signals import Attributes, LogRecord, Origin, moment
from producers.vendors.answer import UNKNOWN_MODEL, AnswerContext
from producers.vendors.names import vendor_of_model
from tokenweir.usage.identity import vendor_event_id

SOURCE: Final = "claude_code"
USAGE_METRIC: Final = "claude_code.token.usage"
COST_METRIC: Final = "claude_code.cost.usage"
KINDS: Final = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cacheRead": ("input_tokens", "cache_read_tokens"),
    "cacheCreation": ("input_tokens", "cache_write_tokens"),
}
"""The disjoint `type`s of the metric, and the fields of ours that each adds to."""

ATTRIBUTES: Final = (
    "model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
    "cost_usd",
    "duration_ms",
    "ttft_ms",
    "request_id",
    "event.sequence",
    "session.id",
    "user.email",
    "speed",
    "attempt",
    "status_code",
    "query_source",
    "type",
)


@log_event("api_request", "claude_code.api_request", source=SOURCE, wanted=ATTRIBUTES)
def read_request(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """One answered request."""
    said = record.attributes
    if not _is_claude_code(record):
        return Uncounted("no_inference")
    cache_read, cache_write = count(said, "cache_read_tokens"), count(said, "cache_creation_tokens")
    counts = {
        "input_tokens": count(said, "input_tokens") + cache_read + cache_write,
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
        "output_tokens": count(said, "output_tokens"),
    }
    if not any(counts.values()):
        return Uncounted("no_usage")
    cost = amount(said, "cost_usd")
    facts: dict[str, Any] = {"reported_cost": cost, "reported_currency": "USD"} if cost else {}
    if label(said, "speed") == "fast":
        facts["service_tier"] = "fast"
    return _fields(record, context, **counts, **facts)


@log_event("api_error", "claude_code.api_error", source=SOURCE, wanted=ATTRIBUTES)
def read_error(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """One request that failed: no tokens, but an outcome. The text of the error is not read."""
    if not _is_claude_code(record):
        return Uncounted("no_inference")
    return _fields(record, context, **failure(code(record.attributes, "status_code", "error.type")))


def agent_attribution(said: Attributes, origin: Origin) -> dict[str, Any]:
    """Whose call it was: the account's address as user, and which part of the agent asked as a tag."""
    found = attribution(said, origin)
    user = label(said, "tokenweir.user", "user.email")
    if user:
        found["user"] = user
    query_source = label(said, "query_source")
    if query_source:
        found["tags"] = {"query_source": query_source, **found.get("tags", {})}
    return found


def vendor_of_agent(model: str) -> str:
    """Who bills a model that Claude Code asks: `us.anthropic.…` is Bedrock's form, `…@20250929` Vertex AI's."""
    if "@" in model:
        return "google"
    return "aws" if vendor_of_model(model) == "aws" else "anthropic"


def _is_claude_code(record: LogRecord) -> bool:
    # The bare names `api_request` and `api_error` are Claude Code's only under its scope or service.
    return (
        record.name.startswith("claude_code.")
        or record.origin.scope.startswith("com.anthropic.claude_code")
        or label(record.origin.resource, "service.name") == "claude-code"
    )


def _fields(record: LogRecord, context: AnswerContext, **facts: Any) -> dict[str, Any]:
    said = record.attributes
    model = label(said, "model")
    vendor = str(context.fields.get("vendor") or vendor_of_agent(model))
    fields = {
        "id": _name(record, vendor, context),
        "source": context.source,
        "time": moment(record.time_ns) or context.now,
        "vendor": vendor,
        "model": model or UNKNOWN_MODEL,
        "duration_ms": _milliseconds(said, "duration_ms"),
        "ttft_ms": _milliseconds(said, "ttft_ms"),
        "attempt": count(said, "attempt"),
        **agent_attribution(said, record.origin),
        **facts,
    }
    return {name: value for name, value in fields.items() if value not in ("", None, 0)} | dict(
        context.fields
    )


def _name(record: LogRecord, vendor: str, context: AnswerContext) -> str:
    request_id = label(record.attributes, "request_id")
    if request_id:
        return vendor_event_id(vendor, request_id)
    session, sequence = label(record.attributes, "session.id"), label(record.attributes, "event.sequence")
    if session and sequence:
        return f"{SOURCE}:{session}/{sequence}"
    return context.make_id() if context.make_id is not None else ""


def _milliseconds(said: Attributes, name: str) -> float | None:
    value = amount(said, name)
    return float(value) if value else None
