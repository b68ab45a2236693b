"""A ledger of its own for each test, on the embedded engine and on a server: one store a module, emptied for each test.

A process can hold one chDB directory at a time, so a module closes its own before the next one opens another.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sinks.clickhouse import ClickHouseLedger, LedgerClient, connect, migrate
from tests.clickhouse.process import clickhouse_server
from tokenweir.local.broker import free_port
from tokenweir.settings import ClickHouseSettings

_SERVER_DSN = os.environ.get("TOKENWEIR_TEST_CLICKHOUSE_DSN", "")
"""A ClickHouse server of the reader's own, in place of the one that tests start."""


@pytest.fixture(scope="module", params=["chdb", "server"])
def ledger_dsn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a store that this module may use as it likes."""
    if request.param == "server" and _SERVER_DSN:
        yield _SERVER_DSN
        return
    directory: Path = tmp_path_factory.mktemp("chdb")
    if request.param == "server":
        port = free_port()
        with clickhouse_server(directory / "data", port):
            yield f"clickhouse://127.0.0.1:{port}"
        return
    dsn = f"chdb://{directory}"
    # Held open, so that the engine does not stop and start between tests.
    with connect(ClickHouseSettings(dsn=SecretStr(dsn))):
        yield dsn


@pytest.fixture
def new_settings(ledger_dsn: str) -> ClickHouseSettings:
    """Those of a database that is not there yet."""
    return _database_of(ledger_dsn)


@pytest.fixture(scope="module")
def ledger_settings(ledger_dsn: str) -> Iterator[ClickHouseSettings]:
    """Those of a migrated ledger, which a module's tests have one after the other: the schema takes half a second."""
    settings = _database_of(ledger_dsn)
    with connect(settings) as client:
        migrate(client, settings)
        yield settings
        client.command(f"DROP DATABASE {settings.database} SYNC", in_database=False)


def _database_of(dsn: str) -> ClickHouseSettings:
    return ClickHouseSettings(dsn=SecretStr(dsn), database=f"ledger_{secrets.token_hex(6)}")


@pytest.fixture
def ledger_client(ledger_settings: ClickHouseSettings) -> Iterator[LedgerClient]:
    """A migrated, empty ledger."""
    with connect(ledger_settings) as client:
        for (table,) in client.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT LIKE '%View' "
            "AND name != 'schema_versions'"
        ):
            client.command(f"TRUNCATE TABLE {table}")
        yield client


@pytest.fixture
def ledger(ledger_client: LedgerClient) -> ClickHouseLedger:
    return ClickHouseLedger(ledger_client)
