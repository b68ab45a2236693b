"""A gateway that listens, for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from producers.delivery import Delivery
from producers.gateway import SERVER_OPTIONS, WATCH, build_gateway
from producers.gateway.intake import CONFIRM_SECONDS
from tests.emitter.topic_contents import START, read_topic
from tokenweir.settings import GatewaySettings, KafkaSettings
from tokenweir.topics import USAGE, Topic


def fixed_now() -> datetime:
    """Now, for every gateway of the tests."""
    return START + timedelta(days=30)


def real_now() -> datetime:
    """Now, for gateways of senders that state the time themselves."""
    return datetime.now(UTC)


@asynccontextmanager
async def serving(
    kafka: KafkaSettings,
    gateway: GatewaySettings | None = None,
    *,
    confirm_seconds: float = CONFIRM_SECONDS,
    clock: Callable[[], datetime] = fixed_now,
    **options: Any,
) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of a gateway of its own. options: of the server."""
    delivery = Delivery(kafka)
    delivery.start()
    app = build_gateway(
        gateway or GatewaySettings(),
        delivery,
        CollectorRegistry(),
        clock,
        confirm_seconds=confirm_seconds,
    )
    server = TestServer(app)
    await server.start_server(**(SERVER_OPTIONS | options))
    assert server.runner is not None
    assert server.runner.server is not None
    app[WATCH].start(server.runner.server)
    try:
        async with TestClient(server) as client:
            yield client
    finally:
        await app[WATCH].stop()
        await asyncio.to_thread(delivery.close, 30.0)


async def lines_of(kafka: KafkaSettings, topic: Topic = USAGE) -> list[dict[str, Any]]:
    """Every line of a topic, by id."""
    found = await asyncio.to_thread(read_topic, kafka, topic)
    return sorted((line for message in found for line in message.lines), key=lambda line: str(line["id"]))
