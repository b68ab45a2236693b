"""Readers of vendors' answers: one module a vendor, each a pure function from a raw answer to a UsageEvent."""

from producers.vendors.answer import UNKNOWN_MODEL, Answer, AnswerContext, Reading
from producers.vendors.names import vendor_name
from producers.vendors.reading import read_answer, read_calls, read_stream
from producers.vendors.registry import (
    Merged,
    detect,
    guess_vendor,
    sign,
    stream,
    surface,
    surface_named,
    surfaces,
    vendors,
)

__all__ = [
    "UNKNOWN_MODEL",
    "Answer",
    "AnswerContext",
    "Merged",
    "Reading",
    "detect",
    "guess_vendor",
    "read_answer",
    "read_calls",
    "read_stream",
    "sign",
    "stream",
    "surface",
    "surface_named",
    "surfaces",
    "vendor_name",
    "vendors",
]
