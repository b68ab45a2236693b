"""A vendor's API on this machine: it answers each request with the next reply that a test has put there."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

JSON = "application/json"
EVENTS = "text/event-stream"
_DATE = "Wed, 25 Nov 2026 12:00:00 GMT"
"""The same in all replies, so that what clients make of them can be compared."""


@dataclass(frozen=True)
class Reply:
    """What one request is answered with.

    pieces: the body, as the network brings it; one piece is sent whole, several as chunks. pause_seconds: before each
    piece. is_cut: whether the connection breaks after the last piece.
    """

    pieces: Sequence[bytes]
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    pause_seconds: float = 0.0
    is_cut: bool = False


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class VendorServer:
    """Runs in a thread of its own. `replies` are used up in order; the last one stays."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.received: list[Received] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vendor-server", daemon=True)
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def will_answer(self, *replies: Reply) -> None:
        self.replies.clear()
        self.replies.extend(replies)
        self.received.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _start(self) -> None:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:  # that still answer a client which has gone
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.method, request.path, headers, body))
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        if len(reply.pieces) == 1 and not reply.is_cut:
            await asyncio.sleep(reply.pause_seconds)
            return web.Response(
                body=reply.pieces[0],
                status=reply.status,
                headers={"content-type": reply.content_type, "date": _DATE, **reply.headers},
            )
        response = web.StreamResponse(
            status=reply.status, headers={"content-type": reply.content_type, "date": _DATE, **reply.headers}
        )
        response.enable_chunked_encoding()
        with suppress(ConnectionResetError):  # the client has gone
            await response.prepare(request)
            for piece in reply.pieces:
                await asyncio.sleep(reply.pause_seconds)
                await response.write(piece)
            if reply.is_cut and request.transport is not None:
                await asyncio.sleep(0.01)
                request.transport.abort()
            else:
                await response.write_eof()
        return response


def plain(body: Any) -> Reply:
    """A JSON answer, or bytes as they are."""
    return Reply([body if isinstance(body, bytes) else json.dumps(body).encode()])
