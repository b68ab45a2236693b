"""Rows of other tools' records: JSON Lines, a JSON document, or CSV whose header names the records' fields.

A row of CSV is taken for an object whose values are strings; what wraps several records (an API's `{"data": […]}`, a
log service's envelope) gives a row for each.
Invariants: of a refused record nothing is kept but the names of its fields and their sizes; a reader with state reads
on where its state was taken.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from producers import records
from producers.files.documents import elements
from producers.files.lines import Line
from producers.files.rows import Row, csv_rows, delimiter_of, json_rows
from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import UsageEvent


class RecordRows:
    """A format of records, bound to one file. head: its first lines; none for a document."""

    def __init__(
        self, name: str, head: Sequence[Line], *, fixed: Mapping[str, Any], source: str, now: datetime
    ) -> None:
        """Raises WrongCall for CSV without a header that can be read."""
        self.name = name
        self._reader = records.new_reader(name)
        self._context: dict[str, Any] = {
            "source": source,
            "now": now,
            "fields": {key: value for key, value in fixed.items() if key != "source"},
        }
        self._header: list[str] | None = None
        self._delimiter = ""
        if head and head[0].data.lstrip()[:1] not in (b"{", b"["):
            self._delimiter, self._header = _header_of(head)
        self.lines_stand_alone = self._header is None

    @property
    def state(self) -> Mapping[str, Any] | None:
        """What the reader has gathered from the rows before; None for a reader without state."""
        state: Mapping[str, Any] | None = getattr(self._reader, "state", None)
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Reads on where `state` was taken."""
        self._reader.restore(state)  # type: ignore[attr-defined]

    def rows(self, lines: Iterator[Line], *, from_start: bool = True) -> Iterator[Row]:
        """The records that `lines` hold. from_start: whether the file's first line is among them."""
        if self._header is None:
            return self.document_rows(json_rows(lines))
        return self._table_rows(lines, from_start)

    def document_rows(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The records, those that a row wraps each by itself."""
        for row in rows:
            wrapped = [] if row.value is None or records.detect(row.value) else elements(row.value)
            if not wrapped:
                yield row
            for element in wrapped:
                content = json.dumps(element, default=str, separators=(",", ":")).encode()
                yield row._replace(content=content, size_bytes=len(content), value=element)

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        """The calls of one record. name: names a record without an id. Raises RejectedInput."""
        context = records.RecordContext(make_id=_numbered(name), **self._context)
        return tuple(self._reader(Answer(row.value), context))

    def kept(self, row: Row) -> bytes:
        """The names of the record's fields; its values only as far as `redact` lets them pass."""
        if self._header is not None and isinstance(row.value, dict):
            return json.dumps(row.value, default=str).encode("utf-8", "replace")
        return row.content

    def _table_rows(self, lines: Iterator[Line], from_start: bool) -> Iterator[Row]:
        header = self._header or []
        skip = from_start
        for row in csv_rows(lines, self._delimiter):
            if skip:
                skip = False
            elif row.value is None:
                yield row
            elif len(row.value) != len(header):
                problem = RejectedInput(
                    "missing_field" if len(row.value) < len(header) else "unknown_field",
                    f"the row has {len(row.value)} columns where the header has {len(header)}",
                    hint="Quote a value that holds the delimiter or a line break",
                )
                yield row._replace(value=None, problem=problem)
            else:
                yield row._replace(value=dict(zip(header, row.value, strict=True)))


def csv_record(head: Sequence[Line]) -> dict[str, Any] | None:
    """The first row of a CSV file by its header's names; the header alone where no row follows; None without one."""
    rows = [row.value for row in csv_rows(iter(head), delimiter_of(head[0].data)) if row.value is not None]
    if not rows or len(rows[0]) < 2:
        return None
    header = [name.strip() for name in rows[0]]
    first = next((row for row in rows[1:] if len(row) == len(header)), [""] * len(header))
    return dict(zip(header, first, strict=True))


def _header_of(head: Sequence[Line]) -> tuple[str, list[str]]:
    delimiter = delimiter_of(head[0].data)
    for row in csv_rows(iter(head), delimiter):
        if row.value is not None:
            return delimiter, [name.strip() for name in row.value]
    raise WrongCall("the file has no header that can be read", hint="Its first line must name the columns")


def _numbered(name: Callable[[], str]) -> Callable[[], str]:
    """Names for the calls of one record: the record's own, then numbered."""
    count = 0

    def next_name() -> str:
        nonlocal count
        count += 1
        return name() if count == 1 else f"{name()}/{count - 1}"

    return next_name
