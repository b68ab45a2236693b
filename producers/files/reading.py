"""Reads files of usage: path by path, row by row, into events and rejections.

Invariants: memory does not grow with a file but for the names of its rows (`row_names`); a row that cannot be read
becomes a Rejection and costs only itself; reading the same content again gives the same ids; mistakes in the call
are raised before the first row is taken.
Limits: a wholly refused file is given up after `refused_rows_limit` rows, and then none of them is passed on. Of a
directory or a pattern, files that cannot be read here are passed over and told in `skipped`; a file that is named
itself is an error.
"""

from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from producers.files.documents import document_rows, is_document
from producers.files.formats import HEAD_BYTES, HEAD_LINES, Format, Head, ReadOptions, bind, file_time_of
from producers.files.lines import FileLines, UnreadableFile
from producers.files.paths import Found, files_at
from producers.files.row_names import RowNames, source_of
from producers.files.rows import Row
from tokenweir.errors import RejectedInput, TokenweirError, WrongCall
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import Rejection

Piece = UsageEvent | Rejection

_PROGRESS_ROWS = 256


class FileReading(Iterator[Piece]):
    """The pieces of some files, with the figures of a progress bar.

    total_bytes and read_bytes: of the files as they lie on disk, compressed or not. path: the file being read.
    Iterating raises UnreadableFile, after all other files were read, where a file broke off; WrongCall for a file
    that does not fit the call; TokenweirError where the first rows of a file were all refused.
    """

    def __init__(self, paths: Iterable[str | Path], options: ReadOptions) -> None:
        """Raises WrongCall for a path that cannot be read and for a map that does not fit a file's columns."""
        self._options = options
        self.total_bytes = 0
        self.read_bytes = 0
        self.event_count = 0
        self.rejection_count = 0
        self.path: Path | None = None
        self.skipped: list[WrongCall] = []
        self._paths = [found.path for found in files_at(paths) if self._is_readable(found)]
        if not self._paths:
            first = self.skipped[0]
            raise WrongCall(f"nothing here can be read; the first: {first.message}", hint=first.hint)
        self._pieces = self._read_all()

    @property
    def file_count(self) -> int:
        """How many files are read."""
        return len(self._paths)

    def __next__(self) -> Piece:
        return next(self._pieces)

    def close(self) -> None:
        """Ends the reading early and closes the file."""
        self._pieces.close()

    def _is_readable(self, found: Found) -> bool:
        path = found.path
        if not path.is_file():
            return True  # A pipe can be opened only once.
        try:
            with FileLines(path) as lines:
                self._bind(lines)
        except WrongCall as problem:
            if found.named:
                raise
            self.skipped.append(problem)
            return False
        self.total_bytes += path.stat().st_size
        return True

    def _bind(self, lines: FileLines) -> tuple[Format, Iterator[Row]] | None:
        path = str(lines.path)
        source, file_time = self._source(lines.path), file_time_of(lines.path, self._options.now)
        if not is_document(lines.peek()):
            head = Head.of_lines(path, lines.head(HEAD_LINES, HEAD_BYTES))
            bound = bind(head, self._options, source=source, file_time=file_time)
            return None if bound is None else (bound, bound.rows(lines))
        elements = document_rows(lines)
        try:
            first = list(islice(elements, 20))
        except UnreadableFile as error:
            raise WrongCall(error.message, hint=error.hint) from None
        objects = [row.value for row in first if row.value is not None]
        bound = bind(Head(path=path, objects=objects), self._options, source=source, file_time=file_time)
        return None if bound is None else (bound, bound.document_rows(chain(first, elements)))

    def _source(self, path: Path) -> str:
        return str(self._options.column_map.fixed.get("source") or source_of(path))

    def _read_all(self) -> Generator[Piece, None, None]:
        broken: list[UnreadableFile] = []
        done_bytes = 0
        for path in self._paths:
            self.path = path
            with FileLines(path) as lines:
                try:
                    yield from self._read(lines, done_bytes)
                except UnreadableFile as error:
                    broken.append(error)
            if path.is_file():
                done_bytes += path.stat().st_size
            self.read_bytes = done_bytes
        if len(broken) == 1:
            raise broken[0]
        if broken:
            raise UnreadableFile(
                f"{len(broken)} files broke off; the first: {broken[0].message}", hint=broken[0].hint
            )

    def _read(self, lines: FileLines, done_bytes: int) -> Iterator[Piece]:
        found = self._bind(lines)
        if found is None:
            return
        bound, rows = found
        names = RowNames(self._source(lines.path))
        held: list[Rejection] | None = []
        count = 0
        while True:
            try:
                row = next(rows, None)
            except UnreadableFile:
                yield from held or ()
                raise
            if row is None:
                break
            count += 1
            if count % _PROGRESS_ROWS == 0:
                self.read_bytes = done_bytes + lines.position_bytes
            name = names.of_row(row.content)
            try:
                if row.problem is not None:
                    raise row.problem
                events = bound.events(row, name)
            except RejectedInput as problem:
                rejection = rejection_of_row(
                    row, bound, problem, name=name(), source=names.source, now=self._options.now
                )
                self.rejection_count += 1
                if held is None:
                    yield rejection
                    continue
                held.append(rejection)
                if len(held) >= self._options.refused_rows_limit:
                    raise _all_refused(lines.path, len(held), problem) from None
                continue
            if held is not None:
                yield from held
                held = None
            for event in events:
                self.event_count += 1
                yield event
        yield from held or ()


def rejection_of_row(
    row: Row, bound: Format, problem: RejectedInput, *, name: str, source: str, now: datetime
) -> Rejection:
    """What is kept of a refused row. name: its own. now: UTC."""
    payload, truncated = redact(bound.kept(row))
    return Rejection.model_validate(
        {
            "id": name,
            "rejected_at": now,
            "stage": "collector",
            "reason": problem.reason,
            "field": problem.field,
            "detail": str(problem)[:2000],
            "line": row.number,
            "key": source,
            "size_bytes": row.size_bytes,
            "payload": payload,
            "truncated": truncated,
        }
    )


def read_files(paths: Iterable[str | Path], options: ReadOptions) -> FileReading:
    """The events and rejections of `paths`, in order, as an iterator that also tells its progress."""
    return FileReading(paths, options)


def _all_refused(path: Path, count: int, problem: RejectedInput) -> TokenweirError:
    return TokenweirError(
        f"{path}: the first {count} rows are all refused, the last because {problem.message}",
        hint="Check --format and --map; nothing of this file was taken",
    )
