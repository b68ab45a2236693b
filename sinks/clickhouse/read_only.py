"""Any one SELECT that a person may type, and nothing that changes, reaches out, or reads files.

The engine's own `readonly = 1` does the work: no INSERT, no DDL, no SYSTEM, no change of a setting, no table function
that opens another source. What it lets through on an embedded engine is refused before it is run: a second
statement, INTO OUTFILE, KILL and other statements that are no query, scalar `file()`, sleeping, and every table
function of the engine that is not known to be harmless.
"""

import re
from collections.abc import Iterator
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse.client import LedgerClient, let_go
from sinks.clickhouse.failures import OVERLOAD_CODES, brief, failure_of
from tokenweir.errors import StoreUnavailable, TokenweirError, WrongCall

_STATEMENTS: Final = frozenset({"SELECT", "WITH", "EXPLAIN", "SHOW", "DESCRIBE", "DESC", "EXISTS"})
_HARMLESS_TABLE_FUNCTIONS: Final = frozenset(
    {
        "format",
        "generate_series",
        "generateseries",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "values",
        "view",
        "zeros",
        "zeros_mt",
    }
)
_REFUSED_FUNCTIONS: Final = frozenset({"file", "sleep", "sleepeachrow", "python"})
_READONLY_CODE: Final = 164
_FORMAT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
    | (?P<text>'(?:\\.|''|[^'\\])*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"(?:\\.|""|[^"\\])*"|`(?:\\.|``|[^`\\])*`)
    | (?P<word>[^\W\d]\w*)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def read_only_query(client: LedgerClient, sql: str, format: str = "JSON") -> bytes:
    """The answer to one query in a ClickHouse output format, as bytes.

    A FORMAT clause at the end of `sql` wins over `format`. Raises WrongCall for anything but a single reading
    query and for what the engine says is wrong with it, StoreUnavailable where the store cannot answer now.
    """
    if not _FORMAT_NAME.fullmatch(format):
        raise WrongCall(
            f"'{format}' is no output format", hint="For example JSON, CSVWithNames, PrettyCompact."
        )
    statement, given_format = check_read_only(sql, _refused_functions(client))
    driver = client.open_client()
    try:
        if client.embedded:
            # The handle is thrown away afterwards: a handle that is once read-only cannot be made anything else.
            driver.command("SET readonly = 1")
            return driver.raw_query(statement, fmt=given_format or format)
        return driver.raw_query(statement, fmt=given_format or format, settings={"readonly": 1})
    except (ClickHouseError, OSError) as error:
        raise _failure(error) from error
    finally:
        let_go(driver)


def check_read_only(sql: str, refused_functions: frozenset[str] = _REFUSED_FUNCTIONS) -> tuple[str, str]:
    """The one statement in `sql`, without its end mark and FORMAT clause, and the format's name ('' if none).

    Raises WrongCall where it holds anything that does not read, or more than one statement.
    """
    tokens = list(_tokens(sql))
    while tokens and tokens[-1][1] == ";":
        tokens.pop()
    if not tokens:
        raise WrongCall("There is no query", hint="For example: SELECT count() FROM usage")
    if any(text == ";" for _, text, _ in tokens):
        raise WrongCall("Only one statement at a time is read")
    words = [text.upper() if kind == "word" else "" for kind, text, _ in tokens]
    first = next((word for (_, text, _), word in zip(tokens, words, strict=True) if text != "("), "")
    if first not in _STATEMENTS:
        raise WrongCall(
            f"The ledger is only read here, and '{tokens[0][1][:40]}' begins no query",
            hint="Begin with SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN.",
        )
    for number, (kind, text, _) in enumerate(tokens):
        following = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        if words[number] == "INTO" and following.upper() in ("OUTFILE", "DUMPFILE"):
            raise WrongCall(
                "A query may not write a file", hint="Redirect the output of the command instead."
            )
        name = text[1:-1] if kind == "quoted" else text
        if kind in ("word", "quoted") and following == "(" and name.lower() in refused_functions:
            raise WrongCall(f"A query may not call {name}()", hint="Query the ledger's own tables and views.")
    end, given_format = tokens[-1][2] + len(tokens[-1][1]), ""
    if len(tokens) > 2 and words[-2] == "FORMAT" and tokens[-1][0] == "word":
        given_format, end = tokens[-1][1], tokens[-2][2]
    return sql[:end].rstrip(), given_format


def _tokens(sql: str) -> Iterator[tuple[str, str, int]]:
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "other"
        if kind == "tag":
            kind = "text"
        if kind not in ("comment", "space"):
            yield kind, match.group(), match.start()


def _refused_functions(client: LedgerClient) -> frozenset[str]:
    rows = client.query("SELECT name FROM system.table_functions", in_database=False)
    return _REFUSED_FUNCTIONS | {str(name).lower() for (name,) in rows} - _HARMLESS_TABLE_FUNCTIONS


def _failure(error: ClickHouseError | OSError) -> TokenweirError:
    code = getattr(error, "code", None)
    if code is None or code in OVERLOAD_CODES:
        failure = failure_of(error, "answering a query")
        return failure if isinstance(failure, StoreUnavailable) else WrongCall(str(failure))
    if code == _READONLY_CODE:
        return WrongCall(f"The ledger is only read here: {brief(error)}")
    return WrongCall(f"ClickHouse cannot answer this query: {brief(error)}")
