"""The HTTP way in: usage events by POST, answered only once Kafka has them."""

from producers.gateway.application import SERVER_OPTIONS, WATCH, build_gateway, gateway_routes, health_of
from producers.gateway.intake import Intake
from producers.gateway.metrics import GatewayMetrics

__all__ = [
    "SERVER_OPTIONS",
    "WATCH",
    "GatewayMetrics",
    "Intake",
    "build_gateway",
    "gateway_routes",
    "health_of",
]
