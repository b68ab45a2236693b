"""Anthropic: messages, their streams, results of a message batch, and its OpenAI-compatible endpoint.

Accounting: `input_tokens` stands beside the cache counts, so all input is the sum of the three; the one-hour part
of cache writes is told only by `cache_creation`; thinking is inside `output_tokens`. There is no total.
Entries of `usage.iterations` that are billed and **not** part of the top level become calls of their own: those of type
`compaction`, those of type `advisor_message` at the advisor's model, and, where another model served the answer (an
entry of type `fallback_message`), the attempts of the model that declined it. The top level is then the serving
model's, whatever the message says its model is. What remains is checked: the entries of the top level add up to it.
Sources: types of the package anthropic 2.14 (its `beta_usage` and `beta_fallback_message_iteration_usage`); recorded
answers.
Limits: a `fallback_credit` that was redeemed changes the price of a retry in a way that no count shows.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from producers.vendors import merging
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.merging import merge_message
from producers.vendors.registry import other_names, sign, stream, surface

__all__ = ["is_message", "is_surely_message", "merge_message", "read_message"]

_FALLBACK: Final = "fallback_message"
_BILLED_APART: Final = ("compaction", "advisor_message")
_ORDINARY_REGIONS: Final = ("", "not_available", "global")
_MARKS: Final = (
    "stop_reason",
    "usage.cache_read_input_tokens",
    "usage.cache_creation_input_tokens",
    "usage.cache_creation",
)


def is_message(answer: Answer) -> bool:
    """An answer of Anthropic's: of its counts alone nobody else's are. Events of a stream are merged before."""
    if not answer.has_any("usage.input_tokens", "usage.output_tokens"):
        return False
    return not answer.has_any(
        "usage.input_tokens_details", "usage.total_tokens"
    ) and not merging.is_message_event(answer)


def is_surely_message(answer: Answer) -> bool:
    """The same among answers of other shapes: by what only this shape has, or a Claude model."""
    model = answer.body.get("model")
    marked = answer.has_any(*_MARKS) or answer.body.get("type") == "message"
    return is_message(answer) and (marked or (isinstance(model, str) and "claude" in model))


def is_batch_line(answer: Answer) -> bool:
    return answer.has_any("custom_id") and answer.has_any("result.type")


@surface("anthropic", "message_batch_result", looks_like=is_batch_line)
def read_batch_line(answer: Answer) -> Reading:
    """One line of a batch's results; only those that succeeded were billed."""
    if answer.find("result.message") is None:
        raise answer.refusal(
            "missing_field",
            "result.message",
            "is missing",
            hint="A request that did not succeed is not billed",
        )
    return replace(read_message(answer.part("result.message")), service_tier="batch")


@surface("anthropic", "messages", looks_like=is_message)
def read_message(answer: Answer) -> Reading:
    """The Messages API, also as Bedrock, Vertex and Foundry hand it on."""
    usage = answer.part("usage")
    usage.need_any("input_tokens", "output_tokens")
    model = answer.text("model")
    region = usage.text("inference_geo")
    # Fast mode has its own, higher price and is told apart from the tier.
    speed = usage.text("speed")
    reading = Reading(
        model=model,
        response_id=answer.text("id"),
        service_tier="fast" if speed == "fast" else service_tier(usage.text("service_tier")),
        region="" if region in _ORDINARY_REGIONS else region,
        status="filtered" if answer.find("stop_reason") == "refusal" else "ok",
        counts=_counts(usage),
        units=whole_units(web_searches=usage.count("server_tool_use.web_search_requests")),
    )
    steps = usage.parts("iterations") if usage.body.get("iterations") else ()
    return _apart(reading, steps) if steps else reading


def _apart(reading: Reading, steps: Sequence[Answer]) -> Reading:
    """`reading` with the steps of its way that are billed apart as calls of their own."""
    served = next((step.text("model") for step in reversed(steps) if step.find("type") == _FALLBACK), "")
    model = served or reading.model
    inner: list[Reading] = []
    of_top_level = 0
    for step in steps:
        kind, own = step.find("type"), step.text("model") or model
        counts = _counts(step)
        if kind in _BILLED_APART or (served and own != served):
            inner.append(
                Reading(model=own, counts=counts, service_tier=reading.service_tier, region=reading.region)
            )
        else:
            of_top_level += counts["input_tokens"] + counts["output_tokens"]
    facts = {**reading.facts, "requested_model": reading.model} if served and reading.model else reading.facts
    return replace(reading, model=model, facts=facts, inner=tuple(inner), stated_total=of_top_level or None)


def _counts(usage: Answer) -> dict[str, int]:
    one_hour = usage.count("cache_creation.ephemeral_1h_input_tokens")
    five_minutes = usage.count("cache_creation.ephemeral_5m_input_tokens")
    # The split may be missing, or all zeros, where a host passes on the sum alone.
    cache_write = max(usage.count("cache_creation_input_tokens"), one_hour + five_minutes)
    cache_read = usage.count("cache_read_input_tokens")
    return {
        "input_tokens": usage.count("input_tokens") + cache_write + cache_read,
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
        "cache_write_1h_tokens": one_hour,
        "output_tokens": usage.count("output_tokens"),
        "reasoning_tokens": usage.count("output_tokens_details.thinking_tokens"),
    }


surface("anthropic", "chat_completions", looks_like=shapes.is_chat_completion)(shapes.read_chat_completion)
surface("anthropic", "responses", looks_like=shapes.is_response)(shapes.read_response)
stream("anthropic", "messages", looks_like=merging.is_message_event)(merge_message)
stream("anthropic", "chat_completions", looks_like=merging.is_chat_chunk)(merging.merge_chat)
other_names(
    "anthropic",
    {
        "messages": (
            "message",
            "iterations_advisor",
            "iterations_compaction",
            "iterations_fallback",
            "via_bedrock_invoke_model",
        ),
        "message_batch_result": ("batch", "message_batches"),
        "chat_completions": ("chat", "openai_compat"),
    },
)


@sign("anthropic")
def is_surely_anthropic(answer: Answer) -> bool:
    """Anthropic's shape and a Claude model under its plain name; Bedrock's ids begin with `msg_bdrk_`."""
    if is_batch_line(answer):
        return answer.has_any("result.message.usage") or answer.find("result.type") != "succeeded"
    model, response_id = answer.find("model"), answer.find("id")
    from_bedrock = isinstance(response_id, str) and response_id.startswith("msg_bdrk_")
    return isinstance(model, str) and model.startswith("claude-") and is_message(answer) and not from_bedrock
