"""The ledger's property: every total, at every level, is the exact sum over distinct (tenant, id).

Reports are duplicated, corrected across minutes and months, fuller or poorer, re-priced, split into blocks in any
order, redelivered under the same token or another, merged and rolled up at any moment; a plain dictionary is the
judge.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import spend, totals
from tests.examples import few

LATER = datetime(2040, 1, 1, tzinfo=UTC)
"""A `now` by which every period of these tests has closed and been quiet."""

# The last seconds of a minute, an hour, a day, a month, a year, and moments around them.
TIMES = [
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 30, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 1, 0, 5, tzinfo=UTC),
    datetime(2026, 2, 28, 12, 0, 40, tzinfo=UTC),
    datetime(2026, 2, 28, 12, 0, 41, tzinfo=UTC),
]


@dataclass(frozen=True)
class Report:
    tenant: str
    call: str
    time: datetime
    version: int

    @property
    def line(self) -> bytes:
        priced = self.version % 3
        body: dict[str, Any] = {
            "id": self.call,
            "source": "test",
            "tenant": self.tenant,
            "time": self.time.isoformat().replace("+00:00", "Z"),
            "vendor": "openai",
            # The rest follows from the version: reports of one version are one report.
            "model": f"model-{self.version % 2}",
            "team": f"team-{self.version % 4}",
            "input_tokens": self.tokens,
            "metered_at": "2026-03-01T00:00:00Z",
            "version": self.version,
        }
        if priced:
            body |= {"cost": str(self.cost), "list_cost": str(self.cost), "price_status": "list"}
        if self.version % 5:
            body["duration_ms"] = float(self.version)
        return json.dumps(body).encode()

    @property
    def tokens(self) -> int:
        return self.version * 7 + len(self.call)

    @property
    def cost(self) -> Decimal | None:
        return Decimal(self.version * 1_000_003).scaleb(-12) if self.version % 3 else None

    @property
    def rank(self) -> tuple[int, datetime]:
        return self.version, self.time.replace(second=0, microsecond=0)


class Judge:
    """What a ledger must hold, kept in a dictionary."""

    def __init__(self) -> None:
        self.best: dict[tuple[str, str], Report] = {}

    def take(self, reports: Iterable[Report]) -> None:
        for report in reports:
            key = (report.tenant, report.call)
            if key not in self.best or report.rank > self.best[key].rank:
                self.best[key] = report

    def by(self, period: str, since: datetime | None = None, until: datetime | None = None) -> dict[Any, Any]:
        groups: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, Decimal(0)])
        for report in self.best.values():
            if (since and report.time < since) or (until and report.time >= until):
                continue
            start = report.time.replace(second=0, microsecond=0)
            if period in ("hour", "day"):
                start = start.replace(minute=0)
            if period == "day":
                start = start.replace(hour=0)
            group = groups[
                (report.tenant, start, f"team-{report.version % 4}", f"model-{report.version % 2}")
            ]
            group[0] += 1
            group[1] += report.cost is None
            group[2] += report.tokens
            group[3] += report.cost or 0
        return {key: tuple(values) for key, values in groups.items()}


def held(client: LedgerClient, period: str) -> dict[Any, Any]:
    """What the ledger holds, in the judge's form."""
    rows = client.query(
        f"SELECT tenant, toUnixTimestamp({period}), team, model, sum(calls), sum(unpriced_calls), "
        f"sum(input_tokens), ifNull(sum(u.cost), 0) FROM usage_by_{period} AS u "
        f"GROUP BY tenant, {period}, team, model"
    )
    return {
        (tenant, datetime.fromtimestamp(start, UTC), team, model): tuple(values)
        for tenant, start, team, model, *values in rows
    }


def held_by_call(client: LedgerClient) -> dict[tuple[str, str], tuple[Any, ...]]:
    rows = client.query(
        "SELECT tenant, id, toUnixTimestamp64Micro(time), version, input_tokens, u.cost FROM usage AS u"
    )
    assert len({row[:2] for row in rows}) == len(rows), "a call is counted twice"
    return {(tenant, call): tuple(values) for tenant, call, *values in rows}


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def assert_exact(client: LedgerClient, judge: Judge) -> None:
    assert held_by_call(client) == {
        key: (micros(report.time), report.version, report.tokens, report.cost)
        for key, report in judge.best.items()
    }
    for period in ("minute", "hour", "day"):
        assert held(client, period) == judge.by(period), period
    # A bound in the middle of a minute cuts exactly there, although the engine stores minutes together.
    since, until = TIMES[1] + timedelta(seconds=1), TIMES[-1]
    expected = judge.by("day", since, until).values()
    row = spend(client, since=since, until=until)[0]
    assert row["calls"] == sum(group[0] for group in expected)
    assert (row["cost"] or 0) == sum(group[3] for group in expected)


def write(ledger: ClickHouseLedger, reports: Iterable[Report], token: str) -> None:
    ledger.write_events(b"\n".join(report.line for report in reports), token)


reports = st.builds(
    Report,
    st.sampled_from(["acme", "globex"]),
    st.sampled_from(["a", "b", "c", "openai:ä"]),
    st.sampled_from(TIMES),
    st.integers(0, 12),
)


def one_report_a_version(block: list[Report], seen: dict[Any, Report]) -> list[Report]:
    """Reports of one call, place and version are the same report."""
    return [seen.setdefault((report.tenant, report.call, report.rank), report) for report in block]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(reports, min_size=1, max_size=8)),
        st.tuples(st.just("redeliver"), st.integers(0, 20)),
        st.tuples(st.just("redeliver under another token"), st.integers(0, 20)),
        st.tuples(st.just("keep"), st.none()),
        st.tuples(st.just("merge"), st.none()),
        st.tuples(st.just("look"), st.none()),
    ),
    min_size=2,
    max_size=9,
)


@settings(
    max_examples=few(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps)
def test_every_total_is_exact_whatever_happens(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, story: list[tuple[str, Any]]
) -> None:
    for table in (
        "events",
        "claims",
        "arrivals",
        "minutes",
        "hours",
        "days",
        "rolls",
        *(f"rollup_{p}" for p in ("minute", "hour", "day")),
    ):
        ledger_client.command(f"TRUNCATE TABLE {table}")
    judge, blocks, seen = Judge(), [], {}
    run = f"{id(story)}-{len(story)}-{hash(str(story))}"
    keeps = 0
    for number, (action, detail) in enumerate(story):
        if action == "write":
            block = one_report_a_version(detail, seen)
            blocks.append((block, f"{run}-{number}"))
            write(ledger, block, blocks[-1][1])
            judge.take(block)
        elif action.startswith("redeliver") and blocks:
            block, token = blocks[detail % len(blocks)]
            write(ledger, block, token if action == "redeliver" else f"{token}-again-{number}")
        elif action == "keep":
            keeps += 1
            ClickHouseLedger(ledger_client).keep(LATER + timedelta(hours=keeps))
        elif action == "merge":
            for table in (
                "events",
                "claims",
                "minutes",
                "hours",
                "days",
                "rollup_minute",
                "rollup_hour",
                "rollup_day",
            ):
                ledger_client.command(f"OPTIMIZE TABLE {table} FINAL")
        else:
            assert_exact(ledger_client, judge)
    assert_exact(ledger_client, judge)
    ClickHouseLedger(ledger_client).keep(LATER + timedelta(days=1))
    assert_exact(ledger_client, judge)


def test_a_correction_moves_a_call_out_of_its_rolled_minute(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    judge = Judge()
    first = [Report("acme", "a", TIMES[0], 4), Report("acme", "b", TIMES[0], 5)]
    corrected = [Report("acme", "a", TIMES[-1], 7)]
    fuller_at_first_place = [Report("acme", "a", TIMES[0], 8)]
    for number, block in enumerate((first, corrected, fuller_at_first_place)):
        write(ledger, block, f"block-{number}")
        judge.take(block)
        assert_exact(ledger_client, judge)
        ClickHouseLedger(ledger_client).keep(LATER + timedelta(days=number))
        assert_exact(ledger_client, judge)
    for period in ("minute", "hour", "day"):
        assert ledger_client.query(f"SELECT count() FROM {period}_state WHERE sealed_marks < marks") == [(0,)]


def test_a_poorer_report_that_comes_later_changes_nothing(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    write(ledger, [Report("acme", "a", TIMES[0], 8)], "full")
    before = held_by_call(ledger_client)
    write(ledger, [Report("acme", "a", TIMES[2], 3)], "poor, elsewhere")
    write(ledger, [Report("acme", "a", TIMES[0], 3)], "poor, same place")
    assert held_by_call(ledger_client) == before


def test_two_sinks_that_write_at_once_agree(ledger_client: LedgerClient) -> None:
    sinks = [ClickHouseLedger(ledger_client), ClickHouseLedger(ledger_client)]
    judge = Judge()
    blocks = [
        [
            Report("acme", f"call-{call}", TIMES[(call + sink + turn) % len(TIMES)], 1 + 2 * turn + sink)
            for call in range(40)
        ]
        for turn in range(6)
        for sink in range(2)
    ]
    for block in blocks:
        judge.take(block)
    with ThreadPoolExecutor(3) as pool:
        writes = [
            pool.submit(write, sinks[number % 2], block, f"b{number}") for number, block in enumerate(blocks)
        ]
        keeps = [pool.submit(sink.keep, LATER + timedelta(days=day)) for day, sink in enumerate(sinks * 2)]
        for future in [*writes, *keeps]:
            future.result()
    assert_exact(ledger_client, judge)
    for number in range(3):
        sinks[0].keep(LATER + timedelta(days=100 + number))
    assert_exact(ledger_client, judge)


def test_a_block_that_was_stored_and_not_settled_is_settled_when_it_comes_again(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ledger, [Report("acme", "a", TIMES[0], 4)], "first")
    moved = [Report("acme", "a", TIMES[-1], 7)]
    with monkeypatch.context() as patch:
        # The process dies here: the rows are in, nothing is settled, no offset is committed.
        patch.setattr(ledger._settler, "settle", lambda token: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write(ledger, moved, "second")
    assert ledger_client.query("SELECT count() FROM usage") == [(2,)]
    write(ClickHouseLedger(ledger_client), moved, "second")
    judge = Judge()
    judge.take([Report("acme", "a", TIMES[0], 4), *moved])
    assert_exact(ledger_client, judge)


def test_what_a_crash_kept_from_being_marked_is_marked_at_redelivery(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    """The rows are in and the process dies before the dependent tables have theirs."""
    write(ledger, [Report("acme", "a", TIMES[0], 4)], "first")
    ClickHouseLedger(ledger_client).keep(LATER)
    views = [
        "claims_of_events",
        "arrivals_of_events",
        *(f"{period}s_of_events" for period in ("minute", "hour", "day")),
    ]
    for view in views:
        ledger_client.command(f"DETACH TABLE {view}")
    moved = [Report("acme", "a", TIMES[1], 7), Report("acme", "b", TIMES[0], 7)]
    write(ledger, moved, "second")
    for view in views:
        ledger_client.command(f"ATTACH TABLE {view}")
    write(ledger, moved, "second")
    judge = Judge()
    judge.take(moved)
    assert_exact(ledger_client, judge)


def test_large_blocks_are_settled_exactly(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> None:
    """More calls than one statement settles, and enough claims that the large-part search is used."""
    ledger_client.command(
        "INSERT INTO claims SELECT sipHash64('elsewhere', number), toDateTime(1767225600 + number, 'UTC') "
        "FROM numbers(700000) SETTINGS max_insert_block_size = 1000000, min_insert_block_size_rows = 1000000"
    )
    first = [Report("acme", f"call-{number}", TIMES[number % 3], 4) for number in range(9_000)]
    second = [
        Report("acme", f"call-{number}", TIMES[3 + number % 4], 5 if number % 2 else 2)
        for number in range(9_000)
    ]
    judge = Judge()
    for token, block in (("first", first), ("second", second)):
        write(ledger, block, token)
        judge.take(block)
        ledger_client.command("OPTIMIZE TABLE claims FINAL")
    assert_exact(ledger_client, judge)
    assert totals(ledger_client)["calls"] == 9_000


def test_readers_see_every_finished_block_while_others_write_and_roll(ledger_client: LedgerClient) -> None:
    """At any moment a view holds all blocks whose write has returned, and none twice, in the midst of rolls."""
    writer, keeper = ClickHouseLedger(ledger_client), ClickHouseLedger(ledger_client)
    blocks = [
        [Report("acme", f"{number}-{line}", TIMES[(number + line) % len(TIMES)], 4) for line in range(50)]
        for number in range(25)
    ]
    begun, finished, done = 0, 0, False

    def write_all() -> None:
        nonlocal begun, finished, done
        try:
            for number, block in enumerate(blocks):
                begun += len(block)
                write(writer, block, f"block-{number}")
                finished += len(block)
        finally:
            done = True

    def keep_on() -> None:
        turn = 0
        while not done:
            turn += 1
            keeper.keep(LATER + timedelta(days=turn))

    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(write_all), pool.submit(keep_on)]
        while not done:
            for view in ("usage_by_minute", "usage_by_hour", "usage_by_day"):
                at_least = finished
                ((seen,),) = ledger_client.query(f"SELECT sum(calls) FROM {view}")
                assert at_least <= seen <= begun, view
        for future in work:
            future.result()
    for view in ("usage_by_minute", "usage_by_hour", "usage_by_day"):
        assert ledger_client.query(f"SELECT sum(calls) FROM {view}") == [(25 * 50,)]
