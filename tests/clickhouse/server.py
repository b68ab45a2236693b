"""A ClickHouse server for tests: the real engine (chDB) in a process of its own, behind ClickHouse's HTTP interface.

No ClickHouse server can be installed from the package registries, but its engine can. What is real here: every
statement, every table engine, several clients at once, settings, parameters, errors with their codes, `kill -9`
with the data directory left behind. What is not: replication, the native protocol, users and quotas.

`python -m tests.clickhouse.server --port P --path DIRECTORY` runs it until it is terminated.
"""

import argparse
import asyncio
import os
import re
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import chdb
import cramjam
from aiohttp import web

_INSERT: Final = re.compile(r"^\s*INSERT\s+INTO\s+(?P<into>.+?)\s+FORMAT\s+(?P<format>\w+)\s*$", re.I | re.S)
_INLINE_INSERT: Final = re.compile(rb"^\s*INSERT\s+INTO\s+[^;]+?\s+FORMAT\s+\w+[ \t]*\r?\n", re.I)
_FORMAT: Final = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.I)
_CODE: Final = re.compile(r"Code: (\d+)")
_TRANSPORT: Final = frozenset(
    {
        "query", "database", "default_format", "query_id", "user", "password", "session_id", "compress", "decompress",
        "enable_http_compression", "http_zlib_compression_level", "wait_end_of_query", "client_protocol_version",
        "send_progress_in_http_headers", "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "role", "quota_key", "session_timeout", "session_check", "buffer_size",
    }
)  # fmt: skip


class Engine:
    """One chDB over one directory; a connection of its own for each statement."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._keeper = chdb.connect(self._path)
        self._gate = threading.Lock()

    def run(self, sql: str, data: bytes, fields: dict[str, str]) -> tuple[bytes, str]:
        """The answer and its format."""
        settings = {
            name: value
            for name, value in fields.items()
            if name not in _TRANSPORT and not name.startswith("param_")
        }
        parameters = {
            name.removeprefix("param_"): value for name, value in fields.items() if name.startswith("param_")
        }
        with self._gate:
            connection = chdb.connect(self._path)
        with closing(connection):
            if fields.get("database"):
                connection.query(f"USE `{fields['database']}`", "TabSeparated")
            for name, value in settings.items():
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                connection.query(f"SET {name} = '{quoted}'", "TabSeparated")
            insert = _INSERT.match(sql)
            if insert is not None:
                return self._insert(connection, insert, data), "TabSeparated"
            if data:
                sql = f"{sql}\n{data.decode()}" if sql else data.decode()
            stated = _FORMAT.search(sql)
            form = stated[1] if stated else fields.get("default_format", "TabSeparated")
            answer = connection.query(sql, form, params=parameters)
            return answer.bytes() or b"", form

    @staticmethod
    def _insert(connection: Any, insert: re.Match[str], data: bytes) -> bytes:
        with tempfile.NamedTemporaryFile(suffix=".block") as block:
            block.write(data)
            block.flush()
            connection.query(
                f"INSERT INTO {insert['into']} FROM INFILE '{block.name}' FORMAT {insert['format']}",
                "TabSeparated",
            )
        return b""


def application(engine: Engine) -> web.Application:
    """The HTTP interface."""
    pool = ThreadPoolExecutor(4)

    async def answer(request: web.Request) -> web.Response:
        fields = dict(request.query)
        body = _plain(await request.read(), request.headers.get("Content-Encoding", ""))
        sql = fields.get("query", "")
        inline = None if sql else _INLINE_INSERT.match(body)
        if inline is not None:
            sql, body = inline[0].decode().strip(), body[inline.end() :]
        try:
            data, form = await asyncio.get_running_loop().run_in_executor(pool, engine.run, sql, body, fields)
        except Exception as error:  # noqa: BLE001 - the engine's errors have no common type; each goes to the client
            code = _CODE.search(str(error))
            return web.Response(
                status=500,
                text=str(error),
                headers={"X-ClickHouse-Exception-Code": code[1] if code else "1000"},
            )
        return web.Response(
            body=data,
            headers={
                "X-ClickHouse-Format": form,
                "X-ClickHouse-Summary": "{}",
                "X-ClickHouse-Server-Display-Name": "tests",
                "X-ClickHouse-Timezone": "UTC",
            },
        )

    async def ping(_: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    app = web.Application(client_max_size=1 << 30)
    app.router.add_get("/ping", ping)
    app.router.add_route("*", "/", answer)
    return app


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return bytes(cramjam.gzip.decompress(body))
    if encoding == "zstd":
        return bytes(cramjam.zstd.decompress(body))
    if encoding == "lz4":
        return bytes(cramjam.lz4.decompress(body))
    return body


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", type=Path, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    web.run_app(
        application(Engine(arguments.path)),
        host="127.0.0.1",
        port=arguments.port,
        print=None,
        handle_signals=False,
        access_log=None,
    )


if __name__ == "__main__":
    main()
