"""The local page by itself, over a ledger that no pipeline of this process fills; it only reads.

A server is asked over clickhouse-connect with the rights of the settings' user, who needs to do no more than read; an
embedded ledger through `ReadOnlyLedger`, with the directory locked meanwhile.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import Any, Final

from aiohttp import web

from dashboards.page import Query, page_routes
from sinks.clickhouse.client import LedgerClient, connect
from sinks.clickhouse.migrate import migrate
from tokenweir.errors import WrongCall
from tokenweir.local.clock import utc_now
from tokenweir.local.data_dir import DataDir
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.settings import ClickHouseSettings

_AT_ONCE: Final = 4
_LOCK_WAIT_SECONDS: Final = 10.0


@asynccontextmanager
async def page_over(query: Query, *, database: str, host: str, ports: tuple[int, ...]) -> AsyncIterator[int]:
    """The page on the first of `ports` that is free, which it yields. Raises WrongCall where none is."""
    app = web.Application()
    app.add_routes(page_routes(query, clock=utc_now, database=database))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        taken: OSError | None = None
        for port in ports:
            try:
                await web.TCPSite(runner, host, port).start()
                break
            except OSError as error:
                taken = error
        else:
            raise WrongCall(
                f"cannot listen on {host}: {taken}", hint="Name another port, or 0 for any that is free"
            ) from taken
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def server_query(client: LedgerClient, threads: ThreadPoolExecutor) -> Query:
    """How the page asks a ClickHouse server: rows as dicts, decimals as Decimal, times as datetime."""

    def rows(sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        names, found = client.query_with_names(sql, values)
        return [dict(zip(names, row, strict=True)) for row in found]

    async def query(sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        return await asyncio.get_running_loop().run_in_executor(threads, rows, sql, values)

    return query


def serve_server(
    settings: ClickHouseSettings, *, host: str, ports: tuple[int, ...], say: Callable[[str], None]
) -> None:
    """Serves the page over the settings' server, until interrupted. Raises what `connect` raises, and WrongCall."""
    with (
        connect(settings) as client,
        ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="page-query") as threads,
    ):
        query = server_query(client, threads)
        asyncio.run(_serve(query, settings.database, host, ports, say))


def serve_directory(
    place: DataDir,
    settings: ClickHouseSettings,
    *,
    host: str,
    ports: tuple[int, ...],
    say: Callable[[str], None],
) -> None:
    """Serves the page over an embedded ledger, until interrupted. settings: with the directory's DSN.

    Raises DataDirInUse where another process has it open, and WrongCall.
    """
    with place.locked(wait_seconds=_LOCK_WAIT_SECONDS), connect(settings) as client:
        migrate(client, settings)
        with closing(ReadOnlyLedger(place.ledger, database=settings.database)) as reader:
            asyncio.run(_serve(reader.rows, settings.database, host, ports, say))


async def _serve(
    query: Query, database: str, host: str, ports: tuple[int, ...], say: Callable[[str], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with page_over(query, database=database, host=host, ports=ports) as port:
        say(f"page      http://{host}:{port}/   Ctrl-C ends it.")
        await stop.wait()
