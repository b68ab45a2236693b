"""What a stream worker tells about itself: counters for /metrics and an answer for /health.

Follows the habit that every component counts received, sent, errors by stage, and discarded. Names begin with
`tokenweir_meter_`, `tokenweir_sink_` or `tokenweir_detect_`; one registry may hold all.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_FLUSH_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class StreamMetrics:
    """The figures of one role, in the registry that is passed in."""

    def __init__(self, role: str, registry: CollectorRegistry) -> None:
        def name(rest: str) -> str:
            return f"tokenweir_{role}_{rest}"

        self.received_messages = Counter(
            name("received_messages"), "Kafka messages taken.", registry=registry
        )
        self.received_events = Counter(name("received_events"), "Lines taken.", registry=registry)
        self.sent_events = Counter(
            name("sent_events"), "Events passed on, acknowledged by who takes them.", registry=registry
        )
        self.errors = Counter(
            name("errors"), "Things that went wrong and are tried again.", ["stage"], registry=registry
        )
        self.discarded_events = Counter(
            name("discarded_events"), "Lines refused, by reason.", ["reason"], registry=registry
        )
        self.unpriced_events = Counter(
            name("unpriced_events"), "Events for which there is no price.", registry=registry
        )
        self.open_incidents = Gauge(
            name("open_incidents"), "Incidents that are open, assigned partitions only.", registry=registry
        )
        self.behind_seconds = Gauge(
            name("behind_seconds"),
            "How long ago the oldest open minute should have been closed, assigned partitions only.",
            registry=registry,
        )
        self.lag_messages = Gauge(
            name("lag_messages"),
            "Messages not yet finished, assigned partitions only.",
            ["topic"],
            registry=registry,
        )
        self.in_flight_messages = Gauge(
            name("in_flight_messages"), "Messages taken and not finished.", registry=registry
        )
        self.assigned_partitions = Gauge(
            name("assigned_partitions"), "Partitions that Kafka has assigned here.", registry=registry
        )
        self.rebalances = Counter(name("rebalances"), "Times partitions were assigned.", registry=registry)
        self.flush_seconds = Histogram(
            name("flush_seconds"),
            "From offering a block to the store to its being kept.",
            buckets=_FLUSH_BUCKETS,
            registry=registry,
        )
        self.last_progress_at = Gauge(
            name("last_progress_at_seconds"), "Unix time of the last committed offset.", registry=registry
        )


def build_observer_app(
    registry: CollectorRegistry, health: Iterable[Callable[[], dict[str, Any]]]
) -> web.Application:
    """An aiohttp application with GET /metrics and GET /health.

    health: functions that answer like `StreamApp.health`. /health answers 200 when all of them are healthy, else
    503, with `{"healthy": …, "workers": […]}`.
    """
    checks = list(health)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def answer_health(_request: web.Request) -> web.Response:
        workers = [check() for check in checks]
        healthy = all(worker["healthy"] for worker in workers)
        return web.json_response({"healthy": healthy, "workers": workers}, status=200 if healthy else 503)

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/health", answer_health)
    return application
