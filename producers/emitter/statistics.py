"""What an emitter says of itself: a snapshot that does not change."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmitterStatistics:
    """An emitter at one moment. Counts are events since it was made (in this process).

    `recorded + adopted` equals `confirmed + pending` and what was dropped after it had been taken.
    """

    recorded: int
    """Taken by `record` and by calls. Exact to the few that change hands meanwhile."""
    adopted: int
    """Found in the spool directory, left there by processes that died."""
    sent: int
    """Handed to the Kafka client."""
    confirmed: int
    dropped: Mapping[str, int]
    """By reason. Not taken: wrong_type, full, closed, internal_error, unanswered. Taken, then lost: unreadable,
    unencodable, too_large, malformed, spool_full, damaged, closed."""
    pending: int
    """Neither confirmed nor dropped, in memory or on disk."""
    pending_bytes: int
    """Of the pending in memory, as encoded; estimated for those that are not encoded yet."""
    spooled_bytes: int
    """What the spool takes on disk."""
    last_error: str
