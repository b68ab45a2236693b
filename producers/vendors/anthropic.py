"""Anthropic: messages, results of a message batch, and its OpenAI-compatible endpoint.

Accounting: `input_tokens` stands beside the cache counts, so all input is the sum of the three; the one-hour part
of cache writes is told only by `cache_creation`; thinking is inside `output_tokens`.
Entries of `usage.iterations` of type `compaction` and `advisor_message` are billed and are **not** part of the
top level; they become calls of their own. Sources: types of the package anthropic 2.12; recorded answers.
"""

from dataclasses import replace

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.registry import sign, surface

_BILLED_APART = ("compaction", "advisor_message")
_ORDINARY_REGIONS = ("", "not_available", "global")


def is_message(answer: Answer) -> bool:
    return answer.has_any("usage.input_tokens", "usage.output_tokens") and not answer.has_any(
        "usage.input_tokens_details", "usage.total_tokens"
    )


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
    """The Messages API, also as Bedrock and Vertex hand it on."""
    usage = answer.part("usage")
    usage.need_any("input_tokens", "output_tokens")
    model = answer.text("model")
    region = usage.text("inference_geo")
    # Fast mode has its own, higher price and is told apart from the tier.
    speed = usage.text("speed")
    tier = "fast" if speed == "fast" else service_tier(usage.text("service_tier"))
    region = "" if region in _ORDINARY_REGIONS else region
    inner = tuple(
        Reading(
            model=step.text("model") or model,
            counts=_counts(step),
            service_tier=tier,
            region=region,
        )
        for step in usage.parts("iterations")
        if step.find("type") in _BILLED_APART
    )
    return Reading(
        model=model,
        response_id=answer.text("id"),
        service_tier=tier,
        region=region,
        status="filtered" if answer.find("stop_reason") == "refusal" else "ok",
        counts=_counts(usage),
        units=whole_units(web_searches=usage.count("server_tool_use.web_search_requests")),
        inner=inner,
    )


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


@sign("anthropic")
def is_surely_anthropic(answer: Answer) -> bool:
    """Anthropic's shape and a Claude model under its plain name; Bedrock's ids begin with `msg_bdrk_`."""
    if is_batch_line(answer):
        return answer.has_any("result.message.usage") or answer.find("result.type") != "succeeded"
    model, response_id = answer.find("model"), answer.find("id")
    from_bedrock = isinstance(response_id, str) and response_id.startswith("msg_bdrk_")
    return isinstance(model, str) and model.startswith("claude-") and is_message(answer) and not from_bedrock
