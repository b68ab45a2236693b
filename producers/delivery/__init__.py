"""The way to Kafka that every producer shares: messages made, sent, confirmed, and sent again."""

from producers.delivery.delivery import Delivery

__all__ = ["Delivery"]
