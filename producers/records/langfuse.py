"""Langfuse: observations, from its API (`{"data": […]}`) and from its blob exports (JSON, JSON Lines, CSV).

Accounting: the buckets of `usageDetails` are **additive**: `input` excludes `input_cached_tokens`, `output` excludes
`output_reasoning_tokens`, `total` is the sum of all others. Where `total` says that they are not (integrations that
send OpenTelemetry's inclusive counts: `total` is `input` plus `output` with cache beside them), they are taken for
subsets. Only observations of type GENERATION and EMBEDDING are calls; spans and events repeat nothing of them.
`costDetails` is USD, Langfuse's estimate or what the application sent. Langfuse knows no vendor: the model's name
tells it, or `--set vendor=…`.

Sources: langfuse `fern/apis/server/definition/commons.yml` (Observation), its matrix of usage keys, its blob export
(the same fields in snake case).
Limits: metadata, names and tags of observations may hold anything, prompts too, and are not read.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from producers.records import fields
from producers.records.calls import cost_facts, event_of, uncounted
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from producers.vendors.names import vendor_of_model
from tokenweir.usage.event import UsageEvent

_CALLS: Final = {"GENERATION": "chat", "EMBEDDING": "embedding"}
_TYPES: Final = frozenset(
    (
        "GENERATION",
        "EMBEDDING",
        "SPAN",
        "EVENT",
        "AGENT",
        "TOOL",
        "CHAIN",
        "RETRIEVER",
        "EVALUATOR",
        "GUARDRAIL",
    )
)
_TOTALS: Final = ("total", "total_tokens", "totalTokens")


def is_observation(record: Answer) -> bool:
    kind = record.body.get("type")
    return (
        isinstance(kind, str)
        and kind in _TYPES
        and record.has_any("traceId", "trace_id")
        and record.has_any("startTime", "start_time")
    )


@record_format("langfuse", looks_like=is_observation)
def read_observation(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One observation."""
    kind = fields.text(record, "type")
    if kind not in _CALLS:
        return ()
    counts = _counts(record)
    if uncounted(counts.values()):
        return ()
    model = fields.text(record, "model", "providedModelName", "provided_model_name")
    start = fields.moment(record, "startTime", "start_time")
    end = fields.moment(record, "endTime", "end_time")
    first = fields.moment(record, "completionStartTime", "completion_start_time")
    own_id = fields.text(record, "id")
    failed = fields.text(record, "level") == "ERROR"
    return (
        event_of(
            context,
            vendor=vendor_of_model(model),
            model=model,
            time=end or start,
            counts=counts,
            own_id=f"langfuse:{own_id}" if own_id else "",
            operation=_CALLS[kind],
            environment=fields.label(record, "environment"),
            session=fields.label(record, "sessionId", "session_id"),
            user=fields.label(record, "userId", "user_id"),
            status="error" if failed else "",
            duration_ms=fields.milliseconds(start, end),
            ttft_ms=fields.milliseconds(start, first),
            streaming=first is not None,
            **cost_facts(_cost(record)),
        ),
    )


def _cost(record: Answer) -> Decimal | None:
    details = fields.part(record, "costDetails", "cost_details")
    stated = fields.amount(details, "total")
    if stated is None:
        stated = fields.amount(record, "totalCost", "total_cost", "calculatedTotalCost")
    return stated


def _counts(record: Answer) -> dict[str, int]:
    usage = fields.part(record, "usageDetails", "usage_details")
    if not usage.body:
        usage = fields.part(record, "usage")
        if not usage.body:
            usage = record
        return {
            "input_tokens": fields.whole(usage, "input", "promptTokens", "prompt_tokens"),
            "output_tokens": fields.whole(usage, "output", "completionTokens", "completion_tokens"),
        }
    buckets = {name: fields.whole(usage, name) for name in usage.body if name not in _TOTALS}
    sides = {name: _side(name) for name in buckets}
    base_input, base_output = buckets.get("input", 0), buckets.get("output", 0)
    total = fields.whole(usage, *_TOTALS)
    inclusive = bool(total) and total == base_input + base_output and total < sum(buckets.values())

    def sum_of(side: str, *words: str) -> int:
        return sum(
            count
            for name, count in buckets.items()
            if sides[name] == side and (not words or any(word in name for word in words))
        )

    written = sum_of("input", "cache_creation", "cache_write")
    return {
        "input_tokens": base_input if inclusive else sum_of("input"),
        "cache_read_tokens": sum_of("input", "cache") - written,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": sum_of("input", "creation_1h", "write_1h"),
        "input_audio_tokens": sum_of("input", "audio"),
        "input_image_tokens": sum_of("input", "image"),
        "output_tokens": base_output if inclusive else sum_of("output"),
        "reasoning_tokens": sum_of("output", "reason", "thought", "thinking"),
        "output_audio_tokens": sum_of("output", "audio"),
        "output_image_tokens": sum_of("output", "image"),
    }


def _side(name: str) -> str:
    """Which total a bucket belongs to: by its first word, and all of caching to the input."""
    if name.startswith(("output", "completion")):
        return "output"
    if name.startswith(("input", "prompt", "cache")):
        return "input"
    return "output" if "reason" in name or "thought" in name else ""
