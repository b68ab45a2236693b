"""Calls without a price get theirs when it becomes known, without anyone asking."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from producers.delivery.batching import Workload
from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import spend
from tokenweir.errors import StoreUnavailable
from tokenweir.local.price_following import PriceFollower, follow_prices, price_files
from tokenweir.pricing import PriceBook
from tokenweir.pricing.overlay import read_overlay_file
from tokenweir.pricing.repricing_report import RepricingReport

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FILE = """\
name = "acme"
recorded_at = 2026-03-01
[[price]]
vendor = "v"
models = ["{model}"]
currency = "USD"
input = "2"
source = "contract"
"""


class Sink:
    """A sink that stores at once."""

    def __init__(self, ledger: ClickHouseLedger) -> None:
        self._ledger = ledger
        self.blocks = 0

    def send(self, lines: Sequence[tuple[Workload, bytes]]) -> None:
        self.blocks += 1
        self._ledger.write_events(b"\n".join(line for _, line in lines), f"sent-{self.blocks}")

    def wait_until_stored(self) -> None:
        return


def unpriced(call: int, model: str, time: datetime) -> bytes:
    return (
        b'{"id":"call-%d","source":"test","time":"%b","vendor":"v","model":"%b","input_tokens":1000,'
        b'"metered_at":"%b","version":4096,"unpriced_reason":"the book was not read again"}'
        % (call, f"{time:%Y-%m-%dT%H:%M:%SZ}".encode(), model.encode(), f"{time:%Y-%m-%dT%H:%M:%SZ}".encode())
    )


def test_a_price_is_taken_in_when_its_file_changes(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, tmp_path: Path
) -> None:
    overlay, loads = tmp_path / "acme.toml", []

    def load() -> PriceBook:
        loads.append(1)
        if not overlay.exists():
            return PriceBook([])
        return PriceBook([], contracts=read_overlay_file(overlay).contracts)

    follower = PriceFollower(load, lambda: price_files(overlay, tmp_path / "updates"))
    sink = Sink(ledger)

    def changed(now: datetime = NOW) -> int:
        return follower.turn(ledger_client, sink, now).total.newly_priced_calls

    assert (changed(), loads) == (0, [])  # nothing without a price: no book is needed
    old, new = NOW - timedelta(days=5), NOW - timedelta(hours=1)
    ledger.write_events(
        b"\n".join([unpriced(1, "a", old), unpriced(2, "a", new), unpriced(3, "b", old)]), "1"
    )
    changed()
    assert len(loads) == 1
    overlay.write_text(FILE.format(model="a"), encoding="utf-8")
    assert changed() == 2
    assert len(loads) == 2
    # The file is the same, so that only calls of the last days are looked at, as by a meter that has not read it.
    ledger.write_events(b"\n".join([unpriced(4, "a", old), unpriced(5, "a", new)]), "2")
    assert changed() == 1
    overlay.write_text(FILE.format(model="a") + "\n", encoding="utf-8")
    assert changed() == 1
    overlay.write_text(FILE.format(model="b"), encoding="utf-8")
    assert changed() == 1
    assert len(loads) == 4
    (row,) = spend(ledger_client)
    assert (row["unpriced_calls"], row["cost"]) == (0, 5 * Decimal("0.002"))
    (billed,) = spend(ledger_client, prices="billed")
    assert (billed["unpriced_calls"], billed["cost"]) == (5, None)


def test_what_keeps_a_turn_from_ending_well_is_said_and_tried_again(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.write_events(unpriced(1, "a", NOW), "1")
    stopped, reports = threading.Event(), list[RepricingReport]()
    attempts: list[int] = []

    def load() -> PriceBook:
        attempts.append(1)
        if len(attempts) == 1:
            raise StoreUnavailable("the disk is away")
        return PriceBook([])

    def tell(report: RepricingReport) -> None:
        reports.append(report)
        stopped.set()

    follow_prices(
        PriceFollower(load, list),
        ledger_client,
        Sink(ledger),
        clock=lambda: NOW,
        stopped=stopped,
        tell=tell,
        every_seconds=0.01,
    )
    assert (len(attempts), len(reports)) == (2, 1)
    assert "looked at again later: the disk is away" in caplog.text
