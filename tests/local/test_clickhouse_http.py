"""The query endpoint over the embedded engine: real clients read, hostile statements change and see nothing."""

import asyncio
import base64
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import chdb
import clickhouse_connect
import pytest
from aiohttp import web
from clickhouse_connect.driver.exceptions import DatabaseError

from tokenweir.local.clickhouse_http import clickhouse_http_app
from tokenweir.local.read_only import Limits, ReadOnlyLedger

LIMITS = Limits(execution_seconds=2, result_rows=50_000, result_bytes=8 * 1024**2, memory_bytes=512 * 1024**2)


@pytest.fixture
async def url(engine: str) -> AsyncIterator[str]:
    async for address in _served(engine):
        yield address


async def _served(engine: str, *, token: str = "", limits: Limits = LIMITS) -> AsyncIterator[str]:
    ledger = ReadOnlyLedger(engine, database="tokenweir", limits=limits)
    runner = web.AppRunner(clickhouse_http_app(ledger, token=token))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()
    ledger.close()


def _in_thread(url: str, work: Callable[[Any], Any], **options: Any) -> Any:
    """`work(client)` with clickhouse-connect's own HTTP client, beside the loop that serves it."""

    def run() -> Any:
        port = int(url.rpartition(":")[2])
        with closing(
            clickhouse_connect.get_client(host="127.0.0.1", port=port, database="tokenweir", **options)
        ) as client:
            return work(client)

    return asyncio.get_running_loop().run_in_executor(None, run)


async def _post(
    url: str, sql: str, headers: dict[str, str] | None = None, **parameters: str
) -> tuple[int, str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url + "/", data=sql.encode(), params=parameters, headers=headers) as response,
    ):
        return response.status, await response.text(), response.headers


@pytest.mark.parametrize("compress", [False, True, "gzip", "zstd"])
async def test_clickhouse_connect_reads_typed_rows(url: str, compress: bool | str) -> None:
    result = await _in_thread(
        url,
        lambda client: client.query(
            "SELECT team, count() AS calls, sum(cost) AS spent, countIf(cost IS NULL) AS unpriced "
            "FROM events GROUP BY team ORDER BY team"
        ),
        compress=compress,
    )
    assert result.column_names == ("team", "calls", "spent", "unpriced")
    assert [row[:2] for row in result.result_rows] == [("team-0", 334), ("team-1", 333), ("team-2", 333)]
    priced = sum(number for number in range(1000) if number % 10)
    assert sum(row[2] for row in result.result_rows) == Decimal(priced).scaleb(-12)
    assert sum(row[3] for row in result.result_rows) == 100


async def test_clickhouse_connect_binds_streams_and_commands(url: str, engine: str) -> None:
    def work(client: Any) -> tuple[Any, ...]:
        nasty = "O'Brien \\ \t\n {x}"
        bound = client.query(
            "SELECT {text:String}, {list:Array(String)}, {number:Int64}",
            parameters={"text": nasty, "list": ["a'b", "c\\d"], "number": -5},
        ).result_rows
        assert bound == [(nasty, ["a'b", "c\\d"], -5)]
        with client.query_row_block_stream("SELECT id FROM events ORDER BY id") as stream:
            streamed = [row[0] for block in stream for row in block]
        raw = client.raw_query("SELECT 1 AS one", fmt="JSONEachRow")
        return (
            streamed,
            client.command("SELECT count() FROM events"),
            raw,
            client.ping(),
            client.server_version,
        )

    streamed, count, raw, ping, version = await _in_thread(url, work)
    assert streamed == list(range(1000))
    assert (count, raw, ping) == (1000, b'{"one":1}\n', True)
    assert version == _query(engine, "SELECT version()").strip()


async def test_clickhouse_connect_meets_errors_as_a_servers(url: str) -> None:
    def work(client: Any) -> None:
        with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
            client.query("SELECT * FROM nowhere")
        with pytest.raises(DatabaseError, match="READONLY"):
            client.command("DROP TABLE events")
        with pytest.raises(DatabaseError, match="READONLY"):
            client.insert("events", [[1, "a", None, 0]])

    await _in_thread(url, work)


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT 1 +", 400, 62),
        ("SELECT * FROM nowhere", 404, 60),
        ("SELECT nothing FROM events", 404, 47),
        ("SELECT 1 FORMAT Nonsense", 400, 73),
        ("DROP TABLE events", 403, 164),
    ],
)
async def test_errors_carry_code_and_status(url: str, sql: str, status: int, code: int) -> None:
    answered, text, headers = await _post(url, sql)
    assert headers["X-ClickHouse-Exception-Code"] == str(code)
    assert text.startswith(f"Code: {code}. DB::Exception: ")
    assert answered in {status, 400}


async def test_headers_and_formats(url: str) -> None:
    status, text, headers = await _post(url, "SELECT 1 AS a", query_id="mine", default_format="JSONEachRow")
    assert (status, text) == (200, '{"a":1}\n')
    assert headers["X-ClickHouse-Query-Id"] == "mine"
    assert headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert headers["X-ClickHouse-Server-Display-Name"] == "tokenweir"
    assert '"read_rows"' in headers["X-ClickHouse-Summary"]
    assert "Access-Control-Allow-Origin" not in headers
    _, text, headers = await _post(url, "SELECT 'FORMAT XML' AS a FORMAT CSV -- FORMAT JSON")
    assert (text, headers["X-ClickHouse-Format"]) == ('"FORMAT XML"\n', "CSV")
    _, text, _ = await _post(url, "1", query="SELECT", default_format="TSV")
    assert text == "1\n"
    _, text, _ = await _post(url, "SELECT {a:UInt8} + 1", param_a="41")
    assert text == "42\n"
    _, text, _ = await _post(
        url, "SELECT name FROM system.tables WHERE database = currentDatabase()", database="system"
    )
    assert "tables" in text.split()
    status, text, _ = await _post(url, "SELECT 1", compress="1")
    assert status == 501
    assert "compress=0" in text


async def test_get_head_and_health(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(url + "/ping") as response:
            assert (response.status, await response.text()) == (200, "Ok.\n")
        async with session.get(url + "/replicas_status") as response:
            assert (response.status, await response.text()) == (200, "Ok.\n")
        async with session.get(url + "/") as response:
            assert (response.status, await response.text()) == (200, "Ok.\n")
        async with session.get(url + "/", params={"query": "SELECT version()"}) as response:
            assert (await response.text()).count(".") >= 2
        async with session.head(url + "/", params={"query": "SELECT 1"}) as response:
            assert (response.status, response.headers["X-ClickHouse-Format"]) == (200, "TabSeparated")
        async with session.delete(url + "/") as response:
            assert response.status == 405


async def test_curl(url: str) -> None:
    """The first thing a person tries."""
    process = await asyncio.create_subprocess_exec(
        "curl",
        "--silent",
        "--user",
        "any:thing",
        url,
        "--data-binary",
        "SELECT count() FROM events",
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"1000\n")


HOSTILE = [
    "INSERT INTO events SELECT 1, 'x', NULL, 0",
    "INSERT INTO FUNCTION file('{dir}/written.csv') SELECT 1",
    "DROP TABLE events",
    "DROP DATABASE tokenweir",
    "TRUNCATE TABLE events",
    "ALTER TABLE events DELETE WHERE 1",
    "ALTER TABLE events ADD COLUMN a Int8",
    "DELETE FROM events WHERE 1",
    "UPDATE events SET team = 'x' WHERE 1",
    "OPTIMIZE TABLE events FINAL",
    "RENAME TABLE events TO gone",
    "EXCHANGE TABLES events AND events",
    "DETACH TABLE events",
    "ATTACH TABLE gone",
    "CREATE TABLE made (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE made (a Int8)",
    "CREATE VIEW made AS SELECT 1",
    "CREATE DATABASE made",
    "CREATE FUNCTION made AS a -> a",
    "CREATE USER made IDENTIFIED WITH no_password",
    "GRANT ALL ON *.* TO default",
    "SET readonly = 0",
    "SET max_memory_usage = 0",
    "USE system",
    "SYSTEM STOP MERGES",
    "SYSTEM FLUSH LOGS",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "BACKUP DATABASE tokenweir TO File('{dir}/backup')",
    "EXECUTE AS default SELECT 1",
    "BEGIN TRANSACTION",
    "SELECT 1; DROP TABLE events",
    "SELECT 1; SYSTEM STOP MERGES",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SELECT * FROM events PARALLEL WITH DROP TABLE events",
    "EXPLAIN AST SELECT 1; DROP TABLE events",
    "EXPLAIN PIPELINE INSERT INTO events SELECT 1, 'x', NULL, 0",
    "SELECT 1 INTO OUTFILE '{dir}/written.csv'",
    "SELECT 1 /* */ INTO/**/OUTFILE '{dir}/written.csv' FORMAT CSV",
    "SHOW TABLES INTO OUTFILE '{dir}/written.csv'",
    "EXPLAIN SELECT 1 INTO OUTFILE '{dir}/written.csv'",
    "DESCRIBE events INTO OUTFILE '{dir}/written.csv'",
    "SELECT sleep(3)",
]
READING_FILES = [
    "SELECT file('{secret}')",
    "SELECT FILE('{secret}')",
    "SELECT `file`('{secret}')",
    "SELECT 1 IN file('{secret}')",
    "SELECT arrayMap(path -> file(path), ['{secret}'])",
    "WITH secret AS (SELECT file('{secret}') AS s) SELECT s FROM secret",
    "SELECT id AS \"a\n Function b\", file('{secret}') FROM events",
    "SELECT 'FORMAT CSV', file('{secret}') FORMAT CSV",
    "SELECT * FROM file('{secret}', 'LineAsString')",
    "SELECT * FROM fileCluster('default', '{secret}', 'LineAsString')",
    "SELECT * FROM filesystem('{dir}')",
    "SELECT * FROM view(SELECT file('{secret}'))",
    "SELECT * FROM eval('SELECT file(\\'{secret}\\')')",
    "SELECT * FROM `{secret}`",
    "SELECT * FROM default.`{secret}`",
    "SELECT * FROM '{secret}'",
    "DESCRIBE TABLE file('{secret}', 'CSV')",
    "DESCRIBE TABLE default.`{secret}`",
    "EXPLAIN SELECT file('{secret}')",
    "EXISTS TABLE default.`{secret}` FORMAT TSV SETTINGS readonly = 0",
    "SELECT * FROM merge('default', '.*')",
    "SELECT * FROM url('file://{secret}', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:9/bucket/key', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:9', 'system.one')",
    "SELECT * FROM executable('cat', 'LineAsString', 'line String')",
    "SELECT * FROM sqlite('{secret}', 'a')",
    "SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:9', 'a', 'b', 'c', 'd')",
    "SELECT * FROM iceberg('{dir}')",
    "SELECT * FROM deltaLakeLocal('{dir}')",
    "SELECT * FROM Python(HOSTILE)",
    "SELECT * FROM python('HOSTILE')",
]


@pytest.mark.parametrize("sql", HOSTILE + READING_FILES)
async def test_hostile_statements_change_and_see_nothing(
    url: str, engine: str, tmp_path: Path, sql: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("hidden,words\n")
    fingerprint = (
        "SELECT (SELECT groupArray((database, name, create_table_query)) FROM (SELECT * FROM system.tables "
        "WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY database, name)), "
        "(SELECT groupArray(name) FROM (SELECT name FROM system.databases ORDER BY name)), "
        "(SELECT (count(), sum(id), sum(cost)) FROM tokenweir.events)"
    )
    before = _query(engine, fingerprint)
    status, text, headers = await _post(
        url, sql.replace("{secret}", str(secret)).replace("{dir}", str(tmp_path))
    )
    assert status >= 400
    assert "X-ClickHouse-Exception-Code" in headers
    assert "hidden" not in text
    assert os.listdir(tmp_path) == ["secret.csv"]
    assert _query(engine, fingerprint) == before


@pytest.mark.parametrize(
    "name", ["readonly", "dialect", "max_query_size", "allow_introspection_functions", "format_schema"]
)
async def test_settings_that_could_widen_anything_are_refused(url: str, name: str) -> None:
    status, text, _ = await _post(url, "SELECT 1", **{name: "0"})
    assert status == 403
    assert name in text


async def test_a_caller_may_lower_a_limit_but_not_raise_it(url: str) -> None:
    _, text, _ = await _post(url, "SELECT getSetting('max_execution_time')", max_execution_time="1")
    assert text == "1\n"
    for wider in ("0", "600", "-1", "nan", "x"):
        _, text, _ = await _post(url, "SELECT getSetting('max_execution_time')", max_execution_time=wider)
        assert text == "2\n"


async def test_heavy_queries_are_stopped(url: str) -> None:
    status, text, _ = await _post(url, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
    assert (status, "TIMEOUT_EXCEEDED" in text) == (408, True)
    _, text, _ = await _post(url, "SELECT number FROM numbers(60000)")
    assert "TOO_MANY_ROWS_OR_BYTES" in text
    _, text, _ = await _post(url, "SELECT length(groupArray(toString(number))) FROM numbers(100000000)")
    assert "MEMORY_LIMIT_EXCEEDED" in text or "TIMEOUT_EXCEEDED" in text


async def test_too_many_waiting_queries_are_turned_away(engine: str) -> None:
    limits = Limits(execution_seconds=2, running_queries=1, waiting_queries=1)
    async for url in _served(engine, limits=limits):
        heavy = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
        answers = await asyncio.gather(*(_post(url, heavy) for _ in range(4)))
        assert sorted(status for status, _, _ in answers) == [408, 408, 503, 503]


async def test_token(engine: str) -> None:
    async for url in _served(engine, token="let me in"):
        assert (await _post(url, "SELECT 1"))[0] == 403
        assert (await _post(url, "SELECT 1", {"X-ClickHouse-Key": "wrong"}))[0] == 403
        assert (await _post(url, "SELECT 1", {"Authorization": "Basic !"}))[0] == 403
        assert (await _post(url, "SELECT 1", {"X-ClickHouse-Key": "let me in"}))[0] == 200
        assert (await _post(url, "SELECT 1", password="let me in"))[0] == 200
        basic = base64.b64encode(b"anyone:let me in").decode()
        assert (await _post(url, "SELECT 1", {"Authorization": f"Basic {basic}"}))[0] == 200
        assert (
            await _in_thread(
                url, lambda client: client.command("SELECT 1"), username="a", password="let me in"
            )
            == 1
        )


async def test_foreign_hosts_and_sites_are_refused(url: str) -> None:
    assert (await _post(url, "SELECT 1", {"Host": "evil.example"}))[0] == 421
    assert (await _post(url, "SELECT 1", {"Host": "localhost:1"}))[0] == 200
    assert (await _post(url, "SELECT 1", {"Host": "[::1]:1"}))[0] == 200
    assert (await _post(url, "SELECT 1", {"Sec-Fetch-Site": "cross-site"}))[0] == 403


async def test_reading_while_writing(url: str, engine: str) -> None:
    """Each count is one that the writer has made; the writer never waits for a reader."""
    with closing(chdb.connect(engine)) as writer:
        writer.query("CREATE TABLE tokenweir.growing (a UInt64) ENGINE = MergeTree ORDER BY a")
        done = threading.Event()

        def write() -> None:
            for _ in range(30):
                writer.query("INSERT INTO tokenweir.growing SELECT number FROM numbers(1000)")
            done.set()

        writing = asyncio.get_running_loop().run_in_executor(None, write)
        counts: list[int] = []
        while not done.is_set():
            answers = await asyncio.gather(*(_post(url, "SELECT count() FROM growing") for _ in range(4)))
            counts += [int(text) for status, text, _ in answers if status == 200]
        await writing
        _, last, _ = await _post(url, "SELECT count() FROM growing")
        writer.query("DROP TABLE tokenweir.growing SYNC")
    assert int(last) == 30_000
    assert all(count % 1000 == 0 for count in counts)


def _query(engine: str, sql: str) -> str:
    with closing(chdb.connect(engine)) as connection:
        return str(connection.query(sql, "TSV").data())
