"""How an emitter tells what it had to drop: in the log at a bounded rate, and to the application."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from producers.delivery.bounded_log import BoundedLog
from tokenweir.usage import wire

log = logging.getLogger(__name__)

OnDrop = Callable[[str, int], None]
"""Called with a reason and a number of events."""

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


class DropReports:
    """Tells each drop once. on_drop: what it raises is logged."""

    def __init__(self, said: BoundedLog, on_drop: OnDrop | None) -> None:
        self._said = said
        self._on_drop = on_drop
        self._told: Counter[str] = Counter()

    def news(self, totals: Counter[str]) -> Counter[str]:
        """What came to the totals since this was last asked."""
        news = totals - self._told
        self._told = totals
        return news

    def report(self, news: Counter[str]) -> None:
        """Say it, and call `on_drop`. Never raises."""
        for reason, events in news.items():
            self._said.warning(
                reason, f"Tokenweir's emitter dropped {events} events: {MEANINGS.get(reason, reason)}"
            )
            if self._on_drop is not None:
                try:
                    self._on_drop(reason, events)
                except Exception:
                    log.exception("on_drop failed for %d events (%s)", events, reason)
