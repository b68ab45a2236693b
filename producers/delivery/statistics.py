"""What a delivery says of itself: a snapshot that does not change."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeliveryStatistics:
    """A delivery at one moment. Counts are events since it was made."""

    sent_events: int
    """Handed to the Kafka client, each counted once however often it was sent again."""
    confirmed_events: int
    dropped_events: Counter[str]
    """By reason: too_large, malformed, refused, withdrawn, closed."""
    pending_events: int
    pending_bytes: int
    connections: int
    """How often a connection was built; more than 1 says that one failed."""
    connected: bool
    last_error: str
