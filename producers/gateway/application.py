"""The gateway as an aiohttp application, and as routes to be mounted in another one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from producers.delivery import Delivery
from producers.gateway.intake import Intake
from producers.gateway.metrics import GatewayMetrics
from tokenweir.settings import GatewaySettings

SERVER_OPTIONS: Final[dict[str, Any]] = {"auto_decompress": False}
"""For `web.AppRunner(app, **SERVER_OPTIONS)`: the gateway unpacks gzip itself and sees when a body is cut off.
Under a server that unpacks by itself everything works but that."""


def gateway_routes(intake: Intake) -> list[web.RouteDef]:
    """`POST /v1/events`, to be added to any application's router."""
    return [web.post("/v1/events", intake.post_events)]


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
) -> web.Application:
    """The gateway by itself: `POST /v1/events`, `GET /health` (503 while Kafka is away), `GET /metrics`.

    The caller starts and closes `delivery` and runs the application (see SERVER_OPTIONS). clock: now in UTC.
    """
    intake = Intake(settings, delivery, GatewayMetrics(registry, delivery), clock)

    async def health(_: web.Request) -> web.Response:
        found = health_of(delivery)
        return web.json_response(found, status=200 if found["status"] == "ok" else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(client_max_size=settings.max_body_bytes)
    app.add_routes([*gateway_routes(intake), web.get("/health", health), web.get("/metrics", metrics)])
    return app
