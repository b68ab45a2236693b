"""One turn at one file: what has come since its checkpoint, as events and rejections.

Invariants: the checkpoint is moved when the turn is over, to behind the last row that was read whole; a row has the
same name at every reading. Of a file of which all rows so far are refused none is passed on before the limit of such
rows is known not to be reached.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from producers.files.formats import HEAD_BYTES, HEAD_LINES, Format, Head, ReadOptions, bind, file_time_of
from producers.files.lines import DAMAGE, Line, refuse_foreign
from producers.files.reading import Piece, rejection_of_row
from producers.files.record_rows import RecordRows
from producers.files.row_names import source_of
from producers.files.rows import Row
from producers.following.checkpoint import HEAD_BYTES as KNOWN_HEAD_BYTES
from producers.following.checkpoint import Checkpoint, fingerprint, is_compressed_file, open_content, resume
from producers.following.growing import EndForNow, GrowingLines, Place
from producers.following.named_rows import NamedRows
from tokenweir.errors import RejectedInput, TokenweirError
from tokenweir.usage.rejection import Rejection

TURN_BYTES: Final = 32 * 1024 * 1024
"""Read of one file before others have their turn. More than one record can take, so that each turn gets on."""


class Replaced(Exception):
    """The file at the path is not the one of the checkpoint any more."""


class WhollyRefused(TokenweirError):
    """The first rows of a file, as many as the limit says, were all refused; none of them was passed on."""


def bind_growing(path: Path, options: ReadOptions, *, settled: bool) -> Format | None:
    """The format by the whole lines at the file's beginning; None where there is none yet.

    Raises WrongCall where it cannot be told or does not fit the options, OSError.
    """
    with open_content(path) as content:
        lines = GrowingLines(
            content,
            offset=0,
            number=0,
            tail=b"",
            checksum=0,
            is_closed=is_compressed_file(path),
            settled=settled,
            most_bytes=HEAD_BYTES,
        )
        head: list[Line] = []
        try:
            for line in lines:
                head.append(line)
                if len(head) == HEAD_LINES:
                    break
        except (EndForNow, EOFError):
            pass
    if head:
        refuse_foreign(path, head[0].data[:16])
    return bind(
        Head.of_lines(str(path), head),
        options,
        source=source_name(path, options),
        file_time=file_time_of(path, options.now),
    )


def source_name(path: Path, options: ReadOptions) -> str:
    """Under which source a file's rows are named."""
    return str(options.column_map.fixed.get("source") or source_of(path))


class Turn:
    """One turn. Iterating gives the pieces and at the end moves the checkpoint; `more` tells whether more is there.

    Raises Replaced and WhollyRefused, which leave the checkpoint where it was, and DAMAGE where reading breaks off;
    then the checkpoint stands behind what was given out.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        bound: Format,
        names: NamedRows,
        options: ReadOptions,
        *,
        settled: bool,
    ) -> None:
        self._checkpoint = checkpoint
        self._path = Path(checkpoint.path)
        self._bound = bound
        self._names = names
        self._options = options
        self._settled = settled
        self._source = source_name(self._path, options)
        self._held: list[Rejection] | None = [] if checkpoint.only_refused >= 0 else None
        self.more = False

    def __iter__(self) -> Iterator[Piece]:
        checkpoint = self._checkpoint
        self._names.begin_turn()
        with self._opened() as (content, tail):
            lines = GrowingLines(
                content,
                offset=checkpoint.offset,
                number=checkpoint.line,
                tail=tail,
                checksum=checkpoint.content_checksum,
                is_closed=is_compressed_file(self._path),
                settled=self._settled,
                most_bytes=TURN_BYTES,
            )
            behind: Place | None = None
            damage: Exception | None = None
            try:
                for row in self._rows(lines):
                    yield from self._pieces(row)
                    behind = lines.place_behind(row.number + row.line_count - 1)
            except EndForNow:
                pass
            except DAMAGE as error:
                damage = error
            if self._held:
                checkpoint.only_refused += len(self._held)
                yield from self._held
            self._move(behind, lines)
            self.more = lines.more
            if damage is not None:
                raise damage

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], bytes]]:
        with open_content(self._path) as content:
            status = os.fstat(content.fileno())
            if (status.st_dev, status.st_ino) != self._checkpoint.key:
                raise Replaced
            tail = resume(self._checkpoint, content)
            if tail is None:
                raise Replaced
            yield content, tail

    def _rows(self, lines: GrowingLines) -> Iterator[Row]:
        if isinstance(self._bound, RecordRows) and self._checkpoint.reader_state is not None:
            self._bound.restore(self._checkpoint.reader_state)
        return self._bound.rows(lines, from_start=self._checkpoint.offset == 0)

    def _pieces(self, row: Row) -> Iterator[Piece]:
        # Names are taken back where the file turns out to be wholly refused.
        name = self._names.of_row(
            self._source, self._checkpoint, row.content, may_be_forgotten=self._held is not None
        )
        try:
            if row.problem is not None:
                raise row.problem
            events = self._bound.events(row, name)
        except RejectedInput as problem:
            rejection = rejection_of_row(
                row, self._bound, problem, name=name(), source=self._source, now=self._options.now
            )
            if self._held is None:
                yield rejection
                return
            self._held.append(rejection)
            refused = self._checkpoint.only_refused + len(self._held)
            if refused >= self._options.refused_rows_limit:
                self._names.forget_turn()
                raise WhollyRefused(
                    f"{self._path}: the first {refused} rows are all refused, the last because {problem.message}",
                    hint="Check --format and --map; the file is left alone until it is another",
                ) from None
            return
        if self._held is not None:
            yield from self._held
            self._held = None
            self._checkpoint.only_refused = -1
        yield from events

    def _move(self, behind: Place | None, lines: GrowingLines) -> None:
        """To behind the last whole row; of JSON, where each line is a row or none, behind the last whole line."""
        checkpoint = self._checkpoint
        if self._bound.lines_stand_alone and lines.last_place.offset > checkpoint.offset:
            behind = lines.last_place
        if isinstance(self._bound, RecordRows) and self._bound.state is not None:
            checkpoint.reader_state = dict(self._bound.state)
        if behind is None:
            return
        if checkpoint.head_bytes < min(behind.offset, KNOWN_HEAD_BYTES):
            checkpoint.head, checkpoint.head_bytes = self._head(behind.offset)
        checkpoint.offset, checkpoint.line = behind.offset, behind.number + 1
        checkpoint.content_checksum = behind.checksum
        checkpoint.tail, checkpoint.tail_bytes = fingerprint(behind.tail), len(behind.tail)

    def _head(self, offset: int) -> tuple[str, int]:
        with open_content(self._path) as content:
            start = content.read(min(offset, KNOWN_HEAD_BYTES))
        return fingerprint(start), len(start)
