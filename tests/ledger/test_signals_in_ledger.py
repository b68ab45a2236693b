"""Signals in the ledger: stored once however often they are delivered, and read as incidents."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.columns import SIGNAL_COLUMNS
from sinks.clickhouse.incidents import incidents, signals
from tests.signals.test_signals import a_signal
from tokenweir.signals import Signal, encode_signal, signal_id

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _lines(*told: Signal) -> bytes:
    return b"\n".join(map(encode_signal, told))


def _story() -> list[Signal]:
    opened = a_signal()
    name = opened.incident
    higher = a_signal(
        id=signal_id(name, 1),
        state="update",
        change="acknowledged",
        acknowledged_by="ana",
        muted_until=NOON + timedelta(hours=9),
        observed_at=NOON + timedelta(minutes=20),
    )
    resolved = a_signal(
        id=signal_id(name, 10),
        state="resolved",
        impact_usd_per_day=None,
        observed_at=NOON + timedelta(hours=1),
    )
    return [opened, higher, resolved]


def test_what_is_stored_is_what_was_said(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> None:
    told = _story()
    ledger.write_signals(_lines(*told), "a")
    ledger.write_signals(_lines(told[1]), "b")
    rows = signals(ledger_client)
    assert [row["id"] for row in rows] == [signal.id for signal in told]
    for row, signal in zip(rows, told, strict=True):
        assert tuple(row) == SIGNAL_COLUMNS
        stated = signal.model_dump()
        stated["contributors"] = signal.model_dump(mode="json")["contributors"]
        assert row == stated
    assert signals(ledger_client, since=NOON + timedelta(minutes=20, microseconds=1)) == rows[2:]


def test_an_incident_is_as_its_last_signal_left_it(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    opened, higher, resolved = _story()
    ledger.write_signals(_lines(opened, higher), "a")
    (row,) = incidents(ledger_client, is_open=True)
    assert (row["state"], row["acknowledged_by"], row["signals"]) == ("update", "ana", 2)
    assert row["impact_usd_per_day"] == Decimal("990.000000000001")
    assert row["muted_until"] == NOON + timedelta(hours=9)
    assert (row["opened_at"], row["observed_at"]) == (opened.observed_at, higher.observed_at)
    assert row["resolved_at"] is None
    assert row["contributors"][0]["component"] == "calls"
    ledger.write_signals(_lines(resolved), "b")
    assert incidents(ledger_client, is_open=True) == []
    (row,) = incidents(ledger_client, kinds=["cost_spike"], fingerprint=opened.fingerprint)
    assert (row["state"], row["resolved_at"]) == ("resolved", resolved.observed_at)
    assert row["impact_usd_per_day"] is None
    assert row["muted_until"] is None
    assert incidents(ledger_client, kinds=["budget"]) == []
    assert incidents(ledger_client, since=NOON + timedelta(days=1)) == []


def test_an_incident_that_has_moved_is_where_it_was_last_told(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    model = {"tenant": "acme", "vendor": "openai", "model": "gpt-5.4"}
    vendor = {"tenant": "acme", "vendor": "openai"}
    opened = a_signal(kind="latency", subject="ttft", scope=model)
    moved = a_signal(
        id=signal_id(opened.incident, 1),
        kind="latency",
        state="update",
        change="scope",
        subject="duration",
        scope=vendor,
    )
    ledger.write_signals(_lines(moved), "a")
    ledger.write_signals(_lines(opened), "b")
    (row,) = incidents(ledger_client, is_open=True)
    assert (row["scope"], row["subject"], row["signals"]) == (vendor, "duration", 2)


def test_an_event_that_is_opened_and_over_at_one_moment_is_over(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    opened = a_signal()
    over = a_signal(id=signal_id(opened.incident, 1), state="resolved")
    ledger.write_signals(_lines(over, opened), "a")
    assert incidents(ledger_client, is_open=True) == []
    assert [row["state"] for row in incidents(ledger_client)] == ["resolved"]
