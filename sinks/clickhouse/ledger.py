"""ClickHouseLedger: what a sink writes through. Blocks in, an exact ledger out.

Each call blocks until its rows are on disk and settled, and may be repeated with the same input at any time: after
StoreUnavailable, after a crash, by another sink. Its caller commits offsets only after it has returned.
"""

from datetime import datetime
from typing import Final

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.columns import BILL_COLUMNS, EVENT_COLUMNS, REJECTION_COLUMNS, SIGNAL_COLUMNS
from sinks.clickhouse.rollups import RollupKeeper
from sinks.clickhouse.settle import Settler

_INSERT_SETTINGS: Final[dict[str, str | int]] = {
    # The call must not return before the rows are on disk.
    "async_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # Sorting out duplicates at insert costs more than the merge that does it anyway.
    "optimize_on_insert": 0,
    "input_format_parallel_parsing": 0,
    "date_time_input_format": "best_effort",
    # A field that the ledger does not know, or a null where it needs a value, is refused and never dropped.
    "input_format_skip_unknown_fields": 0,
    "input_format_null_as_default": 0,
    # A block may span any number of months.
    "max_partitions_per_insert_block": 0,
    # One block is one part a month.
    "max_insert_block_size": 1_048_576,
}
_CLUSTER_SETTINGS: Final[dict[str, str | int]] = {
    "distributed_foreground_insert": 1,
    "insert_quorum": "auto",
    "select_sequential_consistency": 1,
}


def insert_settings(client: LedgerClient) -> dict[str, str | int]:
    """With what rows are inserted, so that they are on disk, as they were given, when the call returns."""
    return {**_INSERT_SETTINGS, **(_CLUSTER_SETTINGS if client.settings.cluster else {})}


class ClickHouseLedger:
    """The sink's way into the ledger. Its methods block; threads may share it."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client
        self._settler = Settler(client)
        self._keeper = RollupKeeper(client)
        self._settings = insert_settings(client)

    def write_events(self, lines: bytes, token: str) -> None:
        """Store one block of metered events (NDJSON).

        token: the block's name, the same at every redelivery of the same lines; not empty. Raises StoreUnavailable
        (hold the offsets and call again with the same block) or RejectedInput (the block holds a line that the
        store cannot take; none of its lines is stored).
        """
        if not lines.strip():
            return
        self._client.insert_lines(
            "events",
            EVENT_COLUMNS,
            lines,
            {**self._settings, "insert_deduplication_token": token},
            doing="storing events",
        )
        self._settler.settle(token)

    def write_rejections(self, lines: bytes, token: str) -> None:
        """Store rejections (NDJSON of tokenweir.usage.Rejection). Arguments and errors as in `write_events`."""
        if not lines.strip():
            return
        self._client.insert_lines(
            "rejected",
            REJECTION_COLUMNS,
            lines,
            {**self._settings, "insert_deduplication_token": token},
            doing="storing rejections",
        )

    def write_bills(self, lines: bytes, token: str) -> None:
        """Store lines of vendors' reports (NDJSON of VendorBill). Arguments and errors as in `write_events`."""
        if not lines.strip():
            return
        self._client.insert_lines(
            "vendor_bill_lines",
            BILL_COLUMNS,
            lines,
            {**self._settings, "insert_deduplication_token": token},
            doing="storing vendors' bills",
        )

    def write_signals(self, lines: bytes, token: str) -> None:
        """Store signals (NDJSON of tokenweir.signals.Signal). Arguments and errors as in `write_events`."""
        if not lines.strip():
            return
        self._client.insert_lines(
            "signals",
            SIGNAL_COLUMNS,
            lines,
            {**self._settings, "insert_deduplication_token": token},
            doing="storing signals",
        )

    def keep(self, now: datetime) -> None:
        """Roll up what has closed by `now` (UTC). Call it about once a second. Raises StoreUnavailable."""
        self._keeper.keep(now)
