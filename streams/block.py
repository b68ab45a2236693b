"""What the sink role hands its blocks to. The store itself is in `sinks`; this folder knows only this form of it."""

from datetime import datetime
from typing import Protocol


class BlockSink(Protocol):
    """A store that takes blocks of lines, idempotently. All methods block; one thread calls them, one at a time."""

    def write_events(self, lines: bytes, token: str) -> None:
        """Keep the metered events in `lines` (NDJSON). Safe to repeat: by token, and by (tenant, id, version).

        Returns when they are kept for good. Raises StoreUnavailable (try the same block again later) or
        RejectedInput (the block holds a line that the store cannot take; nothing of the block need be kept).
        """
        ...

    def write_rejections(self, lines: bytes, token: str) -> None:
        """Keep the rejections in `lines` (NDJSON of Rejection). Raises as `write_events` does."""
        ...

    def write_bills(self, lines: bytes, token: str) -> None:
        """Keep the lines of vendors' reports in `lines` (NDJSON of VendorBill). Raises as `write_events` does."""
        ...

    def write_signals(self, lines: bytes, token: str) -> None:
        """Keep the signals in `lines` (NDJSON of Signal). Raises as `write_events` does."""
        ...

    def keep(self, now: datetime) -> None:
        """Housekeeping that is due at `now` (UTC). Called about once a second between blocks.

        Raises StoreUnavailable; it is then called again later.
        """
        ...
