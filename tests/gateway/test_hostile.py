"""Hostile input at every door: the right status, a neighbour who is still served, and no content left anywhere."""

import asyncio
import gzip
import json
import logging
from dataclasses import dataclass
from typing import Any, Final

import cramjam
import pytest
from aiohttp.test_utils import TestClient

from tests.emitter.topic_contents import event
from tests.gateway.serving import lines_of, serving
from tests.kafka.fixtures import EMBEDDED
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
from tokenweir.settings import GatewaySettings, KafkaSettings
from tokenweir.topics import REJECTED
from tokenweir.usage import wire

pytestmark = pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)

CANARY: Final = "NARWHAL-trombone-6027"
_LARGEST: Final = 64 * 1024


@dataclass(frozen=True)
class Door:
    """One way in: a good request, and the same with a canary in every field that may hold content."""

    address: str
    content_type: str
    good: bytes
    canaries: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": self.content_type}

    @property
    def is_otlp(self) -> bool:
        return self.address in ("/v1/traces", "/v1/logs", "/v1/metrics")


_MESSAGES: Final = [{"role": "user", "content": CANARY, "parts": [{"type": "text", "content": CANARY}]}]
_ANSWER: Final[dict[str, Any]] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o",
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    "choices": [{"message": {"content": CANARY, "tool_calls": [{"arguments": CANARY}]}}],
    "system_fingerprint": CANARY,
    "metadata": {"note": CANARY + " " * 300},
}
_PAYLOAD: Final[dict[str, Any]] = {
    "id": "chatcmpl-2",
    "call_type": "acompletion",
    "model": "gpt-4o",
    "custom_llm_provider": "openai",
    "prompt_tokens": 5,
    "completion_tokens": 1,
    "response_cost": 0.1,
    "endTime": 1768478400.0,
    "messages": _MESSAGES,
    "response": {"choices": _MESSAGES},
    "error_str": CANARY,
    "model_parameters": {"tools": _MESSAGES},
}
_CONTENT_NAMES: Final = """
gen_ai.prompt
gen_ai.completion
gen_ai.prompt.0.content
gen_ai.completion.0.content
gen_ai.input.messages
gen_ai.output.messages
gen_ai.system_instructions
gen_ai.tool.call.arguments
gen_ai.tool.call.result
gen_ai.retrieval.query.text
llm.input_messages.0.message.content
llm.output_messages.0.message.content
input.value
output.value
ai.prompt
ai.prompt.messages
ai.response.text
traceloop.entity.input
traceloop.entity.output
exception.message
prompt
response
response_text
error
error.message
arguments
output
"""
_CONTENT: Final = dict.fromkeys(_CONTENT_NAMES.split(), CANARY)
_SPAN: Final = span(
    {**chat(5), **_CONTENT},
    name=f"chat {CANARY}",
    events=[
        {"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": CANARY}}]}
    ],
    status={"code": 2, "message": CANARY},
)
_CLAUDE: Final = {"event.name": "claude_code.api_request", "request_id": "r", "input_tokens": 5, **_CONTENT}
_CLOUD: Final = {
    "specversion": "1.0",
    "id": "1",
    "source": "/x",
    "type": "tokenweir.usage",
    "time": "2026-01-15T12:00:00Z",
}
_EVENT: Final = json.loads(wire.encode_event(event(1)))


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _otlp(address: str, request: dict[str, Any], content_type: str) -> Door:
    body = encoded(request, content_type)
    return Door(address, content_type, body, body)


DOORS: Final = [
    Door("/v1/events", JSON, _bytes(_EVENT), _bytes({**_EVENT, "id": "x", "prompt": CANARY})),
    Door(
        "/v1/events",
        "application/cloudevents+json",
        _bytes({**_CLOUD, "data": {**_EVENT, "id": "c"}}),
        _bytes({**_CLOUD, "data": {**_EVENT, "messages": _MESSAGES}, "comment": CANARY}),
    ),
    Door("/v1/answers/openai", JSON, _bytes(_ANSWER), _bytes([_ANSWER, {**_ANSWER, "usage": CANARY}])),
    Door("/v1/litellm", JSON, _bytes(_PAYLOAD), _bytes([_PAYLOAD, {**_PAYLOAD, "prompt_tokens": CANARY}])),
    Door("/v1/records", JSON, _bytes(_PAYLOAD), _bytes([_PAYLOAD, {"messages": _MESSAGES}, CANARY])),
    *(
        door
        for content_type in (JSON, PROTOBUF)
        for door in (
            _otlp(
                "/v1/traces", trace_request(_SPAN, span(chat(-1, **_CONTENT), spanId="ab" * 8)), content_type
            ),
            _otlp("/v1/logs", log_request(_CLAUDE, {**_CLAUDE, "input_tokens": -1}), content_type),
            _otlp("/v1/metrics", metric_request([("claude_code.token.usage", _CONTENT, 5)]), content_type),
        )
    ),
]
each_door = pytest.mark.parametrize(
    "door", DOORS, ids=[f"{door.address} {door.content_type.rpartition('/')[2]}" for door in DOORS]
)


async def _is_served(client: TestClient[Any, Any], door: Door) -> None:
    answer = await client.post(door.address, data=door.good, headers=door.headers)
    assert answer.status == (200 if door.is_otlp else 202), await answer.text()


@each_door
async def test_content_is_left_nowhere(
    settings: KafkaSettings, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = GatewaySettings(agent_usage="metrics" if door.address == "/v1/metrics" else "logs")
    with caplog.at_level(logging.INFO):
        async with serving(settings, gateway) as client:
            answer = await client.post(door.address, data=door.canaries, headers=door.headers)
            said = await answer.read()
            for cut in (len(door.canaries) // 2, len(door.canaries) - 1):
                half = await client.post(door.address, data=door.canaries[:cut], headers=door.headers)
                # What of an array is whole is taken.
                assert half.status in ((400, 202) if door.canaries[:1] == b"[" else (400,))
                said += await half.read()
            await _is_served(client, door)
    kept = json.dumps(await lines_of(settings) + await lines_of(settings, REJECTED)) + caplog.text
    for part in CANARY.split("-"):
        assert part not in kept
        assert part.encode() not in said


@each_door
async def test_what_cannot_be_taken_has_its_status_and_the_next_is_served(
    settings: KafkaSettings, door: Door
) -> None:
    packed = {**door.headers, "Content-Encoding": "gzip"}
    zstd = {**door.headers, "Content-Encoding": "zstd"}
    bomb = b"\0" * (50 * _LARGEST)
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (door.good, {"Content-Type": "application/xml"}, 415),
        (door.good, {"Content-Type": "text/plain"}, 415),
        (door.good, {**door.headers, "Content-Encoding": "br"}, 415),
        (gzip.compress(bomb), packed, 413),
        (bytes(cramjam.zstd.compress(bomb)), zstd, 413),
        (b"x" * (_LARGEST + 1), door.headers, 413),
        (gzip.compress(door.good)[:-4], packed, 400),
        (bytes(cramjam.zstd.compress(door.good))[:-4], zstd, 400),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 50, zstd, 400),
        (b"\x1f\x8b" + b"\xff" * 50, packed, 400),
        (b"\xff\xfe\xfd" * 10, door.headers, 400),
    ]
    if door.content_type != PROTOBUF:
        cases += [
            (b'{"a":' * 10_000, door.headers, 400),
            (b"[" * 60_000, door.headers, 400),
            (b'{"a": ' + b"9" * 60_000 + b"}", door.headers, 400),
            (b'"' + b"\\ud800" * 1_000 + b'"', door.headers, 400),
        ]
    async with serving(settings, GatewaySettings(max_body_bytes=_LARGEST)) as client:
        for body, headers, status in cases:
            answer = await client.post(door.address, data=body, headers=headers)
            assert answer.status == status, (body[:20], headers, await answer.text())
            assert await answer.read()
        for packing in (gzip.compress(door.good), bytes(cramjam.zstd.compress(door.good))):
            answer = await client.post(door.address, data=packing, headers=door.headers)
            assert answer.status < 300
        await _is_served(client, door)


@each_door
async def test_half_a_body_and_oversized_headers_disturb_nobody(settings: KafkaSettings, door: Door) -> None:
    async with serving(settings) as client:
        assert client.port is not None
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"POST {door.address} HTTP/1.1\r\nHost: g\r\nContent-Type: {door.content_type}\r\n"
        writer.write(head.encode() + b"Content-Length: 5000\r\n\r\n" + door.good[:100])
        await writer.drain()
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(head.encode() + b"X-Large: " + b"x" * 50_000 + b"\r\n\r\n")
        await writer.drain()
        answer = await reader.read(2_000)
        assert b" 400 " in answer.splitlines()[0]
        assert b"xxxx" not in answer.partition(b"\r\n\r\n")[2][200:]
        writer.close()
        many = {f"x-{number}": "1" for number in range(1_000)}
        assert (
            await client.post(door.address, data=door.good, headers={**door.headers, **many})
        ).status == 400
        await _is_served(client, door)


async def test_bodies_of_absurdly_many_values_are_refused_before_they_are_decoded(
    settings: KafkaSettings,
) -> None:
    values = gzip.compress(b"[" + b"[]," * 1_100_000 + b"[]]")
    pieces = gzip.compress(b"[" + b"0," * 250_001 + b"0]")
    lines = gzip.compress(b"1\n" * 250_001)
    spans = b"\x12\x00" * 100_001
    scope = b"\x12" + _length(spans) + spans
    request = gzip.compress(b"\x0a" + _length(scope) + scope)
    headers = {"Content-Encoding": "gzip"}
    async with serving(settings) as client:
        for door in DOORS:
            if door.content_type != PROTOBUF:
                answer = await client.post(door.address, data=values, headers={**door.headers, **headers})
                assert answer.status == 413, door
        for address, body, content_type in (
            ("/v1/events", pieces, JSON),
            ("/v1/events", lines, "application/x-ndjson"),
            ("/v1/traces", request, PROTOBUF),
        ):
            answer = await client.post(address, data=body, headers={"Content-Type": content_type, **headers})
            assert answer.status == 413, address
        await _is_served(client, DOORS[0])


def _length(body: bytes) -> bytes:
    number, found = len(body), bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
