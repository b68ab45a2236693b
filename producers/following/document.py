"""Files that are one JSON document and are rewritten whole, as Gemini CLI writes its chats.

Such a file is read anew whenever it has changed, and only what it did not say before is passed on. What is being
written at this moment is no whole document yet and is read when it is.
"""

import hashlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from producers.files.documents import document_rows
from producers.files.formats import Head, ReadOptions, bind, file_time_of
from producers.files.lines import FileLines, UnreadableFile
from producers.files.reading import Piece, rejection_of_row
from producers.files.row_names import RowNames
from producers.following.checkpoint import Checkpoint
from producers.following.turn import source_name
from tokenweir.errors import RejectedInput

_SAMPLE_ROWS = 20


def read_document(checkpoint: Checkpoint, options: ReadOptions, said: dict[str, int]) -> Iterator[Piece]:
    """What the document says that it did not say before, and marks the checkpoint as read.

    said: what was passed on of it before, by id; filled. Raises WrongCall where its format cannot be told.
    """
    path = Path(checkpoint.path)
    with FileLines(path) as lines:
        digest = hashlib.blake2b(digest_size=16)
        for chunk in lines.chunks():
            digest.update(chunk)
    if checkpoint.document == digest.hexdigest():
        return
    with FileLines(path) as lines:
        try:
            yield from _pieces(lines, options, said)
        except UnreadableFile:
            return  # It is being written; when that is done it has changed again.
    checkpoint.document = digest.hexdigest()


def _pieces(lines: FileLines, options: ReadOptions, said: dict[str, int]) -> Iterator[Piece]:
    rows = document_rows(lines)
    first = list(islice(rows, _SAMPLE_ROWS))
    if first and all(row.value is None for row in first):
        raise UnreadableFile(f"{lines.path} is no JSON document yet")
    names = RowNames(source_name(lines.path, options))
    head = Head(path=str(lines.path), objects=[row.value for row in first if row.value is not None])
    file_time = file_time_of(lines.path, options.now)
    bound = bind(head, options, source=names.source, file_time=file_time)
    if bound is None:
        return
    for row in bound.document_rows(chain(first, rows)):
        name = names.of_row(row.content)
        try:
            if row.problem is not None:
                raise row.problem
            pieces: list[Piece] = list(bound.events(row, name))
        except RejectedInput as problem:
            pieces = [
                rejection_of_row(row, bound, problem, name=name(), source=names.source, now=options.now)
            ]
        for piece in pieces:
            content = hash(piece.model_dump_json(exclude={"rejected_at", "time"}))
            if said.get(piece.id) != content:
                said[piece.id] = content
                yield piece
