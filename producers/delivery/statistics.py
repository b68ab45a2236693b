"""What a delivery and an emitter say of themselves: snapshots that do not change."""

from collections import Counter
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class EmitterStatistics:
    """An emitter at one moment. Counts are events since it was made (in this process)."""

    recorded: int
    """Taken by `record`."""
    sent: int
    """Handed to the Kafka client."""
    confirmed: int
    dropped: Mapping[str, int]
    """By reason. Not taken: wrong_type, full, closed, internal_error. Taken, then lost: unencodable, too_large,
    malformed, closed."""
    pending: int
    """Taken and neither confirmed nor dropped."""
    pending_bytes: int
    """Of the pending, as encoded; estimated for those that are not encoded yet."""
    last_error: str
