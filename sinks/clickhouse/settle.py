# ruff: noqa: S608 - every name in the SQL comes from this package, every number is one, text is quoted
"""Settle calls that were reported in several places, so that each is counted in one.

A place is a minute of an event's time. Reports of one call in one place replace each other in the engine. Reports
in two places (two clocks that differ across a minute or a month, a correction that moves the call) do not; here
the highest `version` wins, among equal versions the later place, and every other place gets a tombstone.

Why it is exact, whoever runs it and however often:
- an insert writes its claims with its rows and only then settles, so of two sinks that report one call in two
  places the one that wrote last sees both;
- a tombstone retires its place up to the version it retires, and is written only where a better report stands
  elsewhere, so it never hides the winner, and a better report that comes later outranks it;
- the claims only nominate, by hash; the exact (tenant, id) of the rows decides;
- a block's offsets are committed after it is settled: a crash in between redelivers and settles it.
"""

import threading
import time
from typing import Final

from sinks.clickhouse.client import LedgerClient, Rows
from sinks.clickhouse.columns import EVENT_COLUMNS

_LARGE_PART_CLAIMS: Final = 500_000
_FEW_KEYS: Final = 4_000
_MAX_LISTED_PARTS: Final = 24
_PARTS_AGE_SECONDS: Final = 10.0
_KEYS_A_STATEMENT: Final = 4_000

# The halves of the search must see one snapshot, else a merge between them could hide a part from both.
_SEARCH_SETTINGS: Final = (
    "SETTINGS join_algorithm = 'full_sorting_merge', max_rows_in_set_to_optimize_join = 0, "
    "enable_shared_storage_snapshot_in_query = 1"
)
_WRITE_SETTINGS: Final = (
    "SETTINGS async_insert = 0, insert_deduplicate = 0, optimize_on_insert = 0, "
    "max_partitions_per_insert_block = 0"
)


class Settler:
    """Settles blocks after their insert. Safe to share among threads."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client
        self._in = "GLOBAL IN" if client.settings.cluster else "IN"
        self._large_parts: tuple[str, ...] = ()
        self._listed_at = float("-inf")
        self._lock = threading.Lock()

    def settle(self, token: str) -> int:
        """Settle every call of the block `token`; returns how many of them are claimed by several places.

        Raises StoreUnavailable; calling again with the same token then finishes the work.
        """
        contested = self._contested(token)
        for start in range(0, len(contested), _KEYS_A_STATEMENT):
            self._retire_losers(contested[start : start + _KEYS_A_STATEMENT])
        return len(contested)

    def _contested(self, token: str) -> Rows:
        """(key, first place) of the block's keys that several places claim, in order of time."""
        arrived = self._client.query(
            "SELECT count() FROM arrivals WHERE block = {token:String}", {"token": token}
        )[0][0]
        keys = "SELECT key FROM arrivals WHERE block = {token:String}"
        if not arrived:
            # The block came before the arrivals' time to live and its rows were not written again.
            keys = "SELECT sipHash64(tenant, id) AS key FROM events WHERE block = {token:String}"
        parts = self._parts() if not arrived or arrived > _FEW_KEYS else ()
        # A hash lookup reads and probes every claim. Within one part the claims are sorted, and a merge join with
        # the block's sorted keys is several times cheaper; across parts it is not. So: large parts one by one,
        # the others by lookup. A listed part that is merged by now is empty, and its heir is among the others.
        searches = [
            f"SELECT key, place FROM claims INNER JOIN ({keys}) AS block_keys USING key WHERE _part = '{part}'"
            for part in parts
        ]
        others = f" AND _part NOT IN ({', '.join(map(repr, parts))})" if parts else ""
        searches.append(f"SELECT key, place FROM claims WHERE key {self._in} ({keys}){others}")
        return self._client.query(
            f"SELECT key, toUnixTimestamp(min(place)) AS first_place FROM ({' UNION ALL '.join(searches)}) "
            f"GROUP BY key HAVING min(place) != max(place) ORDER BY first_place, key {_SEARCH_SETTINGS}",
            {"token": token},
        )

    def _retire_losers(self, contested: Rows) -> None:
        keys = ", ".join(str(key) for key, _ in contested)
        columns = ", ".join(EVENT_COLUMNS)
        self._client.command(
            f"INSERT INTO events ({columns}, is_deleted, block) {_WRITE_SETTINGS} "
            f"SELECT {columns}, 1, '' FROM ("
            f"SELECT {columns}, row_number() OVER (PARTITION BY tenant, id "
            "ORDER BY version DESC, toStartOfMinute(time) DESC) AS standing "
            "FROM events FINAL "
            f"WHERE toStartOfMinute(time) {self._in} (SELECT place FROM claims WHERE key IN ({keys})) "
            f"AND sipHash64(tenant, id) IN ({keys})"
            ") WHERE standing > 1",
            doing="settling calls that were reported in several places",
        )

    def _parts(self) -> tuple[str, ...]:
        """The large parts of claims, as listed a little while ago."""
        if self._client.settings.cluster:
            return ()
        with self._lock:
            if time.monotonic() - self._listed_at > _PARTS_AGE_SECONDS:
                rows = self._client.query(
                    "SELECT name FROM system.parts WHERE active AND database = {database:String} "
                    "AND table = 'claims' AND rows >= {rows:UInt64} ORDER BY rows DESC LIMIT {limit:UInt8}",
                    {
                        "database": self._client.database,
                        "rows": _LARGE_PART_CLAIMS,
                        "limit": _MAX_LISTED_PARTS,
                    },
                )
                self._large_parts = tuple(str(name) for (name,) in rows)
                self._listed_at = time.monotonic()
            return self._large_parts
