"""The gateway over HTTP, on both brokers: what it takes, what it refuses, what it keeps of what it refuses."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from producers.delivery import Delivery
from producers.gateway import GatewayMetrics, Intake, gateway_routes
from tests.emitter.topic_contents import event, make_topics, read_ids, read_topic
from tests.gateway.serving import fixed_now, serving
from tests.kafka.fixtures import APACHE, Broker
from tokenweir.local.broker import free_port
from tokenweir.settings import GatewaySettings, KafkaSettings
from tokenweir.topics import REJECTED
from tokenweir.usage import Rejection, wire

_CANARY = "ZEBRA-quarks-7431"
_LINES = {"Content-Type": "application/x-ndjson"}
_JSON = {"Content-Type": "application/json"}


def _line(number: int, **fields: Any) -> bytes:
    return wire.encode_event(event(number, **fields))


def _ids(*numbers: int) -> list[str]:
    return [f"openai:call-{number}" for number in numbers]


async def test_every_form_arrives(settings: KafkaSettings) -> None:
    async with serving(settings) as client:
        for body, headers in [
            (_line(1), _JSON),
            (b"[" + _line(2) + b"," + _line(3) + b"]", _JSON),
            (_line(4) + b"\n" + _line(5) + b"\n", _LINES),
            (gzip.compress(_line(6) + b"\n" + _line(7)), _LINES | {"Content-Encoding": "gzip"}),
            (_line(8), {}),
        ]:
            answer = await client.post("/v1/events", data=body, headers=headers)
            assert answer.status == 202, await answer.text()
            assert (await answer.json())["rejected"] == []
        metrics = await (await client.get("/metrics")).text()
        health = await client.get("/health")
        assert (health.status, (await health.json())["status"]) == (200, "ok")
    assert 'tokenweir_gateway_sent_events_total{format="events",source=""} 8.0' in metrics
    assert 'tokenweir_gateway_requests_total{format="events",status="202"} 5.0' in metrics
    assert sorted(await asyncio.to_thread(read_ids, settings)) == _ids(*range(1, 9))


async def test_a_server_that_unpacks_gzip_itself_does_as_well(settings: KafkaSettings) -> None:
    async with serving(settings, auto_decompress=True) as client:
        headers = _LINES | {"Content-Encoding": "gzip"}
        answer = await client.post("/v1/events", data=gzip.compress(_line(1)), headers=headers)
        assert (await answer.json())["accepted"] == 1
        bomb = gzip.compress(b" " * 100_000_000)
        answer = await client.post("/v1/events", data=bomb, headers=headers)
        assert answer.status == 413
        answer = await client.post("/v1/events", data=b"no gzip", headers=headers)
        assert answer.status == 400


async def test_bad_pieces_are_reported_and_kept_without_their_contents(settings: KafkaSettings) -> None:
    good = [_line(1), _line(2), _line(3)]
    bad = [
        (b'{"prompt": "' + _CANARY.encode() + b'", "id": ', "invalid_json", ""),
        (
            _line(4)[:-1] + b',"messages":[{"content":"' + _CANARY.encode() + b'"}]}',
            "unknown_field",
            "messages",
        ),
        (_line(5)[:-1] + b',"input_tokens":"' + _CANARY.encode() + b'"}', "wrong_type", "input_tokens"),
        (json.dumps({"id": "x", "answer": _CANARY}).encode(), "missing_field", "source"),
        (_line(6)[:-1] + b',"output_tokens":-1}', "out_of_range", "output_tokens"),
        (_line(7)[:-1] + b',"cache_read_tokens":5000}', "subset_exceeds_total", ""),
        (_line(8).replace(b"2026-", b"1970-"), "implausible_time", "time"),
        (_line(9).replace(b"2026-", b"2031-"), "implausible_time", "time"),
        (_line(10)[:-1] + b',"team":"a\\u0000' + _CANARY.encode() + b'"}', "control_character", "team"),
        (
            _line(11)[:-1]
            + b',"tags":{'
            + b",".join(b'"%d":"%s"' % (n, _CANARY.encode()) for n in range(40))
            + b"}}",
            "too_many_tags",
            "tags",
        ),
        (_line(12)[:-1] + b',"content":"' + _CANARY.encode() * 10_000 + b'"}', "too_large", ""),
        (b'["' + _CANARY.encode() + b'"]', "wrong_type", ""),
        (_CANARY.encode() + b" \xff\xfe", "invalid_json", ""),
    ]
    body = b"\n".join(
        [good[0], *(line for line, _, _ in bad[:6]), good[1], *(line for line, _, _ in bad[6:]), good[2]]
    )
    async with serving(settings) as client:
        answer = await client.post("/v1/events", data=body, headers=_LINES)
        assert answer.status == 202
        content = await answer.json()
        again = await client.post("/v1/events", data=body, headers=_LINES)
        assert await again.json() == content
        metrics = await (await client.get("/metrics")).text()
    assert content["accepted"] == 3
    numbers = [*range(1, 7), *range(8, 15)]
    assert [(one["line"], one["reason"], one["field"]) for one in content["rejected"]] == [
        (number, reason, field) for number, (_, reason, field) in zip(numbers, bad, strict=True)
    ]
    assert all(one["detail"] for one in content["rejected"])
    assert _CANARY not in json.dumps(content)
    assert (
        'tokenweir_gateway_discarded_events_total{format="events",reason="implausible_time"} 4.0' in metrics
    )
    assert sorted(await asyncio.to_thread(read_ids, settings)) == sorted(_ids(1, 2, 3) * 2)
    kept = await asyncio.to_thread(read_topic, settings, REJECTED)
    rejections = [Rejection.model_validate(line) for message in kept for line in message.lines]
    assert len(rejections) == 2 * len(bad)
    assert len({one.id for one in rejections}) == len(bad)
    assert {one.stage for one in rejections} == {"gateway"}
    assert all(one.payload for one in rejections)
    for message in kept:
        for part in _CANARY.split("-"):
            assert part.encode() not in message.value


async def test_a_line_of_twenty_megabytes_costs_only_itself(settings: KafkaSettings) -> None:
    body = _line(1) + b"\n" + b'{"prompt":"' + _CANARY.encode() * 1_200_000 + b'"}\n' + _line(2)
    assert len(body) > 20_000_000
    async with serving(settings, GatewaySettings(max_body_bytes=64 * 1024 * 1024)) as client:
        answer = await client.post("/v1/events", data=io.BytesIO(body), headers=_LINES)
        content = await answer.json()
    assert answer.status == 202
    assert content["accepted"] == 2
    assert [one["reason"] for one in content["rejected"]] == ["too_large"]
    kept = await asyncio.to_thread(read_topic, settings, REJECTED)
    assert len(kept[0].value) < 100_000
    assert b"ZEBRA" not in kept[0].value


async def test_many_rejections_are_bounded(settings: KafkaSettings) -> None:
    async with serving(settings) as client:
        answer = await client.post("/v1/events", data=b"no\n" * 200_000 + _line(1), headers=_LINES)
        content = await answer.json()
    assert (answer.status, content["accepted"]) == (202, 1)
    assert len(content["rejected"]) == 1_000
    assert content["rejected_not_listed"] == 199_000


@pytest.mark.parametrize("broker", [APACHE], indirect=True)
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", _JSON, 400),
        (b"[]", _JSON, 400),
        (b"\n\n", _LINES, 400),
        (b'{"id": 1}', _JSON, 400),
        (b"<xml/>", {"Content-Type": "application/xml"}, 415),
        (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": "application/json; charset=utf-16"}, 415),
        (b"{}", _JSON | {"Content-Encoding": "br"}, 415),
        (b"x" * 20_000, _LINES, 413),
        (gzip.compress(b"x" * 10_000_000, mtime=0), _LINES | {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"x" * 1_000, mtime=0)[:-2], _LINES | {"Content-Encoding": "gzip"}, 400),
        (b"\x1f\x8b\x00\x00", _LINES | {"Content-Encoding": "gzip"}, 400),
    ],
)
async def test_a_body_that_cannot_be_taken(
    settings: KafkaSettings, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with serving(settings, GatewaySettings(max_body_bytes=10_240)) as client:
        answer = await client.post("/v1/events", data=body, headers=headers)
        assert answer.status == status, await answer.text()
        assert (await answer.json())["error"]
        chunked = await client.post("/v1/events", data=_in_chunks(body), headers=headers)
        assert chunked.status == status
    assert await asyncio.to_thread(read_ids, settings) == []


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1_000):
        yield body[start : start + 1_000]


@pytest.mark.parametrize("broker", [APACHE], indirect=True)
async def test_a_token_is_asked_for(settings: KafkaSettings) -> None:
    async with serving(settings, GatewaySettings(token=SecretStr("s3cret-ü"))) as client:
        for given in ("", "Bearer", "Bearer wrong", "Basic s3cret-ü", "s3cret-ü", "Bearer s3cret-ü extra"):
            answer = await client.post(
                "/v1/events", data=_line(1), headers=_JSON | ({"Authorization": given} if given else {})
            )
            assert answer.status == 401, given
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert "s3cret" not in await answer.text()
        answer = await client.post(
            "/v1/events", data=_line(1), headers=_JSON | {"Authorization": "Bearer s3cret-ü"}
        )
        assert answer.status == 202
        assert (await client.get("/health")).status == 200
    assert await asyncio.to_thread(read_ids, settings) == _ids(1)


async def _impatient(kafka: KafkaSettings, delivery: Delivery) -> TestServer:
    registry = CollectorRegistry()
    intake = Intake(
        GatewaySettings(), delivery, GatewayMetrics(registry, delivery), fixed_now, confirm_seconds=0.2
    )
    app = aiohttp.web.Application()
    app.add_routes(gateway_routes(intake))
    server = TestServer(app)
    await server.start_server()
    return server


async def test_while_kafka_is_away_the_sender_is_told_to_come_back() -> None:
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    delivery = Delivery(kafka, max_pending_bytes=1_000)
    async with TestClient(await _impatient(kafka, delivery)) as client:
        for _ in range(20):
            answer = await client.post("/v1/events", data=_line(1), headers=_JSON)
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert kafka.bootstrap_servers in (await answer.json())["error"]
        assert delivery.pending_events == 0  # nothing that the sender will send again is kept
    assert await asyncio.to_thread(delivery.close, 1.0)
    async with serving(kafka) as client:
        health = await client.get("/health")
        assert (health.status, (await health.json())["status"]) == (503, "degraded")


async def _taken_at_last(client: TestClient[Any, Any], body: bytes) -> None:
    for _ in range(600):
        if (await client.post("/v1/events", data=body, headers=_JSON)).status == 202:
            return
        await asyncio.sleep(0.2)
    pytest.fail("the gateway did not recover")


async def test_when_kafka_is_back_what_was_refused_is_taken(
    new_broker: Callable[[], Broker], unique_prefix: str
) -> None:
    broker = await asyncio.to_thread(new_broker)
    kafka = broker.settings(unique_prefix)
    await asyncio.to_thread(make_topics, kafka)
    delivery = Delivery(kafka)
    async with TestClient(await _impatient(kafka, delivery)) as client:
        await _taken_at_last(client, _line(1))
        await asyncio.to_thread(broker.server.kill)
        answer = await client.post("/v1/events", data=_line(2), headers=_JSON)
        assert answer.status == 503
        await asyncio.to_thread(broker.server.start)
        await asyncio.to_thread(make_topics, kafka)
        await _taken_at_last(client, _line(2))
    assert await asyncio.to_thread(delivery.close, 60.0)
    arrived = set(await asyncio.to_thread(read_ids, kafka))
    assert arrived == set(_ids(1, 2) if broker.durable else _ids(2))


@pytest.mark.parametrize("broker", [APACHE], indirect=True)
async def test_half_a_body_is_nothing_and_a_slow_one_is_waited_for(settings: KafkaSettings) -> None:
    body = _line(1) + b"\n" + _line(2)
    head = (
        "POST /v1/events HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-ndjson\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    async with serving(settings) as client:
        assert client.port is not None
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(head + body[: len(_line(1)) + 5])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        for start in range(0, len(head + body), 20):
            writer.write((head + body)[start : start + 20])
            await writer.drain()
            await asyncio.sleep(0.001)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert b" 202 " in answer.splitlines()[0]
    assert sorted(await asyncio.to_thread(read_ids, settings)) == _ids(1, 2)
