"""GenAI spans as usage events, whatever instrumentation wrote them.

Only what asks a model once counts: `invoke_agent`, `create_agent`, `execute_tool` and workflows repeat the sums of the
calls within them, as do the outer spans of the Vercel AI SDK. A span around another counted one is dropped where both
come in one request.

A call is named `<vendor>:<gen_ai.response.id>`, so that a span, an SDK and a gateway's log of it are one; else
`otel:<trace id>/<span id>`, which is the same when the span is exported again.

Accounting: by the conventions the input count includes cached tokens and the output count reasoning. Two
instrumentations hand on the vendor's own count, in which Anthropic's and Bedrock's cache stands outside:
- Strands (scope `strands.telemetry.tracer`; strands-agents/sdk-python `telemetry/tracer.py`: Bedrock's `inputTokens`);
- the Vercel AI SDK up to version 5 (scope `ai`; getsentry/sentry-javascript, tests of vercel-ai cached tokens).
openllmetry, OpenInference and pydantic-ai add the cache up themselves (their `_set_token_usage`,
`_get_llm_token_counts`, RequestUsage). Whoever wrote it, cache counts that together exceed the input count cannot be
part of it, and reasoning that exceeds the output cannot be part of that: then they are added.
"""

from collections.abc import Iterable
from typing import Any, Final

from producers.opentelemetry import conventions as names
from producers.opentelemetry.providers import vendor_of
from producers.opentelemetry.reading import (
    Uncounted,
    amount,
    attribution,
    code,
    count,
    failure,
    find,
    is_stated,
    label,
    text,
)
from producers.opentelemetry.signals import Attributes, LogRecord, Span, moment
from producers.vendors.answer import UNKNOWN_MODEL, AnswerContext, service_tier
from producers.vendors.endpoints import region_of_url
from producers.vendors.names import UNKNOWN_VENDOR
from tokenweir.usage.identity import vendor_event_id

CODING_AGENTS: Final = frozenset(
    {
        "claude-code",
        "gemini-cli",
        "codex-cli",
        "codex_cli_rs",
        "codex_exec",
        "codex_vscode",
        "codex_mcp_server",
        "codex-app-server",
    }
)
"""`service.name` of the agents whose calls are read from their own logs or metrics."""

_STRANDS: Final = "strands.telemetry.tracer"
_VERCEL: Final = "ai"
_FILTERED: Final = frozenset({"content_filter", "content-filter", "safety", "refusal", "prohibited_content"})
_NS_A_MS: Final = 1_000_000
_LONGEST_MS: Final = 10**10


def fields_of_span(span: Span, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """The fields of UsageEvent of the call that a span is of. Raises RejectedInput.

    context: its `fields` hold whatever the span says; its `make_id` names a span without ids.
    """
    if label(span.origin.resource, "service.name") in CODING_AGENTS:
        return Uncounted("reported_by_logs")
    facts: dict[str, Any] = {"time": moment(span.end_ns)}
    duration_ms = (span.end_ns - span.start_ns) / _NS_A_MS if span.start_ns else 0.0
    if 0 < duration_ms <= _LONGEST_MS:
        facts["duration_ms"] = duration_ms
    return _fields(span, context, facts, name=span.name, is_error=span.is_error)


def fields_of_details(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted:
    """The same of the event `gen_ai.client.inference.operation.details`, which repeats a span's attributes.

    It has the name that its span has, so that both count once. Raises RejectedInput.
    """
    if label(record.origin.resource, "service.name") in CODING_AGENTS:
        return Uncounted("reported_by_logs")
    return _fields(record, context, {"time": moment(record.time_ns)}, name="", is_error=False)


def without_ancestors(parents: dict[str, str], counted: Iterable[str]) -> set[str]:
    """Of the spans `counted` those that hold no other counted one. parents: each span's parent, by any one key."""
    kept = set(counted)
    for span in tuple(kept):
        above = parents.get(span, "")
        passed = {span}
        while above and above not in passed:
            passed.add(above)
            kept.discard(above)
            above = parents.get(above, "")
    return kept


def _fields(
    signal: Span | LogRecord, context: AnswerContext, facts: dict[str, Any], *, name: str, is_error: bool
) -> dict[str, Any] | Uncounted:
    said = signal.attributes
    operation = _operation(said, name)
    if isinstance(operation, Uncounted):
        return operation
    counts = _counts(said, signal.origin.scope)
    error = code(said, *names.ERROR)
    failed = is_error or is_stated(said, names.ERROR)
    if not any(counts.values()) and not failed:
        return Uncounted("no_usage")
    model = label(said, *names.RESPONSE_MODEL) or label(said, *names.REQUEST_MODEL)
    server = label(said, *names.SERVER)
    vendor = str(context.fields.get("vendor") or _vendor(said, server, model))
    response_id = label(said, *names.RESPONSE_ID)
    fields: dict[str, Any] = {
        "id": _name(signal, vendor, response_id, context),
        "source": context.source,
        "time": facts.pop("time") or context.now,
        "vendor": vendor,
        "model": model or UNKNOWN_MODEL,
        "operation": operation,
        "requested_model": label(said, *names.REQUEST_MODEL),
        "region": _region(signal, server),
        "service_tier": service_tier(code(said, *names.TIER)),
        "ttft_ms": _ttft_ms(said),
        "streaming": find(said, names.STREAMING) in (True, "True") or operation_id(said) == "dostream",
        **counts,
        **facts,
        **attribution(said, signal.origin),
    }
    cost = amount(said, *names.COST)
    if cost:
        fields |= {"reported_cost": cost, "reported_currency": "USD"}
    if failed:
        fields |= failure(error)
    elif _FILTERED & {one.lower() for one in _finish_reasons(said)}:
        fields["status"] = "filtered"
    return {name: value for name, value in fields.items() if value not in ("", None, 0, False)} | dict(
        context.fields
    )


def operation_id(said: Attributes) -> str:
    """The innermost part of the Vercel AI SDK's operation, lower case: `dogenerate` of `ai.generateText.doGenerate`."""
    return text(said, "ai.operationId").rpartition(".")[2].lower()


def _operation(said: Attributes, name: str) -> str | Uncounted:
    if "ai.operationId" in said:
        # The outer spans state gen_ai names, too, and the sums of the inner ones.
        inner = names.LEAVES.get(operation_id(said))
        return inner if inner else Uncounted("aggregate")
    stated = text(said, *names.OPERATION)
    if stated:
        return names.LEAVES.get(stated.lower()) or Uncounted("aggregate")
    if not is_stated(said, (*names.PROVIDER, *names.RESPONSE_ID)) or not is_stated(
        said, (*names.RESPONSE_MODEL, *names.REQUEST_MODEL)
    ):
        return Uncounted("no_inference")
    return Uncounted("aggregate") if name.startswith(("invoke_agent", "agent ")) else "chat"


def _counts(said: Attributes, scope: str) -> dict[str, int]:
    counts = {field: count(said, *stated) for field, stated in names.TOKENS.items()}
    cached = counts["cache_read_tokens"] + counts["cache_write_tokens"]
    if cached > counts["input_tokens"] or (cached and _cache_stands_outside(said, scope)):
        counts["input_tokens"] += cached
    if counts["reasoning_tokens"] > counts["output_tokens"]:
        counts["output_tokens"] += counts["reasoning_tokens"]
    return counts


def _cache_stands_outside(said: Attributes, scope: str) -> bool:
    if scope == _STRANDS:
        model = label(said, *names.REQUEST_MODEL).lower()
        return "claude" in model or "nova" in model
    if scope == _VERCEL and not is_stated(said, names.VERCEL_INCLUSIVE):
        return text(said, "ai.model.provider", "gen_ai.system").startswith(("anthropic", "amazon-bedrock"))
    return False


def _vendor(said: Attributes, server: str, model: str) -> str:
    for provider in names.PROVIDER:
        found = vendor_of(label(said, provider), server, "")
        if found != UNKNOWN_VENDOR:
            return found
    return vendor_of("", server, model)


def _name(signal: Span | LogRecord, vendor: str, response_id: str, context: AnswerContext) -> str:
    if response_id:
        return vendor_event_id(vendor, response_id)
    if signal.trace_id and signal.span_id:
        return f"otel:{signal.trace_id}/{signal.span_id}"
    return context.make_id() if context.make_id is not None else ""


def _region(signal: Span | LogRecord, server: str) -> str:
    return (
        label(signal.attributes, *names.REGION)
        or label(signal.origin.resource, "tokenweir.region")
        or region_of_url(server, "")
    )


def _ttft_ms(said: Attributes) -> float | None:
    seconds = amount(said, *names.TTFT_SECONDS)
    milliseconds = seconds * 1_000 if seconds is not None else amount(said, *names.TTFT_MS)
    return float(milliseconds) if milliseconds is not None and milliseconds <= _LONGEST_MS else None


def _finish_reasons(said: Attributes) -> tuple[str, ...]:
    value = find(said, names.FINISH)
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) else ()
