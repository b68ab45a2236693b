# ruff: noqa: S608 - every name in the SQL comes from this package, every number is one, text is quoted
"""Keep the rollups: recompute each closed minute, hour and day that was written to since it was last rolled.

A roll plans (which periods, and how many marks each has), then writes the groups, then the seals. A seal says: this
roll of this period is whole and covers so many marks. A mark that comes meanwhile is not covered, so the period
stays dirty, is read from the level below, and is rolled again. Nothing is added to; a crash between any two of the
three leaves rows that no seal names.

A coarser period is rolled when the finer ones in it are, so that what is dirty is found from the top: only the hours
of dirty days and the minutes of dirty hours are looked at. Exactness does not rest on that.

Limits: a period whose events keep changing is rolled when it has been quiet for a moment; until then readers get
it exactly, but at the price of its single events.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.columns import (
    MEASURE_COLUMNS,
    ROLLUP_DIMENSIONS,
    measures_of_events,
    measures_of_periods,
)


@dataclass(frozen=True, slots=True)
class Level:
    """One rollup: its period, from what and when it is computed, and the levels below and above it.

    start: this period's start as SQL over `source`; within: the coarser period's start as SQL over this period.
    """

    name: str
    source: str
    source_period: str
    start: str
    length: timedelta
    grace: timedelta
    quiet: timedelta
    every: timedelta
    events_a_roll: int
    rolls_a_turn: int
    finer: str = ""
    coarser: str = ""
    within: str = ""


LEVELS: Final = (
    Level(
        name="minute",
        source="events AS e FINAL",
        source_period="toStartOfMinute(time)",
        start="toStartOfMinute(time)",
        length=timedelta(minutes=1),
        grace=timedelta(seconds=10),
        quiet=timedelta(seconds=3),
        every=timedelta(seconds=2),
        events_a_roll=250_000,
        rolls_a_turn=2,
        coarser="hour",
        within="toStartOfHour(minute)",
    ),
    Level(
        name="hour",
        source="usage_by_minute AS e",
        source_period="minute",
        start="toStartOfHour(minute)",
        length=timedelta(hours=1),
        grace=timedelta(seconds=60),
        quiet=timedelta(seconds=20),
        every=timedelta(seconds=20),
        events_a_roll=2_000_000,
        rolls_a_turn=1,
        finer="minute",
        coarser="day",
        within="toStartOfDay(hour)",
    ),
    Level(
        name="day",
        source="usage_by_hour AS e",
        source_period="hour",
        start="toStartOfDay(hour)",
        length=timedelta(days=1),
        grace=timedelta(minutes=5),
        quiet=timedelta(seconds=60),
        every=timedelta(seconds=60),
        events_a_roll=20_000_000,
        rolls_a_turn=1,
        finer="hour",
    ),
)

_MAX_PERIODS: Final = 5_000
_PLAN_LEASE_SECONDS: Final = 60
_SUPERSEDED_SECONDS: Final = 3_600
_CLEAN_EVERY: Final = timedelta(minutes=30)
_WRITE_SETTINGS: Final = (
    "SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0, "
    "do_not_merge_across_partitions_select_final = 1"
)


class RollupKeeper:
    """Rolls what is due. One to a sink; several sinks may run theirs at once."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client
        self._in = "GLOBAL IN" if client.settings.cluster else "IN"
        self._next: dict[str, datetime] = {}

    def keep(self, now: datetime) -> int:
        """Roll what is due at `now` (UTC); returns how many periods were rolled.

        Each call does a bounded piece of work and looks at each level no more often than it changes; call it about
        once a second. Raises StoreUnavailable, after which the next call goes on.
        """
        rolled = 0
        for level in LEVELS:
            if now < self._next.get(level.name, now):
                continue
            for _ in range(level.rolls_a_turn):
                periods = self._roll(level, now)
                rolled += periods
                if not periods:
                    self._next[level.name] = now + level.every
                    break
        if now >= self._next.setdefault("superseded", now + _CLEAN_EVERY):
            self._delete_superseded()
            self._next["superseded"] = now + _CLEAN_EVERY
        return rolled

    def _roll(self, level: Level, now: datetime) -> int:
        roll = secrets.randbits(63)
        periods = self._plan(level, roll, now)
        if periods:
            self._write_groups(level, roll)
            self._write_seals(level, roll)
        return periods

    def _plan(self, level: Level, roll: int, now: datetime) -> int:
        closed = int((now - level.length - level.grace).timestamp())
        quiet = int((now - level.quiet).timestamp())
        period = level.name
        # Minutes of clean hours are clean, as an hour is rolled when its minutes are: so few are looked at.
        within = (
            f"AND (tenant, {level.within}) {self._in} ({_dirty(level.coarser)}) " if level.coarser else ""
        )
        unfinished = (
            f"AND (tenant, {period}) NOT {self._in} (SELECT tenant, {level.start} FROM {level.finer}_state "
            f"WHERE sealed_marks < marks AND (tenant, {level.start}) {self._in} ({_dirty(period)})) "
            if level.finer
            else ""
        )
        # A period that another sink has just planned with the same marks is left to it for a while.
        leased = (
            f"AND (tenant, {period}, marks) NOT {self._in} (SELECT tenant, period_start, marks FROM rolls "
            f"WHERE level = '{period}' AND planned_at > now() - {_PLAN_LEASE_SECONDS}) "
        )
        self._client.command(
            "INSERT INTO rolls (roll, level, tenant, period_start, marks) SETTINGS async_insert = 0 "
            f"SELECT {roll}, '{period}', tenant, {period}, marks FROM ("
            f"SELECT tenant, {period}, marks, written_events, "
            f"sum(written_events) OVER (ORDER BY {period}, tenant) AS events_so_far "
            f"FROM {period}_state "
            f"WHERE sealed_marks < marks AND {period} <= toDateTime({closed}, 'UTC') "
            f"AND marked_at <= toDateTime({quiet}, 'UTC') {within}{unfinished}{leased}"
            f") WHERE events_so_far - written_events < {level.events_a_roll} "
            f"ORDER BY {period}, tenant LIMIT {_MAX_PERIODS}",
            doing=f"planning a roll by {period}",
        )
        return int(self._client.query(f"SELECT count() FROM rolls WHERE roll = {roll}")[0][0])

    def _write_groups(self, level: Level, roll: int) -> None:
        period = level.name
        dimensions = ", ".join(ROLLUP_DIMENSIONS)
        grouped = ", ".join(f"e.{name}" for name in ROLLUP_DIMENSIONS)
        planned = f"FROM rolls WHERE roll = {roll}"
        measures = measures_of_events() if level.name == "minute" else measures_of_periods()
        first, last = self._client.query(
            f"SELECT toUnixTimestamp(min(period_start)), toUnixTimestamp(max(period_start)) {planned}"
        )[0]
        end = last + int(level.length.total_seconds())
        self._client.command(
            f"INSERT INTO rollup_{period} "
            f"(tenant, {period}, roll, is_seal, marks, {dimensions}, {', '.join(MEASURE_COLUMNS)}) {_WRITE_SETTINGS} "
            f"SELECT e.tenant, {level.start} AS period_start, {roll}, 0, 0, {grouped}, {measures} "
            f"FROM {level.source} "
            # The bounds say nothing new; they let the engine skip what lies outside.
            f"WHERE {level.source_period} >= toDateTime({first}, 'UTC') "
            f"AND {level.source_period} < toDateTime({end}, 'UTC') "
            f"AND (tenant, {level.start}) {self._in} (SELECT tenant, period_start {planned}) "
            f"GROUP BY e.tenant, period_start, {grouped}",
            doing=f"rolling up by {period}",
        )

    def _write_seals(self, level: Level, roll: int) -> None:
        self._client.command(
            f"INSERT INTO rollup_{level.name} (tenant, {level.name}, roll, is_seal, marks) "
            f"SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0 "
            f"SELECT tenant, period_start, roll, 1, marks FROM rolls WHERE roll = {roll}",
            doing=f"sealing a roll by {level.name}",
        )

    def _delete_superseded(self) -> None:
        """Delete rolls that no reader counts any more, once enough of them have gathered."""
        for level in LEVELS:
            table, period = f"rollup_{level.name}", level.name
            superseded = self._client.query(
                f"SELECT tenant, toUnixTimestamp({period}), roll FROM {table} "
                f"WHERE rolled_at < now() - {_SUPERSEDED_SECONDS} "
                f"AND (tenant, {period}, roll) NOT {self._in} (SELECT tenant, {period}, roll FROM {period}_state) "
                f"GROUP BY tenant, {period}, roll LIMIT 1000"
            )
            if not superseded:
                continue
            # Literals, not a subquery: every replica has to delete the same rows.
            listed = ", ".join(
                f"({_quoted(tenant)}, toDateTime({start}, 'UTC'), {roll})"
                for tenant, start, roll in superseded
            )
            cluster = self._client.settings.cluster
            local = f"_local ON CLUSTER {_quoted(cluster)}" if cluster else ""
            self._client.command(
                f"ALTER TABLE {table}{local} DELETE WHERE (tenant, {period}, roll) IN ({listed})",
                doing=f"deleting superseded rolls by {period}",
            )


def _dirty(period: str) -> str:
    return f"SELECT tenant, {period} FROM {period}_state WHERE sealed_marks < marks"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
