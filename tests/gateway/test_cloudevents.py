"""CloudEvents into Kafka: the real SDK in all modes, redelivery, other payloads, and what is refused."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.gateway.serving import lines_of, serving
from tests.kafka.fixtures import APACHE, EMBEDDED
from tokenweir.settings import KafkaSettings
from tokenweir.topics import REJECTED

_SECRET = "OKAPI-lantern-5561"
_BATCH = {"Content-Type": "application/cloudevents-batch+json"}
_STRUCTURED = {"Content-Type": "application/cloudevents+json"}
_ON_EMBEDDED = pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)
_USAGE = {"vendor": "openai", "model": "gpt-4o", "input_tokens": 12, "output_tokens": 3}
_ANSWER = {
    "id": "chatcmpl-9",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"message": {"content": _SECRET}}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24},
}


def _cloud_event(name: str, data: Any, kind: str = "tokenweir.usage") -> CloudEvent:
    return CloudEvent(
        attributes={
            "id": name,
            "source": "/billing/café",
            "type": kind,
            "time": datetime(2026, 1, 15, 12, tzinfo=UTC),
            "datacontenttype": "application/json",
        },
        data=data,
    )


@pytest.mark.parametrize("broker", [APACHE, EMBEDDED], indirect=True)
async def test_the_sdk_delivers_in_every_mode_and_a_redelivery_has_the_same_name(
    settings: KafkaSettings,
) -> None:
    batch = [json.loads(to_structured_event(_cloud_event(f"b-{n}", _USAGE)).body) for n in range(2)]
    messages = [
        to_structured_event(_cloud_event("s-1", _USAGE)),
        to_binary_event(_cloud_event("n-1", _USAGE)),
        to_binary_event(_cloud_event("n-2", json.dumps([_USAGE, _USAGE]))),
        HTTPMessage(_BATCH, json.dumps(batch).encode()),
    ]
    async with serving(settings) as client:
        for message in [*messages, *messages]:
            answer = await client.post("/v1/events", data=message.body, headers=message.headers)
            assert answer.status == 202, await answer.text()
    lines = await lines_of(settings)
    assert len(lines) == 12
    assert {line["id"] for line in lines} == {
        f"/billing/café:{name}" for name in ("s-1", "n-1", "n-2/0", "n-2/1", "b-0", "b-1")
    }
    assert {(line["source"], line["time"]) for line in lines} == {("/billing/café", "2026-01-15T12:00:00Z")}


@_ON_EMBEDDED
async def test_what_the_data_says_holds(settings: KafkaSettings) -> None:
    own = {**_USAGE, "id": "openai:c-1", "source": "shop", "time": "2026-01-10T00:00:00Z"}
    amount = "0.1234567890123"
    body = to_structured_event(_cloud_event("s-1", {**own, "reported_cost": 7})).body
    body = body.replace(b'"reported_cost": 7', b'"reported_cost": ' + amount.encode())
    assert amount.encode() in body
    async with serving(settings) as client:
        answer = await client.post("/v1/events", data=body, headers=_STRUCTURED)
        assert answer.status == 202, await answer.text()
    (line,) = await lines_of(settings)
    assert (line["id"], line["source"], line["time"]) == ("openai:c-1", "shop", "2026-01-10T00:00:00Z")
    assert line["reported_cost"] == amount


@_ON_EMBEDDED
async def test_data_can_be_an_answer_or_a_record_or_base64_or_text(settings: KafkaSettings) -> None:
    record = {
        "id": "call-1",
        "call_type": "acompletion",
        "prompt_tokens": 5,
        "completion_tokens": 1,
        "response_cost": 0.1,
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "endTime": 1768478400.0,
    }
    without_id = {name: value for name, value in _ANSWER.items() if name != "id"}
    events = [
        _cloud_event("1", _ANSWER, "tokenweir.answer.openai"),
        _cloud_event("2", _ANSWER | {"id": "chatcmpl-10"}, "tokenweir.answer.openai.chat_completions"),
        _cloud_event("3", without_id, "tokenweir.answer.openai"),
        _cloud_event("4", record, "tokenweir.record.litellm"),
    ]
    packed = json.loads(to_structured_event(_cloud_event("5", {})).body)
    packed = {**packed, "data_base64": base64.b64encode(json.dumps(_USAGE).encode()).decode()}
    del packed["data"]
    as_text = json.loads(to_structured_event(_cloud_event("6", {})).body) | {"data": json.dumps(_USAGE)}
    batch = [json.loads(to_structured_event(one).body) for one in events] + [packed, as_text]
    async with serving(settings) as client:
        answer = await client.post("/v1/events", data=json.dumps(batch), headers=_BATCH)
        assert (answer.status, (await answer.json())["accepted"]) == (202, 6), await answer.text()
    lines = {line["id"]: line for line in await lines_of(settings)}
    assert {"openai:chatcmpl-9", "openai:chatcmpl-10", "/billing/café:3"} < set(lines)
    assert {"/billing/café:5", "/billing/café:6"} < set(lines)
    assert lines["/billing/café:3"]["time"] == "2026-01-15T12:00:00Z"
    assert _SECRET not in json.dumps(lines)


@_ON_EMBEDDED
async def test_a_bad_cloudevent_costs_only_itself_and_leaves_no_content(settings: KafkaSettings) -> None:
    good = json.loads(to_structured_event(_cloud_event("g", _USAGE)).body)
    bad: list[tuple[Any, str, str]] = [
        ({**good, "specversion": "0.3"}, "wrong_schema_version", "specversion"),
        ({**good, "id": ""}, "missing_field", "id"),
        ({name: value for name, value in good.items() if name != "source"}, "missing_field", "source"),
        ({name: value for name, value in good.items() if name != "data"}, "missing_field", "data"),
        ({**good, "type": 5}, "wrong_type", "type"),
        ({**good, "data": {**_USAGE, "prompt": _SECRET}}, "unknown_field", "prompt"),
        ({**good, "data": _SECRET}, "invalid_json", ""),
        ({**good, "data": 5}, "wrong_type", ""),
        ({**good, "data_base64": _SECRET}, "wrong_type", "data_base64"),
        ({**good, "type": "tokenweir.answer.openai.nothing", "data": {"x": _SECRET}}, "out_of_range", "type"),
        ({**good, "type": "tokenweir.record.nothing", "data": {"x": _SECRET}}, "out_of_range", "type"),
        ({**good, "type": "tokenweir.answer.openai", "data": {"x": _SECRET}}, "missing_field", "usage"),
        (
            {**good, "type": "tokenweir.answer.openai", "time": _SECRET, "data": _ANSWER},
            "implausible_time",
            "time",
        ),
        (_SECRET, "wrong_type", ""),
    ]
    async with serving(settings) as client:
        body = json.dumps([good, *(one for one, _, _ in bad), {**good, "id": "h"}])
        answer = await client.post("/v1/events", data=body, headers=_BATCH)
        content = await answer.json()
        assert (answer.status, content["accepted"]) == (202, 2)
        binary = await client.post(
            "/v1/events", data=b"{}", headers={"ce-specversion": "1.0", "Content-Type": "application/json"}
        )
        assert (await binary.json())["rejected"][0]["field"] == "id"
    assert [(one["line"], one["reason"], one["field"]) for one in content["rejected"]] == [
        (number, reason, field) for number, (_, reason, field) in enumerate(bad, start=1)
    ]
    kept = json.dumps(content) + json.dumps(await lines_of(settings, REJECTED))
    assert _SECRET not in kept
    assert _SECRET.split("-")[0] not in kept
