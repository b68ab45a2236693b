"""The ledger's tables hold what the metered event holds, and migrations can be run by anyone at any time."""

import re
import types
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import AwareDatetime, SecretStr
from syrupy.assertion import SnapshotAssertion

from sinks.clickhouse import LedgerClient, connect, migrate
from sinks.clickhouse.columns import ROLLUP_DIMENSIONS
from sinks.clickhouse.migrate import MIGRATIONS, rendered
from tokenweir.errors import TokenweirError
from tokenweir.settings import ClickHouseSettings
from tokenweir.usage import MeteredEvent, Rejection
from tokenweir.usage.event import TOKEN_FIELDS

_OWN_COLUMNS = {"is_deleted", "rank", "block"}


def columns(client: LedgerClient, table: str) -> dict[str, str]:
    rows = client.query(
        "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}",
        {"database": client.database, "table": table},
    )
    return dict(rows)


def acceptable_types(annotation: Any) -> set[str]:
    """The column types that hold every value of a model's field exactly."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (types.UnionType, Union):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return {f"Nullable({name})" for name in acceptable_types(inner)}
    if hasattr(annotation, "__metadata__"):
        return acceptable_types(annotation.__origin__)
    if origin is Literal or annotation is str:
        return {"String", "LowCardinality(String)"}
    if origin is dict:
        return {
            f"Map(String, {value})" for value in acceptable_types(arguments[1]) - {"LowCardinality(String)"}
        }
    return {
        int: {"UInt64", "UInt16", "Int64", "Int32"},
        float: {"Float64"},
        bool: {"Bool"},
        Decimal: {"Decimal(38, 12)"},
        datetime: {"DateTime64(6, 'UTC')"},
        AwareDatetime: {"DateTime64(6, 'UTC')"},
    }[annotation]


@pytest.mark.parametrize(
    ("table", "model", "own"), [("events", MeteredEvent, _OWN_COLUMNS), ("rejected", Rejection, set())]
)
def test_a_table_has_the_columns_of_its_model(
    ledger_client: LedgerClient, table: str, model: Any, own: set[str]
) -> None:
    found = columns(ledger_client, table)
    assert set(found) == set(model.model_fields) | own
    for name, field in model.model_fields.items():
        expected = acceptable_types(field.annotation)
        assert found[name] in expected, f"{table}.{name} is {found[name]}, its field wants one of {expected}"


def test_defaults_of_omitted_fields_are_the_models_own(ledger_client: LedgerClient) -> None:
    """The meter leaves out what is at its default, so a column left out has to come to the same."""
    event = MeteredEvent.model_validate_json(
        '{"id": "a", "source": "s", "time": "2026-01-01T00:00:00.000001Z", "vendor": "v", "model": "m", '
        '"metered_at": "2026-01-01T00:00:00Z", "version": 1}',
        strict=False,
    )
    line = event.model_dump_json(exclude_defaults=True).encode()
    ledger_client.insert_lines(
        "events",
        list(MeteredEvent.model_fields),
        line,
        {"async_insert": 0, "date_time_input_format": "best_effort", "insert_deduplication_token": "t"},
        doing="testing",
    )
    names, rows = ledger_client.query_with_names(f"SELECT {', '.join(MeteredEvent.model_fields)} FROM usage")
    stored = dict(zip(names, rows[0], strict=True))
    for name, value in event.model_dump().items():
        if not isinstance(value, datetime):
            assert stored[name] == value, name
    assert stored["time"].microsecond == 1


def test_the_usage_view_is_the_metered_event_and_nothing_else(ledger_client: LedgerClient) -> None:
    assert list(columns(ledger_client, "usage")) == list(MeteredEvent.model_fields)


def test_rollups_know_every_dimension_and_token_count(ledger_client: LedgerClient) -> None:
    token_fields = [name for name in MeteredEvent.model_fields if name.endswith("_tokens")]
    assert set(token_fields) == set(TOKEN_FIELDS)
    for period in ("minute", "hour", "day"):
        assert {"tenant", period, *ROLLUP_DIMENSIONS, *TOKEN_FIELDS} <= set(
            columns(ledger_client, f"rollup_{period}")
        )
        assert {"tenant", period, *ROLLUP_DIMENSIONS, *TOKEN_FIELDS} <= set(
            columns(ledger_client, f"usage_by_{period}")
        )


def test_the_schema_on_one_server(snapshot: SnapshotAssertion) -> None:
    assert rendered(ClickHouseSettings()) == snapshot


def test_the_schema_on_a_cluster(snapshot: SnapshotAssertion) -> None:
    """No cluster runs here: this holds the text, not the behaviour."""
    scripts = rendered(ClickHouseSettings(cluster="main", database="spend"))
    assert scripts == snapshot
    for name, script in scripts.items():
        for statement in re.findall(r"^CREATE [^;]*", script, flags=re.MULTILINE):
            assert "ON CLUSTER 'main'" in statement, name
            engine = re.search(r"^ENGINE = (\w+)", statement, flags=re.MULTILINE)
            assert engine is None or engine[1].startswith(("Replicated", "Distributed")), statement


@pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("*.sql")), ids=lambda path: path.name)
def test_every_migration_justifies_its_order(path: Path) -> None:
    script = path.read_text()
    tables = script.count("CREATE TABLE")
    comments = " ".join(line for line in script.splitlines() if line.startswith("--"))
    assert "ORDER BY" in comments
    assert comments.count("ORDER BY") >= min(tables, 1)


def test_migrating_again_does_nothing(
    ledger_client: LedgerClient, ledger_settings: ClickHouseSettings
) -> None:
    assert migrate(ledger_client, ledger_settings) == []


def test_migrating_at_once_ends_at_the_same_schema(new_settings: ClickHouseSettings) -> None:
    with connect(new_settings) as client, ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(migrate, client, new_settings) for _ in range(3)]
        applied = [run.result() for run in runs]
        try:
            assert any(applied)
            assert migrate(client, new_settings) == []
            assert list(columns(client, "usage")) == list(MeteredEvent.model_fields)
        finally:
            client.command(f"DROP DATABASE {new_settings.database} SYNC", in_database=False)


def test_a_ledger_of_another_version_is_refused(new_settings: ClickHouseSettings) -> None:
    with connect(new_settings) as client:
        migrate(client, new_settings)
        client.command("INSERT INTO schema_versions (version, md5, script) VALUES (999, 'x', 'SELECT 1')")
        with pytest.raises(TokenweirError, match="another version of Tokenweir"):
            migrate(client, new_settings)
        client.command(f"DROP DATABASE {new_settings.database} SYNC", in_database=False)


def test_a_database_name_cannot_carry_sql() -> None:
    with pytest.raises(ValueError, match="database"):
        ClickHouseSettings(dsn=SecretStr("chdb:///nowhere"), database="x; DROP TABLE y")
