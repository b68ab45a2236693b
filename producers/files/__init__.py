"""Reading files of usage: event NDJSON, CSV and JSON Lines through a column map, raw vendor answers."""

from producers.files.answers import event_fields, parse_answers
from producers.files.column_map import ColumnMap
from producers.files.formats import ReadOptions, format_names
from producers.files.lines import UnreadableFile
from producers.files.reading import FileReading, Piece, read_files
from producers.files.row_names import source_of

__all__ = [
    "ColumnMap",
    "FileReading",
    "Piece",
    "ReadOptions",
    "UnreadableFile",
    "event_fields",
    "format_names",
    "parse_answers",
    "read_files",
    "source_of",
]
