"""Spans of every instrumentation as events: what they count, whose bill it is, what is not counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from producers.opentelemetry import json_form
from producers.opentelemetry.conventions import SPAN_ATTRIBUTES, is_span_attribute
from producers.opentelemetry.reading import Uncounted
from producers.opentelemetry.signals import Span
from producers.opentelemetry.spans import CODING_AGENTS, fields_of_span, without_ancestors
from tests.opentelemetry.making import CONTEXT, NOW, SPAN, TRACE, chat, span, trace_request
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent
from tokenweir.usage.reading import read_event_object


def _fields(request: dict[str, Any]) -> dict[str, Any] | Uncounted:
    (found,) = json_form.spans(request, is_span_attribute)
    assert isinstance(found, Span)
    return fields_of_span(found, CONTEXT)


def _event(said: dict[str, Any], *, scope: str = "test", resource: Any = None, **fields: Any) -> UsageEvent:
    found = _fields(trace_request(span(said, **fields), scope=scope, resource=resource))
    return read_event_object(found, now=NOW)


def _reason(said: dict[str, Any], **fields: Any) -> str:
    resource = fields.pop("resource", None)
    found = _fields(trace_request(span(said, **fields), resource=resource))
    assert isinstance(found, Uncounted)
    return found.reason


def test_the_conventions_as_they_are() -> None:
    event = _event(
        {
            **chat(100),
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.usage.cache_read.input_tokens": 50,
            "gen_ai.usage.cache_creation.input_tokens": 25,
            "gen_ai.usage.reasoning.output_tokens": 5,
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.conversation.id": "c-1",
            "gen_ai.request.stream": True,
            "openai.response.service_tier": "flex",
            "user.id": "u-1",
            "tokenweir.team": "shop",
            "tokenweir.tag.feature": "search",
        },
        resource={
            "service.name": "checkout",
            "deployment.environment.name": "production",
            "tokenweir.project": "p-1",
            "cloud.region": "eu-west-1",
        },
    )
    assert event == UsageEvent(
        id="openai:chatcmpl-1",
        source="test",
        time=event.time,
        vendor="openai",
        model="gpt-4o-2024-08-06",
        requested_model="gpt-4o",
        service_tier="flex",
        team="shop",
        project="p-1",
        service="checkout",
        environment="production",
        user="u-1",
        session="c-1",
        tags={"feature": "search"},
        input_tokens=100,
        cache_read_tokens=50,
        cache_write_tokens=25,
        output_tokens=10,
        reasoning_tokens=5,
        duration_ms=1_200.0,
        ttft_ms=250.0,
        streaming=True,
    )
    assert event.time.isoformat() == "2026-01-01T00:00:01.200000+00:00"


_OLD = {"gen_ai.system": "Anthropic", "llm.request.type": "chat", "gen_ai.request.model": "claude-sonnet-4-5"}
_SENTRY = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}
_OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
}
_VERCEL = {
    "ai.operationId": "ai.streamText.doStream",
    "ai.model.id": "gpt-4o",
    "ai.model.provider": "openai.chat",
    "ai.response.id": "r-1",
}


@pytest.mark.parametrize(
    ("said", "scope", "counts", "vendor"),
    [
        pytest.param(
            {**_SENTRY, "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 3},
            "",
            {"input_tokens": 7, "output_tokens": 3},
            "openai",
            id="the conventions' first names",
        ),
        pytest.param(
            {
                **_OLD,
                "llm.usage.prompt_tokens": "70",
                "llm.usage.completion_tokens": "3",
                "gen_ai.usage.cache_read_input_tokens": 40,
                "gen_ai.usage.cache_creation_input_tokens": 20,
            },
            "opentelemetry.instrumentation.anthropic",
            {"input_tokens": 70, "cache_read_tokens": 40, "cache_write_tokens": 20, "output_tokens": 3},
            "anthropic",
            id="openllmetry, which adds the cache up",
        ),
        pytest.param(
            {
                **_SENTRY,
                "gen_ai.usage.input_tokens": 20,
                "gen_ai.usage.input_tokens.cached": 5,
                "gen_ai.usage.output_tokens": 10,
                "gen_ai.usage.output_tokens.reasoning": 8,
            },
            "",
            {"input_tokens": 20, "cache_read_tokens": 5, "output_tokens": 10, "reasoning_tokens": 8},
            "openai",
            id="sentry",
        ),
        pytest.param(
            {
                **_OPENINFERENCE,
                "llm.token_count.prompt": 90,
                "llm.token_count.completion": 4,
                "llm.token_count.prompt_details.cache_read": 60,
                "llm.token_count.prompt_details.cache_write": 20,
                "llm.token_count.completion_details.reasoning": 2,
            },
            "openinference.instrumentation.anthropic",
            {
                "input_tokens": 90,
                "cache_read_tokens": 60,
                "cache_write_tokens": 20,
                "output_tokens": 4,
                "reasoning_tokens": 2,
            },
            "anthropic",
            id="openinference",
        ),
        pytest.param(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.system": "strands-agents",
                "gen_ai.request.model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 5,
                "gen_ai.usage.cache_read_input_tokens": 60,
                "gen_ai.usage.cache_write_input_tokens": 10,
            },
            "strands.telemetry.tracer",
            {"input_tokens": 170, "cache_read_tokens": 60, "cache_write_tokens": 10, "output_tokens": 5},
            "aws",
            id="strands on bedrock: the cache stands outside",
        ),
        pytest.param(
            {
                **_VERCEL,
                "ai.usage.inputTokens": 30,
                "ai.usage.outputTokens": 6,
                "ai.usage.cachedInputTokens": 10,
                "gen_ai.usage.input_tokens": 30,
                "gen_ai.usage.output_tokens": 6,
            },
            "ai",
            {"input_tokens": 30, "cache_read_tokens": 10, "output_tokens": 6},
            "openai",
            id="vercel, openai",
        ),
        pytest.param(
            {
                **_VERCEL,
                "ai.model.provider": "anthropic.messages",
                "ai.model.id": "claude-sonnet-4-5",
                "ai.usage.promptTokens": 30,
                "ai.usage.completionTokens": 6,
                "ai.usage.cachedInputTokens": 10,
            },
            "ai",
            {"input_tokens": 40, "cache_read_tokens": 10, "output_tokens": 6},
            "anthropic",
            id="vercel up to 5, anthropic: the cache stands outside",
        ),
        pytest.param(
            {
                **_VERCEL,
                "ai.model.provider": "anthropic.messages",
                "ai.usage.inputTokens": 40,
                "ai.usage.outputTokens": 6,
                "ai.usage.cachedInputTokens": 10,
                "ai.usage.inputTokenDetails.cacheReadTokens": 10,
            },
            "ai",
            {"input_tokens": 40, "cache_read_tokens": 10, "output_tokens": 6},
            "anthropic",
            id="vercel from 6 on: inside",
        ),
        pytest.param(
            {
                "llm.request.type": "acompletion",
                "gen_ai.system": "vertex_ai",
                "gen_ai.request.model": "gemini-2.5-pro",
                "gen_ai.usage.prompt_tokens": 30,
                "gen_ai.usage.completion_tokens": 6,
                "llm.is_streaming": "True",
            },
            "litellm",
            {"input_tokens": 30, "output_tokens": 6},
            "google",
            id="litellm",
        ),
        pytest.param(
            chat(10, **{"gen_ai.usage.cache_read.input_tokens": 500}),
            "somebody.elses",
            {"input_tokens": 510, "cache_read_tokens": 500, "output_tokens": 10},
            "openai",
            id="a cache that is larger than the input is not part of it",
        ),
        pytest.param(
            chat(10, **{"gen_ai.usage.reasoning.output_tokens": 90}),
            "somebody.elses",
            {"input_tokens": 10, "output_tokens": 100, "reasoning_tokens": 90},
            "openai",
            id="reasoning that is larger than the output is not part of it",
        ),
    ],
)
def test_counts_of_every_dialect(
    said: dict[str, Any], scope: str, counts: dict[str, int], vendor: str
) -> None:
    event = _event(said, scope=scope)
    found = {name: getattr(event, name) for name in event.model_fields_set if name.endswith("_tokens")}
    assert (found, event.vendor) == (counts, vendor)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"http.request.method": "POST"}, "no_inference"),
        ({"gen_ai.usage.input_tokens": 5}, "no_inference"),
        (chat(5, **{"gen_ai.operation.name": "invoke_agent"}), "aggregate"),
        (chat(5, **{"gen_ai.operation.name": "create_agent"}), "aggregate"),
        (chat(5, **{"gen_ai.operation.name": "execute_tool"}), "aggregate"),
        (chat(5, **{"gen_ai.operation.name": "invoke_workflow"}), "aggregate"),
        ({**_OPENINFERENCE, "openinference.span.kind": "AGENT", "llm.token_count.prompt": 5}, "aggregate"),
        ({**_VERCEL, "ai.operationId": "ai.streamText", "ai.usage.inputTokens": 5}, "aggregate"),
        ({**chat(0), "gen_ai.usage.output_tokens": 0}, "no_usage"),
    ],
)
def test_what_asks_no_model_once_is_not_counted(said: dict[str, Any], reason: str) -> None:
    assert _reason(said) == reason


@pytest.mark.parametrize("service", sorted(CODING_AGENTS))
def test_spans_of_coding_agents_are_left_to_their_logs(service: str) -> None:
    assert _reason(chat(5), resource={"service.name": service}) == "reported_by_logs"


def test_an_agent_span_without_an_operation_is_told_by_its_name() -> None:
    said = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5}
    assert _reason(said, name="agent run") == "aggregate"
    assert _event(said, name="POST").input_tokens == 5


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"error.type": "429"}, "rate_limited", "429"),
        ({"error.type": "openai.RateLimitError"}, "rate_limited", "openai.RateLimitError"),
        ({"error.type": "TimeoutError"}, "timeout", "TimeoutError"),
        ({"error.type": "asyncio.CancelledError"}, "cancelled", "asyncio.CancelledError"),
        ({"error.type": "500"}, "error", "500"),
        ({"error.type": "the prompt was: my secret"}, "error", "error"),
        ({"gen_ai.response.finish_reasons": ["stop", "content_filter"]}, "filtered", ""),
    ],
)
def test_outcomes(said: dict[str, Any], status: str, code: str) -> None:
    event = _event(chat(0 if "error.type" in said else 5, **said))
    assert (event.status, event.error_code) == (status, code)


def test_a_failed_span_without_tokens_is_an_outcome() -> None:
    said = {name: value for name, value in chat().items() if "usage" not in name}
    event = _event(said, status={"code": 2, "message": "the prompt was too long: …"})
    assert (event.status, event.error_code, event.input_tokens) == ("error", "error", 0)


def test_names() -> None:
    assert _event(chat()).id == f"otel:{TRACE}/{SPAN}"
    assert _event(chat(), traceId="", spanId="").id == "made:1"
    azure = _event(chat(**{"gen_ai.response.id": "c-1", "gen_ai.provider.name": "azure.ai.openai"}))
    assert azure.id == "azure:c-1"


def test_the_region_is_the_models_not_the_applications() -> None:
    said = chat(**{"server.address": "bedrock-runtime.eu-west-1.amazonaws.com"})
    assert (_event(said).region, _event(chat(), resource={"cloud.region": "us-east-1"}).region) == (
        "eu-west-1",
        "",
    )


def test_spans_around_counted_ones_are_dropped() -> None:
    parents = {"model": "http", "http": "langchain", "langchain": "agent", "other": "agent"}
    assert without_ancestors(parents, ["model", "langchain", "other"]) == {"model", "other"}
    assert without_ancestors({"a": "b", "b": "a"}, ["a"]) == {"a"}
    assert without_ancestors({}, []) == set()


@pytest.mark.parametrize(
    ("said", "reason", "field"),
    [
        ({"gen_ai.usage.input_tokens": "many"}, "wrong_type", "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.input_tokens": 1.5}, "wrong_type", "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.input_tokens": True}, "wrong_type", "gen_ai.usage.input_tokens"),
        ({"gen_ai.usage.output_tokens": -1}, "out_of_range", "gen_ai.usage.output_tokens"),
        ({"gen_ai.usage.output_tokens": float("nan")}, "wrong_type", "gen_ai.usage.output_tokens"),
        ({"gen_ai.usage.input_tokens": 10**15}, "out_of_range", "input_tokens"),
    ],
)
def test_absurd_counts_are_refused_by_name(said: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(RejectedInput) as refusal:
        _event(chat(**said))
    assert (refusal.value.reason, refusal.value.field) == (reason, field)


def test_a_label_too_long_costs_only_itself() -> None:
    event = _event(chat(**{"user.id": "u" * 300, "gen_ai.conversation.id": "line\nline"}))
    assert (event.user, event.session, event.input_tokens) == ("", "", 100)


def test_content_is_no_attribute_that_is_read() -> None:
    for name in (
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.prompt.0.content",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.retrieval.query.text",
        "llm.input_messages.0.message.content",
        "input.value",
        "output.value",
        "ai.prompt",
        "ai.prompt.messages",
        "ai.response.text",
        "traceloop.entity.input",
        "exception.message",
        "db.query.text",
        "url.full",
    ):
        assert not is_span_attribute(name), name
    assert len(SPAN_ATTRIBUTES) > 60


@pytest.mark.shared_data
def test_the_reference_span(shared_data: Path) -> None:
    (sample,) = json.loads((shared_data / "samples" / "otel__genai_span_otlp_json.json").read_text())[
        "samples"
    ]
    event = read_event_object(_fields(sample["raw"]), now=NOW)
    expected = sample["expected"]["usage"]
    assert event.input_tokens == expected["input_tokens_total"]
    assert event.cache_read_tokens == expected["cache_read"]
    assert event.cache_write_tokens == expected["cache_write"]
    assert event.output_tokens == expected["output_tokens"]
    assert event.reasoning_tokens == expected["reasoning"]
