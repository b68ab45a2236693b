"""The doors of an embedded run: page, gateway, /health and /metrics on one port, ClickHouse's HTTP on another.

Loopback only, unless the settings say otherwise. The second port is needed because every ClickHouse client asks at
the root path.
"""

import errno
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dashboards.page import page_routes
from producers.delivery import Delivery
from producers.gateway import SERVER_OPTIONS, GatewayMetrics, Intake, gateway_routes, health_of
from producers.gateway.connections import Watch
from tokenweir.errors import WrongCall
from tokenweir.local.clickhouse_http import clickhouse_http_app
from tokenweir.local.clock import utc_now
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.settings import Settings

Health = Callable[[], list[dict[str, Any]]]
_SHUTDOWN_SECONDS: Final = 5.0


class LocalServer:
    """Both ports of a run. `port` and `clickhouse_port` tell where, once started.

    page_clock: what the page takes for now, UTC.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        reader: ReadOnlyLedger,
        delivery: Delivery,
        registry: CollectorRegistry,
        health: Health,
        database: str,
        page_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.port = 0
        self.clickhouse_port = 0
        self._settings = settings
        self._runners: list[web.AppRunner] = []
        self._delivery = delivery
        intake = Intake(settings.gateway, delivery, GatewayMetrics(registry, delivery), utc_now)
        self._watch = Watch(settings.gateway.header_timeout_seconds, settings.gateway.max_connections)
        self._page = web.Application(
            client_max_size=settings.gateway.max_body_bytes, middlewares=[self._watch.middleware]
        )
        self._page.add_routes(
            [
                *page_routes(reader.rows, clock=page_clock, database=database),
                *gateway_routes(intake),
                web.get("/health", self._answer_health(health)),
                web.get("/metrics", _answer_metrics(registry)),
            ]
        )
        self._clickhouse = clickhouse_http_app(reader)

    async def start(self, host: str, port: int | None, clickhouse_port: int | None) -> None:
        """Opens both. A port of None takes the settings' where it is free, else any free one.

        Raises WrongCall where a port that was asked for is taken.
        """
        self._delivery.start()
        local = self._settings.local
        self.port = await self._serve(self._page, host, _choices(port, local.port), SERVER_OPTIONS)
        self.clickhouse_port = await self._serve(
            self._clickhouse, host, _choices(clickhouse_port, local.clickhouse_port), {}
        )

    async def stop(self) -> None:
        """Closes both; requests under way have a moment to end."""
        await self._watch.stop()
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._runners.clear()

    async def _serve(
        self, app: web.Application, host: str, ports: Iterable[int], options: dict[str, Any]
    ) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, **options)
        await runner.setup()
        if app is self._page and runner.server is not None:
            self._watch.start(runner.server)
        self._runners.append(runner)
        taken: OSError | None = None
        for port in ports:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                taken = error
            else:
                return int(runner.addresses[0][1])
        raise WrongCall(
            f"cannot listen on {host}: {taken}", hint="Name another port, or 0 for any that is free"
        ) from taken

    def _answer_health(self, health: Health) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            workers = health()
            gateway = health_of(self._delivery)
            healthy = all(worker["healthy"] for worker in workers) and gateway["status"] == "ok"
            body = {"healthy": healthy, "workers": workers, "gateway": gateway}
            return web.json_response(body, status=200 if healthy else 503)

        return answer


def _answer_metrics(registry: CollectorRegistry) -> Callable[[web.Request], Any]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer


def _choices(asked: int | None, usual: int) -> tuple[int, ...]:
    return (asked,) if asked is not None else (usual, 0)
