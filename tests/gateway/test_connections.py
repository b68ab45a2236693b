"""Slow and idle connections are closed; those with a request in hand are not, and neighbours are served."""

import asyncio
from collections.abc import Iterable

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from producers.gateway.connections import KEPT_ALIVE_SECONDS, Watch
from tests.emitter.topic_contents import event
from tests.gateway.serving import serving
from tests.kafka.fixtures import EMBEDDED
from tokenweir.settings import GatewaySettings, KafkaSettings
from tokenweir.usage import wire


class _Connection:
    ssl_context = None
    peername = None
    sockname = None

    def __init__(self) -> None:
        self.closed = False

    def force_close(self) -> None:
        self.closed = True


def _open(connections: Iterable[_Connection]) -> list[_Connection]:
    return [one for one in connections if not one.closed]


def test_a_connection_without_a_request_is_closed_in_time() -> None:
    watch = Watch(10.0, 100)
    connections = [_Connection(), _Connection()]
    watch.look(connections, 100.0)
    watch.look(connections, 109.0)
    assert _open(connections) == connections
    late = _Connection()
    watch.look([*connections, late], 110.0)
    assert _open([*connections, late]) == [late]


def test_too_many_connections_lose_those_that_have_been_idle_longest() -> None:
    watch = Watch(1_000.0, 3)
    connections = [_Connection() for _ in range(5)]
    for count in range(1, 6):
        watch.look(connections[:count], float(count))
    assert _open(connections) == connections[2:]


async def test_a_connection_with_a_request_in_hand_is_left_alone() -> None:
    watch = Watch(10.0, 0)
    connection = _Connection()
    request = make_mocked_request("POST", "/", protocol=connection)
    loop = asyncio.get_running_loop()

    class _Server:
        connections: tuple[_Connection, ...] = ()

    async def handler(_: web.Request) -> web.Response:
        watch.look([connection], loop.time() + 1_000.0)
        assert not connection.closed
        return web.Response()

    watch.start(_Server())  # type: ignore[arg-type]
    try:
        await watch.middleware(request, handler)
        watch.look([connection], loop.time() + 20.0)
        assert connection.closed, "there are more than none"
    finally:
        await watch.stop()


async def test_a_kept_connection_has_more_time_than_a_new_one() -> None:
    watch = Watch(1.0, 10)
    connection = _Connection()

    class _Server:
        connections: tuple[_Connection, ...] = ()

    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    watch.start(_Server())  # type: ignore[arg-type]
    try:
        await watch.middleware(make_mocked_request("POST", "/", protocol=connection), handler)
        now = asyncio.get_running_loop().time()
        watch.look([connection], now + KEPT_ALIVE_SECONDS - 1)
        assert not connection.closed
        watch.look([connection], now + KEPT_ALIVE_SECONDS + 1)
        assert connection.closed
    finally:
        await watch.stop()


@pytest.mark.parametrize("broker", [EMBEDDED], indirect=True)
async def test_slow_clients_are_cut_off_and_a_neighbour_is_served(settings: KafkaSettings) -> None:
    gateway = GatewaySettings(header_timeout_seconds=1.0, body_timeout_seconds=1.5)
    async with serving(settings, gateway) as client:
        assert client.port is not None
        slow = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(20)]
        body_head = b"POST /v1/events HTTP/1.1\r\nHost: gateway\r\nContent-Length: 1000\r\n"
        body_head += b"Content-Type: application/json\r\n\r\n{"

        async def dribble(number: int) -> bytes:
            reader, writer = slow[number]
            if number % 2:
                writer.write(body_head)
            try:
                for _ in range(100):
                    writer.write(b"P" if not number % 2 else b" ")
                    await writer.drain()
                    if await _answered(reader):
                        break
            except ConnectionError:
                return b""
            try:
                return await asyncio.wait_for(reader.read(1_000), 5)
            except ConnectionError:
                return b""
            finally:
                writer.close()

        dribbling = [asyncio.create_task(dribble(number)) for number in range(20)]
        for number in range(5):
            answer = await client.post(
                "/v1/events",
                data=wire.encode_event(event(number)),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status == 202
        answers = await asyncio.wait_for(asyncio.gather(*dribbling), 20)
    assert all(b" 408 " in one for one in answers[1::2]), "a slow body is answered"
    assert all(b"HTTP" not in one or b" 408 " in one or b" 400 " in one for one in answers[0::2])


async def _answered(reader: asyncio.StreamReader) -> bool:
    await asyncio.sleep(0.05)
    return bool(reader._buffer) or reader.at_eof()  # type: ignore[attr-defined]
