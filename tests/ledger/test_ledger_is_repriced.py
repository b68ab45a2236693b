"""A ledger whose calls are priced anew while reports are redelivered, corrected, shuffled, and processes are killed.

A plain dictionary is the judge: of each call the best report, priced by the book that was known when it was last
priced, beside what it was billed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from producers.delivery.batching import Workload
from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import spend
from tests.examples import few
from tests.ledger.repriced_calls import (
    LONG_AFTER,
    START,
    Judge,
    Report,
    Sink,
    assert_judged,
    priced_on,
    run,
)
from tokenweir.errors import TokenweirError
from tokenweir.local.repricing import foresee, reprice
from tokenweir.local.repricing_journal import open_journal
from tokenweir.pricing.repricing import RevisionsExhausted
from tokenweir.pricing.repricing_report import RepricingReport
from tokenweir.usage import UsageEvent

reports = st.builds(
    Report, st.integers(0, 6), st.sampled_from([0, 1, 2, 61]), st.booleans(), st.integers(1, 15)
)
steps = st.lists(
    st.tuples(st.just("send"), st.lists(reports, min_size=1, max_size=6))
    | st.tuples(st.just("again"), st.integers(0, 20))
    | st.tuples(st.just("reprice"), st.sampled_from([{}, {"model": "b"}, {"price_status": "unpriced"}]))
    | st.tuples(st.just("roll"), st.none()),
    min_size=3,
    max_size=9,
)


@settings(
    max_examples=few(5),
    deadline=None,
    # A smaller example is worth less here than the minutes that it takes to find.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_whatever_comes_in_whatever_order_the_sums_are_those_of_the_calls(
    ledger_client: LedgerClient, steps: list[tuple[str, Any]]
) -> None:
    for table in ("events", "claims", "arrivals", "minutes", "hours", "days"):
        ledger_client.command(f"TRUNCATE TABLE {table}")
    for table in ("rollup_minute", "rollup_hour", "rollup_day", "rolls"):
        ledger_client.command(f"TRUNCATE TABLE {table}")
    ledger = ClickHouseLedger(ledger_client)
    sink, judge, sent, today = Sink(ledger), Judge(), list[bytes](), 16
    with TemporaryDirectory() as directory:
        for kind, given_ in steps:
            if kind == "send":
                # One report of a call and a day: two of them are one report to the ledger.
                batch = {(each.call, each.full, each.sent_on): each for each in given_}.values()
                fresh = [each for each in batch if not _is_known(judge, each)]
                for each in fresh:
                    judge.take(each)
                if fresh:
                    sent.append(b"\n".join(each.block() for each in fresh))
                    sink.write(sent[-1])
            elif kind == "again" and sent:
                sink.write(sent[given_ % len(sent)])
            elif kind == "roll":
                ledger.keep(LONG_AFTER)
            elif kind == "reprice":
                billed = spend(ledger_client, prices="billed")
                run(ledger_client, sink, Path(directory), today, given_)
                judge.reprice(today, lambda event, where=given_: _meets(judge, event, where))  # type: ignore[misc]
                assert spend(ledger_client, prices="billed") == billed
                lines = sink.lines
                assert run(ledger_client, sink, Path(directory), today, given_).total.changed_calls == 0
                assert sink.lines == lines
            assert_judged(ledger_client, judge)
        ledger.keep(LONG_AFTER)
        assert_judged(ledger_client, judge)


def _is_known(judge: Judge, report: Report) -> bool:
    """Whether another report of the same standing is known, which the engine would tell apart by chance alone."""
    found = judge.calls.get(report.call)
    return found is not None and (found.report.full, found.report.sent_on) == (report.full, report.sent_on)


def _meets(judge: Judge, event: UsageEvent, where: dict[str, str]) -> bool:
    if "price_status" in where:
        return judge.costs[event.tenant, event.id][0] is None
    return where.get("model", event.model) == event.model


CALLS = [Report(number, number % 3, number % 2 == 0, 10) for number in range(20)]


@pytest.fixture
def filled(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> LedgerClient:
    Sink(ledger).write(b"\n".join(each.block() for each in CALLS))
    return ledger_client


def judged(known_on: int) -> Judge:
    judge = Judge()
    for each in CALLS:
        judge.take(each)
    judge.reprice(known_on)
    return judge


class Killed(BaseException):
    """What stands for a kill: nothing of ours catches it."""


class KilledSink(Sink):
    """Dies at a moment that is counted down: before a send, halfway through one, behind one, or before it is noted."""

    def __init__(self, ledger: ClickHouseLedger, moments: int) -> None:
        super().__init__(ledger)
        self.moments = moments

    def _may_die(self) -> None:
        self.moments -= 1
        if self.moments < 0:
            raise Killed

    def send(self, lines: Sequence[tuple[Workload, bytes]]) -> None:
        self._may_die()
        half = len(lines) // 2
        if half:
            super().send(lines[:half])
            self._may_die()
        super().send(lines[half:])
        self._may_die()

    def wait_until_stored(self) -> None:
        self._may_die()


def test_a_job_that_is_killed_anywhere_ends_exactly_and_reports_on_all_of_it(
    filled: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    price, terms = priced_on(12)
    whole = foresee(filled, price, terms, {}, tell=lambda _: None)
    assert whole.total.changed_calls == 14
    deaths, moments = 0, 0
    while True:
        try:
            report = run(filled, KilledSink(ledger, moments), tmp_path, 12, {}, page_calls=5)
        except Killed:
            deaths += 1
            moments = (moments + 1) % 3
            journal = next(tmp_path.glob("*/journal.jsonl"))
            with journal.open("ab") as file:
                file.write(b'{"chunk": 9')
            continue
        break
    assert deaths > 4
    assert report.as_json() == whole.as_json()
    assert_judged(filled, judged(12))
    assert not list(tmp_path.glob("*/chunk-*"))


def test_what_is_sent_again_displaces_nothing_that_came_meanwhile(
    filled: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        run(filled, KilledSink(ledger, 0), tmp_path, 11, {}, page_calls=100)
    sink = Sink(ledger)
    # Another job with newer prices, and a fuller report of a call, come while the first is dead.
    run(filled, sink, tmp_path, 13, {})
    fuller = replace(CALLS[1], full=True, sent_on=14)
    sink.write(fuller.block())
    judge = judged(13)
    judge.take(fuller)
    assert_judged(filled, judge)
    lines = sink.lines
    run(filled, sink, tmp_path, 11, {}, page_calls=100)
    assert sink.lines == lines
    assert_judged(filled, judge)


def test_a_job_that_had_looked_at_nothing_begins_with_what_is_known_by_then(
    filled: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    for number in (11, 13):
        _, terms = priced_on(number)
        with open_journal(tmp_path, {}, terms) as journal:
            assert journal.terms == terms
            assert not journal.is_resumed
    price, terms = priced_on(11)
    with open_journal(tmp_path, {}, terms) as journal, pytest.raises(Killed):
        reprice(filled, KilledSink(ledger, 0), journal, price, {}, tell=lambda _: None)
    with open_journal(tmp_path, {}, priced_on(13)[1]) as journal:
        assert journal.terms == terms
        assert journal.is_resumed


def test_bounds_and_conditions_hold(filled: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path) -> None:
    price, terms = priced_on(13)
    since, until = START + timedelta(seconds=1), START + timedelta(seconds=2)
    terms = replace(terms, since=since, until=until)
    with open_journal(tmp_path, {}, terms) as journal:
        reprice(filled, Sink(ledger), journal, price, {"tenant": "tenant-1"}, tell=lambda _: None)
    judge = judged(10)
    judge.reprice(13, lambda event: since <= event.time < until and event.tenant == "tenant-1")
    assert judge.costs != judged(10).costs
    assert_judged(filled, judge)


def test_a_call_that_was_priced_with_more_is_left_alone(
    filled: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    run(filled, Sink(ledger), tmp_path, 13, {})
    assert run(filled, Sink(ledger), tmp_path, 11, {}).calls == 0
    assert_judged(filled, judged(13))


def test_what_was_decided_and_never_noted_is_forgotten(tmp_path: Path) -> None:
    _, terms = priced_on(11)
    with open_journal(tmp_path, {}, terms) as journal:
        (next(tmp_path.glob("*/journal.jsonl")).parent / "chunk-1.ndjson").write_bytes(b"left by a kill")
        journal.add((START, "t", "c"), RepricingReport(), [])
    with open_journal(tmp_path, {}, terms) as journal:
        assert [chunk.lines.exists() for chunk in journal.waiting] == [False]


def test_one_job_at_a_time(tmp_path: Path) -> None:
    _, terms = priced_on(11)
    with (
        open_journal(tmp_path, {}, terms),
        pytest.raises(TokenweirError, match="Another process is pricing"),
        open_journal(tmp_path, {"other": 1}, terms),
    ):
        raise AssertionError("opened twice")


def test_a_version_that_cannot_count_further_is_said(
    filled: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    line = CALLS[1].block().replace(b'"version":', b'"version":9')
    digits = int(line.rpartition(b'"version":')[2].rstrip(b"}").decode().split(",")[0])
    last = str(digits | 4095).encode()
    Sink(ledger).write(line.replace(str(digits).encode(), last))
    with pytest.raises(RevisionsExhausted, match="call-1 of tenant tenant-1"):
        run(filled, Sink(ledger), tmp_path, 13, {})
