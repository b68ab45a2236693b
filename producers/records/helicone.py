"""Helicone: requests as its export and its query API give them, and its webhook.

Accounting: what `prompt_tokens` counts depends on the vendor whose answer Helicone read. Cache counts stand beside it
for Anthropic's shape of usage (Anthropic, Claude on Bedrock and Vertex) and inside it for all others; `total_tokens`,
where it is the sum of all four, and a cache count larger than the prompt, say that they stand beside it, whoever
the vendor is. Where the record holds the vendor's answer (`response_body`), the vendor's own reader counts.
`cost` is USD, Helicone's estimate. Answers from Helicone's cache are not billed and give no event.

Sources: Helicone's HeliconeRequest schema, its webhook documentation (`metadata.promptTokens`, …). Not documented:
whether `prompt_tokens` includes the cache.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from producers.records import fields
from producers.records.calls import (
    attributed,
    cost_facts,
    event_of,
    events_of_answer,
    has_reader,
    http_status_facts,
    uncounted,
)
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from producers.vendors.names import vendor_named, vendor_of_model
from tokenweir.usage.event import UsageEvent

_CACHE_BESIDE: Final = re.compile(r"claude", re.IGNORECASE)
_PATH_OPERATIONS: Final = (
    ("embedding", "embedding"),
    ("image", "image"),
    ("rerank", "rerank"),
    ("audio", "audio"),
)


def is_request(record: Answer) -> bool:
    return record.has_any("request_id") and (
        record.has_any("delay_ms", "response_status", "request_created_at") or is_webhook(record)
    )


def is_webhook(record: Answer) -> bool:
    return record.has_any("request_id") and record.has_any(
        "response_body", "request_response_url", "metadata.totalTokens"
    )


@record_format("helicone", looks_like=is_request)
def read_request(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One request of an export, of the query API or of the webhook."""
    if fields.truth(record, "cache_enabled") and fields.text(record, "cache_reference_id"):
        return ()
    model = fields.text(record, "response_model", "model", "model_override", "request_model")
    provider = fields.text(record, "provider")
    vendor = vendor_named(provider) if provider else vendor_of_model(model)
    own_id = f"helicone:{fields.text(record, 'request_id')}" if record.has_any("request_id") else ""
    asked, answered = (
        fields.moment(record, "request_created_at"),
        fields.moment(record, "response_created_at"),
    )
    facts: dict[str, Any] = {
        "requested_model": fields.label(record, "request_model"),
        "user": fields.label(record, "request_user_id", "user_id"),
        **attributed(_tags(record)),
        "session": fields.label(record, "request_properties.Helicone-Session-Id"),
        "duration_ms": _float(record, "delay_ms", "metadata.latencyMs"),
        "ttft_ms": _float(record, "time_to_first_token"),
        **cost_facts(fields.amount(record, "cost", "costUSD", "cost_usd", "metadata.cost")),
        **http_status_facts(fields.whole(record, "response_status", "status")),
    }
    body = _answer(record)
    if body is not None and has_reader(vendor):
        return events_of_answer(
            context, vendor=vendor, answer=body, time=answered or asked, own_id=own_id, **facts
        )
    counts = _counts(record, vendor, model)
    if uncounted(counts.values()):
        return ()
    path = fields.label(record, "request_path", "target_url")
    facts["operation"] = next((name for word, name in _PATH_OPERATIONS if word in path), "chat")
    return (
        event_of(
            context, vendor=vendor, model=model, time=answered or asked, counts=counts, own_id=own_id, **facts
        ),
    )


def _answer(record: Answer) -> Mapping[str, Any] | None:
    body = fields.part(record, "response_body")
    return body.body if body.has_any("usage", "usageMetadata") else None


def _counts(record: Answer, vendor: str, model: str) -> dict[str, int]:
    prompt = fields.whole(record, "prompt_tokens", "metadata.promptTokens")
    output = fields.whole(record, "completion_tokens", "metadata.completionTokens")
    read = fields.whole(record, "prompt_cache_read_tokens")
    written = fields.whole(record, "prompt_cache_write_tokens")
    total = fields.whole(record, "total_tokens", "metadata.totalTokens")
    beside = (
        vendor == "anthropic"
        or bool(_CACHE_BESIDE.search(model))
        or read + written > prompt
        or total == prompt + output + read + written
    )
    return {
        "input_tokens": prompt + (read + written) * beside,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": output,
    }


def _tags(record: Answer) -> dict[str, str]:
    properties = fields.labels(fields.find(record, "request_properties", "properties"))
    return {name: value for name, value in properties.items() if not name.lower().startswith("helicone-")}


def _float(record: Answer, *paths: str) -> float | None:
    number = fields.amount(record, *paths)
    return float(number) if number is not None else None
