"""The formats that a file may have, and how one is told from its beginning.

`events` is NDJSON of UsageEvent; `csv` and `jsonl` go through a column map; a vendor's name stands for that vendor's
raw answers, a tool's for its records (`producers.records`). JSON comes as lines or as one document.
Invariant: what is wrong with the call itself is raised as WrongCall when a format is bound to a file's beginning,
before any row is read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

from producers import records, vendors
from producers.files.column_map import ColumnMap, near_match
from producers.files.documents import elements
from producers.files.lines import Line
from producers.files.mapped import bind_csv, bind_jsonl
from producers.files.record_rows import RecordRows, csv_record
from producers.files.rows import Row, csv_rows, delimiter_of, json_object, json_rows, plain_rows
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import EARLIEST_TIME, UsageEvent
from tokenweir.usage.reading import read_event_line, read_event_object

HEAD_LINES: Final = 100
HEAD_BYTES: Final = 1024 * 1024
_EVENT_FIELDS: Final = frozenset({"id", "source", "time", "vendor", "model"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How files are to be read.

    now: UTC, against which a time in the future is seen. format: one of `format_names()`; None finds it by content.
    surface: of raw answers; None finds it. refused_rows_limit: when the first so many rows of a file are refused,
    all of them, reading stops instead of draining the file into the rejects.
    """

    now: datetime
    format: str | None = None
    column_map: ColumnMap = field(default_factory=ColumnMap)
    surface: str | None = None
    refused_rows_limit: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The beginning of a file. lines: its first ones, none of them blank; of a document none. objects: the JSON
    objects among them, or the first of the document."""

    path: str
    lines: Sequence[Line] = ()
    objects: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of_lines(cls, path: str, lines: Sequence[Line]) -> "Head":
        """The beginning of a file of lines."""
        kept = [line for line in lines if line.data.strip()]
        return cls(path=path, lines=kept, objects=list(_objects(kept)))


class Format(Protocol):
    """A format, bound to one file. lines_stand_alone: whether each line is a row by itself."""

    name: str
    lines_stand_alone: bool

    def rows(self, lines: Iterator[Line], *, from_start: bool = True) -> Iterator[Row]:
        """The rows that `lines` hold, in order. from_start: whether the file's first line is among them."""

    def document_rows(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of a file that is one JSON document, from its elements."""

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        """The events of a row that could be read. name: names a row that has no id. Raises RejectedInput."""

    def kept(self, row: Row) -> bytes:
        """The piece of a refused row to be redacted and kept."""


def format_names() -> list[str]:
    """All names that `ReadOptions.format` takes."""
    return ["events", "csv", "jsonl", *vendors.vendors(), *records.formats()]


def bind(head: Head, options: ReadOptions, *, source: str, file_time: datetime) -> Format | None:
    """The file's format, ready to read; None for an empty file. Raises WrongCall.

    source: who reports what has no reporter of its own. file_time: when the file was last written, for answers
    that do not say when they were given.
    """
    if options.format is not None and options.format not in format_names():
        raise WrongCall(
            f"no format {options.format!r}",
            hint=f"{near_match(options.format, format_names())}Formats are {', '.join(format_names())}",
        )
    if not head.lines and not head.objects:
        return None
    name = options.format or _detect(head, options.column_map)
    if name == "csv":
        return _Csv(head, options, source)
    if name == "jsonl":
        return _JsonLines(head, options, source)
    if options.column_map.columns:
        raise WrongCall(
            f"--map does not apply to {head.path}, which is read as {name}",
            hint="Name the format (--format csv or jsonl), or leave the map away; --set applies to every format",
        )
    if name == "events":
        return _Events(options)
    if name in records.formats():
        fixed = options.column_map.fixed
        return RecordRows(name, head.lines, fixed=fixed, source=source, now=options.now)
    return _Answers(options, vendor=name, source=source, file_time=file_time)


def _detect(head: Head, column_map: ColumnMap) -> str:
    first = head.lines[0].data if head.lines else b"{"
    if b"\0" in first:
        raise WrongCall(
            f"{head.path} is no text", hint="Convert it to CSV or JSON Lines in UTF-8, plain, gzip or zstd"
        )
    if first.lstrip()[:1] != b"{":
        return _detect_table(head, column_map)
    if column_map.columns:
        return "jsonl"
    for body in head.objects:
        name = _detect_object(body)
        if name:
            return name
    raise WrongCall(
        f"cannot tell what {head.path} holds",
        hint=f"Name its format with --format ({', '.join(format_names())}), or map its columns with --map FIELD=COLUMN",
    )


def _detect_table(head: Head, column_map: ColumnMap) -> str:
    if column_map.columns:
        return "csv"
    record = csv_record(head.lines)
    return (records.detect(record) if record else "") or "csv"


def _detect_object(body: Mapping[str, Any]) -> str:
    if body.keys() >= _EVENT_FIELDS and "usage" not in body:
        return "events"
    name = records.detect(body) or vendors.guess_vendor(body)
    if name:
        return name
    # Only records are unwrapped: the `data` of a vendor's answer is part of the answer.
    return next((found for element in elements(body) if (found := records.detect(element))), "")


def _objects(head: Sequence[Line]) -> Iterator[dict[str, Any]]:
    for line in head:
        try:
            yield json_object(line.data)
        except RejectedInput:
            continue  # It is refused, and counted, when it is read.


class _Csv:
    name = "csv"
    lines_stand_alone = False

    def __init__(self, head: Head, options: ReadOptions, source: str) -> None:
        if not head.lines:
            raise WrongCall(
                f"{head.path} is a JSON document, not CSV",
                hint="Name another format, or leave it to be found",
            )
        self._delimiter = delimiter_of(head.lines[0].data)
        sample = [row.value for row in csv_rows(iter(head.lines), self._delimiter) if row.problem is None]
        if not sample:
            raise WrongCall(
                f"{head.path} has no header that can be read", hint="Its first line must name the columns"
            )
        mapped = bind_csv(
            head.path, sample[0], sample[1:], options.column_map, source=source, now=options.now
        )
        self.events = mapped.events
        self.kept = mapped.kept

    def rows(self, lines: Iterator[Line], *, from_start: bool = True) -> Iterator[Row]:
        return islice(csv_rows(lines, self._delimiter), 1 if from_start else 0, None)

    def document_rows(self, rows: Iterator[Row]) -> Iterator[Row]:
        return rows


class _JsonFormat:
    """What all formats of JSON share."""

    lines_stand_alone = True

    def rows(self, lines: Iterator[Line], *, from_start: bool = True) -> Iterator[Row]:
        return json_rows(lines)

    def document_rows(self, rows: Iterator[Row]) -> Iterator[Row]:
        return rows

    def kept(self, row: Row) -> bytes:
        return row.content


class _JsonLines(_JsonFormat):
    name = "jsonl"

    def __init__(self, head: Head, options: ReadOptions, source: str) -> None:
        mapped = bind_jsonl(head.path, list(head.objects), options.column_map, source=source, now=options.now)
        self.events = mapped.events
        self.kept = mapped.kept  # type: ignore[method-assign]


class _Events(_JsonFormat):
    name = "events"

    def __init__(self, options: ReadOptions) -> None:
        self._now = options.now
        self._fixed = dict(options.column_map.fixed)

    def rows(self, lines: Iterator[Line], *, from_start: bool = True) -> Iterator[Row]:
        return plain_rows(lines)

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        event = read_event_line(row.content, now=self._now)
        if self._fixed:
            event = read_event_object({**event.model_dump(), **self._fixed}, now=self._now)
        return (event,)


class _Answers(_JsonFormat):
    def __init__(self, options: ReadOptions, *, vendor: str, source: str, file_time: datetime) -> None:
        self.name = vendor
        self._surface = options.surface
        self._context: dict[str, Any] = {
            "source": source,
            "now": options.now,
            "time": file_time,
            "fields": {key: value for key, value in options.column_map.fixed.items() if key != "source"},
        }
        if options.surface is not None:
            vendors.surface_named(vendor, options.surface)

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        context = vendors.AnswerContext(make_id=name, **self._context)
        return vendors.read_calls(self.name, row.value, surface=self._surface, context=context)


def file_time_of(path: Path, now: datetime) -> datetime:
    """When `path` was last written, UTC; `now` where its time is implausible or cannot be had."""
    try:
        written = path.stat().st_mtime
    except OSError:
        return now
    moment = datetime.fromtimestamp(written, tz=now.tzinfo)
    return moment if EARLIEST_TIME <= moment <= now else now
