"""AWS Bedrock: Converse and its stream, InvokeModel's bodies, streams and headers, the OpenAI-compatible endpoint.

Accounting: of Converse, of InvokeModel's headers and of `amazon-bedrock-invocationMetrics`, `inputTokens` stands beside
the cache counts: `total = input + output + cacheRead + cacheWrite`. The wire spells the cache counts twice
(`…InputTokens`, `…InputTokenCount`), once is counted. `cacheDetails` tells what was written for an hour; reasoning is
inside the output and not told apart. InvokeModel's bodies are those of the model's own maker: Anthropic's and Cohere's
are read as theirs; OpenAI's shape (Mistral, AI21, gpt-oss, and the `bedrock-mantle` endpoint) has its cache inside.
The bill comes from AWS whoever made the model, so that the vendor is aws. A call is named after its request id where
the answer comes with its headers, as the invocation log names it.
A model is named by no answer but a prompt router's; of an ARN the part behind the last slash is taken.
Sources: botocore 1.44's model of bedrock-runtime; recorded answers and headers; AWS's pages on model parameters.
Limits: what a body without counts took (Mistral's `outputs`, Cohere's `generations`) only its headers tell.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors import merging
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, service_tier
from producers.vendors.anthropic import is_surely_message, merge_message, read_message
from producers.vendors.bedrock_headers import counts_beside_cache, has_counts, headers_of, with_headers
from producers.vendors.bedrock_models import is_native, read_native
from producers.vendors.registry import Merged, Reader, other_names, sign, stream, surface

_ARN: Final = re.compile(r"arn:[a-z\-]+:bedrock:([a-z0-9\-]{4,32}):")
METRICS: Final = "amazon-bedrock-invocationMetrics"
_FILTERED: Final = ("guardrail_intervened", "content_filtered")
_EVENTS: Final = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
)
_EXCEPTIONS: Final = {
    "throttlingException": "rate_limited",
    "modelTimeoutException": "timeout",
    "internalServerException": "error",
    "modelStreamErrorException": "error",
    "validationException": "error",
    "serviceUnavailableException": "error",
}
_CONVERSE_COUNTS: Final = ("usage.inputTokens", "usage.outputTokens")


def is_converse(answer: Answer) -> bool:
    return answer.has_any(*_CONVERSE_COUNTS)


def read_converse(answer: Answer) -> Reading:
    """Converse, and Amazon's own models through InvokeModel, which answer alike."""
    answer.need_any(*_CONVERSE_COUNTS)
    usage = answer.part("usage")
    written = usage.count("cacheWriteInputTokens", "cacheWriteInputTokenCount")
    counts = counts_beside_cache(
        usage.count("inputTokens"),
        usage.count("cacheReadInputTokens", "cacheReadInputTokenCount"),
        written,
        usage.count("outputTokens"),
    )
    kept = sum(part.count("inputTokens") for part in usage.parts("cacheDetails") if part.find("ttl") == "1h")
    model = answer.text("trace.promptRouter.invokedModelId", "modelId")
    latency = answer.amount("metrics.latencyMs") if answer.has_any("metrics") else None
    tier = answer.find("serviceTier")
    tier = answer.text("serviceTier.type" if isinstance(tier, Mapping) else "serviceTier")
    optimized = (
        answer.has_any("performanceConfig") and answer.find("performanceConfig.latency") == "optimized"
    )
    return Reading(
        model=model.rpartition("/")[2],
        region=_region(model),
        service_tier="optimized" if optimized else service_tier(tier),
        status="filtered" if answer.find("stopReason") in _FILTERED else "ok",
        counts={**counts, "cache_write_1h_tokens": min(kept, written)},
        facts={"duration_ms": float(latency)} if latency is not None else {},
        stated_total=usage.total("totalTokens"),
    )


def is_converse_event(event: Answer) -> bool:
    return any(isinstance(event.body.get(name), Mapping) for name in (*_EVENTS, *_EXCEPTIONS))


@stream("aws", "converse", looks_like=is_converse_event)
def merge_converse(events: Sequence[Answer]) -> Merged:
    """ConverseStream: `metadata` at the end tells the usage, `messageStop` the reason."""
    body: dict[str, Any] = {}
    stopped = False
    status = code = ""
    for event in events:
        body |= {name: event.body[name] for name in ("modelId", "ResponseMetadata") if name in event.body}
        told = event.body.get("metadata")
        if isinstance(told, Mapping):
            body |= told
        if event.has_any("messageStop"):
            stopped, body["stopReason"] = True, event.find("messageStop.stopReason")
        for name, means in _EXCEPTIONS.items():
            if event.has_any(name):
                status, code = means, name
    stated = bool(body.get("usage"))
    body.setdefault("usage", {"inputTokens": 0})
    return Merged(body, stopped or stated, stated=stated, status=status, error_code=code)


def is_invocation_chunk(chunk: Answer) -> bool:
    return chunk.has_any(METRICS) or merging.is_message_event(chunk)


@stream("aws", "invoke_model", looks_like=is_invocation_chunk)
def merge_invocation(chunks: Sequence[Answer]) -> Merged:
    """InvokeModelWithResponseStream: the maker's own chunks, with Bedrock's metrics on the last one."""
    metrics = next((chunk.body[METRICS] for chunk in reversed(chunks) if chunk.has_any(METRICS)), None)
    own: dict[str, Any] = {METRICS: metrics} if metrics else {}
    named = dict(item for chunk in chunks for item in chunk.body.items() if item[0] == "ResponseMetadata")
    if any(map(merging.is_message_event, chunks)):
        merged = merge_message(chunks)
        if merged.stated:
            return replace(
                merged, body={**merged.body, **own, **named}, complete=merged.complete or bool(metrics)
            )
    last = next((chunk.body for chunk in reversed(chunks) if is_native(chunk)), {})
    body = {**({**last, **own} or {METRICS: {"inputTokenCount": 0}}), **named}
    return Merged(body, complete=bool(metrics), stated=bool(metrics or last))


def _read_metrics(answer: Answer) -> Reading:
    metrics = answer.part(METRICS)
    metrics.need_any("inputTokenCount", "outputTokenCount")
    counts = counts_beside_cache(
        metrics.count("inputTokenCount"),
        metrics.count("cacheReadInputTokenCount"),
        metrics.count("cacheWriteInputTokenCount"),
        metrics.count("outputTokenCount"),
    )
    return Reading(model=answer.text("modelId", "model").rpartition("/")[2], counts=counts)


def _latencies(answer: Answer) -> dict[str, float]:
    metrics = answer.part(METRICS)
    stated = {
        "duration_ms": metrics.amount("invocationLatency"),
        "ttft_ms": metrics.amount("firstByteLatency"),
    }
    return {name: float(value) for name, value in stated.items() if value is not None}


_BODIES: Final = (
    (is_converse, read_converse),
    (is_surely_message, read_message),
    (shapes.is_chat_completion, shapes.read_chat_completion),
    (shapes.is_response, shapes.read_response),
    (is_native, read_native),
)
"""What InvokeModel may answer with, in the order in which it is tried."""


def is_invocation(answer: Answer) -> bool:
    if answer.has_any(METRICS) or is_native(answer):
        return True
    if isinstance(answer.body.get("body"), Mapping) and isinstance(answer.body.get("headers"), Mapping):
        return True
    return has_counts(answer) and not answer.has_any("usage")


def read_invocation(answer: Answer) -> Reading:
    """InvokeModel: a body, its headers, or both as `{"headers": …, "body": …}`."""
    headers = headers_of(answer)
    body = answer.part("body") if isinstance(answer.body.get("body"), Mapping) else answer
    for looks_like, read in _BODIES:
        if looks_like(body):
            return with_headers(_with_metrics(read(body), body), headers)
    if body.has_any(METRICS):
        return with_headers(_with_metrics(_read_metrics(body), body), headers)
    if headers.counts:
        operation = "chat" if headers.counts["output_tokens"] else "embedding"
        model = answer.text("modelId", "model").rpartition("/")[2]
        return with_headers(Reading(model=model, operation=operation, counts=headers.counts), headers)
    raise answer.refusal(
        "missing_field",
        "usage",
        "is missing",
        hint="Hand over the response's headers: x-amzn-bedrock-input-token-count and its like hold the counts",
    )


def _with_metrics(reading: Reading, body: Answer) -> Reading:
    if not body.has_any(METRICS):
        return reading
    return replace(reading, facts={"streaming": True, **_latencies(body), **reading.facts})


def _named(read: Reader) -> Reader:
    """`read`, with the request id and the tier of the headers that boto3 hands over with an answer."""
    return lambda answer: with_headers(read(answer), headers_of(answer))


surface("aws", "converse", looks_like=is_converse)(_named(read_converse))
surface("aws", "messages", looks_like=is_surely_message)(_named(read_message))
surface("aws", "chat_completions", looks_like=shapes.is_chat_completion)(_named(shapes.read_chat_completion))
surface("aws", "embeddings", looks_like=shapes.is_embedding)(_named(shapes.read_embedding))
surface("aws", "responses", looks_like=shapes.is_response)(_named(shapes.read_response))
surface("aws", "invoke_model", looks_like=is_invocation)(read_invocation)
stream("aws", "responses", looks_like=merging.is_response_event)(merging.merge_response)
stream("aws", "chat_completions", looks_like=merging.is_chat_chunk)(merging.merge_chat)
other_names(
    "aws",
    {
        "converse": ("chat", "nova"),
        "invoke_model": (
            "invoke_model_headers",
            "invoke_model_with_response",
            "via_bedrock_invoke_model",
            "headers",
            "titan",
            "llama",
            "embed",
            "embedding",
        ),
        "messages": ("anthropic", "mantle_anthropic_messages"),
        "responses": ("mantle_openai_responses", "mantle_responses", "mantle"),
        "chat_completions": ("mantle_openai_chat_completions", "mantle_chat_completions", "openai_compat"),
    },
)


@sign("aws")
def is_surely_aws(answer: Answer) -> bool:
    """Converse by what goes with its counts, Bedrock's headers and metrics, and Claude under an id of Bedrock's."""
    if is_converse(answer):
        return answer.has_any("stopReason", "metrics.latencyMs")
    response_id = answer.body.get("id")
    from_bedrock = isinstance(response_id, str) and response_id.startswith("msg_bdrk_")
    return answer.has_any(METRICS) or has_counts(answer) or (from_bedrock and is_surely_message(answer))


def _region(model: str) -> str:
    """The region of an ARN, `arn:aws:bedrock:<region>:…`; "" where the model is named without one."""
    found = _ARN.match(model)
    return found[1] if found else ""
