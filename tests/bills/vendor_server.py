"""A vendor's reporting interface on a free port of this machine, with faults put in its way on demand."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """One request as a vendor sees it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        """The value of a query parameter that comes once."""
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [value for key, value in self.query if key == name]

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        return dict(json.loads(self.body))


@dataclass(frozen=True)
class Fault:
    """An answer in place of the vendor's. before: how many requests are answered well first."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "made up"}'
    delay_seconds: float = 0.0


Answer = Callable[[Asked], tuple[int, Any]]


class VendorServer:
    """A context that serves `answer` (status and JSON, or bytes as they are). `faults` come first, None lets one by."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.faults: deque[Fault | None] = deque()
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> "VendorServer":
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._call(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}"

    async def _handle(self, request: web.Request) -> web.Response:
        asked = Asked(
            request.method,
            request.path,
            list(request.query.items()),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        self.asked.append(asked)
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
            return web.Response(
                status=fault.status,
                headers={"content-type": "application/json", **fault.headers},
                body=fault.body,
            )
        status, value = self.answer(asked)
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return web.Response(status=status, body=body, content_type="application/json")
