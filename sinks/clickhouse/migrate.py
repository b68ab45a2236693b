"""Make the ledger's schema, or bring it up: numbered `.sql` files, applied once each and in order.

The files are templates of one text for one server and for a cluster:

    ${replicated}   '' or 'Replicated', before an engine's name
    ${on_cluster}   '' or "ON CLUSTER 'name'"
    ${local}        '' or '_local', behind the name of a table of which each shard has its part
    ${in}           'IN' or 'GLOBAL IN'

A cluster also gets `migrations/clustered`: a Distributed table over each local one, under the name that views and
sinks use. Every statement is IF NOT EXISTS or OR REPLACE, so that two processes that migrate at the same moment, or one
that was killed halfway, end at the same schema.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clickhouse_migrations.connection import ClickhouseConnectConnection
from clickhouse_migrations.exceptions import MigrationException
from clickhouse_migrations.migration import Migration, MigrationStorage
from clickhouse_migrations.migrator import Migrator
from clickhouse_migrations.substitution import substitute

from sinks.clickhouse.client import LedgerClient
from tokenweir.errors import TokenweirError
from tokenweir.settings import ClickHouseSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_BOOKKEEPING_TABLE: Final = "schema_versions"


def migrate(client: LedgerClient, settings: ClickHouseSettings) -> list[str]:
    """Create the database where it is missing and apply what has not been applied; returns the names applied.

    Raises TokenweirError where the database holds a schema that this version does not know.
    """
    cluster = _quoted_cluster(settings)
    on_cluster = f" ON CLUSTER {cluster}" if cluster else ""
    client.command(
        f"CREATE DATABASE IF NOT EXISTS {settings.database}{on_cluster}",
        in_database=False,
        doing="creating the ledger's database",
    )
    names, migrations = _migrations(settings)
    with client.borrowed("bringing up the ledger's schema") as driver:
        # DDL returns when every host is done, so that the next statement finds what it builds on.
        driver.set_client_setting("distributed_ddl_task_timeout", "180")
        connection = _Connection(driver)
        migrator = Migrator(connection, migrations_table=_BOOKKEEPING_TABLE)
        try:
            migrator.init_schema(settings.cluster or None)
            applied = migrator.apply_migration(
                migrations, multi_statement=True, variables=_variables(settings), sources=names
            )
        except MigrationException as error:
            raise TokenweirError(
                f"The ledger '{settings.database}' cannot be brought up: {error}",
                hint="It was made by another version of Tokenweir; use that version or a new database.",
            ) from error
    return [names[migration.version] for migration in applied]


class _Connection(ClickhouseConnectConnection):
    """Writes the few rows of bookkeeping as JSON: for rows of Python the driver imports pandas, which takes longer."""

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)  # type: ignore[no-untyped-call]
        self._driver = driver

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Adds the rows, which have the same columns."""
        lines = "\n".join(json.dumps(row) for row in rows)
        self._driver.raw_insert(table, list(rows[0]), lines, fmt="JSONEachRow")


def rendered(settings: ClickHouseSettings) -> dict[str, str]:
    """The SQL that `migrate` runs for these settings, by file name."""
    names, migrations = _migrations(settings)
    variables = _variables(settings)
    return {
        names[migration.version]: substitute(migration.script, variables, names[migration.version])
        for migration in migrations
    }


def _migrations(settings: ClickHouseSettings) -> tuple[dict[int, str], list[Migration]]:
    names: dict[int, str] = {}
    migrations: list[Migration] = []
    for directory in (MIGRATIONS, *([MIGRATIONS / "clustered"] if settings.cluster else [])):
        storage = MigrationStorage(directory)
        names.update(storage.migration_filenames())
        migrations.extend(storage.migrations())
    return names, sorted(migrations, key=lambda migration: int(migration.version))


def _variables(settings: ClickHouseSettings) -> "Mapping[str, str]":
    cluster = _quoted_cluster(settings)
    return {
        "replicated": "Replicated" if cluster else "",
        "on_cluster": f"ON CLUSTER {cluster}" if cluster else "",
        "cluster": cluster,
        "database": settings.database,
        "local": "_local" if cluster else "",
        "in": "GLOBAL IN" if cluster else "IN",
    }


def _quoted_cluster(settings: ClickHouseSettings) -> str:
    if not settings.cluster:
        return ""
    escaped = settings.cluster.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
