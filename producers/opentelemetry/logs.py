"""Log records that state a call: those of coding agents, and OpenTelemetry's own GenAI event.

A module registers the reader of one event when it is imported; all others are passed over:

    @log_event("acme.api_request", wanted=("model", "tokens"))
    def read_request(record: LogRecord, context: AnswerContext) -> dict[str, Any] | Uncounted: ...
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

from producers.opentelemetry.conventions import is_span_attribute
from producers.opentelemetry.reading import Uncounted
from producers.opentelemetry.signals import LogRecord
from producers.opentelemetry.spans import fields_of_details
from producers.vendors.answer import AnswerContext

LogReader = Callable[[LogRecord, AnswerContext], dict[str, Any] | Uncounted]
_AGENTS: Final = ("claude_code", "codex", "gemini_cli")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One kind of event.

    source: who reports it, where the sender does not say. has_metric: whether a metric of the same agent counts its
    calls, too.
    """

    read: LogReader
    source: str
    has_metric: bool


_EVENTS: dict[str, LogEvent] = {
    "gen_ai.client.inference.operation.details": LogEvent(fields_of_details, "opentelemetry", False)
}
_WANTED: set[str] = {"event.name"}


def log_event(
    *event_names: str, source: str, wanted: Iterable[str], has_metric: bool = True
) -> Callable[[LogReader], LogReader]:
    """Registers the reader of events by these names. wanted: the attributes that it reads beside those of spans."""

    def register(read: LogReader) -> LogReader:
        _EVENTS.update(dict.fromkeys(event_names, LogEvent(read, source, has_metric)))
        _WANTED.update(wanted)
        return read

    return register


@cache
def load() -> None:
    """Imports the modules of the agents, which registers their readers."""
    for name in _AGENTS:
        import_module(f"producers.opentelemetry.{name}")


def is_log_attribute(name: str) -> bool:
    """Whether an attribute of a log record or of its resource is read."""
    load()
    return name in _WANTED or is_span_attribute(name)


def is_event_name(name: str) -> bool:
    """Whether events by this name are read."""
    load()
    return name in _EVENTS


def event_of_record(record: LogRecord) -> LogEvent | None:
    """How this record is read; None where it states no call."""
    load()
    return _EVENTS.get(record.name)
