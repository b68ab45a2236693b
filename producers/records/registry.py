"""The readers of other tools' records, found by the name of their format.

A module of this package registers the reader of one tool when it is imported, and all modules are imported on
first use: adding a tool is one new file.

    @record_format("acme_log", looks_like=lambda record: record.has_any("acme_version"))
    def read_log(record: Answer, context: RecordContext) -> Iterable[UsageEvent]: ...

Most records stand by themselves, and their reader is a function. Some are only understood from those before them
in the same file (cumulative counters, a model that is named once): their reader is a class, made anew for each
file or request, whose instance is called in the same way; its public state is plain data (`state`, `restore`), so
that reading can go on later where it stopped.

Pure: a record and a context in, events out. A record that states no call (a heartbeat, an error without usage) gives
none. Raises RejectedInput that names the field for a record that should state one and cannot be read.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Protocol

from producers.vendors.answer import Answer, AnswerContext
from tokenweir.errors import WrongCall
from tokenweir.usage.event import UsageEvent

RecordContext = AnswerContext
"""What the caller knows that a record does not say, as of an answer. `make_id` names a call whose record has no id, the
same at every re-reading."""


class RecordReader(Protocol):
    """Reads the records of one file or request, in order."""

    def __call__(self, record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
        """The calls that one record states; raises RejectedInput."""
        ...


@dataclass(frozen=True, slots=True)
class RecordFormat:
    """One kind of record. make: gives a reader for one file or request."""

    name: str
    make: Callable[[], RecordReader]
    looks_like: Callable[[Answer], bool]


_FORMATS: dict[str, RecordFormat] = {}


def record_format(name: str, *, looks_like: Callable[[Answer], bool]) -> Callable[[Any], Any]:
    """Registers a reader: a function, or a class whose instances are called. looks_like must not raise."""

    def register(reader: Any) -> Any:
        make = reader if isinstance(reader, type) else lambda: reader
        _FORMATS[name] = RecordFormat(name, make, looks_like)
        return reader

    return register


@cache
def load() -> None:
    """Imports every module of this package, which registers its readers."""
    package = importlib.import_module("producers.records")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"producers.records.{module.name}")


def formats() -> list[str]:
    """The names of the formats that have a reader."""
    load()
    return sorted(_FORMATS)


def detect(record: Mapping[str, Any]) -> str:
    """The format that a record surely is of; "" where none says so."""
    load()
    answer = Answer(record)
    return next((name for name, known in _FORMATS.items() if known.looks_like(answer)), "")


def new_reader(name: str) -> RecordReader:
    """A reader for one file or request. Raises WrongCall for a format without reader."""
    load()
    known = _FORMATS.get(name)
    if known is None:
        near = get_close_matches(name, _FORMATS, 1, 0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise WrongCall(f"no reader for records of {name!r}", hint=f"{hint}Known are {', '.join(formats())}")
    return known.make()
