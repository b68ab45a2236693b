"""What an emitter says of itself: a snapshot that does not change, and what its words mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tokenweir.usage import wire

MEANINGS: Final = {
    "wrong_type": "what was recorded is no UsageEvent, and no vendor was named whose answer it is (wrong_type)",
    "full": "as many wait for Kafka as may (full)",
    "closed": "the emitter is closed (closed)",
    "internal_error": "an error of the emitter's own (internal_error)",
    "unanswered": "calls ended and no answer was handed over (unanswered)",
    "unreadable": "no usage could be read from what was handed over (unreadable)",
    "unencodable": "they were made past the checks of UsageEvent (unencodable)",
    "too_large": f"larger than {wire.MAX_EVENT_BYTES} bytes or than Kafka takes (too_large)",
    "malformed": "Kafka takes no such message (malformed)",
    "spool_full": "the spool was full and newer ones are kept (spool_full)",
    "damaged": "the spool's files were damaged (damaged)",
}
"""By reason for which events are dropped, the end of the sentence that says so in the log."""


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
