"""Connections that send nothing, or so slowly that their request never begins, are closed.

A request's body is timed where it is read; a client that dribbles its headers has no request yet, and aiohttp waits
for it for ever. The watch looks at a server's connections every second and closes those without a request in hand:
new ones after the header timeout, those that are kept alive between requests after KEPT_ALIVE_SECONDS, and, where
there are more than `max_connections`, those that have been without the longest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

KEPT_ALIVE_SECONDS: Final = 75.0
_LOOK_SECONDS: Final = 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Connection(Protocol):
    """What the watch needs of aiohttp's connections (`web.Server.connections`)."""

    def force_close(self) -> None: ...


@dataclass(slots=True)
class _Seen:
    idle_since: float
    in_hand: int = 0
    patience_seconds: float = 0.0


class Watch:
    """Watches one server. Lives in one event loop. Until it is started it does nothing."""

    def __init__(self, header_timeout_seconds: float, max_connections: int) -> None:
        self._header_timeout_seconds = header_timeout_seconds
        self._max_connections = max_connections
        self._seen: dict[Connection, _Seen] = {}
        self._task: asyncio.Task[None] | None = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Notes which connection has a request in hand."""
        if self._task is None:
            return await handler(request)
        loop = asyncio.get_running_loop()
        seen = self._seen.setdefault(request.protocol, _Seen(loop.time()))
        seen.in_hand += 1
        seen.patience_seconds = KEPT_ALIVE_SECONDS
        try:
            return await handler(request)
        finally:
            seen.in_hand -= 1
            seen.idle_since = loop.time()

    def start(self, server: web.Server) -> None:
        """Begins to look at the connections of `server`."""
        self._task = asyncio.create_task(self._watch(server), name="tokenweir-gateway-watch")

    async def stop(self) -> None:
        """Ends looking."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            self._seen.clear()

    async def _watch(self, server: web.Server) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look(server.connections, asyncio.get_running_loop().time())

    def look(self, connections: Iterable[Connection], now: float) -> None:
        """Closes what has been without a request for too long. now: of the loop's clock."""
        still = {
            connection: self._seen.get(connection)
            or _Seen(now, patience_seconds=self._header_timeout_seconds)
            for connection in connections
        }
        self._seen = still
        idle = sorted(
            (connection for connection, seen in still.items() if not seen.in_hand),
            key=lambda connection: still[connection].idle_since,
        )
        too_many = len(still) - self._max_connections
        for position, connection in enumerate(idle):
            seen = still[connection]
            if position < too_many or now - seen.idle_since >= seen.patience_seconds:
                connection.force_close()
