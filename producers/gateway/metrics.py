"""What the gateway counts, in a registry handed in.

Labels are bounded: formats and reasons are of lists, sources those of `gateway.tokens`. A sender without a token of
its own has the source "".
"""

from prometheus_client import CollectorRegistry, Counter, Gauge

from producers.delivery import Delivery


class GatewayMetrics:
    """The gateway's counters. One set a registry: a second on the same registry raises ValueError."""

    def __init__(self, registry: CollectorRegistry, delivery: Delivery) -> None:
        self.received = Counter(
            "tokenweir_gateway_received_events_total",
            "Events and unreadable pieces that came in, by format and by source of the token.",
            ["format", "source"],
            registry=registry,
        )
        self.sent = Counter(
            "tokenweir_gateway_sent_events_total",
            "Events that Kafka confirmed, by format and by source of the token.",
            ["format", "source"],
            registry=registry,
        )
        self.errors = Counter(
            "tokenweir_gateway_errors_total",
            "Requests that failed, by stage: token, rate, busy, address, body, kafka, unexpected.",
            ["stage"],
            registry=registry,
        )
        self.discarded = Counter(
            "tokenweir_gateway_discarded_events_total",
            "Pieces that were rejected, by format and reason.",
            ["format", "reason"],
            registry=registry,
        )
        self.ignored = Counter(
            "tokenweir_gateway_ignored_events_total",
            "Pieces that state no call of their own, by format and reason.",
            ["format", "reason"],
            registry=registry,
        )
        self.requests = Counter(
            "tokenweir_gateway_requests_total",
            "Requests, by format and HTTP status.",
            ["format", "status"],
            registry=registry,
        )
        pending = Gauge(
            "tokenweir_gateway_pending_bytes", "Bytes that wait for Kafka's confirmation.", registry=registry
        )
        pending.set_function(lambda: delivery.pending_bytes)
