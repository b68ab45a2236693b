"""LiteLLM: rows of its spend log (`LiteLLM_SpendLogs`, exported as JSON Lines or CSV) and its callback's payload.

Accounting: `prompt_tokens` is made inclusive by LiteLLM for every vendor (Anthropic's cache counts are added in);
cache and reasoning stand in `metadata.additional_usage_values` or `metadata.usage_object`, within the totals.
What is no billed call gives no event: an answer from LiteLLM's own cache (`cache_hit`, the **string** "True" in the
table), a failed call, an answer fetched again (`aget_responses`, which repeats the usage of the call that made it).
`request_id` is the vendor's response id where the vendor gave one, else LiteLLM's own call id; ids of the Responses
API are wrapped (`resp_` and base64 of `litellm:…;response_id:…`) and are unwrapped here.
`spend` is LiteLLM's estimate from its own price table; 0 for a model that the table lacks.

Sources: litellm 1.106 `proxy/schema.prisma`, `proxy/spend_tracking/spend_tracking_utils.py`, `types/utils.py`
(StandardLoggingPayload, PromptTokensDetailsWrapper), `responses/utils.py`. Table times are UTC without a zone.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, Final

from producers.records import fields
from producers.records.calls import cost_facts, event_of, uncounted
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from producers.vendors.names import vendor_named, vendor_of_model
from tokenweir.usage.event import UsageEvent

_REFETCHES: Final = re.compile(
    r"a?(get|retrieve|delete|list|cancel)_(responses?|files?|batches|models?|input)"
)
_OPERATIONS: Final[tuple[tuple[str, str], ...]] = (
    ("embedding", "embedding"),
    ("image", "image"),
    ("transcription", "transcription"),
    ("speech", "speech"),
    ("rerank", "rerank"),
    ("video", "video"),
    ("realtime", "realtime"),
    ("moderation", "moderation"),
    ("ocr", "ocr"),
)
_WRAPPED: Final = re.compile(r"resp_[A-Za-z0-9+/=_-]{24,}")
_OWN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MASKED_KEY_LENGTH: Final = 12


def is_spend_row(record: Answer) -> bool:
    return record.has_any("request_id") and record.has_any("spend") and record.has_any("call_type", "api_key")


def is_logging_payload(record: Answer) -> bool:
    return record.has_any("call_type") and record.has_any("prompt_tokens") and "response_cost" in record.body


@record_format("litellm_spend_log", looks_like=is_spend_row)
def read_spend_row(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One row of LiteLLM_SpendLogs."""
    return _read(record, context, id_path="request_id", cost_path="spend")


@record_format("litellm", looks_like=is_logging_payload)
def read_logging_payload(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One StandardLoggingPayload, as the generic, S3 and GCS callbacks write it."""
    return _read(record, context, id_path="id", cost_path="response_cost")


def _read(record: Answer, context: RecordContext, *, id_path: str, cost_path: str) -> Iterable[UsageEvent]:
    call_type = fields.text(record, "call_type")
    record_id = fields.text(record, id_path)
    if fields.truth(record, "cache_hit") or "_cache_hit" in record_id or _REFETCHES.fullmatch(call_type):
        return ()
    metadata = fields.part(record, "metadata")
    counts = _counts(record, metadata)
    if uncounted(counts.values()):
        return ()
    provider = fields.text(record, "custom_llm_provider")
    model = _without_provider(fields.text(record, "model"), provider)
    vendor = vendor_named(provider) if provider else vendor_of_model(model)
    wrapped_vendor, response_id = _unwrapped(record_id)
    own = (
        not response_id
        or response_id == fields.text(record, "litellm_call_id")
        or _OWN_ID.fullmatch(response_id)
    )
    start, end = fields.moment(record, "startTime"), fields.moment(record, "endTime")
    first = fields.moment(record, "completionStartTime")
    streamed = fields.truth(record, "stream")
    failed = fields.text(record, "status") == "failure"
    return (
        event_of(
            context,
            vendor=vendor_named(wrapped_vendor) if wrapped_vendor else vendor,
            model=model,
            time=end or start,
            counts=counts,
            response_id="" if own else response_id,
            own_id=f"litellm:{response_id}" if response_id else "",
            requested_model=fields.label(record, "model_group"),
            operation=_operation(call_type),
            service_tier="batch" if "batch" in call_type else _tier(metadata),
            team=fields.label(metadata, "user_api_key_team_alias")
            or fields.label(record, "team_id")
            or fields.label(metadata, "user_api_key_team_id"),
            user=fields.label(record, "user") or fields.label(metadata, "user_api_key_user_id"),
            api_key=fields.label(metadata, "user_api_key_alias") or _masked(fields.label(record, "api_key")),
            session=fields.label(record, "session_id") or fields.label(record, "trace_id"),
            tags=_tags(record),
            status="error" if failed else "",
            error_code=fields.label(metadata, "error_information.error_code") if failed else "",
            duration_ms=fields.milliseconds(start, end),
            ttft_ms=fields.milliseconds(start, first) if first != end else None,
            streaming=bool(streamed) if streamed is not None else first is not None and first != end,
            **cost_facts(fields.amount(record, cost_path)),
        ),
    )


def _counts(record: Answer, metadata: Answer) -> dict[str, int]:
    usage = fields.part(metadata, "usage_object")
    more = fields.part(metadata, "additional_usage_values")

    def detail(*paths: str) -> int:
        return fields.whole(usage, *paths) or fields.whole(more, *paths)

    total_input, total_output = (
        fields.whole(record, "prompt_tokens"),
        fields.whole(record, "completion_tokens"),
    )
    # Older versions count a cache write twice on some routes; a subset never exceeds what is left of its total.
    read = min(detail("cache_read_input_tokens", "prompt_tokens_details.cached_tokens"), total_input)
    written = detail("cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens")
    written = min(written, total_input - read)
    one_hour = detail("prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens")
    return {
        "input_tokens": total_input,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": min(one_hour, written),
        "input_audio_tokens": min(detail("prompt_tokens_details.audio_tokens"), total_input),
        "output_tokens": total_output,
        "reasoning_tokens": min(detail("completion_tokens_details.reasoning_tokens"), total_output),
        "output_audio_tokens": min(detail("completion_tokens_details.audio_tokens"), total_output),
    }


def _tier(metadata: Answer) -> str:
    tier = fields.label(metadata, "usage_object.service_tier", "additional_usage_values.service_tier").lower()
    return "" if tier in ("default", "standard", "auto") else tier


def _operation(call_type: str) -> str:
    return next((name for word, name in _OPERATIONS if word in call_type), "chat")


def _without_provider(model: str, provider: str) -> str:
    return model.removeprefix(f"{provider}/") if provider else model


def _masked(key_hash: str) -> str:
    """A hash's beginning tells keys apart; what is no hash may be a key and is left out."""
    return key_hash[:_MASKED_KEY_LENGTH] if re.fullmatch(r"[0-9a-f]{64}", key_hash) else ""


def _tags(record: Answer) -> dict[str, str]:
    listed = fields.decoded(fields.find(record, "request_tags"))
    tags: dict[str, Any] = {}
    if isinstance(listed, list):
        for entry in listed:
            if isinstance(entry, str):
                name, sign, value = entry.partition(":")
                tags[name.strip()] = value.strip() if sign else "true"
    end_user = fields.label(record, "end_user")
    if end_user:
        tags["end_user"] = end_user
    return fields.labels(tags)


def _unwrapped(record_id: str) -> tuple[str, str]:
    """The provider and the vendor's own id out of a wrapped id; "" and the id itself where it is not wrapped."""
    if not _WRAPPED.fullmatch(record_id):
        return "", record_id
    packed = record_id.removeprefix("resp_")
    try:
        written = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_").decode()
    except (binascii.Error, ValueError):
        return "", record_id
    pairs = dict(piece.partition(":")[::2] for piece in written.removeprefix("litellm:").split(";"))
    if not written.startswith("litellm:") or not pairs.get("response_id"):
        return "", record_id
    provider = pairs.get("custom_llm_provider", "")
    return ("" if provider == "None" else provider), pairs["response_id"]
