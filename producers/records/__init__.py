"""Records that other tools keep of calls: gateways' logs, cloud logs, coding agents' sessions. One module a tool."""

from producers.records.registry import (
    RecordContext,
    RecordFormat,
    RecordReader,
    detect,
    formats,
    new_reader,
    record_format,
)

__all__ = [
    "RecordContext",
    "RecordFormat",
    "RecordReader",
    "detect",
    "formats",
    "new_reader",
    "record_format",
]
