"""Readers of vendors' answers: one module a vendor, each a pure function from a raw answer to a UsageEvent."""

from producers.vendors.answer import UNKNOWN_MODEL, Answer, AnswerContext, Reading
from producers.vendors.registry import (
    Merged,
    detect,
    guess_vendor,
    read_answer,
    read_calls,
    read_stream,
    sign,
    stream,
    surface,
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
    "surfaces",
    "vendors",
]
