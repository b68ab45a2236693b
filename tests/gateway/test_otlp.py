"""OTLP/HTTP into Kafka: the real OpenTelemetry SDK as its users configure it, and what is answered to senders."""

import asyncio
import gzip
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import hdrs
from google.rpc import code_pb2, error_details_pb2, status_pb2
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from pydantic import SecretStr

from tests.gateway.serving import lines_of, real_now, serving
from tests.kafka.fixtures import APACHE, EMBEDDED
from tests.opentelemetry.making import (
    JSON,
    PROTOBUF,
    chat,
    encoded,
    log_request,
    metric_request,
    span,
    trace_request,
)
from tokenweir.local.broker import free_port
from tokenweir.settings import GatewaySettings, KafkaSettings
from tokenweir.topics import REJECTED

_SECRET = "GIRAFFE-umbrella-8842"
_ON_EMBEDDED = pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)
_BOTH = pytest.mark.parametrize("content_type", [JSON, PROTOBUF])


def _instrumented(endpoint: str, token: str) -> None:
    """What an instrumented application does, and how it is configured."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "checkout", "deployment.environment.name": "production"})
    )
    exporter = OTLPSpanExporter(
        endpoint=endpoint,
        headers={"Authorization": f"Bearer {token}", "tokenweir-team": "shop"},
        compression=Compression.Gzip,
        timeout=20,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
    with tracer.start_as_current_span("invoke_agent helper") as agent:
        agent.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 500})
        for number in range(2):
            with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as call:
                call.set_attributes({**chat(100 + number), "gen_ai.response.id": f"chatcmpl-{number}"})
                call.set_attribute("gen_ai.input.messages", _SECRET)
                call.set_attribute("gen_ai.prompt.0.content", _SECRET)
                call.add_event("gen_ai.user.message", {"content": _SECRET})
        with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as failed:
            failed.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"})
            failed.set_attributes({"gen_ai.request.model": "gpt-4o", "error.type": "RateLimitError"})
            failed.set_status(Status(StatusCode.ERROR, _SECRET))
        with tracer.start_as_current_span("SELECT"):
            pass
    assert provider.force_flush()
    provider.shutdown()


@pytest.mark.parametrize("broker", [APACHE, EMBEDDED], indirect=True)
async def test_the_sdk_delivers_its_spans(settings: KafkaSettings, caplog: pytest.LogCaptureFixture) -> None:
    gateway = GatewaySettings(
        tokens={"apps": SecretStr("made-up-token")}, attribution={"apps": {"tenant": "acme"}}
    )
    with caplog.at_level(logging.INFO):
        async with serving(settings, gateway, clock=real_now) as client:
            endpoint = str(client.make_url("/v1/traces"))
            await asyncio.to_thread(_instrumented, endpoint, "made-up-token")
            metrics = await (await client.get("/metrics")).text()
    lines = await lines_of(settings)
    assert [line["id"] for line in lines[:2]] == ["openai:chatcmpl-0", "openai:chatcmpl-1"]
    assert lines[2]["id"].startswith("otel:")
    assert (lines[2]["status"], lines[2]["error_code"]) == ("rate_limited", "RateLimitError")
    for line in lines:
        assert (line["tenant"], line["team"], line["service"]) == ("acme", "shop", "checkout")
        assert (line["environment"], line["source"], line["vendor"]) == ("production", "apps", "openai")
        assert line["duration_ms"] > 0
    assert [line["input_tokens"] for line in lines[:2]] == [100, 101]
    assert 'sent_events_total{format="otlp_traces",source="apps"} 3.0' in metrics
    assert 'ignored_events_total{format="otlp_traces",reason="aggregate"} 1.0' in metrics
    assert 'ignored_events_total{format="otlp_traces",reason="no_inference"} 1.0' in metrics
    kept = json.dumps(lines) + json.dumps(await lines_of(settings, REJECTED))
    assert _SECRET not in kept
    assert _SECRET not in caplog.text


def _logged(endpoint: str) -> None:
    provider = LoggerProvider(resource=Resource.create({"service.name": "claude-code"}))
    exporter = OTLPLogExporter(endpoint=endpoint, timeout=20)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("com.anthropic.claude_code.events", "2.1.224")
    common = {"session.id": "s-1", "model": "claude-opus-4-7"}
    logger.emit(body=_SECRET, attributes={**common, "event.name": "user_prompt", "prompt": _SECRET})
    logger.emit(
        body="claude_code.api_request",
        attributes={
            **common,
            "event.name": "api_request",
            "request_id": "req_1",
            "input_tokens": "5",
            "cache_read_tokens": 90,
            "output_tokens": 7,
            "cost_usd": "0.5",
            "response": _SECRET,
        },
    )
    provider.shutdown()


@_ON_EMBEDDED
async def test_the_sdk_delivers_an_agents_logs(settings: KafkaSettings) -> None:
    async with serving(settings, clock=real_now) as client:
        await asyncio.to_thread(_logged, str(client.make_url("/v1/logs")))
    (line,) = await lines_of(settings)
    assert (line["id"], line["source"], line["input_tokens"]) == ("anthropic:req_1", "claude_code", 95)
    assert line["reported_cost"] == "0.5"
    assert _SECRET not in json.dumps(line)


@_ON_EMBEDDED
@pytest.mark.parametrize("counted", ["logs", "metrics"])
async def test_an_agent_counts_by_logs_or_by_metrics(settings: KafkaSettings, counted: Any) -> None:
    request = {"event.name": "claude_code.api_request", "request_id": "r", "input_tokens": 5}
    codex = {"event.name": "codex.sse_event", "event.kind": "response.completed", "input_token_count": 1}
    points: list[tuple[str, dict[str, Any], Any]] = [
        ("claude_code.token.usage", {"type": "input", "model": "claude-opus-4-5"}, 9),
        ("claude_code.active_time.total", {}, 3),
    ]
    async with serving(settings, GatewaySettings(agent_usage=counted)) as client:
        for address, body in (
            ("/v1/logs", log_request(request, codex)),
            ("/v1/metrics", metric_request(points)),
        ):
            for _ in range(2):
                answer = await client.post(address, data=encoded(body, PROTOBUF), headers=_type(PROTOBUF))
                assert (answer.status, await answer.read()) == (200, b"")
        metrics = await (await client.get("/metrics")).text()
    found = {(line["source"], line["input_tokens"]) for line in await lines_of(settings)}
    agent = ("claude_code", 5 if counted == "logs" else 9)
    assert found == {agent, ("codex", 1)}
    reason = f"reported_by_{counted}"
    assert f'reason="{reason}"}} 2.0' in metrics


@_ON_EMBEDDED
@_BOTH
async def test_what_is_not_taken_of_a_request_is_said_in_partial_success(
    settings: KafkaSettings, content_type: str
) -> None:
    spans = [span(chat(1)), span(chat(-1), spanId="ab" * 8), span({}, spanId="cd" * 8)]
    async with serving(settings) as client:
        body = encoded(trace_request(*spans), content_type)
        answer = await client.post("/v1/traces", data=body, headers=_type(content_type))
        assert (answer.status, answer.content_type) == (200, content_type)
        found = await answer.read()
        assert await (await client.post("/v1/traces", data=body, headers=_type(content_type))).read() == found
    if content_type == PROTOBUF:
        partial = ExportTraceServiceResponse.FromString(found).partial_success
        rejected, message = partial.rejected_spans, partial.error_message
    else:
        said = json.loads(found)["partialSuccess"]
        rejected, message = int(said["rejectedSpans"]), said["errorMessage"]
    assert rejected == 1
    assert message.startswith("gen_ai.usage.input_tokens: gen_ai.usage.input_tokens is negative")
    kept = await lines_of(settings, REJECTED)
    assert [line["reason"] for line in kept] == ["out_of_range"] * 2
    assert len({line["id"] for line in kept}) == 1


@_ON_EMBEDDED
@_BOTH
async def test_reals_are_read_in_both_encodings(settings: KafkaSettings, content_type: str) -> None:
    said = {"gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.usage.cost": 0.0075}
    points: list[tuple[str, dict[str, Any], Any]] = [
        ("claude_code.token.usage", {"type": "input", "model": "m", "ratio": 0.5}, 9),
        ("claude_code.cost.usage", {"model": "m", "ratio": 0.5}, 0.042),
    ]
    async with serving(settings, GatewaySettings(agent_usage="metrics")) as client:
        for address, request in (
            ("/v1/traces", trace_request(span(chat(**said)))),
            ("/v1/metrics", metric_request(points)),
        ):
            body = encoded(request, content_type)
            answer = await client.post(address, data=body, headers=_type(content_type))
            assert (answer.status, await answer.read()) == (200, b"" if content_type == PROTOBUF else b"{}")
    measured, spanned = await lines_of(settings)
    assert (measured["input_tokens"], measured["reported_cost"]) == (9, "0.042")
    assert (spanned["ttft_ms"], spanned["reported_cost"]) == (250.0, "0.0075")


@_ON_EMBEDDED
async def test_nothing_to_say_is_an_empty_response(settings: KafkaSettings) -> None:
    async with serving(settings) as client:
        for address, response in (
            ("/v1/traces", ExportTraceServiceResponse),
            ("/v1/logs", ExportLogsServiceResponse),
            ("/v1/metrics", ExportMetricsServiceResponse),
        ):
            answer = await client.post(address, data=b"", headers=_type(PROTOBUF))
            assert (answer.status, response.FromString(await answer.read())) == (200, response())
            answer = await client.post(address, data=b"{}", headers=_type(JSON))
            assert (answer.status, await answer.json()) == (200, {})


@_ON_EMBEDDED
@pytest.mark.parametrize("address", ["/v1/traces", "/v1/logs", "/v1/metrics"])
async def test_a_refusal_is_a_status_in_the_senders_encoding(settings: KafkaSettings, address: str) -> None:
    async with serving(settings, GatewaySettings(max_body_bytes=2_048)) as client:
        for body, headers, status, code in (
            (b"\x0a\x05hi", _type(PROTOBUF), 400, code_pb2.INVALID_ARGUMENT),
            (b"not json", _type(JSON), 400, code_pb2.INVALID_ARGUMENT),
            (b'{"resourceSpans": 1, "resourceLogs": 1, "resourceMetrics": 1}', _type(JSON), 400, 3),
            (b"[]", _type(JSON), 400, code_pb2.INVALID_ARGUMENT),
            (b"[" * 2_000, _type(JSON), 400, code_pb2.INVALID_ARGUMENT),
            (b"x" * 4_000, _type(PROTOBUF), 413, code_pb2.RESOURCE_EXHAUSTED),
            (gzip.compress(b"\0" * 100_000, mtime=0), _type(PROTOBUF), 413, code_pb2.RESOURCE_EXHAUSTED),
            (b"x", _type("text/plain"), 415, code_pb2.INVALID_ARGUMENT),
            (b"", _type(PROTOBUF) | {hdrs.CONTENT_ENCODING: "br"}, 415, code_pb2.INVALID_ARGUMENT),
        ):
            answer = await client.post(address, data=body, headers=headers)
            assert answer.status == status, await answer.text()
            said = await answer.read()
            if headers["Content-Type"] == PROTOBUF:
                assert answer.content_type == PROTOBUF
                assert status_pb2.Status.FromString(said).code == code
            else:
                assert json.loads(said)["code"] == code
            assert hdrs.RETRY_AFTER not in answer.headers


async def test_while_kafka_is_away_a_sender_is_told_to_retry() -> None:
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    async with serving(kafka, confirm_seconds=0.2) as client:
        body = encoded(trace_request(span(chat())), PROTOBUF)
        answer = await client.post("/v1/traces", data=body, headers=_type(PROTOBUF))
        assert answer.status == 503
        assert int(answer.headers[hdrs.RETRY_AFTER]) == 2
        status = status_pb2.Status.FromString(await answer.read())
    assert status.code == code_pb2.UNAVAILABLE
    retry = error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 2


@_ON_EMBEDDED
async def test_a_span_that_is_exported_twice_or_seen_by_two_instrumentations_has_one_name(
    settings: KafkaSettings,
) -> None:
    outer = span(chat(5), spanId="aa" * 8, name="ChatOpenAI.chat")
    http = span({"http.request.method": "POST"}, spanId="bb" * 8, parentSpanId="aa" * 8)
    inner = span(chat(5, **{"gen_ai.response.id": "c-1"}), spanId="cc" * 8, parentSpanId="bb" * 8)
    async with serving(settings) as client:
        for spans in ((outer, http, inner), (inner,)):
            answer = await client.post("/v1/traces", json=trace_request(*spans))
            assert (answer.status, await answer.json()) == (200, {})
        metrics = await (await client.get("/metrics")).text()
    assert {line["id"] for line in await lines_of(settings)} == {"openai:c-1"}
    assert 'reason="repeats_child"} 1.0' in metrics


def _type(content_type: str) -> dict[str, str]:
    return {hdrs.CONTENT_TYPE: content_type}


@pytest.fixture(autouse=True)
def _quiet_exporters() -> Iterator[None]:
    """The exporters log what they cannot deliver; a test that means it asks for it."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)
