"""Reading calls one by one through the endpoint of a run, as a command does beside `weir up`."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from sinks.clickhouse import ClickHouseLedger, LedgerClient, connect, migrate
from sinks.clickhouse.calls import read_calls
from tokenweir.local.clickhouse_http import clickhouse_http_app
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.settings import ClickHouseSettings

LINES = b"\n".join(
    b'{"id":"call-%d","source":"test","time":"2026-03-01T00:00:00.00000%dZ","vendor":"v","model":"m","tags":{"a":"it\'s"},'
    b'"units":{"images":"%d.000000000001"},"cost":"12345678901234567890.123456789012","metered_at":"2026-03-01T00:00:00Z",'
    b'"version":%d}' % (number, number, number, 2**63 + number)
    for number in range(5)
)


@pytest.fixture
def run_ledger(tmp_path: Path) -> Iterator[LedgerClient]:
    settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{tmp_path}"))
    with connect(settings) as client:
        migrate(client, settings)
        ClickHouseLedger(client).write_events(LINES, "block")
        yield client


async def test_calls_are_read_through_the_endpoint_of_a_run(run_ledger: LedgerClient) -> None:
    ledger = ReadOnlyLedger(run_ledger.directory, database=run_ledger.database)
    runner = web.AppRunner(clickhouse_http_app(ledger))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        dsn = SecretStr(f"clickhouse://127.0.0.1:{runner.addresses[0][1]}")

        def read() -> list[Any]:
            with connect(ClickHouseSettings(dsn=dsn)) as client:
                pages = read_calls(client, where={"source": "test"}, page_calls=2)
                return [call for page in pages for call in page]

        calls = await asyncio.get_running_loop().run_in_executor(None, read)
    finally:
        await runner.cleanup()
        ledger.close()
    assert calls == [call for page in read_calls(run_ledger) for call in page]
    assert [call.units for call in calls] == [
        {"images": number + Decimal("0.000000000001")} for number in range(5)
    ]
    assert [call.version for call in calls] == [2**63 + number for number in range(5)]
    assert {call.cost for call in calls} == {Decimal("12345678901234567890.123456789012")}
    assert calls[3].time == datetime(2026, 3, 1, 0, 0, 0, 3, tzinfo=UTC)
