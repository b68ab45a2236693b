"""Vendors' raw answers and other tools' records by HTTP."""

import json
from typing import Any

import pytest

from tests.gateway.serving import lines_of, serving
from tests.kafka.fixtures import EMBEDDED
from tokenweir.settings import KafkaSettings
from tokenweir.topics import REJECTED

pytestmark = pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)

_SECRET = "TAPIR-violin-3390"
_JSON = {"Content-Type": "application/json"}
_LINES = {"Content-Type": "application/x-ndjson"}
_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": _SECRET}],
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 4},
}


def _payload(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number}",
        "call_type": "acompletion",
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "prompt_tokens": 50 + number,
        "completion_tokens": 5,
        "total_tokens": 55 + number,
        "response_cost": 0.25,
        "startTime": 1768478400.5,
        "endTime": 1768478402.0,
        "status": "success",
        "messages": [{"content": _SECRET}],
        "response": {"choices": [{"message": {"content": _SECRET}}]},
        "metadata": {"user_api_key_team_alias": "shop"},
        **fields,
    }


async def test_answers_of_every_form(settings: KafkaSettings) -> None:
    second = {**_MESSAGE, "id": "msg_2"}
    unnamed = {name: value for name, value in _MESSAGE.items() if name != "id"}
    async with serving(settings) as client:
        for body, headers, accepted in (
            (json.dumps(_MESSAGE, indent=1), _JSON, 1),
            (json.dumps([_MESSAGE, second]), _JSON, 2),
            (f"{json.dumps(_MESSAGE)}\n\n{json.dumps(second)}\n", _LINES, 2),
            (json.dumps(unnamed), _JSON, 1),
            (json.dumps(unnamed), _JSON, 1),
        ):
            answer = await client.post("/v1/answers/anthropic", data=body, headers=headers)
            assert (answer.status, (await answer.json())["accepted"]) == (202, accepted)
        answer = await client.post("/v1/answers/anthropic/messages", json=_MESSAGE)
        assert answer.status == 202
    lines = await lines_of(settings)
    names = {line["id"] for line in lines}
    assert {"anthropic:msg_1", "anthropic:msg_2"} < names
    assert len(names) == 3, "an answer without an id has the same name when it is sent again"
    assert {(line["input_tokens"], line["cache_read_tokens"], line["source"]) for line in lines} == {
        (100, 90, "gateway")
    }
    assert _SECRET not in json.dumps(lines)


async def test_what_the_request_states_holds_for_all_of_it(settings: KafkaSettings) -> None:
    parameters = {
        "team": "shop",
        "api_key": "key-1",
        "service_tier": "batch",
        "tag.feature": "search",
        "source": "proxy",
        "user": "über",
    }
    headers = {"Tokenweir-Project": "p-1", "tokenweir-team": "not this", "tokenweir-tag-run": "7"}
    async with serving(settings) as client:
        answer = await client.post("/v1/answers/anthropic", json=_MESSAGE, params=parameters, headers=headers)
        assert answer.status == 202, await answer.text()
    (line,) = await lines_of(settings)
    assert {
        name: line[name] for name in ("team", "project", "api_key", "user", "source", "service_tier")
    } == {
        "team": "shop",
        "project": "p-1",
        "api_key": "key-1",
        "user": "über",
        "source": "proxy",
        "service_tier": "batch",
    }
    assert line["tags"] == {"feature": "search", "run": "7"}


@pytest.mark.parametrize(
    ("address", "status", "hint"),
    [
        ("/v1/answers/anthropic/nothing", 404, "messages"),
        ("/v1/answers/anthropic?teem=shop", 400, "Did you mean team?"),
        ("/v1/answers/anthropic?team=" + "x" * 300, 400, "Shorten"),
        ("/v1/answers/anthropic?tag." + "x" * 65 + "=1", 400, ""),
        ("/v1/records/nothing", 404, "litellm"),
        ("/v1/nothing", 404, ""),
    ],
)
async def test_an_address_that_names_nothing(
    settings: KafkaSettings, address: str, status: int, hint: str
) -> None:
    async with serving(settings) as client:
        answer = await client.post(address, json=_MESSAGE)
        assert answer.status == status
        assert hint in await answer.text()


async def test_a_streamed_answer_as_its_server_sent_events(settings: KafkaSettings) -> None:
    from producers import vendors

    chunks = [
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "model": "gpt-4o",
            "choices": [{"delta": {}}],
        },
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "model": "gpt-4o",
            "choices": [],
            "usage": {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10},
        },
    ]
    body = "".join(f"event: x\ndata: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"
    async with serving(settings) as client:
        answer = await client.post(
            "/v1/answers/openai", data=body, headers={"Content-Type": "text/event-stream"}
        )
        has_streams = "openai" in vendors.registry._STREAMS
        assert answer.status == (202 if has_streams else 400), await answer.text()
    if has_streams:
        (line,) = await lines_of(settings)
        assert (line["id"], line["input_tokens"], line["streaming"]) == ("openai:chatcmpl-1", 8, True)


async def test_a_bad_answer_costs_only_itself_and_leaves_no_content(settings: KafkaSettings) -> None:
    body = "\n".join(
        [
            json.dumps(_MESSAGE),
            json.dumps({"content": _SECRET}),
            json.dumps({**_MESSAGE, "usage": {"input_tokens": _SECRET}}),
            _SECRET,
            f'["{_SECRET}"]',
            '{"a":' * 5_000,
            '{"usage": {"input_tokens": ' + "9" * 5_000 + "}}",
        ]
    )
    async with serving(settings) as client:
        answer = await client.post("/v1/answers/anthropic", data=body, headers=_LINES)
        content = await answer.json()
    assert (answer.status, content["accepted"]) == (202, 1)
    assert [one["reason"] for one in content["rejected"]] == [
        "missing_field",
        "wrong_type",
        "invalid_json",
        "wrong_type",
        "invalid_json",
        "invalid_json",
    ]
    kept = json.dumps(content) + json.dumps(await lines_of(settings, REJECTED))
    assert not any(part in kept for part in _SECRET.split("-"))


async def test_litellms_callback_in_its_three_forms(settings: KafkaSettings) -> None:
    async with serving(settings) as client:
        for body, headers in (
            (json.dumps([_payload(1), _payload(2)]), _JSON),
            (json.dumps(_payload(1)), _JSON),
            (f"{json.dumps(_payload(1))}\n{json.dumps(_payload(2))}", _LINES),
        ):
            answer = await client.post("/v1/litellm", data=body, headers=headers)
            assert answer.status == 202, await answer.text()
        cached = await client.post("/v1/records/litellm", json=_payload(3, cache_hit=True))
        assert (cached.status, await cached.json()) == (
            202,
            {"accepted": 0, "rejected": [], "ignored": {"no_call": 1}},
        )
        metrics = await (await client.get("/metrics")).text()
    lines = await lines_of(settings)
    assert {line["id"] for line in lines} == {"openai:chatcmpl-1", "openai:chatcmpl-2"}
    assert {line["source"] for line in lines} == {"litellm"}
    assert _SECRET not in json.dumps(lines)
    assert 'sent_events_total{format="litellm",source=""} 5.0' in metrics


async def test_records_are_told_apart_and_pages_are_opened(settings: KafkaSettings) -> None:
    observation = {
        "id": "o-1",
        "traceId": "t-1",
        "type": "GENERATION",
        "startTime": "2026-01-15T12:00:00.000Z",
        "endTime": "2026-01-15T12:00:01.000Z",
        "model": "gpt-4o",
        "usageDetails": {"input": 10, "output": 5, "total": 15},
        "input": _SECRET,
        "output": _SECRET,
    }
    page = {"data": [observation, {**observation, "id": "o-2"}], "meta": {"page": 1}}
    async with serving(settings) as client:
        named = await client.post("/v1/langfuse", json=page)
        assert (named.status, (await named.json())["accepted"]) == (202, 2), await named.text()
        found = await client.post("/v1/records", json=[_payload(1), observation, {"x": _SECRET}])
        content = await found.json()
    assert (found.status, content["accepted"]) == (202, 2)
    assert [(one["line"], one["reason"]) for one in content["rejected"]] == [(2, "missing_field")]
    assert len({line["id"] for line in await lines_of(settings)}) == 3
    assert _SECRET not in json.dumps(content) + json.dumps(await lines_of(settings, REJECTED))
