"""The gateway as an aiohttp application, and as routes to be mounted in another one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from producers.delivery import Delivery
from producers.gateway.connections import Watch
from producers.gateway.formats import formats_by_path
from producers.gateway.intake import CONFIRM_SECONDS, Intake
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.openapi import description
from tokenweir.settings import GatewaySettings

SERVER_OPTIONS: Final[dict[str, Any]] = {"auto_decompress": False}
"""For `web.AppRunner(app, **SERVER_OPTIONS)`: the gateway unpacks bodies itself and sees when one is cut off.
Under a server that unpacks by itself everything works but that, and zstd."""

WATCH: Final = web.AppKey("watch", Watch)
"""The application's watch over its connections; whoever serves it starts it (`Watch.start`)."""


def gateway_routes(intake: Intake) -> list[web.RouteDef]:
    """Every route that takes usage, and `/openapi.json`, to be added to any application's router."""
    document = description()

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(document)

    taking = [web.post(path, intake.handler(formats)) for path, formats in formats_by_path().items()]
    return [*taking, web.get("/openapi.json", openapi)]


def health_of(delivery: Delivery) -> dict[str, Any]:
    """What `/health` says of the way to Kafka: `status` is ok or degraded."""
    now = delivery.statistics
    return {
        "status": "ok" if now.connected else "degraded",
        "kafka_connected": now.connected,
        "pending_events": now.pending_events,
        "pending_bytes": now.pending_bytes,
        "last_error": "" if now.connected else now.last_error,
    }


def build_gateway(
    settings: GatewaySettings,
    delivery: Delivery,
    registry: CollectorRegistry,
    clock: Callable[[], datetime],
    *,
    confirm_seconds: float = CONFIRM_SECONDS,
) -> web.Application:
    """The gateway by itself: all formats, `GET /health` (503 while Kafka is away), `/metrics`, `/openapi.json`.

    The caller starts and closes `delivery` and runs the application (see SERVER_OPTIONS). clock: now in UTC.
    """
    intake = Intake(
        settings, delivery, GatewayMetrics(registry, delivery), clock, confirm_seconds=confirm_seconds
    )

    async def health(_: web.Request) -> web.Response:
        found = health_of(delivery)
        return web.json_response(found, status=200 if found["status"] == "ok" else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    watch = Watch(settings.header_timeout_seconds, settings.max_connections)
    app = web.Application(client_max_size=settings.max_body_bytes, middlewares=[watch.middleware])
    app[WATCH] = watch
    app.add_routes([*gateway_routes(intake), web.get("/health", health), web.get("/metrics", metrics)])
    return app
