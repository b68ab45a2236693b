"""Rows out of lines: CSV records, which may span lines, and JSON objects, one a line.

Invariants: a row that cannot be read costs that row; its neighbours are read. Every row comes with its bytes as
they stand in the file, for its name.
"""

import csv
import json
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from producers.files.lines import MAX_LINE_BYTES, Line
from tokenweir.errors import RejectedInput

DELIMITERS: Final = (",", ";", "\t", "|")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


class Row(NamedTuple):
    """number: of its first line, from 0. content: its bytes without line end. value: a list of strings (CSV) or an
    object (JSON); None where `problem` says why it could not be read. line_count: how many lines it spans."""

    number: int
    content: bytes
    size_bytes: int
    value: Any
    problem: RejectedInput | None = None
    line_count: int = 1


class _RunawayRecord(Exception):
    """A record that does not end within the limit: a quote was opened and never closed."""


def json_object(line: bytes) -> dict[str, Any]:
    """The object that `line` states, numbers with a point as Decimal. Raises RejectedInput where it states none."""
    try:
        value = _DECODER.decode(line.decode())
    except RecursionError:
        raise RejectedInput("invalid_json", "the line is nested too deeply") from None
    except ValueError as error:
        at = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise RejectedInput(
            "invalid_json", f"the line is not JSON{at}", hint="Send one JSON object a line, UTF-8"
        ) from None
    if not isinstance(value, dict):
        raise RejectedInput("wrong_type", "the line is not a JSON object", hint="Send one JSON object a line")
    return value


def json_rows(lines: Iterator[Line]) -> Iterator[Row]:
    """One row a line; blank lines are none."""
    for number, data, size in lines:
        if size > len(data) + 2:
            yield Row(number, data, size, None, _too_large(size))
            continue
        try:
            yield Row(number, data, size, json_object(data))
        except RejectedInput as problem:
            if data.strip():
                yield Row(number, data, size, None, problem)


def plain_rows(lines: Iterator[Line]) -> Iterator[Row]:
    """One row a line, undecoded; blank lines are none."""
    for number, data, size in lines:
        if size > len(data) + 2:
            yield Row(number, data, size, None, _too_large(size))
        elif data and not data.isspace():
            yield Row(number, data, size, data)


def csv_rows(lines: Iterator[Line], delimiter: str) -> Iterator[Row]:
    """CSV records (RFC 4180), the header among them; blank lines are none.

    A record that is malformed, or whose quote is never closed, is refused with its first line only, and reading
    goes on with the next line.
    """
    if csv.field_size_limit() < MAX_LINE_BYTES:
        csv.field_size_limit(MAX_LINE_BYTES)
    again: deque[Line] = deque()
    taken: list[Line] = []

    def feed() -> Iterator[str]:
        size = 0
        while True:
            line = again.popleft() if again else next(lines, None)
            if line is None:
                return
            taken.append(line)
            size = size + line.size_bytes if len(taken) > 1 else line.size_bytes
            if size > MAX_LINE_BYTES:
                raise _RunawayRecord
            # Bytes that are no UTF-8 stay what they are and are refused in the field where they stand.
            yield line.data.decode("utf-8", "surrogateescape") + "\n"

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        taken.clear()
        try:
            fields = next(reader, None)
        except (csv.Error, _RunawayRecord):
            first = taken[0]
            again.extendleft(reversed(taken[1:]))
            reader = csv.reader(feed(), delimiter=delimiter, strict=True)
            yield Row(first.number, first.data, first.size_bytes, None, _malformed(first))
            continue
        if fields is None:
            return
        if fields:
            first = taken[0]
            if len(taken) == 1:
                yield Row(first.number, first.data, first.size_bytes, fields)
            else:
                content = b"\n".join(line.data for line in taken)
                size = sum(line.size_bytes for line in taken)
                yield Row(first.number, content, size, fields, line_count=len(taken))


def delimiter_of(header: bytes) -> str:
    """The delimiter by which the header has the most columns; a comma where it has one column."""
    line = header.decode("utf-8", "replace")

    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader([line], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=columns)


def _malformed(line: Line) -> RejectedInput:
    if line.size_bytes > len(line.data) + 2:
        return _too_large(line.size_bytes)
    return RejectedInput(
        "wrong_type",
        "the row is malformed CSV: a quote stands alone",
        hint='Double a quote within quotes: ""',
    )


def _too_large(size_bytes: int) -> RejectedInput:
    return RejectedInput(
        "too_large",
        f"the row has {size_bytes} bytes, more than {MAX_LINE_BYTES}",
        hint="Take the content out of the log",
    )
