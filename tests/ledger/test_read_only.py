"""Whatever a person types into a read-only query, the ledger and the machine stay as they are."""

import json
from pathlib import Path

import pytest

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.queries import read_only_query
from sinks.clickhouse.read_only import check_read_only
from tokenweir.errors import WrongCall

LINE = (
    b'{"id":"a","source":"s","time":"2026-01-01T00:00:00Z","vendor":"v","model":"m",'
    b'"metered_at":"2026-01-01T00:00:00Z","version":1}'
)

HOSTILE = [
    "INSERT INTO events (id) VALUES ('x')",
    "INSERT INTO FUNCTION file('{out}', 'CSV') SELECT 1",
    "DROP TABLE events",
    "DROP DATABASE {database}",
    "TRUNCATE TABLE events",
    "ALTER TABLE events DELETE WHERE 1",
    "DELETE FROM events WHERE 1",
    "UPDATE events SET user = 'x' WHERE 1",
    "RENAME TABLE events TO gone",
    "EXCHANGE TABLES events AND claims",
    "DETACH TABLE events",
    "OPTIMIZE TABLE events FINAL",
    "CREATE TABLE x (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE x (a Int8)",
    "CREATE FUNCTION f AS x -> x",
    "SYSTEM STOP MERGES",
    "SYSTEM SHUTDOWN",
    "SET readonly = 0",
    "USE system",
    "KILL QUERY WHERE 1",
    "GRANT ALL ON *.* TO default",
    "BACKUP TABLE events TO Disk('x', 'y')",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO/**/OUTFILE '{out}'",
    "SELECT 1 into outfile '{out}' truncate",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT * FROM usage; DROP TABLE events",
    "SELECT 1;\nINSERT INTO events (id) VALUES ('x')",
    "-- harmless\nDROP TABLE events",
    "/* SELECT */ DROP TABLE events",
    "WITH 1 AS x INSERT INTO events (id) SELECT 'x'",
    "EXPLAIN SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT file('/etc/hostname')",
    "SELECT `file`('/etc/hostname')",
    "SELECT \"file\" ('/etc/hostname')",
    "SELECT FILE /* x */ ('/etc/hostname')",
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'line String')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM sqlite('{out}', 't')",
    "SELECT * FROM python('x')",
    "SELECT * FROM (SELECT * FROM `url`('http://127.0.0.1:1/', 'CSV', 'a String'))",
    "SELECT sleep(3)",
    "",
    ";",
    "-- nothing",
]


@pytest.fixture
def filled(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> LedgerClient:
    ledger.write_events(LINE, "block")
    return ledger_client


def test_hostile_statements_are_refused(filled: LedgerClient, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for template in HOSTILE:
        sql = template.replace("{out}", str(out)).replace("{database}", filled.database)
        with pytest.raises(WrongCall):
            read_only_query(filled, sql)
    assert list(tmp_path.iterdir()) == []
    assert filled.query("SELECT count() FROM usage") == [(1,)]
    assert filled.query("SELECT getSetting('readonly')") == [(0,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count() AS n FROM usage", b'{"n":1}\n'),
        ("select count() as n from usage_by_day -- by day\n;", b'{"n":1}\n'),
        ("WITH x AS (SELECT 1 AS n) SELECT * FROM x", b'{"n":1}\n'),
        ("(SELECT 1 AS n)", b'{"n":1}\n'),
        ("SELECT 'file(1); DROP TABLE events' AS n", b'{"n":"file(1); DROP TABLE events"}\n'),
        ("SELECT count() AS n FROM numbers(3)", b'{"n":3}\n'),
        ("SELECT 1 AS n FORMAT CSV", b"1\n"),
        ("EXISTS TABLE usage", b'{"result":1}\n'),
    ],
)
def test_queries_are_answered(filled: LedgerClient, sql: str, expected: bytes) -> None:
    assert read_only_query(filled, sql, "JSONEachRow") == expected


def test_the_answer_comes_in_the_format_asked_for(filled: LedgerClient) -> None:
    assert json.loads(read_only_query(filled, "SELECT count() AS calls FROM usage"))["data"] == [{"calls": 1}]
    assert read_only_query(filled, "SELECT 1 AS a", "CSVWithNames") == b'"a"\n1\n'
    with pytest.raises(WrongCall, match="no output format"):
        read_only_query(filled, "SELECT 1", "JSON INTO OUTFILE 'x'")


def test_a_mistake_in_a_query_says_what_it_is(filled: LedgerClient) -> None:
    with pytest.raises(WrongCall, match="cost_usd"):
        read_only_query(filled, "SELECT cost_usd FROM usage")
    with pytest.raises(WrongCall, match="ClickHouse cannot answer"):
        read_only_query(filled, "SELECT FROM WHERE")


def test_the_format_clause_is_told_from_text() -> None:
    assert check_read_only("SELECT 1 FORMAT JSON;") == ("SELECT 1", "JSON")
    assert check_read_only("SELECT 'x FORMAT JSON'") == ("SELECT 'x FORMAT JSON'", "")
