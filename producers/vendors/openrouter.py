"""OpenRouter: chat completions, responses and messages of many vendors' models, and its generation records.

Accounting: OpenAI's family for every upstream vendor, Anthropic's models included: tokens read from and written to a
cache are inside the prompt, reasoning inside the completion. Counts are those of the model's own tokenizer.
`cost` is what is charged in USD credits, plugins' and server tools' fees included. With a key of one's own
(`is_byok`) it is OpenRouter's fee alone and the model is on its vendor's bill: `upstream_inference_cost` is never
added, and the tag `is_byok` says so. `web_search_requests` may be a part of `tool_calls_executed` and is taken off it.
A generation record tells of a call again, under the same id: bill by its `native_tokens_*`; the plain ones are a common
tokenizer's. Its times are milliseconds.
Sources: recorded answers; types of the package openrouter 1.3; openrouter.ai, usage accounting.
Limits: fees of plugins are in the cost alone.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.compatible import Habits, compatible
from producers.vendors.compatible_facts import milliseconds, reported
from producers.vendors.plain_facts import tagged
from producers.vendors.registry import sign

_NATIVE: Final = ("native_tokens_prompt", "tokens_prompt")
_TOOLS: Final = ("usage.server_tool_use", "usage.server_tool_use_details")


def _facts(answer: Answer) -> Mapping[str, Any]:
    usage = answer.part("usage")
    cost = usage.amount("cost") if not isinstance(usage.find("cost"), Mapping) else None
    return {**reported(cost), **_byok(usage)}


def _units(answer: Answer) -> Mapping[str, Decimal]:
    for path in _TOOLS:
        if answer.has_any(path):
            tools = answer.part(path)
            searches = tools.count("web_search_requests")
            others = tools.count("tool_calls_executed") - searches
            return whole_units(web_searches=searches, server_tool_calls=max(others, 0))
    return {}


HABITS: Final = Habits(facts=_facts, units=_units)
"""What OpenRouter does otherwise than OpenAI."""


def is_generation(answer: Answer) -> bool:
    data = answer.find("data")
    record = data if isinstance(data, Mapping) else answer.body
    return any(record.get(name) is not None for name in _NATIVE)


def read_generation(answer: Answer) -> Reading:
    """A generation record, in its envelope `data` or without."""
    record = answer.part("data") if isinstance(answer.find("data"), Mapping) else answer
    record.need_any(*_NATIVE)
    region = record.text("data_region")
    status = "cancelled" if record.find("cancelled") is True else "ok"
    filtered = record.find("finish_reason") == "content_filter"
    cost = record.amount("total_cost") if record.has_any("total_cost") else record.amount("usage")
    return Reading(
        model=record.text("model"),
        response_id=record.text("id"),
        time=record.moment("created_at"),
        region="" if region == "global" else region,
        service_tier=service_tier(record.text("service_tier")),
        status="filtered" if filtered else status,
        counts={
            "input_tokens": record.count(*_NATIVE),
            "cache_read_tokens": record.count("native_tokens_cached"),
            "output_tokens": record.count("native_tokens_completion", "tokens_completion"),
            "reasoning_tokens": record.count("native_tokens_reasoning"),
            "output_image_tokens": record.count("native_tokens_completion_images"),
        },
        units=whole_units(
            web_search_results=record.count("num_search_results"),
            web_fetches=record.count("num_fetches"),
        ),
        facts={
            **reported(cost),
            **_byok(record),
            **milliseconds(record, duration_ms="latency"),
            **({"streaming": True} if record.find("streamed") is True else {}),
        },
    )


def _byok(holder: Answer) -> dict[str, Any]:
    return tagged(is_byok="true" if holder.find("is_byok") is True else "")


compatible("openrouter", HABITS, own={"generation": (is_generation, read_generation)})


@sign("openrouter")
def is_surely_openrouter(answer: Answer) -> bool:
    """An id of OpenRouter's form, or the split of costs that only it states."""
    response_id = answer.find("id")
    named = isinstance(response_id, str) and response_id.startswith("gen-") and answer.has_any("usage")
    return named or answer.has_any("usage.cost_details", "data.native_tokens_prompt", "native_tokens_prompt")
