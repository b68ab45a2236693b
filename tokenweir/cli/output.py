"""How results reach a person or a program: a table, JSON, or CSV on standard output."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def json_ready(value: object) -> object:
    """`value` as JSON can hold it: decimals as plain strings, times as RFC 3339 in UTC."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    return value


def print_json(value: object) -> None:
    """One JSON object or array, indented."""
    click.echo(json.dumps(json_ready(value), indent=2, ensure_ascii=False))


def print_rows(rows: Sequence[Row], columns: Sequence[str], form: str, *, empty: str) -> None:
    """Rows as `table`, `json` or `csv`. `empty` is the sentence that a table shows in place of no rows."""
    if form == "json":
        print_json(list(rows))
    elif form == "csv":
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row.get(name), exact=True) for name in columns] for row in rows)
        click.echo(buffer.getvalue(), nl=False)
    elif not rows:
        click.echo(empty)
    else:
        _print_table(rows, columns)


def _print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = any(isinstance(row.get(name), int | Decimal) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name), exact=False) for name in columns))
    # Wide enough for every figure when the output goes to a file or a pipe.
    Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: object, *, exact: bool) -> str:
    if value is None:
        return "" if exact else "-"
    if isinstance(value, Decimal):
        return str(json_ready(value)) if exact else _money(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if exact else f"{value:,}"
    if isinstance(value, datetime | Mapping | list | tuple):
        ready = json_ready(value)
        return ready if isinstance(ready, str) else json.dumps(ready, ensure_ascii=False)
    return str(value)


def _money(amount: Decimal) -> str:
    """Cents where there are dollars, four significant digits where there are none."""
    if amount == 0 or abs(amount) >= 1:
        return f"{amount:,.2f}"
    digits = 3 - amount.adjusted()
    return f"{amount:.{digits}f}"
