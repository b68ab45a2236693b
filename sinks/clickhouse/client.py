"""One way to the ledger, for chDB and for a ClickHouse server alike, safe to share among threads.

A clickhouse-connect client serves one call at a time; LedgerClient keeps a few and lends one to each call. Every
failure comes out as a typed error of `tokenweir.errors`.

Limits: a POSIX system, as chDB needs one; a process can hold one chDB directory at a time, and a chDB directory
belongs to one process at a time.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from tokenweir.errors import StoreUnavailable, TokenweirError, WrongCall
from tokenweir.settings import ClickHouseSettings

try:
    import clickhouse_connect
    from clickhouse_connect.driver import httputil
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from sinks.clickhouse.failures import MISSING_SCHEMA_CODES, brief, failure_of
except ImportError as error:  # pragma: no cover - an installation without the extra
    raise TokenweirError(
        f"The ledger needs a package that is not installed ({error.name})",
        hint="Install it with: pip install 'tokenweir[clickhouse]'",
    ) from error

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_CONNECT_TIMEOUT_SECONDS: Final = 10
_MAX_IDLE_CLIENTS: Final = 8

Settings = Mapping[str, str | int]
Rows = list[tuple[Any, ...]]


def connect(settings: ClickHouseSettings) -> "LedgerClient":
    """Open the ledger that `settings.dsn` names; chDB makes its directory.

    The schema need not be there yet (see `migrate`). Raises WrongCall for a DSN of another kind, StoreUnavailable
    where nothing answers, TokenweirError for a refused password, a missing package, or a chDB directory that
    another process holds or that cannot be written.
    """
    client = LedgerClient(settings)
    try:
        client.query("SELECT 1", in_database=False)
    except BaseException:
        client.close()
        raise
    return client


class LedgerClient:
    """The ledger's connection. Any thread may call it; each call has a connection of its own meanwhile."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self.settings = settings
        self.database = settings.database
        self._dsn = settings.dsn.get_secret_value()
        self._scheme = urlsplit(self._dsn).scheme
        if self._scheme not in ("chdb", "clickhouse", "clickhouses"):
            raise WrongCall(
                f"The ledger's DSN has the scheme '{self._scheme}'",
                hint="Write chdb:///directory, clickhouse://user:password@host:port or clickhouses://… for TLS.",
            )
        self._lock = threading.Lock()
        self._idle: dict[bool, list[Client]] = {True: [], False: []}
        self._closed = False

    @property
    def embedded(self) -> bool:
        """Whether the ledger is a chDB directory."""
        return self._scheme == "chdb"

    @property
    def directory(self) -> str:
        """The chDB directory; empty for a server."""
        return unquote(urlsplit(self._dsn).path) if self.embedded else ""

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
        in_database: bool = True,
    ) -> Rows:
        """The rows of one SELECT. `parameters` fill `{name:Type}` placeholders."""
        with self._client(in_database, "querying the ledger") as client:
            result = client.query(sql, parameters=dict(parameters or {}), settings=dict(settings or {}))
            return list(map(tuple, result.result_rows))

    def query_with_names(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> tuple[tuple[str, ...], Rows]:
        """Column names and rows of one SELECT."""
        with self._client(True, "querying the ledger") as client:
            result = client.query(sql, parameters=dict(parameters or {}))
            return tuple(result.column_names), list(map(tuple, result.result_rows))

    def query_columns(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Sequence[Any]]:
        """The answer to one SELECT, each column by its name; nothing where there are no rows."""
        with self._client(True, "querying the ledger") as client:
            result = client.query(sql, parameters=dict(parameters or {}), column_oriented=True)
            return dict(zip(result.column_names, result.result_columns, strict=False))

    def command(
        self, sql: str, *, settings: Settings | None = None, in_database: bool = True, doing: str = "writing"
    ) -> None:
        """Run one statement that returns nothing."""
        with self._client(in_database, doing) as client:
            client.command(sql, settings=dict(settings or {}))

    def insert_lines(
        self, table: str, columns: Sequence[str], lines: bytes, settings: Settings, *, doing: str
    ) -> None:
        """Insert NDJSON into `table`, of which it may name `columns` and no others."""
        with self._client(True, doing) as client:
            client.raw_insert(
                table, column_names=columns, insert_block=lines, settings=dict(settings), fmt="JSONEachRow"
            )

    @contextmanager
    def borrowed(self, doing: str) -> Iterator["Client"]:
        """A clickhouse-connect client of its own for a while, for what needs the driver itself."""
        with self._client(True, doing) as client:
            yield client

    def open_client(self, *, in_database: bool = True) -> "Client":
        """A new clickhouse-connect client that the caller closes. Raises as `connect` does."""
        database = self.database if in_database else None
        try:
            if self.embedded:
                return clickhouse_connect.get_client(dsn=self._dsn, database=database)
            return clickhouse_connect.get_client(
                dsn=self._dsn.replace("clickhouses://", "clickhouse://", 1),
                secure=self._scheme == "clickhouses",
                database=database or "default",
                connect_timeout=_CONNECT_TIMEOUT_SECONDS,
                send_receive_timeout=int(self.settings.insert_timeout_seconds),
                autogenerate_session_id=False,
                # Clients that share a pool close each other's connections when one of them lets go of its own.
                pool_mgr=httputil.get_pool_manager(),
                # Off by default on servers that are not quite recent, and the usage views rest on it.
                settings={"enable_shared_storage_snapshot_in_query": 1},
            )
        except ImportError as error:
            raise TokenweirError(
                f"A chdb:// ledger needs a package that is not installed ({error.name})",
                hint="Install it with: pip install 'tokenweir[embedded]'",
            ) from error
        except (ClickHouseError, OSError) as error:
            raise self._connect_failure(error) from error

    def close(self) -> None:
        """Close every idle connection; lent ones close when they come back. Safe to call twice."""
        with self._lock:
            self._closed = True
            clients = [client for idle in self._idle.values() for client in idle]
            for idle in self._idle.values():
                idle.clear()
        for client in clients:
            let_go(client)

    def __enter__(self) -> "LedgerClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _client(self, in_database: bool, doing: str) -> Iterator["Client"]:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"The ledger's connection was closed before {doing}")
            client = self._idle[in_database].pop() if self._idle[in_database] else None
        client = client or self.open_client(in_database=in_database)
        try:
            yield client
        except (ClickHouseError, OSError) as error:
            raise failure_of(error, doing) from error
        finally:
            with self._lock:
                keep = not self._closed and len(self._idle[in_database]) < _MAX_IDLE_CLIENTS
                if keep:
                    self._idle[in_database].append(client)
            if not keep:
                let_go(client)

    def _connect_failure(self, error: ClickHouseError | OSError) -> TokenweirError:
        code = getattr(error, "code", None)
        if code in MISSING_SCHEMA_CODES:
            return failure_of(error, "opening the ledger")
        if self.embedded:
            return _chdb_failure(self.directory, error)
        where = urlsplit(self._dsn).netloc.rpartition("@")[2]
        if code is not None:
            return failure_of(error, f"connecting to {where}")
        return StoreUnavailable(
            f"No ClickHouse answers at {where}",
            hint="Is it running, and is TOKENWEIR_CLICKHOUSE__DSN right?",
            retry_after_seconds=2.0,
        )


def let_go(client: "Client") -> None:
    """Close a client of `open_client`, with the connections that only it has."""
    client.close()
    pool = getattr(client, "http", None)
    if pool is not None:
        pool.clear()
        # The driver keeps every pool it makes in this register for ever.
        httputil.all_managers.pop(pool, None)


def _chdb_failure(directory: str, error: BaseException) -> TokenweirError:
    text = brief(error)
    if "already initialized with path" in text:
        return TokenweirError(
            f"This process already holds another chDB directory, so it cannot open {directory}",
            hint="Close the other ledger first; a process can hold one.",
        )
    holder = _process_that_holds(directory)
    if holder is not None:
        return TokenweirError(
            f"The data directory {directory} is in use by another process{holder}",
            hint="Stop that process, or ask the pipeline that runs on this directory.",
        )
    return TokenweirError(
        f"The data directory {directory} cannot be opened: {text}",
        hint="Does it exist or can it be made, is it writable, and is there room on its disk?",
    )


def _process_that_holds(directory: str) -> str | None:
    """ " (process N)" or "" where another process holds the directory's lock, None where nobody does."""
    try:
        with (Path(directory) / "status").open("rb") as status:
            try:
                fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                first = status.readline().decode(errors="replace")
                number = "".join(filter(str.isdigit, first))
                if number == str(os.getpid()):
                    return None
                return f" (process {number})" if number else ""
    except OSError:
        return None
    return None
