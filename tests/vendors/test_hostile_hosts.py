"""Whatever a compatible host's answer or stream holds, it is read or refused by field, and quotes nothing of it."""

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.vendors import guess_vendor, read_calls, read_stream, surfaces
from tests.vendors.hosts import CANARY, CONTEXT
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import UsageEvent

USAGE = {
    "prompt_tokens": 90,
    "completion_tokens": 80,
    "total_tokens": 170,
    "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2, "audio_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 7},
    "cost": 0.5,
    "service_tier": "priority",
}
CHOICES = [{"finish_reason": "stop", "delta": {"content": CANARY}, "message": {"content": CANARY}}]
ANSWER = {
    "id": "c-1",
    "object": "chat.completion.chunk",
    "model": "m-1",
    "created": 1_770_000_000,
    "service_tier": "default",
    "choices": CHOICES,
    "error": None,
}
RESPONSE = {"input_tokens": 9, "output_tokens": 8, "input_tokens_details": {"cached_tokens": 1}}
WHOLE: dict[str, list[dict[str, Any]]] = {
    "anything": [
        {**ANSWER, "usage": {**USAGE, "num_cached_tokens": 1}},
        {"type": "message", "usage": RESPONSE},
    ],
    "cerebras": [{**ANSWER, "usage": USAGE, "time_info": {"total_time": 0.5}}],
    "fireworks": [
        {
            **ANSWER,
            "usage": {"prompt_tokens": 9, "completion_tokens": 1},
            "headers": {"fireworks-cached-prompt-tokens": "3"},
            "perf_metrics": {"cached-prompt-tokens": 3},
        }
    ],
    "groq": [
        {
            **ANSWER,
            "usage": {**USAGE, "total_time": 0.5},
            "x_groq": {"id": "r", "usage": USAGE},
            "usage_breakdown": {"models": [{"model": "a", "usage": USAGE}, {"model": "b", "usage": USAGE}]},
        },
        {**ANSWER, "x_groq": {"id": "r", "usage": USAGE}},
    ],
    "meta": [
        {
            "id": "m",
            "completion_message": {"content": CANARY},
            "metrics": [{"metric": "num_prompt_tokens", "value": 1}],
        },
        {
            "id": "m",
            "event": {"event_type": "metrics", "metrics": [{"metric": "num_completion_tokens", "value": 1}]},
        },
    ],
    "mistral": [
        {
            "object": "conversation.response",
            "type": "conversation.response.done",
            "created_at": "2026-11-01T10:00:00Z",
            "outputs": [{"model": "m", "content": CANARY}],
            "usage": {
                **USAGE,
                "connector_tokens": 4,
                "connectors": {"web_search": 1, "x": 2},
                "prompt_audio_seconds": 1,
            },
        },
        {
            "model": "o",
            "usage_info": {"pages_processed": 3},
            "pages": [{"images": [{"image_annotation": CANARY}]}],
        },
        {"event": "x", "data": {**ANSWER, "usage": USAGE}},
    ],
    "ollama": [
        {
            "model": "q",
            "created_at": "2026-11-01T10:00:00.1234567Z",
            "message": {"content": CANARY},
            "done": True,
            "total_duration": 5,
            "load_duration": 1,
            "prompt_eval_duration": 1,
            "prompt_eval_count": 2,
            "eval_count": 3,
        }
    ],
    "openrouter": [
        {
            **ANSWER,
            "error": {"code": 429, "message": CANARY},
            "usage": {
                **USAGE,
                "is_byok": True,
                "server_tool_use": {"tool_calls_executed": 2, "web_search_requests": 1},
            },
        },
        {
            "data": {
                "id": "gen-1",
                "model": "m",
                "created_at": "2026-11-01T10:00:00Z",
                "native_tokens_prompt": 5,
                "native_tokens_completion": 4,
                "native_tokens_cached": 1,
                "total_cost": 0.5,
                "latency": 5,
                "data_region": "eu",
                "num_search_results": 1,
            }
        },
    ],
    "perplexity": [
        {
            **ANSWER,
            "usage": {
                **USAGE,
                "cost": {"total_cost": 0.5, "currency": "USD"},
                "search_context_size": "low",
                "citation_tokens": 5,
                "reasoning_tokens": 6,
                "num_search_queries": 7,
            },
        },
        {"usage": {**RESPONSE, "tool_calls_details": {"web_search": {"invocation": 2}}}},
    ],
    "xai": [
        {**ANSWER, "usage": {**USAGE, "cost_in_usd_ticks": 5, "num_sources_used": 1}},
        {
            "type": "response.done",
            "response": {"id": "v", "status": "completed", "usage": {}},
            "response_id": "v",
            "usage": {**RESPONSE, "billable_audio_seconds": 1, "input_text_messages": 1},
        },
        {
            "id": "n",
            "outputs": [{"finish_reason": "REASON_STOP", "message": {"content": CANARY}}],
            "usage": {"prompt_tokens": 9, "prompt_image_tokens": 1, "server_side_tools_used": ["X", CANARY]},
        },
        {
            "output": [{"type": "web_search_call", "query": CANARY}],
            "usage": {
                **RESPONSE,
                "server_side_tool_usage_details": {"web_search_calls": 1, "x_posts_fetched": 2},
            },
        },
        {"data": [{"url": CANARY}], "video": {"duration": 1}, "usage": {"cost_in_usd_ticks": 5}},
    ],
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(
        [CANARY, Decimal("1E+999999999"), 10**400, -(10**400), float("nan"), "9" * 400, "\ud800", "\0"]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NAMES = {"id", "response_id", "model", "data_region", "service_tier"}
"""Fields whose words are taken as they are: names, which hold no part of a prompt."""


def paths_of(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in ((*before, key), *paths_of(item, (*before, key)))]


PLACES = [
    (vendor, body, path) for vendor, bodies in WHOLE.items() for body in bodies for path in paths_of(body)
]


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    body = deepcopy(body)
    parent: Any = body
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return body


def said_of(act: Callable[[], Iterable[UsageEvent]]) -> str:
    """Everything that a reader says; a refusal names a field."""
    try:
        return "".join(event.model_dump_json() for event in act())
    except RejectedInput as error:
        refused = error
    assert refused.field or refused.reason == "subset_exceeds_total"
    return f"{refused} {refused.reason} {refused.field}"


@pytest.mark.parametrize("vendor", WHOLE)
def test_the_answers_that_are_changed_here_are_read_as_they_stand(vendor: str) -> None:
    for body in WHOLE[vendor]:
        assert read_calls(vendor, body, context=CONTEXT)


@given(st.sampled_from(PLACES), VALUES, st.data())
def test_any_answer_is_read_or_refused_by_field(
    where: tuple[str, Any, Any], value: Any, data: st.DataObject
) -> None:
    vendor, whole, path = where
    body = changed(whole, path, value)
    guess_vendor(body)
    surface = data.draw(st.sampled_from([None, *surfaces(vendor)]))
    said = said_of(lambda: read_calls(vendor, body, surface=surface, context=CONTEXT))
    if path[-1] not in NAMES:
        assert CANARY not in said


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3), st.data())
def test_any_stream_is_read_or_refused_by_field(
    changes: list[tuple[tuple[str, Any, Any], Any]], data: st.DataObject
) -> None:
    vendor = changes[0][0][0]
    chunks = [changed(whole, path, value) for (_, whole, path), value in changes]
    surface = data.draw(st.sampled_from([None, "chat_completions", "chat"]))
    said_of(lambda: read_stream(vendor, chunks, surface=surface, context=CONTEXT))


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "1" * 4000])
@pytest.mark.parametrize(
    ("vendor", "text"),
    [
        ("anything", '{"usage":{"prompt_tokens":%s}}'),
        ("xai", '{"usage":{"prompt_tokens":1,"completion_tokens":1,"cost_in_usd_ticks":%s}}'),
        ("openrouter", '{"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":%s}}'),
        ("openrouter", '{"data":{"native_tokens_prompt":%s}}'),
        ("perplexity", '{"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":{"total_cost":%s}}}'),
        ("mistral", '{"usage_info":{"pages_processed":%s}}'),
        ("ollama", '{"eval_count":%s}'),
        ("meta", '{"metrics":[{"metric":"num_prompt_tokens","value":%s}]}'),
    ],
)
def test_numbers_made_to_be_expensive_are_refused(vendor: str, text: str, number: str) -> None:
    body = json.loads(text % number, parse_float=Decimal)
    with pytest.raises(RejectedInput):
        read_calls(vendor, body, context=CONTEXT)
