"""The real SDKs of OpenTelemetry and CloudEvents through the gateway of `weir up` into the ledger: each call once."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.end_to_end.commands import weir_json
from tests.end_to_end.running import NOW, Up, start

pytestmark = [pytest.mark.xdist_group("gateway_into_ledger"), pytest.mark.timeout(600)]

_SECRET = "a prompt that nobody keeps"
_ANSWER = {
    "id": "chatcmpl-one",
    "object": "chat.completion",
    "created": int(NOW.timestamp()),
    "model": "gpt-4o",
    "choices": [{"message": {"content": _SECRET}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    yield from start(tmp_path_factory.mktemp("gateway"))


def _spans(up: Up) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "tokenweir.team": "spans"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{up.running.page_url}v1/traces")))
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
    for name in ("chatcmpl-one", "chatcmpl-two"):
        with tracer.start_as_current_span("chat gpt-4o") as call:
            call.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.response.model": "gpt-4o",
                    "gen_ai.response.id": name,
                    "gen_ai.usage.input_tokens": 1000,
                    "gen_ai.usage.output_tokens": 500,
                    "gen_ai.input.messages": _SECRET,
                }
            )
    provider.shutdown()


def _post(up: Up, address: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(f"{up.running.page_url}{address}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def _cloud_event(name: str, kind: str, data: dict[str, Any]) -> CloudEvent:
    attributes = {
        "id": name,
        "source": "/shop",
        "type": kind,
        "time": NOW,
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes=attributes, data=data)


def test_one_call_seen_by_four_reporters_is_one(up: Up) -> None:
    usage = {"vendor": "openai", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500}
    litellm = {
        "id": "chatcmpl-one",
        "call_type": "acompletion",
        "custom_llm_provider": "openai",
        "model": "gpt-4o",
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "response_cost": 0.0075,
        "endTime": NOW.timestamp(),
        "messages": [{"content": _SECRET}],
    }
    json_type = {"Content-Type": "application/json"}
    for _ in range(2):
        _spans(up)
        for message in (
            to_structured_event(_cloud_event("1", "tokenweir.answer.openai", _ANSWER)),
            to_binary_event(_cloud_event("2", "tokenweir.usage", usage)),
        ):
            assert _post(up, "v1/events", message.body, dict(message.headers)) == 202
        assert _post(up, "v1/answers/openai", json.dumps(_ANSWER).encode(), json_type) == 202
        assert _post(up, "v1/litellm", json.dumps(litellm).encode(), json_type) == 202
    up.post({**usage, "id": "openai:chatcmpl-last", "source": "shop", "time": NOW.isoformat()})
    totals = up.wait_for_calls(4)
    assert (totals["calls"], totals["input_tokens"], totals["cost"]) == (4, 4_000, "0.03")
    ids = weir_json(
        "query", "SELECT id FROM usage ORDER BY id", "--format", "json", "--data-dir", "ledger", cwd=up.folder
    )
    assert [row["id"] for row in ids["data"]] == [
        "/shop:2",
        "openai:chatcmpl-last",
        "openai:chatcmpl-one",
        "openai:chatcmpl-two",
    ]
    assert weir_json("rejected", "--json", "--data-dir", "ledger", cwd=up.folder) == []
    everything = up.log.read_text() + json.dumps(
        weir_json("query", "SELECT * FROM usage", "--format", "json", "--data-dir", "ledger", cwd=up.folder)
    )
    assert _SECRET not in everything
    assert json.loads(up.get("openapi.json"))["openapi"] == "3.1.0"
