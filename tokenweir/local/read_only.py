"""Queries on the embedded ledger that can only read: what the query endpoint, the page and `weir query` run through.

Three walls, each of the engine's own making, so that no pattern over SQL text decides anything:

1. every query runs on a connection of its own with `readonly = 1`, which that connection cannot undo;
2. the statement is parsed by the engine (`formatQuerySingleLine`), which refuses more than one statement, and what
   runs is the engine's own rendering of what it parsed;
3. the engine's syntax tree (`EXPLAIN AST`) must have a reading statement at its root and no function that reaches
   outside the ledger. `readonly = 1` alone lets through the scalar function `file`, `INTO OUTFILE`, `KILL QUERY`
   and `SYSTEM STOP MERGES`.

Limits of time, memory and result size are set before `readonly`, so a query cannot raise them. Answers are built
whole in memory, up to `Limits.result_bytes`; nothing is streamed.
"""

import asyncio
import json
import re
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import chdb

from tokenweir.errors import TokenweirError

SYNTAX_ERROR: Final = 62
READONLY: Final = 164
TOO_MANY_QUERIES: Final = 202
NOT_IMPLEMENTED: Final = 48

_READING_STATEMENTS: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "Explain",
        "DescribeQuery",
        "ShowTables",
        "ShowColumns",
        "ShowIndexes",
        "ShowFunctions",
        "ShowSettings",
        "ShowProcesslistQuery",
        "ShowCreateTableQuery",
        "ShowCreateViewQuery",
        "ShowCreateDatabaseQuery",
        "ExistsTableQuery",
        "ExistsViewQuery",
        "ExistsDatabaseQuery",
    }
)
# What may stand below EXPLAIN: a reading statement, and the settings and output format of the EXPLAIN itself.
_EXPLAINED: Final = frozenset(
    {"SelectWithUnionQuery", "SelectIntersectExceptQuery", "SelectQuery", "Set", "Identifier"}
)

# Every other table function reaches for a file, a network or the Python process.
# fmt: off
_SAFE_TABLE_FUNCTIONS: Final = frozenset({
    "dictionary", "format", "generaterandom", "generateseries", "generate_series", "merge",
    "mergetreeindex", "null", "numbers", "numbers_mt", "primes", "sqlstandardvalues", "values", "view",
    "viewexplain", "viewifpermitted", "zeros", "zeros_mt",
})
_UNSAFE_FUNCTIONS: Final = frozenset({
    "file", "sleep", "sleepeachrow", "addresstoline", "addresstolinewithinlines", "addresstosymbol",
    "showcertificate", "logtrace", "getclienthttpheader", "reversednsquery", "catboostevaluate",
})
# fmt: on

# Settings that only shape an answer. Everything else a caller asks for is refused, as a server with
# readonly = 1 would refuse it.
_FREE_SETTINGS: Final = re.compile(
    r"output_format_\w+|date_time_output_format|session_timezone|join_use_nulls|group_by_use_nulls|union_default_mode"
    r"|format_csv_\w+|format_tsv_\w+|max_block_size|extremes|limit|offset|final|log_comment|count_distinct_implementation"
    r"|prefer_column_name_to_alias|aggregate_functions_null_for_empty|max_rows_to_read|read_overflow_mode"
    r"|result_overflow_mode|timeout_overflow_mode|show_table_uuid_in_table_create_query_if_not_nil"
)
_NODE: Final = re.compile(r"^( *)(\w+)(?: +(\S+))?")
_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_FORMAT: Final = re.compile(r"\bFORMAT (\w+)")
_ERROR: Final = re.compile(r"Code: (\d+)\.")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Limits:
    """What one query may take, and how many may run and wait at once."""

    execution_seconds: float = 30.0
    memory_bytes: int = 2 * 1024**3
    result_rows: int = 10_000_000
    result_bytes: int = 256 * 1024**2
    query_bytes: int = 256 * 1024
    threads: int = 2
    running_queries: int = 3
    waiting_queries: int = 64


class QueryRefused(TokenweirError):
    """The engine, or a wall in front of it, did not answer a query.

    code: ClickHouse's error code (164 READONLY, 62 SYNTAX_ERROR, 159 TIMEOUT_EXCEEDED…).
    """

    def __init__(self, code: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class Answer(NamedTuple):
    """A whole answer, in the format it was asked for."""

    body: bytes
    format: str
    rows_read: int
    bytes_read: int
    elapsed_seconds: float
    query_id: str


class ReadOnlyLedger:
    """Reads the embedded ledger from this process, in a few threads of its own.

    connection: the engine's directory as the ledger's own client names it (`chdb.connect`'s argument); the engine
    allows one per process. database: where names without a database are looked up.
    Close it before the engine's last other connection, or the engine stays open.
    """

    def __init__(self, connection: str | Path, *, database: str, limits: Limits | None = None) -> None:
        if not _NAME.fullmatch(database):
            raise ValueError(f"not a database name: {database!r}")
        self.database = database
        self.limits = limits or Limits()
        self._connection = str(connection)
        self._threads = ThreadPoolExecutor(self.limits.running_queries, thread_name_prefix="ledger-query")
        self._taken = 0
        self._forbidden: frozenset[str] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Wait for running queries, drop waiting ones."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def answer(
        self,
        sql: str,
        *,
        format: str = "TabSeparated",
        database: str = "",
        settings: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        query_id: str = "",
    ) -> Answer:
        """Run one reading statement in a thread. Arguments and errors as in `run`.

        Raises QueryRefused with code 202 when too many queries wait already.
        """
        if self._taken >= self.limits.running_queries + self.limits.waiting_queries:
            raise QueryRefused(
                TOO_MANY_QUERIES,
                f"Code: 202. DB::Exception: Too many simultaneous queries: {self._taken} run or wait. "
                "(TOO_MANY_SIMULTANEOUS_QUERIES)",
                hint="Try again in a moment",
            )
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads,
                lambda: self.run(
                    sql,
                    format=format,
                    database=database,
                    settings=settings,
                    parameters=parameters,
                    query_id=query_id,
                ),
            )
        finally:
            self._taken -= 1

    async def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The answer as a list of dicts by column name.

        parameters: values for `{name:Type}` in the statement. Integers of 64 bits and wider, decimals and times
        come as strings, exact; times are UTC.
        """
        answer = await self.answer(
            sql,
            format="JSONEachRow",
            settings={
                "output_format_json_quote_64bit_integers": "1",
                "output_format_json_quote_decimals": "1",
                "session_timezone": "UTC",
            },
            parameters={name: parameter_text(value) for name, value in (parameters or {}).items()},
        )
        return [json.loads(line) for line in answer.body.splitlines()]

    def run(
        self,
        sql: str,
        *,
        format: str = "TabSeparated",
        database: str = "",
        settings: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        query_id: str = "",
    ) -> Answer:
        """Run one reading statement here and now; blocks.

        format: used where the statement names none. settings: those that shape an answer; others are refused.
        parameters: in ClickHouse's escaped text form, as HTTP clients send them in `param_<name>`.
        Raises QueryRefused for a statement that is not one reading statement, that fails, or that meets a limit.
        """
        if len(sql.encode()) > self.limits.query_bytes:
            raise QueryRefused(
                SYNTAX_ERROR,
                f"Code: 62. DB::Exception: Query is longer than {self.limits.query_bytes} bytes. (SYNTAX_ERROR)",
            )
        if not _NAME.fullmatch(format):
            raise QueryRefused(73, f"Code: 73. DB::Exception: Unknown format {format!r}. (UNKNOWN_FORMAT)")
        try:
            connection = chdb.connect(self._connection)  # type: ignore[no-untyped-call]
        except RuntimeError as failure:
            raise QueryRefused(
                1000, f"Code: 1000. DB::Exception: {failure}. (ENGINE_UNAVAILABLE)"
            ) from failure
        with closing(connection):
            try:
                self._prepare(connection, database or self.database, settings or {}, parameters or {})
                statement = self._examine(connection, sql)
                named = _FORMAT.findall(_QUOTED.sub("''", statement))
                result = connection.query(statement, format)
                return Answer(
                    body=result.bytes(),
                    format=named[-1] if named else format,
                    rows_read=result.storage_rows_read(),
                    bytes_read=result.storage_bytes_read(),
                    elapsed_seconds=result.elapsed(),
                    query_id=query_id or str(uuid.uuid4()),
                )
            except (chdb.ChdbError, RuntimeError) as failure:
                raise refusal(str(failure)) from failure

    def _prepare(
        self, connection: Any, database: str, settings: Mapping[str, str], parameters: Mapping[str, str]
    ) -> None:
        connection.query(f"USE {_identifier(database)}")
        limits = self._limit_settings()
        for name, value in settings.items():
            if name in limits:
                limits[name] = _narrower(value, limits[name])
                continue
            if not _FREE_SETTINGS.fullmatch(name):
                raise QueryRefused(
                    READONLY,
                    f"Code: 164. DB::Exception: Cannot modify '{name}' setting in readonly mode. (READONLY)",
                    hint="Only settings that shape the answer can be sent here",
                )
            connection.query(f"SET {name} = {_literal(value)}")
        for name, value in parameters.items():
            if not _NAME.fullmatch(name):
                raise QueryRefused(
                    SYNTAX_ERROR, f"Code: 62. DB::Exception: Bad parameter name {name!r}. (SYNTAX_ERROR)"
                )
            connection.query(f"SET param_{name} = {_literal(value)}")
        connection.query("SET " + ", ".join(f"{name} = {value:.15g}" for name, value in limits.items()))
        connection.query(
            "SET allow_introspection_functions = 0, allow_python_table_function = 0, readonly = 1"
        )

    def _limit_settings(self) -> dict[str, float]:
        limits = self.limits
        return {
            "max_execution_time": limits.execution_seconds,
            "max_memory_usage": limits.memory_bytes,
            "max_result_rows": limits.result_rows,
            "max_result_bytes": limits.result_bytes,
            "max_threads": limits.threads,
        }

    def _examine(self, connection: Any, sql: str) -> str:
        """The statement as the engine renders it. Raises QueryRefused unless it only reads, and only the ledger."""
        forbidden = self._forbidden_functions(connection)
        statement = _text(
            connection.query(f"SELECT formatQuerySingleLine({_literal(sql)})", "TSVRaw")
        ).rstrip("\n")
        if " INTO OUTFILE " in f" {_QUOTED.sub(' ', statement)} ":
            raise _readonly("INTO OUTFILE writes a file; read the answer instead")
        tree = _text(connection.query(f"EXPLAIN AST {statement}", "TSVRaw"))
        nodes = [match for line in tree.splitlines() if (match := _NODE.match(line))]
        root = nodes[0][2] if nodes else ""
        if root not in _READING_STATEMENTS:
            raise _readonly(f"{root or 'an empty statement'} does not only read")
        for node in nodes[1:]:
            depth, kind, name = len(node[1]), node[2], (node[3] or "").strip("`\"'").lower()
            if root == "Explain" and depth == 1 and kind not in _EXPLAINED:
                raise _readonly(f"only reading statements can be explained, not {kind}")
            if kind == "Function" and name in forbidden:
                raise _readonly(f"the function {name} reaches outside the ledger")
        return statement

    def _forbidden_functions(self, connection: Any) -> frozenset[str]:
        with self._lock:
            if self._forbidden is None:
                listed = _text(
                    connection.query(
                        "SELECT lower(name) FROM system.table_functions UNION ALL "
                        "SELECT lower(name) FROM system.functions WHERE categories IN ('AI', 'Machine Learning')",
                        "TSVRaw",
                    )
                ).split()
                self._forbidden = (frozenset(listed) - _SAFE_TABLE_FUNCTIONS) | _UNSAFE_FUNCTIONS
            return self._forbidden


def refusal(message: str) -> QueryRefused:
    """The engine's error text as a QueryRefused with its code (1000 where the text names none)."""
    found = _ERROR.search(message)
    asked, is_our_parse, _ = message.partition(": In scope SELECT formatQuerySingleLine(")
    if is_our_parse:
        message = f"{asked} (SYNTAX_ERROR)"
    text = message[found.start() :] if found else f"Code: 1000. DB::Exception: {message}"
    return QueryRefused(int(found[1]) if found else 1000, text.strip())


def parameter_text(value: object) -> str:
    """A value in the escaped text form in which ClickHouse takes query parameters."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (list, tuple)):
        return (
            "["
            + ",".join(_literal(item) if isinstance(item, str) else parameter_text(item) for item in value)
            + "]"
        )
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _narrower(asked: str, limit: float) -> float:
    """The smaller of a limit that a caller asks for and our own; 0 means none in ClickHouse."""
    try:
        wanted = float(asked)
    except ValueError:
        return limit
    return min(wanted, limit) if wanted > 0 else limit


def _readonly(why: str) -> QueryRefused:
    return QueryRefused(
        READONLY,
        f"Code: 164. DB::Exception: Cannot execute query in readonly mode: {why}. (READONLY)",
        hint="This endpoint answers SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN on the ledger, nothing else",
    )


def _text(result: Any) -> str:
    return bytes(result.bytes()).decode()


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
