"""What Bedrock tells in the headers of an answer: the request's id, token counts, latency and tier.

Headers stand by themselves (`{"x-amzn-requestid": …}`), beside a body (`{"headers": …, "body": …}`), or where boto3
puts them (`ResponseMetadata.HTTPHeaders`). Their counts are InvokeModel's; `input-token-count` excludes the cache.
Sources: recorded headers of InvokeModel; botocore 1.44.
Limits: a gateway that drops headers leaves a call its own id in the body, under which the invocation log does not know
it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, service_tier

_OURS: Final = "x-amzn-"
_COUNTS: Final = "x-amzn-bedrock-{}-token-count"
_DIGITS: Final = re.compile(r"\d{1,15}")


@dataclass(frozen=True, slots=True)
class Headers:
    """counts: token fields of UsageEvent; {} where none are told. latency_ms: None where it is not told."""

    counts: Mapping[str, int] = field(default_factory=dict)
    request_id: str = ""
    latency_ms: int | None = None
    tier: str = ""


NONE: Final = Headers()


def counts_beside_cache(inputs: int, read: int, written: int, outputs: int) -> dict[str, int]:
    """Inclusive counts of an input that excludes the cache."""
    return {
        "input_tokens": inputs + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": outputs,
    }


def headers_of(answer: Answer) -> Headers:
    """The headers that come with an answer. Raises RejectedInput for a count that is none."""
    body = answer.body
    metadata = body.get("ResponseMetadata")
    found: Any = body.get("headers")
    if not isinstance(found, Mapping) and isinstance(metadata, Mapping):
        found = metadata.get("HTTPHeaders")
    if not isinstance(found, Mapping):
        found = body if any(isinstance(name, str) and name[:7].lower() == _OURS for name in body) else {}
    named = metadata.get("RequestId") if isinstance(metadata, Mapping) else None
    if not found and not named:
        return NONE
    return _headers({name.lower(): value for name, value in found.items() if isinstance(name, str)}, named)


def has_counts(answer: Answer) -> bool:
    """Whether headers tell token counts. Never raises."""
    holders: list[Any] = [answer.body, answer.body.get("headers")]
    metadata = answer.body.get("ResponseMetadata")
    if isinstance(metadata, Mapping):
        holders.append(metadata.get("HTTPHeaders"))
    return any(
        isinstance(name, str) and name.lower() in _COUNT_NAMES
        for holder in holders
        if isinstance(holder, Mapping)
        for name in holder
    )


def with_headers(reading: Reading, headers: Headers) -> Reading:
    """`reading` under the request's id, with what else the headers tell; their counts where it has none."""
    if headers is NONE:
        return reading
    timing = {} if headers.latency_ms is None else {"duration_ms": float(headers.latency_ms)}
    return replace(
        reading,
        response_id=headers.request_id or reading.response_id,
        service_tier=headers.tier or reading.service_tier,
        counts=reading.counts if any(reading.counts.values()) or not headers.counts else headers.counts,
        facts={**timing, **reading.facts},
    )


def _headers(found: Mapping[str, Any], named: Any) -> Headers:
    inputs, outputs = _number(found, _COUNTS.format("input")), _number(found, _COUNTS.format("output"))
    read = _number(found, _COUNTS.format("cache-read-input"))
    written = _number(found, _COUNTS.format("cache-write-input"))
    stated = [count for count in (inputs, outputs, read, written) if count is not None]
    optimized = found.get("x-amzn-bedrock-performanceconfig-latency") == "optimized"
    tier = found.get("x-amzn-bedrock-service-tier")
    request_id = found.get("x-amzn-requestid") or named
    return Headers(
        counts=counts_beside_cache(inputs or 0, read or 0, written or 0, outputs or 0) if stated else {},
        request_id=request_id if isinstance(request_id, str) else "",
        latency_ms=_number(found, "x-amzn-bedrock-invocation-latency"),
        tier="optimized" if optimized else service_tier(tier) if isinstance(tier, str) else "",
    )


def _number(found: Mapping[str, Any], name: str) -> int | None:
    value = found.get(name)
    if value is None:
        return None
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    raise Answer({}, "").refusal("wrong_type", name, "is not a whole number")


_COUNT_NAMES: Final = frozenset(
    _COUNTS.format(kind) for kind in ("input", "output", "cache-read-input", "cache-write-input")
)
