"""What Grafana and the ClickHouse data source make of a query before ClickHouse sees it.

Written from the data source's documentation: the table of macros (docs/sources/query-editor.md of
grafana/clickhouse-datasource), `$__conditionalAll` and the formats of variables (docs/sources/template-variables.md).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

ALL = "$__all"
Values = Mapping[str, str | list[str]]

_VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<form>\w+))?\}|\$(?!__)(?P<bare>\w+)")
_INTERVAL = re.compile(r"\$__timeInterval\(([^()]*)\)")


def expand(
    sql: str, *, since: datetime, until: datetime, interval_seconds: int, values: Values, now: datetime
) -> str:
    """The query as ClickHouse gets it. values: what is chosen of each variable. now: in place of the server's clock."""
    sql = _conditional_all(sql, values)
    sql = _VARIABLE.sub(lambda found: _interpolated(found, values), sql)
    sql = _INTERVAL.sub(
        lambda found: f"toStartOfInterval(toDateTime({found[1]}), INTERVAL {interval_seconds} second)", sql
    )
    sql = sql.replace("$__interval_s", str(interval_seconds))
    sql = sql.replace("$__fromTime", f"toDateTime({int(since.timestamp())})")
    sql = sql.replace("$__toTime", f"toDateTime({int(until.timestamp())})")
    assert "$" not in sql, f"something is left that nobody replaces: {sql[sql.index('$') :][:60]}"
    return sql.replace("now('UTC')", f"toDateTime({int(now.timestamp())}, 'UTC')")


def _conditional_all(sql: str, values: Values) -> str:
    """The condition, or 1=1 where all is chosen (or nothing)."""
    macro = "$__conditionalAll("
    while (start := sql.rfind(macro)) >= 0:
        arguments, end = _arguments(sql, start + len(macro))
        condition, variable = arguments
        name = variable.strip().removeprefix("$")
        assert re.fullmatch(r"\w+", name), f"the second argument is a plain variable, not {variable}"
        value = values[name]
        chosen = value if isinstance(value, str) else ",".join(value)
        sql = sql[:start] + ("1=1" if chosen in ("", ALL) else condition) + sql[end:]
    return sql


def _arguments(sql: str, start: int) -> tuple[list[str], int]:
    """The arguments from `start` on, split at commas that stand in no further brackets, and where they end."""
    depth, begin, found = 1, start, []
    for place in range(start, len(sql)):
        character = sql[place]
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        if (character == "," and depth == 1) or depth == 0:
            found.append(sql[begin:place])
            begin = place + 1
        if depth == 0:
            return found, place + 1
    raise AssertionError("a macro without an end")


def _interpolated(found: re.Match[str], values: Values) -> str:
    name, form = found["braced"] or found["bare"], found["form"]
    value = values[name]
    if form == "singlequote":
        several = [value] if isinstance(value, str) else value
        return ",".join("'" + each.replace("'", "\\'") + "'" for each in several)
    assert form == "raw", f"variable {name} is used in the form {form}"
    assert isinstance(value, str), f"several values of {name} as they are"
    return value


def plain(value: object) -> object:
    """A value of an answer without what only one way of asking gives it: a time's zone, a count's type."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value
