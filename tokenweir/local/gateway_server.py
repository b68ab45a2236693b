"""`weir gateway`: the HTTP way in as a process of its own, against a Kafka cluster."""

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry

from producers.delivery import Delivery
from producers.gateway import SERVER_OPTIONS, WATCH, build_gateway
from tokenweir.errors import WrongCall
from tokenweir.local.clock import utc_now
from tokenweir.settings import Settings

_FLUSH_SECONDS = 30.0


async def serve_gateway(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT, then hands Kafka what was accepted.

    Raises WrongCall for a taken port, and for tokens and attribution that contradict themselves.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    delivery = Delivery(settings.kafka)
    gateway = build_gateway(settings.gateway, delivery, CollectorRegistry(), utc_now)
    delivery.start()
    runner = web.AppRunner(gateway, access_log=None, **SERVER_OPTIONS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.gateway.host, settings.gateway.port).start()
        except OSError as error:
            raise WrongCall(
                f"the gateway cannot listen on {settings.gateway.host}:{settings.gateway.port}: {error.strerror}",
                hint="Name another port with --port",
            ) from error
        gateway[WATCH].start(_server_of(runner))
        host, port = runner.addresses[0][:2]
        say(f"gateway at http://{host}:{port}/v1/events, Kafka at {settings.kafka.bootstrap_servers}")
        await stop.wait()
    finally:
        await gateway[WATCH].stop()
        await runner.cleanup()
        if not await asyncio.to_thread(delivery.close, _FLUSH_SECONDS):
            say("Kafka did not confirm all that was accepted")


def _server_of(runner: web.AppRunner) -> web.Server:
    if runner.server is None:
        raise RuntimeError("the gateway is not set up")
    return runner.server
