"""Files that are one JSON document instead of lines: an array, a pretty-printed object, an export's `{"data": […]}`.

An array is read element by element in constant memory; each element is a row, named by its bytes as they stand in the
file. Any other document is one row.
Invariants: an element that is no object costs itself; what stands before a damage is given out before the error.
Limits: a document that is no array takes at most MAX_DOCUMENT_BYTES, an element MAX_LINE_BYTES; JSON that is malformed
within an array ends the reading of the file, as nothing says where the next element begins.
"""

import codecs
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from producers.files.lines import MAX_LINE_BYTES, FileLines, UnreadableFile
from producers.files.rows import Row, json_object
from tokenweir.errors import RejectedInput, WrongCall

MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024

_WRAPPERS: Final = (
    "data",
    "records",
    "Records",
    "items",
    "results",
    "value",
    "rows",
    "logs",
    "logEvents",
    "events",
)
"""Names under which exports and APIs put their list of records."""

_CARRIERS: Final = ("message", "@message")
"""Names under which a log service puts the record itself, as a string."""

_BLANKS: Final = " \t\r\n"
# In an array a word that is no JSON must not hide where the element ends; no count takes it for a number.
_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=str)


def is_document(start: bytes) -> bool:
    """Whether content that begins so is one document: an array, or an object that its first line does not close."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] != b"{":
        return text[:1] == b"["
    first, line_end, _ = text.partition(b"\n")
    return bool(line_end) and first.rstrip()[-1:] in (b"{", b"[", b",", b":")


def document_rows(lines: FileLines) -> Iterator[Row]:
    """The rows of a file that is one document.

    Raises UnreadableFile where it breaks off or is malformed, WrongCall for a document that is too large.
    """
    text = _Text(lines)
    if text.next_character() != "[":
        yield from _whole(lines, text)
        return
    text.position += 1
    number = 0
    while (character := text.next_character()) != "]":
        if character == "":
            raise UnreadableFile(
                f"{lines.path} ends in the middle of its JSON array, after element {number}",
                hint="Read it again when it is whole: its rows keep their names and are not counted twice",
            )
        if character == ",":
            text.position += 1
            continue
        value, content = text.take_value(number)
        problem = None
        if not isinstance(value, dict):
            problem = RejectedInput("wrong_type", "the element is not a JSON object")
        yield Row(number, content, len(content), None if problem else value, problem)
        number += 1


def elements(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records that an object of an export, of an API or of a log service wraps; none where it wraps none.

    Knows lists under the usual names, records that stand as a string under `message`, and the tables of Azure's
    Log Analytics API (`{"tables": [{"columns": […], "rows": […]}]}`).
    """
    carried = _carried(value)
    if carried is not None:
        return [carried]
    tables = value.get("tables")
    if isinstance(tables, list):
        return [row for table in tables if isinstance(table, Mapping) for row in _table_rows(table)]
    for name in _WRAPPERS:
        listed = value.get(name)
        if isinstance(listed, list) and any(isinstance(entry, Mapping) for entry in listed):
            found = [entry for entry in listed if isinstance(entry, Mapping)]
            return [_carried(entry) or entry for entry in found]
    return []


class _Text:
    """The decoded content, as much of it as is needed; position: up to where it was used."""

    def __init__(self, lines: FileLines) -> None:
        self._path = lines.path
        self._chunks = lines.chunks()
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self.text = ""
        self.position = 0
        self._ended = False

    def fill(self) -> bool:
        """Takes in more, at least as much as is there unused; whether there was more."""
        pieces = [self.text[self.position :]]
        self.position = 0
        wanted, taken = max(len(pieces[0]), 1), 0
        while taken < wanted and not self._ended:
            data = next(self._chunks, b"")
            self._ended = not data
            try:
                piece = self._decode(data, final=self._ended)
            except UnicodeDecodeError:
                raise UnreadableFile(f"{self._path} is not UTF-8", hint="Convert it to UTF-8") from None
            taken += len(piece)
            pieces.append(piece)
        self.text = "".join(pieces)
        return taken > 0

    def next_character(self) -> str:
        """The next one that is no blank; "" at the end."""
        while True:
            while self.position < len(self.text):
                if self.text[self.position] not in _BLANKS:
                    return self.text[self.position]
                self.position += 1
            if not self.fill():
                return ""

    def take_value(self, number: int) -> tuple[Any, bytes]:
        """The JSON value at the position, and its bytes."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.position)
            except json.JSONDecodeError:
                if len(self.text) - self.position <= MAX_LINE_BYTES and self.fill():
                    continue
                complaint = "is malformed or too large"
            except RecursionError:
                complaint = "is nested too deeply"
            except ValueError:
                complaint = "holds a number that is too long"
            else:
                content = self.text[self.position : end].encode("utf-8", "replace")
                self.position = end
                return value, content
            raise UnreadableFile(
                f"{self._path}: element {number} of its JSON array {complaint}",
                hint="What stands before it was read; mend the file, or make it JSON Lines",
            )


def _whole(lines: FileLines, text: _Text) -> Iterator[Row]:
    while text.fill():
        if len(text.text) > MAX_DOCUMENT_BYTES:
            raise WrongCall(
                f"{lines.path} is one JSON object of more than {MAX_DOCUMENT_BYTES} bytes",
                hint="Make it JSON Lines first, e.g. jq -c '.data[]'",
            )
    content = text.text[text.position :].strip().encode("utf-8", "replace")
    try:
        yield Row(0, content, len(content), json_object(content))
    except RejectedInput as problem:
        yield Row(0, content, len(content), None, problem)


def _carried(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for name in _CARRIERS:
        written = value.get(name)
        if isinstance(written, str) and written.lstrip()[:1] == "{":
            try:
                return json_object(written.encode("utf-8", "replace"))
            except RejectedInput:
                return None
    return None


def _table_rows(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return
    names = [column.get("name") if isinstance(column, Mapping) else None for column in columns]
    for row in rows:
        if isinstance(row, list) and len(row) == len(names):
            yield {name: cell for name, cell in zip(names, row, strict=True) if isinstance(name, str)}
