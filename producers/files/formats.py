"""The formats that a file may have, and how one is told from its first lines.

`events` is NDJSON of UsageEvent; `csv` and `jsonl` go through a column map; a vendor's name stands for JSON Lines
of that vendor's raw answers.
Invariant: what is wrong with the call itself is raised as WrongCall when a format is bound to a file's first lines,
before any row is read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

from producers import vendors
from producers.files.column_map import ColumnMap, near_match
from producers.files.lines import FileLines, Line
from producers.files.mapped import bind_csv, bind_jsonl
from producers.files.rows import Row, csv_rows, delimiter_of, json_object, json_rows, plain_rows
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import EARLIEST_TIME, UsageEvent
from tokenweir.usage.reading import read_event_line, read_event_object

_HEAD_LINES: Final = 100
_HEAD_BYTES: Final = 1024 * 1024
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


class Format(Protocol):
    """A format, bound to one file."""

    def rows(self) -> Iterator[Row]:
        """The rows of the file, in order."""

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        """The events of a row that could be read. name: names a row that has no id. Raises RejectedInput."""

    def kept(self, row: Row) -> bytes:
        """The piece of a refused row to be redacted and kept."""


def format_names() -> list[str]:
    """All names that `ReadOptions.format` takes."""
    return ["events", "csv", "jsonl", *vendors.vendors()]


def bind(lines: FileLines, options: ReadOptions, *, source: str, file_time: datetime) -> Format | None:
    """The file's format, ready to read; None for an empty file. Raises WrongCall.

    source: who reports what has no reporter of its own. file_time: when the file was last written, for answers
    that do not say when they were given.
    """
    head = [line for line in lines.head(_HEAD_LINES, _HEAD_BYTES) if line.data.strip()]
    path = str(lines.path)
    if options.format is not None and options.format not in format_names():
        raise WrongCall(
            f"no format {options.format!r}",
            hint=f"{near_match(options.format, format_names())}Formats are {', '.join(format_names())}",
        )
    if not head:
        return None
    name = options.format or _detect(path, head, options.column_map)
    if name == "csv":
        return _Csv(lines, head, options, source)
    if name == "jsonl":
        return _JsonLines(lines, head, options, source)
    if options.column_map.columns:
        raise WrongCall(
            f"--map does not apply to {path}, which is read as {name}",
            hint="Name the format (--format csv or jsonl), or leave the map away; --set applies to every format",
        )
    if name == "events":
        return _Events(lines, options)
    return _Answers(lines, options, vendor=name, source=source, file_time=file_time)


def _detect(path: str, head: Sequence[Line], column_map: ColumnMap) -> str:
    start = head[0].data.lstrip()[:1]
    if b"\0" in head[0].data:
        raise WrongCall(f"{path} is no text", hint="Convert it to CSV or JSON Lines in UTF-8, plain or gzip")
    if start == b"[":
        raise WrongCall(f"{path} is one JSON array", hint="Make it JSON Lines first, e.g. jq -c '.[]'")
    if start != b"{":
        return "csv"
    if column_map.columns:
        return "jsonl"
    for body in _objects(head):
        if body.keys() >= _EVENT_FIELDS and "usage" not in body:
            return "events"
        vendor = vendors.guess_vendor(body)
        if vendor:
            return vendor
    raise WrongCall(
        f"cannot tell what {path} holds",
        hint=f"Name its format with --format ({', '.join(format_names())}), or map its columns with --map FIELD=COLUMN",
    )


def _objects(head: Sequence[Line]) -> Iterator[dict[str, Any]]:
    for line in head:
        try:
            yield json_object(line.data)
        except RejectedInput:
            continue  # It is refused, and counted, when it is read.


class _Csv:
    def __init__(self, lines: FileLines, head: Sequence[Line], options: ReadOptions, source: str) -> None:
        delimiter = delimiter_of(head[0].data)
        sample = [row.value for row in csv_rows(iter(head), delimiter) if row.problem is None]
        if not sample:
            raise WrongCall(
                f"{lines.path} has no header that can be read", hint="Its first line must name the columns"
            )
        self._rows = csv_rows(lines, delimiter)
        self._mapped = bind_csv(
            str(lines.path), sample[0], sample[1:], options.column_map, source=source, now=options.now
        )
        self.events = self._mapped.events
        self.kept = self._mapped.kept

    def rows(self) -> Iterator[Row]:
        return islice(self._rows, 1, None)


class _JsonLines:
    def __init__(self, lines: FileLines, head: Sequence[Line], options: ReadOptions, source: str) -> None:
        self._lines = lines
        mapped = bind_jsonl(
            str(lines.path), list(_objects(head)), options.column_map, source=source, now=options.now
        )
        self.events = mapped.events
        self.kept = mapped.kept

    def rows(self) -> Iterator[Row]:
        return json_rows(self._lines)


class _Events:
    def __init__(self, lines: FileLines, options: ReadOptions) -> None:
        self._lines = lines
        self._now = options.now
        self._fixed = dict(options.column_map.fixed)

    def rows(self) -> Iterator[Row]:
        return plain_rows(self._lines)

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        event = read_event_line(row.content, now=self._now)
        if self._fixed:
            event = read_event_object({**event.model_dump(), **self._fixed}, now=self._now)
        return (event,)

    def kept(self, row: Row) -> bytes:
        return row.content


class _Answers:
    def __init__(
        self, lines: FileLines, options: ReadOptions, *, vendor: str, source: str, file_time: datetime
    ) -> None:
        self._lines = lines
        self._vendor = vendor
        self._surface = options.surface
        self._context: dict[str, Any] = {
            "source": source,
            "now": options.now,
            "time": file_time,
            "fields": {key: value for key, value in options.column_map.fixed.items() if key != "source"},
        }
        if options.surface is not None and options.surface not in vendors.surfaces(vendor):
            raise WrongCall(
                f"{vendor} has no surface {options.surface!r}",
                hint=f"It has {', '.join(vendors.surfaces(vendor))}",
            )

    def rows(self) -> Iterator[Row]:
        return json_rows(self._lines)

    def events(self, row: Row, name: Callable[[], str]) -> Sequence[UsageEvent]:
        context = vendors.AnswerContext(make_id=name, **self._context)
        return vendors.read_calls(self._vendor, row.value, surface=self._surface, context=context)

    def kept(self, row: Row) -> bytes:
        return row.content


def file_time_of(path: Path, now: datetime) -> datetime:
    """When `path` was last written, UTC; `now` where its time is implausible or cannot be had."""
    try:
        written = path.stat().st_mtime
    except OSError:
        return now
    moment = datetime.fromtimestamp(written, tz=now.tzinfo)
    return moment if EARLIEST_TIME <= moment <= now else now
