"""What was billed is kept when a call is priced anew: in the views, at every level, and in ledgers from before."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sinks.clickhouse import ClickHouseLedger, LedgerClient, connect, migrate
from sinks.clickhouse.calls import read_calls
from sinks.clickhouse.columns import EVENT_COLUMNS
from sinks.clickhouse.migrate import MIGRATIONS
from tokenweir.settings import ClickHouseSettings
from tokenweir.usage.metered import REPRICING_FIELDS

DAY = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AFTER = DAY + timedelta(days=9_000)


def line(number: int, cost: str | None, **fields: Any) -> bytes:
    body: dict[str, Any] = {
        "id": f"call-{number}",
        "source": "test",
        "time": (DAY + timedelta(hours=number)).isoformat().replace("+00:00", "Z"),
        "vendor": "openai",
        "model": "gpt-5-mini",
        "metered_at": "2026-03-02T00:00:00Z",
        "version": 1,
    }
    if cost is not None:
        body |= {"cost": cost, "list_cost": cost, "price_id": "first", "price_status": "list"}
    return json.dumps(body | fields).encode()


FIRST = [line(1, "1.5"), line(2, None), line(3, "0.000000000001"), line(30, "2")]
ANEW = [
    line(
        1, "0.5", version=2, price_id="second", repriced_at="2026-03-03T00:00:00Z",
        billed_cost="1.5", billed_list_cost="1.5", billed_price_id="first",
    ),
    line(2, "7", version=2, price_id="second", repriced_at="2026-03-03T00:00:00Z"),
    line(
        3, None, version=2, repriced_at="2026-03-03T00:00:00Z",
        billed_cost="0.000000000001", billed_list_cost="0.000000000001", billed_price_id="first",
    ),
]  # fmt: skip
BILLED = (Decimal("3.500000000001"), Decimal("3.500000000001"), 1)


def sums(client: LedgerClient, view: str) -> tuple[Any, ...]:
    unpriced = "countIf(isNull(u.cost)), countIf(isNull(u.billed_cost))"
    if view != "usage":
        unpriced = "sum(u.unpriced_calls), sum(u.billed_unpriced_calls)"
    (row,) = client.query(
        f"SELECT sum(u.cost), sum(u.billed_cost), sum(u.billed_list_cost), {unpriced} FROM {view} AS u"
    )
    return row[0], row[3], (row[1], row[2], row[4])


VIEWS = ("usage", "usage_by_minute", "usage_by_hour", "usage_by_day")


@pytest.mark.parametrize("rolled_between", [False, True])
def test_what_was_billed_stays_at_every_level(
    ledger_client: LedgerClient, ledger: ClickHouseLedger, rolled_between: bool
) -> None:
    ledger.write_events(b"\n".join(FIRST), "first")
    if rolled_between:
        ledger.keep(LONG_AFTER)
    for view in VIEWS:
        assert sums(ledger_client, view) == (BILLED[0], 1, BILLED), view
    ledger.write_events(b"\n".join(ANEW), "anew")
    ledger.write_events(b"\n".join(FIRST), "first again")
    for _ in range(2):
        for view in VIEWS:
            assert sums(ledger_client, view) == (Decimal("9.5"), 1, BILLED), view
        ledger.keep(LONG_AFTER)


def test_usage_says_what_was_billed_of_each_call(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    ledger.write_events(b"\n".join([*FIRST, *ANEW]), "block")
    rows = ledger_client.query(
        "SELECT id, isNull(repriced_at), billed_cost, billed_price_id FROM usage ORDER BY time"
    )
    assert rows == [
        ("call-1", 0, Decimal("1.5"), "first"),
        ("call-2", 0, None, ""),
        ("call-3", 0, Decimal("0.000000000001"), "first"),
        ("call-30", 1, Decimal(2), "first"),
    ]
    calls = [call for page in read_calls(ledger_client) for call in page]
    assert [(call.billed_cost, call.billed_price_id) for call in calls] == [row[2:] for row in rows]
    assert [call.repriced_at for call in calls] == [*[DAY + timedelta(days=2)] * 3, None]


def test_a_ledger_from_before_is_brought_up_and_billed_what_it_held(
    new_settings: ClickHouseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, before, ignore=shutil.ignore_patterns("004*"))
    columns = [name for name in EVENT_COLUMNS if name not in REPRICING_FIELDS]
    with connect(new_settings) as client:
        with monkeypatch.context() as patched:
            patched.setattr(import_module("sinks.clickhouse.migrate"), "MIGRATIONS", before)
            migrate(client, new_settings)
        for number, lines in enumerate((FIRST[:3], FIRST[3:])):
            client.insert_lines(
                "events",
                columns,
                b"\n".join(lines),
                {"date_time_input_format": "best_effort", "insert_deduplication_token": str(number)},
                doing="testing",
            )
            if number == 0:
                sealed_before(client)
        assert migrate(client, new_settings)
        for view in VIEWS:
            assert sums(client, view) == (BILLED[0], 1, BILLED), view
        ledger = ClickHouseLedger(client)
        ledger.write_events(b"\n".join(ANEW), "anew")
        for _ in range(2):
            for view in VIEWS:
                assert sums(client, view) == (Decimal("9.5"), 1, BILLED), view
            ledger.keep(LONG_AFTER)
        client.command(f"DROP DATABASE {new_settings.database} SYNC", in_database=False)


def sealed_before(client: LedgerClient) -> None:
    """Rolls of every level as a sink from before wrote them."""
    for period, function in (
        ("minute", "toStartOfMinute"),
        ("hour", "toStartOfHour"),
        ("day", "toStartOfDay"),
    ):
        client.command(
            f"INSERT INTO rollup_{period} (tenant, {period}, roll, is_seal, vendor, model, price_status, calls, "
            "unpriced_calls, cost, list_cost) "
            f"SELECT tenant, {function}(time) AS start, 7, 0, vendor, model, price_status, count(), "
            "countIf(isNull(cost)), sum(cost), sum(list_cost) FROM events FINAL "
            "GROUP BY tenant, start, vendor, model, price_status"
        )
        client.command(
            f"INSERT INTO rollup_{period} (tenant, {period}, roll, is_seal, marks) "
            f"SELECT tenant, {period}, 7, 1, sum(marks) FROM {period}s GROUP BY tenant, {period}"
        )
