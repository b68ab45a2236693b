"""`weir page`: the page alone, over an embedded ledger and over a server that can only be read."""

import asyncio
import json
import re
import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from aiohttp import web
from page_ledger import DATABASE, PageLedger, event
from pydantic import SecretStr

from sinks.clickhouse.client import connect
from tests.end_to_end.commands import wait_for, weir, weir_process
from tokenweir.local.clickhouse_http import clickhouse_http_app
from tokenweir.local.data_dir import DataDir, RunningPipeline
from tokenweir.local.page_server import page_over, server_query
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.settings import ClickHouseSettings

_ADDRESS = re.compile(r"http://[\d.]+:\d+/")


@contextmanager
def _page(*arguments: str | Path, cwd: Path) -> Iterator[str]:
    """`weir page` in a process of its own; its address. It must end with status 0."""
    log = cwd / "page.log"
    with weir_process("page", "--port", "0", *arguments, cwd=cwd, log=log) as process:
        said = wait_for("the page", lambda: _ADDRESS.search(log.read_text()), log=log)
        yield said[0]
    assert process.returncode == 0, log.read_text()


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


def test_over_an_embedded_ledger(tmp_path: Path) -> None:
    place = DataDir(tmp_path / "ledger")
    weir("migrate", "--data-dir", place.path, cwd=tmp_path)
    with _page("--data-dir", place.path, cwd=tmp_path) as address:
        assert _get(address + "api/ledger")["empty"] is True
        assert _get(address + "api/panels/fleet/spend")["rows"][0][0] == "0"
        # Nobody else can open it meanwhile.
        shown = weir("migrate", "--data-dir", place.path, cwd=tmp_path, status=1).stderr.decode()
        assert "in use" in shown
    assert (
        "no ledger" in weir("page", "--data-dir", tmp_path / "none", cwd=tmp_path, status=2).stderr.decode()
    )


def test_where_a_pipeline_runs_its_page_is_named(tmp_path: Path) -> None:
    place = DataDir(tmp_path)
    with place.locked():
        place.announce(RunningPipeline(1, "2026-11-20T00:00:00Z", "127.0.0.1", 4321, 4322, "127.0.0.1:9"))
        shown = weir("page", "--data-dir", tmp_path, cwd=tmp_path).stderr.decode()
    assert "http://127.0.0.1:4321/" in shown


@pytest_asyncio.fixture
async def server(page_ledger: PageLedger) -> AsyncIterator[str]:
    """The ledger behind ClickHouse's HTTP interface, read-only; its DSN."""
    reader = ReadOnlyLedger(page_ledger.directory, database=DATABASE)
    runner = web.AppRunner(clickhouse_http_app(reader))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"clickhouse://{host}:{port}"
    await runner.cleanup()
    reader.close()


async def test_over_a_server(page_ledger: PageLedger, server: str) -> None:
    now = datetime.now(UTC)
    page_ledger.insert(
        [event(now, 1, cost="12345678901234.000000000001"), event(now, 2, team="x", cost=None)]
    )
    settings = ClickHouseSettings(dsn=SecretStr(server), database=DATABASE)
    client = await asyncio.to_thread(connect, settings)
    with ThreadPoolExecutor(2) as threads:
        query = server_query(client, threads)
        async with (
            page_over(query, database=DATABASE, host="127.0.0.1", ports=(0,)) as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):

            async def get(path: str) -> Any:
                async with session.get(f"/api/{path}") as response:
                    assert response.status == 200, await response.text()
                    return await response.json()

            assert (await get("ledger"))["empty"] is False
            assert (await get("panels/fleet/spend"))["rows"] == [["12345678901234.000000000001", "0", 2, 1]]
            over_time = await get("panels/fleet/spend-over-time?range=1h&team=x")
            assert [row[1:] for row in over_time["rows"]] == [["x", "0", 1, 1100]]
            assert (await get("variables/team"))["beyond"] == 0
            for board in (await get("boards"))["boards"]:
                for panel in board["panels"][::5]:
                    await get(f"panels/{board['name']}/{panel['name']}")
    client.close()
