"""Both sides out of the ledger's tables: by the vendor's days, tenant and vendor, with what a day said before."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import SecretStr

from sinks.clickhouse import ClickHouseLedger, LedgerClient, connect, migrate
from sinks.reconciliation import Facts, reconcile
from sinks.reconciliation.query import fetch_facts
from tokenweir.bills import Scope, snapshot_of
from tokenweir.bills.line import bill_line
from tokenweir.bills.wire import encode_bill
from tokenweir.settings import ClickHouseSettings
from tokenweir.usage import MeteredEvent

_SINCE, _UNTIL = date(2026, 10, 1), date(2026, 10, 10)


def event(number: int, hour: int, vendor: str, tenant: str = "default", day: int = 2) -> bytes:
    at = datetime(2026, 10, day, hour, 30, tzinfo=UTC)
    return (
        MeteredEvent(
            id=f"{vendor}:{number}",
            source="test",
            time=at,
            tenant=tenant,
            vendor=vendor,
            model="qwen-plus",
            api_key="checkout",
            input_tokens=100,
            output_tokens=10,
            cost=Decimal("0.5"),
            metered_at=at,
            version=number,
        )
        .model_dump_json(exclude_defaults=True)
        .encode()
    )


def bill(day: int, amount: str, hour: int, tenant: str = "default", offset: int = 480) -> bytes:
    scope = Scope(tenant, "alibaba", "main", "trend", date(2026, 10, day), offset)
    line = bill_line(
        period_start=scope.start,
        period_end=scope.end,
        model="qwen-plus",
        amount=Decimal(amount),
        amount_usd=Decimal(amount),
    )
    rows = snapshot_of(scope, [line], recorded_at=datetime(2026, 10, 9, hour, tzinfo=UTC))
    return b"\n".join(map(encode_bill, rows))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerClient]:
    settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{tmp_path_factory.mktemp('both')}"))
    with connect(settings) as opened:
        migrate(opened, settings)
        ledger = ClickHouseLedger(opened)
        events = [
            event(1, 3, "alibaba"),
            event(2, 15, "alibaba"),
            event(3, 16, "alibaba"),  # past midnight in Beijing
            event(4, 17, "alibaba", day=9),  # the 10th there, which is not asked for
            event(5, 3, "alibaba", tenant="acme"),
            event(6, 3, "moonshot"),
        ]
        ledger.write_events(b"\n".join(events), "events")
        for number, lines in enumerate(
            (bill(2, "0.7", 1), bill(2, "1.0", 2), bill(3, "0.5", 1), bill(2, "9", 1, tenant="acme"))
        ):
            ledger.write_bills(lines, f"bills-{number}")
        yield opened


def facts(client: LedgerClient, **options: str) -> dict[tuple[str, str], Facts]:
    found = fetch_facts(client, since=_SINCE, until=_UNTIL, **options)
    return {(one.tenant, one.vendor): one for one in found}


def test_the_ledger_is_added_up_by_the_vendors_days(client: LedgerClient) -> None:
    one = facts(client)["default", "alibaba"]
    assert [(entry.day.day, entry.measures.requests, entry.measures.cost) for entry in one.ledger] == [
        (2, 2, Decimal("1.0")),
        (3, 1, Decimal("0.5")),
    ]
    assert [(line.day.day, line.measures.cost) for line in one.bills] == [
        (2, Decimal(1)),
        (3, Decimal("0.5")),
    ]
    outcome = reconcile(one, today=_UNTIL, by=("day", "model"))
    assert outcome.cost_coverage == 1
    assert [finding.reason for finding in outcome.findings] == ["restated_day"]
    assert outcome.findings[0].evidence["ledger_agrees_with"] == "now"
    assert outcome.findings[0].evidence["amount_before_usd"] == Decimal("0.7")


def test_tenants_and_vendors_are_kept_apart(client: LedgerClient) -> None:
    found = facts(client)
    assert {*found} == {("default", "alibaba"), ("acme", "alibaba"), ("default", "moonshot")}
    assert not reconcile(found["default", "moonshot"], today=_UNTIL).has_bills
    assert reconcile(found["acme", "alibaba"], today=_UNTIL).cost_coverage == Decimal("0.0556")
    assert {*facts(client, vendor="moonshot")} == {("default", "moonshot")}
    assert {*facts(client, tenant="acme")} == {("acme", "alibaba")}
    assert facts(client, vendor="nobody'; DROP TABLE events") == {}
